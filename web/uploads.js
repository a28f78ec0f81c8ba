// Uploads of this page: each goes straight to S3 with the ticket that the API gave for it.

// Larger files are not hashed here: a browser hashes only what is whole in memory.
const MAX_HASHED_BYTES = 64 * 1024 * 1024;
// A browser sets these itself, and refuses to be told.
const OWN_HEADERS = new Set(["content-length", "host"]);

/** What the API wants to know of a file before it comes. */
export async function announcement(file) {
  const announced = { name: file.name, size: file.size, type: file.type || "application/octet-stream" };
  if (file.size <= MAX_HASHED_BYTES && globalThis.crypto?.subtle) {
    const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", await file.arrayBuffer()));
    announced.sha256 = Array.from(digest, (byte) => byte.toString(16).padStart(2, "0")).join("");
  }
  return announced;
}

/** The uploads of this page by attachment id: `{file, sent, state: "going" | "gone" | "failed"}`. */
export class Uploads {
  #uploads = new Map();
  #changed;

  /** `changed` is called with an attachment's id whenever there is news of its upload. */
  constructor(changed) {
    this.#changed = changed;
  }

  get(id) {
    return this.#uploads.get(id);
  }

  start(id, file, ticket) {
    const request = new XMLHttpRequest();
    const upload = { file, sent: 0, state: "going", stop: () => request.abort() };
    this.#uploads.set(id, upload);
    const settle = (state) => {
      upload.state = state;
      this.#changed(id);
    };
    request.upload.onprogress = (event) => {
      upload.sent = event.loaded;
      this.#changed(id);
    };
    request.onload = () => settle(request.status === 200 ? "gone" : "failed");
    request.onerror = () => settle("failed");
    request.onabort = () => this.#uploads.delete(id);
    request.open(ticket.method, ticket.url);
    for (const [name, value] of Object.entries(ticket.headers)) {
      if (!OWN_HEADERS.has(name.toLowerCase())) request.setRequestHeader(name, value);
    }
    request.send(file);
    this.#changed(id);
  }

  stop(id) {
    this.#uploads.get(id)?.stop();
  }
}
