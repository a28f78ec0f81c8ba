// Uppy's published client, unmodified, in a browser, against our upload routes: docs/UPLOADS.md says which. One local cloud
// serves all cases, and each has a file and a tab of its own.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { build } from "esbuild";
import { chromium } from "playwright-core";
import { bytes } from "./bytes.js";
import { Chat } from "./chat.js";
import { startStack } from "../web/stack.js";
import { within } from "../web/waiting.js";
import { CUT, HOLD, LOSE, Network, PASS, PATIENCE_MILLIS } from "./network.js";

const VERSIONS = ["v5", "v6"];
const CASE_MILLIS = 180_000;
const FLAGS = [
  "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
  "--disable-component-update", "--disable-sync",
];
const NOTE = { name: "Grüße – 日本 👋.txt", type: "text/plain", size: 12_345 };
/** Three parts: two of five MiB, and one that is shorter. */
const FILM = { name: "Ünïcode – 日本.bin", type: "application/octet-stream", size: 12 * 1024 * 1024 };
const FORM = /^\/u\/[^/]+\/s3\/params$/;
const UPLOADS = /^\/u\/[^/]+\/s3\/multipart$/;
const UPLOAD = /^\/u\/[^/]+\/s3\/multipart\/[^/]+$/;
const COMPLETE = /^\/u\/[^/]+\/s3\/multipart\/[^/]+\/complete$/;
/** Each part, and how often. */
const ONCE = { 1: 1, 2: 1, 3: 1 };

let stack;
let chat;
let network;
let browser;

before(async () => {
  const pages = await bundles();
  stack = await startStack("uppy");
  chat = await Chat.open(stack);
  network = await Network.start(stack.pageUrl, pages);
  browser = await chromium.launch({
    executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
    // Chromium would leave the proxy out for loopback.
    args: [...FLAGS, `--proxy-server=${network.address}`, "--proxy-bypass-list=<-loopback>"],
  });
}, { timeout: CASE_MILLIS });

after(async () => {
  await browser?.close();
  await network?.end();
  await stack?.end();
});

/** The versions' pages and scripts, by path. */
async function bundles() {
  const pages = {};
  for (const version of VERSIONS) {
    const built = await build({
      entryPoints: [join(import.meta.dirname, version, "page.js")], bundle: true, format: "esm", write: false, logLevel: "error",
    });
    pages[`/contract-${version}.html`] = {
      type: "text/html; charset=utf-8",
      body: `<!doctype html><title>${version}</title><script type="module" src="/contract-${version}.js"></script>`,
    };
    pages[`/contract-${version}.js`] = { type: "text/javascript; charset=utf-8", body: built.outputFiles[0].text };
  }
  return pages;
}

/** A tab with one version's page in it, and an announced file. */
class Tab {
  static async open(version, file) {
    const tab = new Tab();
    Object.assign(tab, { version, file, complaints: [] });
    tab.slot = await chat.announce(file);
    tab.context = await browser.newContext();
    tab.page = await tab.context.newPage();
    tab.page.on("pageerror", ({ message }) => tab.complaints.push(message));
    // Uppy says there when CORS hides a header from it.
    tab.page.on("console", (message) => { if (/@uppy/.test(message.text())) tab.complaints.push(message.text()); });
    await tab.show();
    return tab;
  }

  /** Shows the page, as for the first time. */
  async show() {
    await this.page.goto(`${stack.pageUrl}/contract-${this.version}.html`);
    await this.page.waitForFunction(() => window.contract);
  }

  async begin(more) {
    await this.page.evaluate((upload) => window.contract.begin(upload), { address: this.slot.address, file: this.file, ...more });
  }

  ask(what) {
    return this.page.evaluate((what) => window.contract[what](), what);
  }

  async result() {
    return within(PATIENCE_MILLIS, "Uppy says how it ended", this.ask("result"))
      .catch((error) => { throw new Error([error.message, ...this.complaints, network.told()].join("\n")); });
  }

  /** Uppy says that it is done, and the file is there, whole and under its name. */
  async arrives() {
    const { successful, failed } = await this.result();
    assert.deepEqual(failed, [], network.told());
    assert.deepEqual(successful.map(({ name }) => name), [this.file.name]);
    const { state, name, rejection } = await chat.decided(this.slot);
    assert.deepEqual({ state, name, rejection }, { state: "ready", name: this.file.name, rejection: undefined });
    assert.ok(Buffer.from(bytes(this.file)).equals(await chat.download(this.slot)), "other bytes arrived");
    assert.deepEqual(this.complaints, []);
    return successful[0];
  }

  /** What the routes say of an upload, asked without Uppy. */
  async listed({ key, uploadId }) {
    const query = new URLSearchParams({ key });
    const answer = await fetch(`${this.slot.address}/s3/multipart/${encodeURIComponent(uploadId)}?${query}`);
    return { status: answer.status, body: await answer.json() };
  }
}

/** Part 1 goes through, and what comes after it has this fate. */
async function afterPartOne(tab, fate, options) {
  network.fate = ({ part }) => (part > 1 ? fate : PASS);
  await tab.begin({ multipart: true, options });
  await network.until("the first part is stored and another is on its way", () =>
    network.stored()[1] === 1 && network.exchanges.some((exchange) => exchange.part > 1 && (fate === HOLD || exchange.closed)));
}

/** Uppy asks once to give its upload up, and may. */
async function isGivenUp() {
  const asked = () => network.asked("DELETE", UPLOAD);
  await network.until("the upload is given up", () => asked().some(({ status }) => status));
  assert.deepEqual(asked().map(({ status, answer }) => [status, JSON.parse(answer)]), [[200, {}]]);
}

const small = {
  async "a small file goes by a form, under a name that is not ASCII"(tab) {
    await tab.begin({ multipart: false });
    const { url } = await tab.arrives();
    const [form] = network.asked("GET", FORM);
    assert.equal(form.url.searchParams.get("filename"), NOTE.name);
    const { url: bucket, fields } = JSON.parse(form.answer);
    const [sent, ...more] = network.asked("POST", /^\/[^/]+-inbox-[^/]+\/$/);
    assert.deepEqual([sent.status, more], [201, []]);
    // Version 5 reads what the bucket says, version 6 puts it together.
    assert.equal(url, tab.version === "v5" ? sent.location : bucket + fields.key);
    assert.ok(url.endsWith(`/${fields.key}`), url);
    // Asked of the bucket itself, which had to allow it.
    assert.ok(network.preflights.some(({ url: { href }, status }) => href === bucket && status === 200));
  },

  async "a small file goes in one part"(tab) {
    await tab.begin({ multipart: true });
    await tab.arrives();
    assert.deepEqual(network.stored(), { 1: 1 });
  },

  async "a form for what was given up fails"(tab) {
    await isRefused(tab, { multipart: false });
    assert.deepEqual(network.asked("GET", FORM).map(({ status }) => status), [410]);
  },
};

const large = {
  async "a file goes in parts, and completing it again answers the same"(tab) {
    await tab.begin({ multipart: true });
    await network.until("it is completed", () => network.asked("POST", COMPLETE).some(({ status }) => status));
    const [complete] = network.asked("POST", COMPLETE);
    const again = async () => {
      const answer = await fetch(complete.url, {
        method: "POST", headers: { "content-type": "application/json" }, body: complete.sent,
      });
      assert.deepEqual({ status: answer.status, body: await answer.text() }, { status: 200, body: complete.answer });
    };
    assert.equal(complete.status, 200, complete.answer);
    await again();
    const { url, response } = await tab.arrives();
    const { location, key } = JSON.parse(complete.answer);
    assert.deepEqual({ url, location: response.body.location, key: response.body.key }, { url: location, location, key });
    await again();
    assert.deepEqual(network.begun(), ONCE);
    assert.ok(network.preflights.some(({ url, status }) => url.searchParams.has("partNumber") && status === 200));
  },

  async "after a cut, pausing and resuming sends no finished part again"(tab) {
    await afterPartOne(tab, CUT);
    await tab.ask("pause");
    network.fate = () => PASS;
    await tab.ask("resume");
    await tab.arrives();
    assert.deepEqual(network.stored(), ONCE);
    assert.equal(network.begun()[1], 1);
    assert.equal(network.asked("POST", UPLOADS).length, 1);
    assert.deepEqual(network.asked("GET", UPLOAD).map(({ status }) => status), [200]);
  },

  async "after a cut that outlasts Uppy's patience, a retry succeeds"(tab) {
    // Version 5 would try for nine seconds; version 6 has no such option.
    await afterPartOne(tab, CUT, { retryDelays: [0, 100] });
    const { successful, failed } = await tab.result();
    assert.deepEqual([successful.length, failed.length], [0, 1]);
    // Version 5 gives an upload up when a part fails, and has nothing to resume; version 6 keeps it.
    const uploads = tab.version === "v5" ? 2 : 1;
    if (uploads === 2) await isGivenUp();
    network.fate = () => PASS;
    await tab.ask("retry");
    await tab.arrives();
    assert.deepEqual(network.stored(), { ...ONCE, 1: uploads });
    assert.equal(network.asked("POST", UPLOADS).length, uploads);
  },

  async "after a reload of the page, no finished part is sent again"(tab) {
    await afterPartOne(tab, HOLD);
    const resume = await tab.ask("kept");
    await tab.show();
    network.fate = () => PASS;
    await tab.begin({ multipart: true, resume });
    await tab.arrives();
    assert.deepEqual(network.stored(), ONCE);
    assert.equal(network.begun()[1], 1);
    assert.equal(network.asked("POST", UPLOADS).length, 1);
  },

  async "cancelling leaves nothing, and the file can be uploaded anew"(tab) {
    await afterPartOne(tab, HOLD);
    const kept = await tab.ask("kept");
    await tab.ask("cancel");
    await isGivenUp();
    assert.equal(await tab.ask("files"), 0);
    await tab.result();
    const { status, body: { error } } = await tab.listed(kept);
    assert.deepEqual([status, error], [404, "upload-not-found"]);
    assert.equal((await chat.attachment(tab.slot)).state, "pending");

    network.reset();
    await tab.begin({ multipart: true });
    await tab.arrives();
    assert.deepEqual(network.begun(), ONCE);
    assert.notEqual(JSON.parse(network.asked("POST", UPLOADS)[0].answer).uploadId, kept.uploadId);
  },

  async "when the answer to completing is lost, a retry finds the file there"(tab) {
    network.fate = ({ url }) => (url.pathname.endsWith("/complete") ? LOSE : PASS);
    await tab.begin({ multipart: true });
    assert.equal((await tab.result()).failed.length, 1);
    // Chromium asks again by itself, and is answered the same.
    const completes = network.asked("POST", COMPLETE);
    for (const { status, answer } of completes) assert.deepEqual([status, answer], [200, completes[0].answer]);
    assert.equal((await chat.decided(tab.slot)).state, "ready");
    network.fate = () => PASS;
    await tab.ask("retry");
    if (tab.version === "v6") return void await tab.arrives();
    // Version 5 has given the upload up and wants to begin another: all that is left is to tell its user why not.
    const { failed } = await tab.result();
    const refusal = JSON.parse(network.asked("POST", UPLOADS)[1].answer);
    assert.deepEqual([failed[0].error, refusal.error], [refusal.message, "attachment-decided"]);
    assert.deepEqual(network.begun(), ONCE);
  },

  async "giving a file up in the middle ends its upload with an error"(tab) {
    await afterPartOne(tab, HOLD, { retryDelays: [0, 100] });
    await chat.giveUp(tab.slot);
    network.fate = () => PASS;
    network.drop();
    const { successful, failed } = await tab.result();
    assert.deepEqual([successful, failed.length], [[], 1]);
    // Giving it up aborts what has begun, so S3 may say so first.
    const isGone = ({ status, answer }) => (status === 410 && JSON.parse(answer).error === "attachment-gone") || status === 404;
    assert.ok(network.exchanges.some(isGone));
    assert.equal((await chat.attachment(tab.slot)).state, "cancelled");
  },

  async "parts of what was given up fail"(tab) {
    await isRefused(tab, { multipart: true });
    assert.deepEqual(network.asked("POST", UPLOADS).map(({ status }) => status), [410]);
  },
};

/** Uppy says that it failed, and sends nothing to the bucket. */
async function isRefused(tab, how) {
  await chat.giveUp(tab.slot);
  await tab.begin(how);
  const { successful, failed } = await tab.result();
  assert.deepEqual([successful, failed.length], [[], 1]);
  const [{ answer }] = network.exchanges;
  assert.equal(JSON.parse(answer).error, "attachment-gone");
  // Version 6 does not read an error's body.
  assert.equal(failed[0].error, tab.version === "v5" ? JSON.parse(answer).message : "Companion request failed: Gone");
  assert.equal(network.exchanges.filter(({ url }) => url.origin !== stack.pageUrl).length, 0);
}

const withFile = (cases, file) => Object.entries(cases).map(([title, run]) => [title, run, file]);

for (const version of VERSIONS) {
  describe(version, () => {
    const { dependencies } = JSON.parse(readFileSync(join(import.meta.dirname, version, "package.json"), "utf8"));
    for (const [title, run, file] of [...withFile(small, NOTE), ...withFile(large, FILM)]) {
      test(title, { timeout: CASE_MILLIS }, async () => {
        network.reset();
        const tab = await Tab.open(version, file);
        try {
          assert.equal(await tab.page.evaluate(() => window.contract.version), dependencies["@uppy/aws-s3"]);
          await run(tab);
        } finally {
          await tab.context.close();
        }
      });
    }
  });
}
