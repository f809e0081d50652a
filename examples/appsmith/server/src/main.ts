/** Starts the server of the example product: a small low-code tool, with telemetry for its makers. */
import { createApp } from "./app.ts";
import { CONFIG } from "./config.ts";
import { openDatabase } from "./database.ts";
import { startTelemetry } from "./telemetry.ts";

const database = openDatabase(CONFIG.databaseUrl);
const telemetry = await startTelemetry({ isHealthy: database.isHealthy });
const server = createApp(database, telemetry).listen(CONFIG.port, () => {
  console.log(`Appsmith listens on port ${CONFIG.port}.`);
});

let isStopping = false;
for (const signal of ["SIGINT", "SIGTERM"] as const)
  process.on(signal, () => {
    if (isStopping) return;
    isStopping = true;
    server.close();
    server.closeAllConnections();
    void Promise.allSettled([telemetry.close(), database.close()]).then(() => process.exit(0));
  });
