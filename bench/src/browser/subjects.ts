/**
 * Defines the browser SDKs that `npm run bench -- --only browser` compares. Each is configured as in the
 * first example of its documentation, except for the host and what `note` says. `started` is that example:
 * automatic page views, and clicks on one button. `waiting` is the configuration that the SDK offers for a
 * person who has not consented yet. If the SDK offers none, `waiting` is the same as `started`.
 */

export const SUBJECT_NAMES = [
  "candor",
  "segment",
  "posthog",
  "plausible",
  "rudder",
  "glean",
  "umami",
] as const;
export type SubjectName = (typeof SUBJECT_NAMES)[number];

export interface Subject {
  readonly title: string;
  /** The version on npm; undefined for our own SDK and for an SDK that is not on npm. */
  readonly npm: string | undefined;
  /**
   * The page's code, which can use `ORIGIN`: a module, or a plain script if `npm` is undefined. It sets
   * `bench.onClick`, unless the SDK listens to clicks itself.
   */
  readonly started: string;
  readonly waiting: string;
  /** A remark on the configuration, printed below the table. */
  readonly note: string;
}

const CLICKS = "window.bench.onClick = track;";

const segment = `import { AnalyticsBrowser } from "@segment/analytics-next";
const analytics = AnalyticsBrowser.load(
  { writeKey: "key", cdnURL: ORIGIN },
  { integrations: { "Segment.io": { apiHost: location.host + "/v1", protocol: "https" } } },
);
analytics.page();
const track = (id) => analytics.track("DEPLOY_CLICK", { id });
${CLICKS}`;

const posthog = (more: string) => `import posthog from "posthog-js";
posthog.init("key", { api_host: ORIGIN, defaults: "2025-05-24", opt_out_useragent_filter: true, ${more} });
const track = (id) => posthog.capture("DEPLOY_CLICK", { id });
${CLICKS}`;

const plausible = `import { init, track as send } from "@plausible-analytics/tracker";
init({ domain: "product.example", endpoint: ORIGIN + "/api/event", captureOnLocalhost: true });
const track = (id) => send("DEPLOY_CLICK", { props: { id } });
${CLICKS}`;

const rudder = (more: string) => `import { RudderAnalytics } from "@rudderstack/analytics-js/bundled";
const analytics = new RudderAnalytics();
analytics.load("key", ORIGIN, { configUrl: ORIGIN, ${more} });
analytics.page();
const track = (id) => analytics.track("DEPLOY_CLICK", { id });
${CLICKS}`;

const glean = (isOn: boolean) => `import Glean from "@mozilla/glean/web";
import EventMetricType from "@mozilla/glean/private/metrics/event";
Glean.initialize("product", ${isOn}, { serverEndpoint: ORIGIN, enableAutoPageLoadEvents: true });
const deploy = new EventMetricType(
  { category: "clicks", name: "deploy", sendInPings: ["events"], lifetime: "ping", disabled: false },
  ["id"],
);
const track = (id) => deploy.record({ id });
${CLICKS}`;

export const SUBJECTS: Readonly<Record<SubjectName, Subject>> = {
  candor: {
    title: "Candor",
    npm: undefined,
    started: 'candor.init({ endpoint: "/telemetry" });',
    waiting: 'candor.init({ endpoint: "/telemetry-unanswered" });',
    note: "clicks and pages by the plan; before consent, an instance that nobody has answered for",
  },
  segment: {
    title: "@segment/analytics-next",
    npm: "1.84.3",
    started: segment,
    waiting: segment,
    note: "waits for consent only through a wrapper of another package, so it is shown as its first example",
  },
  posthog: {
    title: "posthog-js",
    npm: "1.449.2",
    started: posthog(""),
    waiting: posthog("opt_out_capturing_by_default: true"),
    note: "it takes a headless browser for a bot, so its filter is off; before consent: `opt_out_capturing_by_default`",
  },
  plausible: {
    title: "@plausible-analytics/tracker",
    npm: "0.4.6",
    started: plausible,
    waiting: plausible,
    note: "asks nobody: it keeps nothing in the browser",
  },
  rudder: {
    title: "@rudderstack/analytics-js",
    npm: "3.34.1",
    started: rudder(""),
    waiting: rudder(
      'preConsent: { enabled: true, storage: { strategy: "none" }, events: { deliveryType: "buffer" } }, consentManagement: { enabled: true, provider: "custom" }',
    ),
    note: "the bundled build, because the other loads its plugins from a CDN; before consent: `preConsent`",
  },
  umami: {
    title: "Umami tracker",
    npm: undefined,
    started: "",
    waiting: "",
    note: "not on npm: the file in BENCH_UMAMI_SCRIPT, built by its own repository; asks nobody",
  },
  glean: {
    title: "@mozilla/glean",
    npm: "5.0.10",
    started: glean(true),
    waiting: glean(false),
    note: "before consent: `uploadEnabled` false. It sends at most 40 pings a minute: what it had not sent after 6 s waits in storage",
  },
};
