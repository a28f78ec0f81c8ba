// The uploads of this person in this browser, by attachment. Each goes straight to S3, with what the API gave for it.

import { Keep } from "./keep.js";
import { Problem } from "./problem.js";
import { MULTIPART_BYTES, Transfer } from "./transfer.js";

// Browsers open six connections to a host; some are left for thumbnails and the API.
const MAX_AT_ONCE = 3;
const KEPT_MILLIS = 24 * 60 * 60 * 1000;
const EMPTY_TYPE = "application/octet-stream";

/** What the API wants to know of a file before it comes. Larger files are hashed when they have arrived. @param {File} file */
export async function announcement(file) {
  const announced = { name: file.name, size: file.size, type: file.type || EMPTY_TYPE };
  if (file.size < MULTIPART_BYTES && globalThis.crypto?.subtle) {
    const bytes = await file.arrayBuffer().catch(() => { throw new Problem(`“${file.name}” cannot be read.`); });
    const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
    announced.sha256 = Array.from(digest, (byte) => byte.toString(16).padStart(2, "0")).join("");
  }
  return announced;
}

export class Uploads {
  #api;
  #news;
  #keep = new Keep();
  /** @type {Map<string, Transfer>} */
  #transfers = new Map();
  #locks = new Map();
  #ended = new AbortController();
  #warn = (event) => event.preventDefault();

  /**
   * @param {import("./api.js").Api} api
   * @param {{changed(id: string): void, decided(room: string, seq: number): void}} news `changed`: an upload has news.
   *   `decided`: the server says that an attachment is not pending any more.
   */
  constructor(api, news) {
    this.#api = api;
    this.#news = news;
    const all = (work) => () => { for (const transfer of this.#transfers.values()) work(transfer); };
    const { signal } = this.#ended;
    addEventListener("offline", all((transfer) => transfer.hold()), { signal });
    addEventListener("online", all((transfer) => transfer.retry()), { signal });
  }

  get(id) {
    return this.#transfers.get(id);
  }

  /** How many files are on their way. */
  get underWay() {
    return [...this.#transfers.values()].filter(({ state }) => state !== "gone" && state !== "lost").length;
  }

  /** Starts to upload what was announced in a message that was just sent. */
  begin(message, attachment, file, upload) {
    const kept = {
      id: attachment.id, user: this.#api.me.id, room: message.room, seq: message.seq, name: attachment.name, size: attachment.size,
      type: attachment.type, modified: file.lastModified, upload, paused: false, gone: false, until: Date.parse(attachment.lapsesAt) || Date.now() + KEPT_MILLIS,
    };
    this.#adopt(kept, file);
    this.#keep.put(kept, file);
    this.#lock(kept.id);
    this.#proceed();
  }

  /** After a reload: goes on with what was on its way. */
  async restore() {
    for (const { kept, file } of await this.#keep.all(this.#api.me.id)) {
      // Another tab may be at it.
      if (!this.#transfers.has(kept.id) && (await this.#lock(kept.id))) this.#adopt(kept, file);
    }
    this.#proceed();
  }

  /** Its owner has chosen the file of a pending attachment again. */
  async supply(message, attachment, file) {
    if (file.size !== attachment.size || file.name !== attachment.name) {
      throw new Problem(`That is another file. Choose “${attachment.name}” again, as it was.`);
    }
    const transfer = this.#transfers.get(attachment.id);
    // Changed since, though as long as before: what S3 has of it is another file's.
    if (transfer && transfer.kept.modified !== file.lastModified) {
      transfer.kept.multipart = undefined;
      transfer.kept.modified = file.lastModified;
      transfer.kept.sent = 0;
    }
    if (!transfer) {
      if (!(await this.#lock(attachment.id))) throw new Problem("This file is being uploaded in another tab.");
      this.begin(message, attachment, file, await this.#api.uploadAgain(message.room, message.seq, attachment.id));
      return;
    }
    transfer.supply(file);
    this.#keep.put(transfer.kept, file);
    this.#enqueue(transfer);
  }

  pause(id) {
    this.#transfers.get(id)?.pause();
    this.#proceed();
  }

  /** Goes on, after a pause or a failure. */
  resume(id) {
    const transfer = this.#transfers.get(id);
    if (transfer) this.#enqueue(transfer);
  }

  cancel(id) {
    this.#transfers.get(id)?.cancel();
    this.#forget(id);
  }

  /** The server has decided about an attachment: nothing is left to do here. */
  settle(id) {
    if (!this.#transfers.has(id)) return;
    this.#transfers.get(id).end();
    this.#forget(id);
  }

  /** Its owner signs out. */
  async leave() {
    this.#ended.abort();
    for (const [id, transfer] of this.#transfers) {
      transfer.end();
      this.#locks.get(id)?.();
    }
    this.#transfers.clear();
    removeEventListener("beforeunload", this.#warn);
    await this.#keep.clear(this.#api.me.id);
  }

  #adopt(kept, file) {
    const transfer = new Transfer(kept, file, {
      changed: () => this.#changed(kept.id),
      askAgain: () => this.#askAgain(kept),
      remember: () => { if (this.#transfers.get(kept.id) === transfer) this.#keep.put(kept); },
      address: (url) => this.#api.address(url),
    });
    this.#transfers.set(kept.id, transfer);
    this.#changed(kept.id);
  }

  async #askAgain({ room, seq, id }) {
    try {
      return await this.#api.uploadAgain(room, seq, id);
    } catch (error) {
      if ([404, 409, 410].includes(error.status)) this.#news.decided(room, seq);
      throw error;
    }
  }

  #enqueue(transfer) {
    transfer.queue();
    this.#proceed();
  }

  #proceed() {
    const all = [...this.#transfers.values()];
    const going = all.filter(({ state }) => state === "going").length;
    const next = all.filter(({ state }) => state === "queued").slice(0, Math.max(0, MAX_AT_ONCE - going));
    for (const transfer of next) transfer.start();
    // Closing the tab would stop them.
    if (all.some(({ state }) => state === "going" || state === "queued")) addEventListener("beforeunload", this.#warn);
    else removeEventListener("beforeunload", this.#warn);
  }

  #changed(id) {
    const transfer = this.#transfers.get(id);
    if (transfer?.state === "gone") this.#keep.removeFile(id);
    this.#news.changed(id);
    if (transfer && transfer.state !== "going") queueMicrotask(() => this.#proceed());
  }

  #forget(id) {
    this.#transfers.delete(id);
    this.#keep.remove(id);
    this.#locks.get(id)?.();
    this.#locks.delete(id);
    this.#news.changed(id);
    this.#proceed();
  }

  /** Takes an upload for this tab alone; false if another has it. */
  #lock(id) {
    if (!navigator.locks || this.#locks.has(id)) return Promise.resolve(true);
    return new Promise((taken) => {
      navigator.locks.request(`vestibule.upload.${id}`, { ifAvailable: true }, (lock) => {
        taken(lock !== null);
        return lock && new Promise((release) => this.#locks.set(id, release));
      }).catch(() => taken(true));
    });
  }
}
