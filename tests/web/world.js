// What all cases share: one local cloud, one browser, and people in windows of their own.

import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { delimiter, extname, join } from "node:path";
import { chromium } from "playwright-core";
import { Client } from "./client.js";
import { ROOT, startStack } from "./stack.js";
import { eventually as inTime } from "./waiting.js";

const FLAGS = [
  "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
  "--disable-component-update", "--disable-sync",
];
/** How long anything may take that a person would wait for. */
export const PATIENCE_MILLIS = 30_000;
export const PHONE = { width: 390, height: 844 };
export const DESKTOP = { width: 1280, height: 800 };

export class World {
  #open = [];
  #clients = new Map();

  static async start() {
    const world = new World();
    world.stack = await startStack("web");
    try {
      world.browser = await chromium.launch({ executablePath: chromiumPath(), args: FLAGS });
    } catch (error) {
      await world.stack.end();
      throw error;
    }
    return world;
  }

  async end() {
    await this.browser?.close();
    await this.stack.end();
  }

  person(name) {
    return this.stack.people.find((person) => person.name === name);
  }

  /** The API as this person sees it, without a page. */
  client(name) {
    if (!this.#clients.has(name)) this.#clients.set(name, Client.signIn(this.stack, this.person(name)));
    return this.#clients.get(name);
  }

  /** A window of its own, as if on another machine, that fails the case when the page has an error. */
  async window(options = {}) {
    const context = await this.browser.newContext({ viewport: DESKTOP, colorScheme: "light", ...options });
    context.setDefaultTimeout(PATIENCE_MILLIS);
    const page = await context.newPage();
    page.problems = [];
    page.on("pageerror", (error) => page.problems.push(error.message));
    page.on("console", (message) => {
      if (/Content Security Policy/.test(message.text())) page.problems.push(message.text());
    });
    this.#open.push(context);
    await page.goto(this.stack.pageUrl);
    return page;
  }

  /** A window in which somebody has signed in. */
  async signedIn(name, options) {
    const page = await this.window(options);
    const form = page.locator("#sign-in-form");
    await form.getByLabel("Name").fill(name);
    await form.getByLabel("Password").fill(this.person(name).password);
    await form.getByRole("button", { name: "Sign in" }).click();
    await page.locator("#desk").waitFor();
    return page;
  }

  /** A customer who has just asked, and the operator who took the room. */
  async twoPeople({ customer: customerOptions, operator: operatorOptions } = {}) {
    await this.closeAll();
    await (await this.client("customer")).call("POST", "/v1/rooms", {});
    const [customer, operator] = await Promise.all([this.signedIn("customer", customerOptions), this.signedIn("operator", operatorOptions)]);
    await operator.locator("#waiting [data-room]").click();
    await Promise.all([customer, operator].map((page) => page.locator("#compose").waitFor()));
    return { customer, operator };
  }

  /** Closes every room, so that a case begins with none. */
  async closeAll() {
    await Promise.all(["customer", "stranger"].map(async (name) => {
      const client = await this.client(name);
      await Promise.all((await client.rooms()).map(({ room }) => client.close(room)));
    }));
  }

  /** Closes the case's windows and fails if one of their pages had an error. */
  async tidy() {
    const problems = [];
    for (const context of this.#open.splice(0)) {
      for (const page of context.pages()) problems.push(...(page.problems ?? []));
      await context.close();
    }
    assert.deepEqual(problems, []);
  }
}

/** Debian's browser, or the one that CHROMIUM names. None is ever downloaded. */
function chromiumPath() {
  const candidates = (process.env.PATH ?? "").split(delimiter).map((folder) => join(folder, "chromium"));
  const path = process.env.CHROMIUM ?? candidates.find((candidate) => existsSync(candidate));
  assert.ok(path, "chromium is missing: infra/setup/install web");
  return path;
}

const TYPES = {
  ".csv": "text/csv", ".gif": "image/gif", ".heic": "image/heic", ".jpg": "image/jpeg", ".mp3": "audio/mpeg", ".mp4": "video/mp4",
  ".ogg": "audio/ogg", ".pdf": "application/pdf", ".png": "image/png", ".txt": "text/plain",
};

/** A real file from the fixtures; `as` and `type` are what its sender says of it. */
export function fixture(file, { as = file, type = TYPES[extname(file)] } = {}) {
  return { name: as, mimeType: type, buffer: readFileSync(join(ROOT, "fixtures/files", file)) };
}

/** Writes a message and sends it. */
export async function send(page, text, files = []) {
  if (files.length) await page.setInputFiles("#picker", files);
  await page.fill("#text", text);
  await page.click("#send");
}

/** The attachment of this name; the last one, if there are several. */
export function attachment(page, name) {
  return page.locator(".attachment").filter({ hasText: name }).last();
}

/** Waits until the attachment of this name is drawn in this state. */
export async function inState(page, name, state) {
  await page.locator(`.attachment[data-state="${state}"]`).filter({ hasText: name }).last().waitFor();
}

/** Waits until `condition` answers something true, and returns it. */
export function eventually(what, condition, millis = PATIENCE_MILLIS) {
  return inTime(what, condition, millis);
}

/** Drops files from outside the browser on an element. */
export async function drop(page, selector, files) {
  const transfer = await page.evaluateHandle((dropped) => {
    const data = new DataTransfer();
    for (const { name, mimeType, base64 } of dropped) {
      const bytes = Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
      data.items.add(new File([bytes], name, { type: mimeType }));
    }
    return data;
  }, files.map(({ name, mimeType, buffer }) => ({ name, mimeType, base64: buffer.toString("base64") })));
  await page.dispatchEvent(selector, "dragenter", { dataTransfer: transfer });
  await page.dispatchEvent(selector, "dragover", { dataTransfer: transfer });
  await page.dispatchEvent(selector, "drop", { dataTransfer: transfer });
}
