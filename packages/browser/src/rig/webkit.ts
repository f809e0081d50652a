/**
 * Drives WebKit for `browsers.ts`: WebKitGTK's MiniBrowser, over the WebDriver protocol, on its own display.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { findProgram } from "../../../../scripts/programs.mjs";
import type { RigBrowser, RigTab } from "./browsers.ts";

const START_TIMEOUT_MS = 60_000;
/** The key of an element's id in WebDriver's answers. @see https://www.w3.org/TR/webdriver2/#elements */
const ELEMENT = "element-6066-11e4-a52e-4f735466cecf";
const KEYS = { Control: "\uE009", Shift: "\uE008", Tab: "\uE004", Enter: "\uE007" } as const;

export async function startWebKit(): Promise<RigBrowser> {
  const home = mkdtempSync(join(tmpdir(), "candor-webkit-"));
  const processes: ChildProcess[] = [];
  try {
    const display = await startDisplay(processes);
    const port = await freePort();
    const driver = spawn("WebKitWebDriver", ["--host=127.0.0.1", `--port=${port}`], {
      stdio: "ignore",
      detached: true,
      env: {
        PATH: "/usr/local/bin:/usr/bin:/bin",
        HOME: home,
        XDG_RUNTIME_DIR: home,
        DISPLAY: display,
        WEBKIT_DISABLE_COMPOSITING_MODE: "1",
        NO_AT_BRIDGE: "1",
      },
    });
    processes.push(driver);
    const session = await openSession(`http://127.0.0.1:${port}`);
    return {
      name: "webkit",
      version: `WebKitGTK ${session.version}`,
      openTab: (url) => openTab(session, url),
      close: async () => {
        await session.ask("DELETE", "").catch(() => {});
        await endAll(processes, home);
      },
    };
  } catch (error) {
    await endAll(processes, home);
    throw error;
  }
}

/** Starts an X server, which finds a free display number itself and writes it to file descriptor 3. */
async function startDisplay(processes: ChildProcess[]): Promise<string> {
  const server = spawn("Xvfb", ["-displayfd", "3", "-screen", "0", "1280x900x24", "-nolisten", "tcp"], {
    stdio: ["ignore", "ignore", "ignore", "pipe"],
    detached: true,
  });
  processes.push(server);
  const [chunk] = await once(server.stdio[3] as NodeJS.ReadableStream, "data");
  return `:${String(chunk).trim()}`;
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as { readonly port: number };
  server.close();
  return port;
}

async function endAll(processes: readonly ChildProcess[], home: string): Promise<void> {
  for (const { pid } of processes.toReversed()) {
    try {
      if (pid !== undefined) process.kill(-pid, "SIGKILL"); // kills the whole process group
    } catch {
      // The process has already ended.
    }
  }
  await sleep(100);
  rmSync(home, { recursive: true, force: true, maxRetries: 5 });
}

interface Session {
  readonly version: string;
  /** The browser's first window, which stays open. */
  readonly first: string;
  /**
   * Sends a WebDriver command.
   * @param path relative to the session's URL
   * @throws Error with the driver's error message
   */
  readonly ask: <Value>(method: "GET" | "POST" | "DELETE", path: string, body?: object) => Promise<Value>;
}

async function openSession(driver: string): Promise<Session> {
  const capabilities = {
    alwaysMatch: { "webkitgtk:browserOptions": { binary: findMiniBrowser(), args: ["--automation"] } },
  };
  const deadline = Date.now() + START_TIMEOUT_MS;
  for (;;) {
    try {
      const { sessionId, capabilities: given } = await call<{
        readonly sessionId: string;
        readonly capabilities: { readonly browserVersion: string };
      }>("POST", `${driver}/session`, { capabilities });
      const ask: Session["ask"] = (method, path, body) =>
        call(method, `${driver}/session/${sessionId}${path}`, body);
      return { version: given.browserVersion, first: await ask<string>("GET", "/window"), ask };
    } catch (error) {
      if (Date.now() > deadline) throw new Error("WebKit did not start.", { cause: error });
      await sleep(200);
    }
  }
}

async function call<Value>(method: string, url: string, body?: object): Promise<Value> {
  const text = method === "POST" ? JSON.stringify(body ?? {}) : undefined;
  const response = await fetch(url, { method, ...(text !== undefined && { body: text }) });
  const { value } = (await response.json()) as { readonly value: Value & { readonly message?: string } };
  if (!response.ok) throw new Error(`WebDriver: ${value?.message ?? response.status}`);
  return value;
}

function findMiniBrowser(): string {
  const folders = readdirSync("/usr/lib").map((name) =>
    join("/usr/lib", name, "webkit2gtk-4.1", "MiniBrowser"),
  );
  const found = folders.find((path) => existsSync(path));
  if (found === undefined || findProgram("Xvfb") === undefined)
    throw new Error("There is no WebKit on this machine.");
  return found;
}

/** Opens a tab. Only one tab can be driven at a time, because a WebDriver session has one current window. */
async function openTab(session: Session, url: string): Promise<RigTab> {
  await session.ask("POST", "/window", { handle: session.first });
  const { handle } = await session.ask<{ readonly handle: string }>("POST", "/window/new", {
    type: "window",
  });
  const ask: Session["ask"] = async (method, path, body) => {
    await session.ask("POST", "/window", { handle });
    return session.ask(method, path, body);
  };
  const find = async (selector: string): Promise<string> => {
    const found = await ask<Record<string, string>>("POST", "/element", {
      using: "css selector",
      value: selector,
    });
    return found[ELEMENT] ?? "";
  };
  const act = (...actions: readonly object[]) => ask<null>("POST", "/actions", { actions });
  const keys = (type: "keyDown" | "keyUp", value: string) => ({
    type: "key",
    id: "keys",
    actions: [{ type, value }],
  });
  const tab: RigTab = {
    goto: async (to) => void (await ask("POST", "/url", { url: to })),
    evaluate: <Result>(script: string) =>
      ask<Result>("POST", "/execute/async", {
        script: `const done = arguments[0]; (async () => {${script}})().then((value) => done(value ?? null));`,
        args: [],
      }),
    click: async (selector, key) => {
      const element = await find(selector);
      if (key !== undefined) await act(keys("keyDown", KEYS[key]));
      await ask("POST", `/element/${element}/click`);
      if (key !== undefined) await act(keys("keyUp", KEYS[key]));
    },
    type: async (selector, text) =>
      void (await ask("POST", `/element/${await find(selector)}/value`, { text })),
    press: async (key) => {
      await act(keys("keyDown", KEYS[key]));
      await act(keys("keyUp", KEYS[key]));
    },
    back: async () => void (await ask("POST", "/back")),
    reload: async () => void (await ask("POST", "/refresh")),
    screenshot: async () => Buffer.from(await ask<string>("GET", "/screenshot"), "base64"),
    close: async () => void (await ask("DELETE", "/window")),
  };
  await tab.goto(url);
  return tab;
}
