// Exits with 0 if the server and its database answer, otherwise with 1. The image's health check and the
// installer use it.
const { ok } = await fetch(`http://127.0.0.1:${process.env.APPSMITH_PORT ?? 8080}/api/v1/health`).catch(
  () => ({ ok: false }),
);
process.exit(ok ? 0 : 1);
