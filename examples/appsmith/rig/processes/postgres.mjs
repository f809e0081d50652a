// Stands in for the image postgres: PostgreSQL as WebAssembly, for any number of connections, without passwords.
// Usage: node postgres.mjs FOLDER PORT TEMPLATE. The template is an empty database, created once, because that takes seconds.
import { cpSync, existsSync } from "node:fs";
import { createServer } from "node:net";
import { argv, exit } from "node:process";
import { PGlite } from "@electric-sql/pglite";

const [, , folder, port, template] = argv;
const SSL_REQUEST = 80877103;
const [QUERY, SYNC, TERMINATE] = [..."QSX"].map((letter) => letter.charCodeAt(0));
// AuthenticationOk, ReadyForQuery: what a client waits for after its first message.
const WELCOME = Buffer.from([...[82, 0, 0, 0, 8, 0, 0, 0, 0], ...[90, 0, 0, 0, 5, 73]]);

if (!existsSync(template)) await (await PGlite.create(template)).close();
if (!existsSync(folder)) cpSync(template, folder, { recursive: true });
const database = await PGlite.create(folder);
/** All clients share one session, so each run of messages up to a Query or Sync waits for the previous one. */
let last = Promise.resolve();

createServer((socket) => {
  let bytes = Buffer.alloc(0);
  let isWelcome = false;
  let batch = [];
  socket.on("error", () => {});
  socket.on("data", (chunk) => {
    bytes = Buffer.concat([bytes, chunk]);
    for (let message = take(); message !== undefined; message = take()) answer(message);
  });

  /**
   * Takes the next message; undefined if it is not complete yet. Its length follows its type letter, which
   * messages before the welcome do not have.
   */
  function take() {
    const at = isWelcome ? 1 : 0;
    if (bytes.length < at + 4) return undefined;
    const end = at + bytes.readUInt32BE(at);
    if (bytes.length < end) return undefined;
    const message = bytes.subarray(0, end);
    bytes = bytes.subarray(end);
    return message;
  }

  function answer(message) {
    if (!isWelcome) {
      const isAsked = message.readUInt32BE(4) === SSL_REQUEST;
      isWelcome = !isAsked;
      socket.write(isAsked ? "N" : WELCOME);
      return;
    }
    if (message[0] === TERMINATE) return void socket.end();
    batch.push(message);
    if (message[0] !== QUERY && message[0] !== SYNC) return;
    const whole = Buffer.concat(batch);
    batch = [];
    last = last.then(async () => {
      socket.write(await database.execProtocolRaw(whole));
    });
  }
}).listen(Number(port), "127.0.0.1", () => console.log(`PostgreSQL listens on port ${port}.`));

process.on("SIGTERM", () => void last.then(() => database.close()).finally(() => exit()));
