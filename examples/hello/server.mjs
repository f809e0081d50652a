// A product's server, as small as it gets. README.md says how to run it.
import { createTelemetry } from "@candor/node";
import { plan } from "../../.candor/hello/plan.mjs";

const telemetry = createTelemetry({
  plan,
  source: "server",
  writeKey: process.env.WRITE_KEY ?? "",
  host: "http://127.0.0.1:7226",
  stateDir: ".candor/hello/telemetry",
});

// In a real server: every six hours, as long as the product says that it is well.
telemetry.keepAlive({ everyHours: 6, healthy: () => true });

telemetry.track("execute_ACTION_TRIGGERED", { pluginName: "PostgreSQL", timeElapsed: 8 }, { userId: "ada" });
telemetry.track("execute_ACTION_TRIGGERED", { pluginName: "REST API", query: "SELECT 1" });
telemetry.track("not_in_the_plan", {});

await telemetry.flush();
console.log(telemetry.status());
