// Starts `vestibule dev`, as a person would, and ends it by its own pid.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:net";
import { dirname, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { within } from "./waiting.js";

/** The clone's root. */
export const ROOT = resolve(dirname(fileURLToPath(import.meta.url)), "../..");

const START_MILLIS = 120_000;
const END_MILLIS = 30_000;

/** @param {string} stack Its name. @returns {Promise<{pageUrl: string, endpointUrl: string, people: object[], end(): Promise<void>}>} */
export async function startStack(stack) {
  const program = process.env.VESTIBULE_BIN;
  assert.ok(program, "VESTIBULE_BIN names the executable `vestibule`");
  const [port, pagePort] = await freePorts(2);
  const args = ["dev", "--port", port, "--page-port", pagePort, "--stack", stack, "--json"].map(String);
  const child = spawn(resolve(ROOT, program), args, { cwd: ROOT, stdio: ["ignore", "pipe", "pipe"] });
  let said = "";
  child.stderr.on("data", (data) => { said += data; });
  const ended = once(child, "exit");
  const line = await within(START_MILLIS, "vestibule dev is up", Promise.race([
    firstLine(child.stdout),
    ended.then(([code]) => Promise.reject(new Error(`vestibule dev ended with ${code}: ${said}`))),
  ])).catch((error) => {
    child.kill("SIGKILL");
    throw error;
  });
  return {
    ...JSON.parse(line),
    async end() {
      if (child.exitCode === null) child.kill("SIGINT");
      await within(END_MILLIS, "vestibule dev ends", ended).catch((error) => {
        child.kill("SIGKILL");
        throw error;
      });
    },
  };
}

async function firstLine(stream) {
  let read = "";
  for await (const data of stream) {
    read += data;
    if (read.includes("\n")) {
      // What else it says must not fill the pipe.
      stream.resume();
      return read.slice(0, read.indexOf("\n"));
    }
  }
  // It has ended, and says why elsewhere.
  return new Promise(() => {});
}

async function freePorts(count) {
  const servers = await Promise.all(Array.from({ length: count }, async () => {
    const server = createServer().listen(0, "127.0.0.1");
    await once(server, "listening");
    return server;
  }));
  const ports = servers.map((server) => server.address().port);
  await Promise.all(servers.map((server) => new Promise((closed) => server.close(closed))));
  return ports;
}
