/** Reports heartbeats and actions to the product's makers, and provides the gateway and the inspector. */
import { arch, platform, versions } from "node:process";
import { createTelemetry, type Gateway, type InspectorHandler } from "@candor/node";
import { CONFIG } from "./config.ts";
import type { Execution, RunnableAction } from "./plugins.ts";

/** The facts of a heartbeat. The SDK adds the ids of instance, boot and install, and the environment. */
const FACTS = {
  version: CONFIG.version,
  edition: "community",
  os: platform,
  arch,
  runtime: `node-${versions.node.split(".")[0]}`,
};

export interface ProductTelemetry {
  readonly reportAction: (action: RunnableAction, execution: Execution, user: ActionUser) => void;
  /** Answers the browser SDK. */
  readonly gateway: Gateway;
  /** The page on which an admin sees and stops what is sent. */
  readonly inspector: InspectorHandler;
  readonly close: () => Promise<unknown>;
}

export interface ActionUser {
  readonly email: string;
  /** Whether the action ran while its app was edited, or for somebody who uses the app. */
  readonly mode: "edit" | "view";
}

/** Starts telemetry. @param isHealthy asked before each heartbeat, which is sent only if the answer is true */
export async function startTelemetry({
  isHealthy,
}: {
  isHealthy: () => Promise<boolean>;
}): Promise<ProductTelemetry> {
  // The build writes the plan beside the server as a module: `candor generate js plans/appsmith.yaml`.
  const { plan } = await import(new URL("./plan.mjs", import.meta.url).href);
  const telemetry = createTelemetry({
    plan,
    source: "server",
    writeKey: CONFIG.telemetry.serverKey,
    host: CONFIG.telemetry.url,
    stateDir: CONFIG.telemetry.folder,
    common: { version: FACTS.version },
    debug: (sentence) => console.error(sentence),
  });
  telemetry.keepAlive({ everyHours: 6, healthy: isHealthy, facts: () => FACTS });
  return {
    reportAction: (
      { app, page, datasource, action, plugin },
      { elapsedMs, isSuccess, statusCode },
      { email, mode },
    ) =>
      telemetry.track(
        "execute_ACTION_TRIGGERED",
        {
          appId: app.id,
          appName: app.name,
          appMode: mode,
          pageId: page.id,
          pageName: page.name,
          datasource: { name: datasource.name },
          name: action.name,
          isExampleApp: false,
          originService: "appsmith-server",
          pluginName: plugin.name,
          type: plugin.type,
          isSuccessfulExecution: isSuccess,
          statusCode,
          timeElapsed: elapsedMs,
          username: email,
        },
        { userId: email },
      ),
    gateway: telemetry.gateway({
      writeKey: CONFIG.telemetry.clientKey,
      clientAddress: (request) => String(request.headers["x-forwarded-for"] ?? ""),
    }),
    inspector: telemetry.inspector(),
    close: () => telemetry.close(),
  };
}
