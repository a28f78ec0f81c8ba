// Large files: in parts, through a cut and a reload, without sending anything twice.

import assert from "node:assert/strict";
import { createCipheriv, createHash } from "node:crypto";
import { attachment, eventually, inState, send } from "../world.js";

const MIB = 1024 * 1024;
// Slow enough to be interrupted in the middle.
const BYTES_PER_SECOND = 16 * MIB;

/** Bytes like random ones, the same each time. */
function noise(size, seed = 7) {
  return createCipheriv("aes-128-ctr", Buffer.alloc(16, seed), Buffer.alloc(16)).update(Buffer.alloc(size));
}

/** Counts the parts that go to S3, over reloads. */
class Parts {
  /** How often each part was begun, and how often S3 had all of it. */
  begun = new Map();
  done = new Map();
  /** Parts that were begun again although S3 had answered that it has them. */
  again = [];

  constructor(page) {
    const partOf = (request) => request.method() === "PUT" && new URL(request.url()).searchParams.get("partNumber");
    const count = (map, part) => map.set(part, (map.get(part) ?? 0) + 1);
    page.on("request", (request) => {
      const part = partOf(request);
      if (!part) return;
      if (this.done.has(part)) this.again.push(part);
      count(this.begun, part);
    });
    page.on("response", (response) => {
      const part = partOf(response.request());
      if (part && response.status() === 200) count(this.done, part);
    });
  }
}

/** The page's network, to be slowed down and cut. */
async function network(page) {
  const session = await page.context().newCDPSession(page);
  await session.send("Network.enable");
  const emulate = (offline, uploadThroughput) =>
    session.send("Network.emulateNetworkConditions", { offline, latency: 0, downloadThroughput: -1, uploadThroughput });
  return { slow: () => emulate(false, BYTES_PER_SECOND), cut: () => emulate(true, BYTES_PER_SECOND), fast: () => emulate(false, -1) };
}

export const large = {
  async "64 MB go on through a cut and a reload without sending a finished part twice"(world) {
    const { customer, operator } = await world.twoPeople();
    const parts = new Parts(customer);
    const line = await network(customer);
    await line.slow();
    const bytes = noise(64 * MIB);
    await choose(customer.locator("#picker"), "large.bin", 64 * MIB);
    await customer.click("#send");
    await inState(customer, "large.bin", "going");
    await operator.locator('.attachment[data-state="pending"]').waitFor();
    await eventually("three parts are there", () => parts.done.size >= 3);
    await line.cut();
    await inState(customer, "large.bin", "waiting");
    const atCut = parts.done.size;
    assert.ok(atCut < 13, "the cut came in the middle");
    await line.slow();
    await eventually("it goes on after the cut", () => parts.done.size > atCut);
    await attachment(customer, "large.bin").getByRole("button", { name: "Pause large.bin" }).click();
    await inState(customer, "large.bin", "paused");
    await attachment(customer, "large.bin").getByRole("button", { name: "Go on with large.bin" }).click();
    const atReload = parts.done.size;
    await eventually("it goes on after the pause", () => parts.done.size > atReload);
    await customer.reload();
    await customer.locator(".attachment").waitFor();
    assert.ok(parts.done.size < 13, "the reload came in the middle");
    await line.fast();
    for (const page of [customer, operator]) await inState(page, "large.bin", "ready");
    assert.deepEqual(parts.again, [], "no finished part was sent again");
    assert.equal(parts.begun.size, 13);
    // What arrived is what was sent.
    assert.deepEqual(await digests(world), expected(bytes));
  },

  async "a file whose bytes the browser lost is chosen again and goes on"(world) {
    const { customer, operator } = await world.twoPeople();
    const parts = new Parts(customer);
    const line = await network(customer);
    await line.slow();
    const bytes = noise(24 * MIB);
    await choose(customer.locator("#picker"), "middle.bin", 24 * MIB);
    await customer.click("#send");
    await eventually("two parts are there", () => parts.done.size >= 2);
    await attachment(customer, "middle.bin").getByRole("button", { name: "Pause middle.bin" }).click();
    await inState(customer, "middle.bin", "paused");
    await forgetBytes(customer);
    await customer.reload();
    await inState(customer, "middle.bin", "lost");
    const input = attachment(customer, "middle.bin").locator("input[type=file]");
    await choose(input, "middle.bin", 24 * MIB - 1);
    await customer.getByRole("alert").filter({ hasText: "That is another file." }).waitFor();
    await choose(input, "middle.bin", 24 * MIB);
    for (const page of [customer, operator]) await inState(page, "middle.bin", "ready");
    assert.deepEqual(parts.again, []);
    assert.deepEqual(await digests(world), expected(bytes));
  },

  async "a file that was changed since is not spliced with what it was"(world) {
    const { customer, operator } = await world.twoPeople();
    const parts = new Parts(customer);
    const line = await network(customer);
    await line.slow();
    await choose(customer.locator("#picker"), "edited.bin", 24 * MIB);
    await customer.click("#send");
    await eventually("a part is there", () => parts.done.size >= 1);
    await attachment(customer, "edited.bin").getByRole("button", { name: "Pause edited.bin" }).click();
    await inState(customer, "edited.bin", "paused");
    await forgetBytes(customer);
    await customer.reload();
    await inState(customer, "edited.bin", "lost");
    await choose(attachment(customer, "edited.bin").locator("input[type=file]"), "edited.bin", 24 * MIB, 9);
    for (const page of [customer, operator]) await inState(page, "edited.bin", "ready");
    assert.deepEqual(await digests(world), expected(noise(24 * MIB, 9)));
  },

  async "a lost answer to the last request sends nothing again"(world) {
    const { customer, operator } = await world.twoPeople();
    const parts = new Parts(customer);
    let lost = 0;
    await customer.route(/\/complete\?/, async (route) => {
      if (lost) return route.continue();
      lost += 1;
      await route.fetch();
      return route.abort("connectionreset");
    });
    await choose(customer.locator("#picker"), "unlucky.bin", 12 * MIB);
    await customer.click("#send");
    for (const page of [customer, operator]) await inState(page, "unlucky.bin", "ready");
    assert.equal(lost, 1);
    assert.deepEqual(parts.again, []);
    assert.deepEqual(await digests(world), expected(noise(12 * MIB)));
  },

  async "an upload that S3 has forgotten begins anew"(world) {
    const { customer, operator } = await world.twoPeople();
    const parts = new Parts(customer);
    await (await network(customer)).slow();
    await choose(customer.locator("#picker"), "forgotten.bin", 12 * MIB);
    await customer.click("#send");
    await eventually("a part is there", () => parts.done.size >= 1);
    await attachment(customer, "forgotten.bin").getByRole("button", { name: "Pause forgotten.bin" }).click();
    await inState(customer, "forgotten.bin", "paused");
    const { upload, multipart } = await kept(customer);
    const path = `${upload.companion.url}/s3/multipart/${multipart.uploadId}?${new URLSearchParams({ key: multipart.key })}`;
    const answer = await fetch(new URL(path, world.stack.pageUrl), { method: "DELETE" });
    assert.equal(answer.status, 200);
    await attachment(customer, "forgotten.bin").getByRole("button", { name: "Go on with forgotten.bin" }).click();
    for (const page of [customer, operator]) await inState(page, "forgotten.bin", "ready");
    assert.deepEqual(await digests(world), expected(noise(12 * MIB)));
  },

  async "a cancelled large file is cancelled on both sides"(world) {
    const { customer, operator } = await world.twoPeople();
    const parts = new Parts(customer);
    await (await network(customer)).slow();
    await choose(customer.locator("#picker"), "unwanted.bin", 24 * MIB);
    await send(customer, "No, wait.");
    await eventually("a part is there", () => parts.done.size >= 1);
    await attachment(customer, "unwanted.bin").getByRole("button", { name: "Cancel unwanted.bin" }).click();
    for (const page of [customer, operator]) await inState(page, "unwanted.bin", "cancelled");
  },
};

/** Picks a file of `noise` that the page makes itself: Playwright sends large ones slowly, or not at all. */
async function choose(input, name, size, seed = 7) {
  await input.evaluate(async (picker, [fileName, length, kind]) => {
    const key = await crypto.subtle.importKey("raw", new Uint8Array(16).fill(kind), "AES-CTR", false, ["encrypt"]);
    const counter = new Uint8Array(16);
    const bytes = await crypto.subtle.encrypt({ name: "AES-CTR", counter, length: 64 }, key, new Uint8Array(length));
    const data = new DataTransfer();
    data.items.add(new File([bytes], fileName, { type: "application/octet-stream", lastModified: 1_795_000_000_000 + kind }));
    picker.files = data.files;
    picker.dispatchEvent(new Event("change"));
  }, [name, size, seed]);
}

/** As if the browser had thrown the file away that the page kept. */
async function forgetBytes(page) {
  await page.evaluate(() => new Promise((resolve, reject) => {
    const opened = indexedDB.open("vestibule");
    opened.onerror = reject;
    opened.onsuccess = () => {
      const transaction = opened.result.transaction("files", "readwrite");
      transaction.objectStore("files").clear();
      transaction.oncomplete = () => {
        opened.result.close();
        resolve();
      };
    };
  }));
}

/** What the page keeps of its only upload. */
async function kept(page) {
  return page.evaluate(() => new Promise((resolve, reject) => {
    const opened = indexedDB.open("vestibule");
    opened.onerror = reject;
    opened.onsuccess = () => {
      const request = opened.result.transaction("uploads").objectStore("uploads").getAll();
      request.onsuccess = () => {
        opened.result.close();
        resolve(request.result[0]);
      };
    };
  }));
}

async function digests(world) {
  const client = await world.client("operator");
  const [{ room }] = await client.rooms();
  const messages = await client.messages(room);
  return messages.flatMap(({ attachments }) => attachments).map(({ size, facts }) => ({ size, digest: facts.sha256 ?? facts.parts?.sha256 }));
}

function expected(bytes) {
  return [{ size: bytes.length, digest: createHash("sha256").update(bytes).digest("hex") }];
}
