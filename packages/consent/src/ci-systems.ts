/** Lists CI systems, with the environment variables by which they are recognised. */

/** A CI system, and the environment variables that are set in all of its jobs. */
export interface CiSystem {
  readonly name: string;
  /** All of these variables must be set, to something other than `0`, `false` and the empty string. */
  readonly variables: readonly [string, ...string[]];
}

/**
 * How to recognise CI systems by variables other than `CI`. The data is from npm's `ci-info` (4.5,
 * `vendors.json`). Variables that are also set where people run a product are left out: those that hosting
 * platforms also set at run time (Render, Vercel, Heroku, Alpic, ReleaseHub), and `BUILD_ID`, `BUILD_NUMBER`
 * and `RUN_ID` alone, which are often built into an image.
 */
export const CI_SYSTEMS: readonly CiSystem[] = [
  { name: "Agola CI", variables: ["AGOLA_GIT_REF"] },
  { name: "Appcircle", variables: ["AC_APPCIRCLE"] },
  { name: "Appflow", variables: ["CI_APP_ID", "CI_BUILD_ID"] },
  { name: "AppVeyor", variables: ["APPVEYOR"] },
  { name: "AWS CodeBuild", variables: ["CODEBUILD_BUILD_ARN"] },
  { name: "AWS CodeBuild, by its build id", variables: ["CODEBUILD_BUILD_ID"] },
  { name: "Azure Pipelines", variables: ["TF_BUILD"] },
  { name: "Bamboo", variables: ["bamboo_planKey"] },
  { name: "Bitbucket Pipelines", variables: ["BITBUCKET_COMMIT"] },
  { name: "Bitrise", variables: ["BITRISE_IO"] },
  { name: "Buddy", variables: ["BUDDY_WORKSPACE_ID"] },
  { name: "Buildkite", variables: ["BUILDKITE"] },
  { name: "Capawesome Cloud", variables: ["CAPAWESOME_CLOUD"] },
  { name: "CircleCI", variables: ["CIRCLECI"] },
  { name: "Cirrus CI", variables: ["CIRRUS_CI"] },
  { name: "Cloudflare Pages", variables: ["CF_PAGES"] },
  { name: "Cloudflare Workers", variables: ["WORKERS_CI"] },
  { name: "Codefresh", variables: ["CF_BUILD_ID"] },
  { name: "Codemagic", variables: ["CM_BUILD_ID"] },
  { name: "Codeship, Sourcehut", variables: ["CI_NAME"] },
  { name: "Drone", variables: ["DRONE"] },
  { name: "dsari", variables: ["DSARI"] },
  { name: "Earthly", variables: ["EARTHLY_CI"] },
  { name: "Expo Application Services", variables: ["EAS_BUILD"] },
  { name: "Gerrit", variables: ["GERRIT_PROJECT"] },
  { name: "Gitea Actions", variables: ["GITEA_ACTIONS"] },
  { name: "GitHub Actions", variables: ["GITHUB_ACTIONS"] },
  { name: "GitLab CI", variables: ["GITLAB_CI"] },
  { name: "GoCD", variables: ["GO_PIPELINE_LABEL"] },
  { name: "Google Cloud Build", variables: ["BUILDER_OUTPUT"] },
  { name: "Harness CI", variables: ["HARNESS_BUILD_ID"] },
  { name: "Hudson", variables: ["HUDSON_URL"] },
  { name: "Jenkins", variables: ["JENKINS_URL"] },
  { name: "LayerCI", variables: ["LAYERCI"] },
  { name: "Magnum CI", variables: ["MAGNUM"] },
  { name: "Netlify CI", variables: ["NETLIFY"] },
  { name: "Nevercode", variables: ["NEVERCODE"] },
  { name: "Prow", variables: ["PROW_JOB_ID"] },
  { name: "RWX", variables: ["RWX"] },
  { name: "Sail CI", variables: ["SAILCI"] },
  { name: "Screwdriver", variables: ["SCREWDRIVER"] },
  { name: "Semaphore", variables: ["SEMAPHORE"] },
  { name: "Strider CD", variables: ["STRIDER"] },
  { name: "TaskCluster", variables: ["TASK_ID", "RUN_ID"] },
  { name: "TeamCity", variables: ["TEAMCITY_VERSION"] },
  { name: "Travis CI", variables: ["TRAVIS"] },
  { name: "Travis CI and Cirrus CI of old", variables: ["CONTINUOUS_INTEGRATION"] },
  { name: "Vela", variables: ["VELA"] },
  { name: "Visual Studio App Center", variables: ["APPCENTER_BUILD_ID"] },
  { name: "Xcode Cloud", variables: ["CI_XCODE_PROJECT"] },
  { name: "Xcode Server", variables: ["XCS"] },
];
