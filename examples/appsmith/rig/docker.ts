/**
 * For tests: a separate Docker daemon, with images under the names that the product's files use. No image can
 * be pulled, so debootstrap makes a base image, and small images based on it stand in for the official ones.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { copyFileSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { fetchNode, NEWEST_NODE } from "../../../scripts/npm-cache.mjs";
import { missingTags } from "../../../scripts/programs.mjs";
import { run } from "./machine.ts";
import { until } from "./until.ts";

const ROOT = fileURLToPath(new URL("../../../", import.meta.url));
const IMAGES = fileURLToPath(new URL("images/", import.meta.url));
/** Kept between runs, so that the base image is made again only if PACKAGES has changed. */
const CACHE = join(ROOT, "node_modules/.cache/docker");
const BASE = "candor-rig-base";
const PACKAGES = "ca-certificates,libatomic1,nginx-light,postgresql-15,gettext-base,faketime";
const STAND_INS = {
  node: "node:26-bookworm-slim",
  nginx: "nginx:1.28-bookworm",
  postgres: "postgres:15-bookworm",
};
const START_MS = 60_000;

export const docker = (...parameters: readonly string[]): Promise<string> => run(["docker", ...parameters]);

/**
 * Called by vitest before the group's tests: starts the daemon and makes the images.
 * @returns a function that stops the daemon
 */
export default async function setup(): Promise<() => Promise<void>> {
  if (missingTags().includes("docker")) return async () => {}; // the tests of this group are left out
  const folder = mkdtempSync(join(tmpdir(), "candor-docker-"));
  const socket = `unix://${folder}/docker.sock`;
  process.env.DOCKER_HOST = socket;
  const places = [
    "--data-root",
    CACHE,
    "--exec-root",
    join(folder, "exec"),
    "--pidfile",
    join(folder, "pid"),
  ];
  mkdirSync(CACHE, { recursive: true });
  const daemon = spawn("dockerd", [...places, "--host", socket], { stdio: "ignore" });
  const stop = async (): Promise<void> => {
    daemon.kill();
    if (daemon.exitCode === null) await new Promise((resolve) => daemon.once("exit", resolve));
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    await waitForDaemon(daemon);
    await makeImages();
    await run([process.execPath, join(ROOT, "scripts/image.mjs")]);
  } catch (error) {
    await stop();
    throw error;
  }
  return stop;
}

async function waitForDaemon(daemon: ChildProcess): Promise<void> {
  const isUp = async (): Promise<boolean> => {
    if (daemon.exitCode !== null) throw new Error("dockerd has ended.");
    return docker("info").then(
      () => true,
      () => false,
    );
  };
  await until(isUp, START_MS, () => "dockerd did not start.");
}

async function makeImages(): Promise<void> {
  const made = await docker("inspect", "--format", "{{.Config.Labels.packages}}", BASE).catch(() => "");
  if (made.trim() !== PACKAGES) await makeBase();
  const folder = mkdtempSync(join(tmpdir(), "candor-images-"));
  try {
    copyFileSync(fetchNode(NEWEST_NODE), join(folder, "node"));
    copyFileSync(join(IMAGES, "postgres.sh"), join(folder, "postgres.sh"));
    for (const [name, tag] of Object.entries(STAND_INS))
      await docker("build", "--tag", tag, "--file", join(IMAGES, `${name}.Dockerfile`), folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

async function makeBase(): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "candor-base-"));
  const tree = join(folder, "tree");
  const archive = join(folder, "tree.tar");
  try {
    await run(["debootstrap", "--variant=minbase", `--include=${PACKAGES}`, "bookworm", tree]);
    rmSync(join(tree, "var/cache/apt/archives"), { recursive: true });
    await run(["tar", "--directory", tree, "--create", "--file", archive, "."]);
    await docker("import", "--change", `LABEL packages=${PACKAGES}`, archive, BASE);
  } finally {
    rmSync(folder, { recursive: true });
  }
}
