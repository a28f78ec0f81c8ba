// One file's way to S3, driven by Uppy's S3 client: large files in parts that can be resumed, small ones by one PUT.

import AwsS3 from "@uppy/aws-s3";
import Uppy from "@uppy/core";
import { Speed } from "./speed.js";

/** Files of this size and more go in parts. */
export const MULTIPART_BYTES = 8 * 1024 * 1024;
// A browser sets these itself, and refuses to be told.
const OWN_HEADERS = new Set(["content-length", "host"]);
// An upload that S3 would not let begin any more is asked for again this long before.
const EXPIRY_MARGIN_MILLIS = 30_000;
const FIRST_PAUSE_MILLIS = 1000;
const LONGEST_PAUSE_MILLIS = 30_000;
// So often a transfer is tried again by itself without a byte of progress; then its owner is asked.
const MAX_TRIES = 6;
const SILENT = { debug() {}, warn() {}, error() {} };

/**
 * `queued`: waits for its turn. `going`. `paused`: by its owner. `waiting`: for the network. `failed`: its owner decides.
 * `lost`: the browser has not got the bytes any more. `gone`: all bytes have arrived.
 * @typedef {"queued" | "going" | "paused" | "waiting" | "failed" | "lost" | "gone"} TransferState
 *
 * @typedef {object} Surroundings
 * @property {() => void} changed There is news.
 * @property {() => Promise<object>} askAgain Gets a fresh upload from the API; fails when the attachment is decided.
 * @property {() => void} remember Keeps what a reload needs.
 * @property {(url: string) => string} address
 */
export class Transfer {
  #around;
  #run;
  #uppy;
  #fileId;
  #timer;
  #tries = 0;
  #speed = new Speed();
  /** @type {TransferState} */
  state = "queued";
  sent = 0;
  /** Why it failed, for its owner. */
  problem = undefined;

  /** @param {import("./keep.js").Kept} kept @param {File | undefined} file @param {Surroundings} around */
  constructor(kept, file, around) {
    this.kept = kept;
    this.file = file;
    this.#around = around;
    this.sent = kept.sent ?? 0;
    if (kept.gone) this.state = "gone";
    else if (!file) this.state = "lost";
    else if (kept.paused) this.state = "paused";
  }

  get size() {
    return this.kept.size;
  }

  get bytesPerSecond() {
    return this.state === "going" ? this.#speed.bytesPerSecond : undefined;
  }

  get secondsLeft() {
    const speed = this.bytesPerSecond;
    return speed ? (this.size - this.sent) / speed : undefined;
  }

  /** Waits to be started. */
  queue() {
    clearTimeout(this.#timer);
    this.problem = undefined;
    if (this.kept.paused) {
      this.kept.paused = false;
      this.#around.remember();
    }
    this.#become("queued");
  }

  start() {
    clearTimeout(this.#timer);
    this.#speed = new Speed();
    this.#become("going");
    // What an earlier start was still waiting for does nothing any more.
    const run = (this.#run = {});
    this.#begin(run).catch((error) => { if (this.#run === run) this.#failed(error); });
  }

  pause() {
    clearTimeout(this.#timer);
    this.kept.paused = true;
    // What S3 has stays there. A pause of Uppy's own keeps its upload open, which a network error then ends: begin anew instead.
    this.#drop();
    this.#become("paused");
    this.#around.remember();
  }

  /** Its owner has chosen the file again. */
  supply(file) {
    this.file = file;
    this.#tries = 0;
  }

  /** Gives up; parts that S3 has are thrown away. */
  cancel() {
    clearTimeout(this.#timer);
    const { multipart } = this.kept;
    this.#drop();
    if (!multipart) return;
    fetch(this.#companion(`/${encodeURIComponent(multipart.uploadId)}?${new URLSearchParams({ key: multipart.key })}`), { method: "DELETE" })
      // The server throws them away too, when it hears of the cancelled attachment, and S3 by itself after some days.
      .catch(() => {});
  }

  /** Ends without a trace on the server: the page is left. */
  end() {
    clearTimeout(this.#timer);
    this.#drop();
  }

  async #begin(run) {
    if (this.#expired()) await this.#renew();
    if (this.#run !== run) return;
    const { kept, file } = this;
    const uppy = (this.#uppy = new Uppy({ id: kept.id, logger: SILENT }));
    const mine = (work) => (...event) => { if (this.#uppy === uppy) work(...event); };
    uppy.use(AwsS3, { allowedMetaFields: false, ...this.#way() });
    // Paused before it began: nothing of Uppy's has heard of the pause yet.
    uppy.on("upload-start", () => { if (this.#uppy !== uppy) setTimeout(() => uppy.pauseAll()); });
    uppy.on("upload-progress", mine((_, { bytesUploaded }) => this.#progressed(bytesUploaded)));
    uppy.on("s3-multipart:part-uploaded", mine(() => this.#partArrived()));
    uppy.on("upload-success", mine(() => this.#arrived()));
    uppy.on("upload-error", mine((_, error) => this.#failed(error)));
    uppy.on("state-update", mine(() => this.#noteMultipart()));
    this.#fileId = uppy.addFile({ name: kept.name, type: kept.type, data: file });
    if (kept.multipart) uppy.setFileState(this.#fileId, { s3Multipart: kept.multipart });
    await uppy.upload();
  }

  #way() {
    const { companion } = this.kept.upload;
    if (companion && this.size >= MULTIPART_BYTES) {
      return { companionEndpoint: this.#around.address(companion.url), shouldUseMultipart: true, getChunkSize: () => companion.partSize };
    }
    const signRequest = async () => {
      if (this.#expired()) await this.#renew();
      const { url, headers } = this.kept.upload;
      return { url, headers: Object.fromEntries(Object.entries(headers).filter(([name]) => !OWN_HEADERS.has(name.toLowerCase()))) };
    };
    return { signRequest, shouldUseMultipart: false };
  }

  #expired() {
    const { upload } = this.kept;
    const { expires } = upload.companion && this.size >= MULTIPART_BYTES ? upload.companion : upload;
    return Date.parse(expires) - EXPIRY_MARGIN_MILLIS < Date.now();
  }

  async #renew() {
    this.kept.upload = await this.#around.askAgain();
    this.#around.remember();
  }

  #companion(path) {
    return `${this.#around.address(this.kept.upload.companion.url)}/s3/multipart${path}`;
  }

  #noteMultipart() {
    const multipart = this.#uppy?.getFile(this.#fileId)?.s3Multipart;
    if (!multipart || multipart.uploadId === this.kept.multipart?.uploadId) return;
    this.kept.multipart = multipart;
    this.#around.remember();
  }

  #partArrived() {
    this.#tries = 0;
    this.kept.sent = this.sent;
    this.#around.remember();
  }

  #progressed(bytes) {
    if (bytes > this.sent) this.#speed.note(bytes);
    this.sent = bytes;
    this.#around.changed();
  }

  #arrived() {
    this.sent = this.size;
    this.kept.gone = true;
    this.kept.multipart = undefined;
    this.#drop();
    this.#become("gone");
    this.#around.remember();
  }

  async #failed(error) {
    if (this.state !== "going") return;
    // S3 has it already: the answer to the first try was lost.
    if (error.status === 412) {
      this.#arrived();
      return;
    }
    this.#drop();
    this.#become("waiting");
    this.#tries += 1;
    if (!navigator.onLine) {
      this.#tries = 0;
      return;
    }
    const run = (this.#run = {});
    const why = await this.#ask();
    if (this.#run !== run) return;
    if (why || this.#tries >= MAX_TRIES) {
      this.problem = why ?? "The upload failed again and again.";
      this.#tries = 0;
      this.#become("failed");
      return;
    }
    const longest = Math.min(LONGEST_PAUSE_MILLIS, FIRST_PAUSE_MILLIS * 2 ** this.#tries);
    this.#timer = setTimeout(() => this.retry(), longest * (0.5 + Math.random() / 2));
  }

  /** The network is back. */
  retry() {
    if (this.state === "waiting") this.queue();
  }

  /** The network is gone. Uppy would wait for it too, but say nothing. */
  hold() {
    if (this.state !== "going") return;
    this.#drop();
    this.#tries = 0;
    this.#become("waiting");
  }

  /** Uppy says only that something failed. What the server says of it now: a sentence if there is no use in going on. */
  async #ask() {
    try {
      await this.#renew();
    } catch (error) {
      return error.status >= 400 && error.status < 500 ? error.message : undefined;
    }
    const { multipart } = this.kept;
    if (!multipart || !this.kept.upload.companion) return undefined;
    try {
      const parts = await fetch(this.#companion(`/${encodeURIComponent(multipart.uploadId)}?${new URLSearchParams({ key: multipart.key })}`));
      // All is there, and S3 may take its time to put it together: asking again is no failure.
      if (parts.ok && total(await parts.json()) === this.size) this.#tries = 0;
      // S3 does not know the upload any more, because a lifecycle rule ended it, say: another is begun.
      if (parts.status >= 400 && parts.status < 500 && parts.status !== 429) this.kept.multipart = undefined;
    } catch {
      // No network: the next try finds out.
    }
    return undefined;
  }

  /** Stops Uppy. Not by `destroy`: that would throw away in S3 what a later try goes on from. */
  #drop() {
    const uppy = this.#uppy;
    this.#uppy = this.#run = undefined;
    uppy?.pauseAll();
  }

  /** @param {TransferState} state */
  #become(state) {
    this.state = state;
    this.#around.changed();
  }
}

/** Bytes of all parts. @param {{Size: number}[]} parts */
function total(parts) {
  return parts.reduce((sum, { Size }) => sum + Size, 0);
}
