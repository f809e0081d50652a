// Stands in for the image nginx, and follows the rules of docker/default.conf.template.
// Usage: node front.mjs FOLDER HOST:PORT SERVER_PORT
import { existsSync, readFileSync, statSync } from "node:fs";
import { request as ask, createServer } from "node:http";
import { extname, join, normalize } from "node:path";
import { argv, env } from "node:process";

const [, , folder, listen, serverPort] = argv;
const TYPES = { ".html": "text/html", ".js": "text/javascript", ".css": "text/css" };
const template = readFileSync(join(folder, "default.conf.template"), "utf8");
const [, notOff] = /"~\*(\^.*\$)" 0;/.exec(template);
const isOff = !new RegExp(notOff, "i").test(env.APPSMITH_DISABLE_TELEMETRY ?? "");

const server = createServer((request, response) => {
  const path = normalize(new URL(request.url, "http://front").pathname);
  const isTelemetry = /^\/(telemetry|candor)\//.test(path);
  if (isTelemetry && isOff) response.writeHead(204).end();
  else if (/^\/(telemetry|api|admin)\//.test(path)) pass(request, response);
  else serve(path, response);
});
const [host, port] = listen.split(":");
server.listen(Number(port), host, () => console.log(`The front listens on port ${port}.`));

function pass(request, response) {
  const headers = {
    ...request.headers,
    "x-forwarded-for": request.socket.remoteAddress,
    "x-forwarded-proto": "http",
  };
  const { method, url } = request;
  const onward = ask({ host: "127.0.0.1", port: serverPort, method, path: url, headers }, (answer) => {
    response.writeHead(answer.statusCode, answer.headers);
    answer.pipe(response);
  });
  onward.on("error", () => (response.headersSent ? response.destroy() : response.writeHead(502).end()));
  request.pipe(onward);
}

function serve(path, response) {
  const inFolder = path.startsWith("/candor/") ? path : join("/client", path);
  const found = join(folder, inFolder);
  const isFile = existsSync(found) && statSync(found).isFile();
  const file = isFile ? found : join(folder, "client/index.html");
  response.writeHead(200, { "content-type": TYPES[extname(file)] ?? "application/octet-stream" });
  response.end(readFileSync(file));
}
