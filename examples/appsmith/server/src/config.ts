/** Reads the server's settings, which docker.env and the image set as environment variables. */
import { env } from "node:process";

export const CONFIG = {
  version: env.APPSMITH_VERSION ?? "0.0.0",
  port: Number(env.APPSMITH_PORT ?? 8080),
  databaseUrl: env.APPSMITH_DB_URL ?? "postgres://appsmith@127.0.0.1:5432/appsmith",
  telemetry: {
    url: env.APPSMITH_TELEMETRY_URL ?? "",
    serverKey: env.APPSMITH_TELEMETRY_SERVER_KEY ?? "",
    clientKey: env.APPSMITH_TELEMETRY_CLIENT_KEY ?? "",
    folder: env.APPSMITH_TELEMETRY_FOLDER ?? "/telemetry",
  },
};
