// Fills in packages/installer/docker-env.json with how docker-compose 1 and docker compose 2 read
// each env file in it. Needs docker-compose 1.29 (Debian's, whose `config` needs no daemon), and Go
// to run compose 2's own parser.
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { root } from "./prepare.mjs";

const FILE = join(root, "packages/installer/docker-env.json");
const COMPOSE_GO = "github.com/compose-spec/compose-go/v2@v2.16.2";
const READER = `package main

import (
	"encoding/json"
	"os"
	"strings"

	"github.com/compose-spec/compose-go/v2/dotenv"
)

func main() {
	var files [][]byte
	if err := json.NewDecoder(os.Stdin).Decode(&files); err != nil {
		panic(err)
	}
	read := make([]map[string]string, len(files))
	for i, file := range files {
		if values, err := dotenv.ParseWithLookup(strings.NewReader(string(file)), os.LookupEnv); err == nil {
			read[i] = values
		}
	}
	if err := json.NewEncoder(os.Stdout).Encode(read); err != nil {
		panic(err)
	}
}
`;

const vectors = JSON.parse(readFileSync(FILE, "utf8"));
const folder = mkdtempSync(join(tmpdir(), "candor-docker-env-"));
const second = readByCompose2(vectors.map(({ text }) => text));
const filled = vectors.map(({ name, text, kit }, at) => ({
  name,
  text,
  kit,
  compose1: only(readByCompose1(text)),
  compose2: only(second[at]),
}));
rmSync(folder, { recursive: true, force: true });
writeFileSync(FILE, `${JSON.stringify(filled, null, 2)}\n`);

/**
 * Reads an env file with docker-compose 1.
 * @returns the variables of the file; null if compose rejects the file. A variable without a value is null,
 * because compose takes its value from the environment, where it is not set.
 */
function readByCompose1(text) {
  writeFileSync(join(folder, "docker.env"), text, "latin1");
  writeFileSync(
    join(folder, "docker-compose.yml"),
    "version: '3'\nservices: { app: { image: app, env_file: docker.env } }\n",
  );
  const run = spawnSync("docker-compose", ["config"], { cwd: folder, encoding: "utf8", env: bare() });
  if (run.error) throw run.error;
  if (run.status !== 0) return null;
  // The output is parsed as YAML, because long values span several lines. Compose writes $ as $$.
  const python =
    "import json, sys, yaml; print(json.dumps(yaml.safe_load(sys.stdin)['services']['app'].get('environment', {})))";
  const read = spawnSync("/usr/bin/python3", ["-c", python], { input: run.stdout, encoding: "utf8" });
  if (read.status !== 0) throw new Error(read.stderr);
  return JSON.parse(read.stdout.replaceAll("$$", "$"));
}

function readByCompose2(texts) {
  writeFileSync(join(folder, "main.go"), READER);
  go("mod", "init", "reader");
  go("get", COMPOSE_GO);
  go("mod", "tidy");
  go("build", "-o", "reader", ".");
  const input = JSON.stringify(texts.map((text) => Buffer.from(text, "latin1").toString("base64")));
  const run = spawnSync(join(folder, "reader"), { input, encoding: "utf8", env: bare() });
  if (run.status !== 0) throw new Error(run.stderr);
  return JSON.parse(run.stdout);
}

function go(...args) {
  const run = spawnSync("go", args, { cwd: folder, encoding: "utf8" });
  if (run.status !== 0) throw new Error(run.stderr);
}

function bare() {
  return { PATH: process.env.PATH, HOME: process.env.HOME };
}

/** Keeps only the variables that turn telemetry off. */
function only(values) {
  if (values === null) return null;
  return Object.fromEntries(
    Object.entries(values).filter(([name]) => name === "OFF" || name === "DO_NOT_TRACK"),
  );
}
