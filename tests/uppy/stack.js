// Starts `vestibule dev`, as a person would, and ends it by its own pid.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:net";
import { resolve } from "node:path";
import { createInterface } from "node:readline";
import { within } from "./waiting.js";

const ROOT = resolve(import.meta.dirname, "../..");
const START_MILLIS = 120_000;
const END_MILLIS = 30_000;

/** What `vestibule dev --json` says, and `end`. */
export async function startStack() {
  const program = process.env.VESTIBULE_BIN;
  assert.ok(program, "VESTIBULE_BIN names the executable `vestibule`");
  const [port, pagePort] = await freePorts(2);
  const args = ["dev", "--port", port, "--page-port", pagePort, "--stack", "uppy", "--json"].map(String);
  const child = spawn(resolve(ROOT, program), args, { cwd: ROOT, stdio: ["ignore", "pipe", "pipe"] });
  let said = "";
  child.stderr.on("data", (data) => { said += data; });
  const ended = once(child, "exit");
  const lines = createInterface({ input: child.stdout });
  const end = async (signal) => {
    if (child.exitCode === null && child.signalCode === null) child.kill(signal);
    try {
      await within(END_MILLIS, "vestibule dev ends", ended);
    } catch (error) {
      child.kill("SIGKILL");
      throw error;
    }
  };
  try {
    const early = ended.then(([code]) => Promise.reject(new Error(`vestibule dev ended with ${code}: ${said}`)));
    const [line] = await within(START_MILLIS, "vestibule dev is up", Promise.race([once(lines, "line"), early]));
    // When it ends later, that is no surprise.
    early.catch(() => {});
    return { ...JSON.parse(line), end: () => end("SIGINT") };
  } catch (error) {
    await end("SIGINT").catch(() => {});
    throw error;
  }
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
