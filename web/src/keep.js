// What an upload needs to go on after a reload, in the browser's IndexedDB: which attachment a file is for, where it goes, the
// multipart upload that S3 knows, and the file itself unless it is very large. Uppy's Golden Retriever keeps whole states of
// one Uppy with one endpoint; here each file has an endpoint of its own.

const DATABASE = "vestibule";
const UPLOADS = "uploads";
const FILES = "files";
// The browser keeps a copy. A larger file is chosen again by its owner and goes on from the parts that S3 has.
const MAX_FILE_BYTES = 512 * 1024 * 1024;

/**
 * @typedef {object} Kept
 * @property {string} id The attachment.
 * @property {string} user Whose it is.
 * @property {string} room
 * @property {number} seq
 * @property {string} name
 * @property {number} size
 * @property {string} type
 * @property {number} modified When the file was changed last, by its system.
 * @property {object} upload What the API answered: where the bytes go.
 * @property {{uploadId: string, key: string}} [multipart] What S3 knows of it.
 * @property {number} [sent] How many bytes S3 has, about.
 * @property {boolean} paused
 * @property {boolean} gone Whether all bytes have arrived.
 * @property {number} until When it is of no use any more, in milliseconds.
 */

/** Keeps nothing where there is no IndexedDB (a private window may have none): uploads work, but end with the page. */
export class Keep {
  #database;

  constructor() {
    this.#database = open().catch(() => undefined);
  }

  /** @param {Kept} kept @param {File} [file] */
  async put(kept, file) {
    await this.#change([UPLOADS], (uploads) => uploads.put(kept));
    if (file && file.size <= MAX_FILE_BYTES) await this.#change([FILES], (files) => files.put(file, kept.id));
  }

  async remove(id) {
    await this.#change([UPLOADS, FILES], (uploads, files) => {
      uploads.delete(id);
      files.delete(id);
    });
  }

  async removeFile(id) {
    await this.#change([FILES], (files) => files.delete(id));
  }

  /** All of a person's uploads, with the files that are there. @returns {Promise<{kept: Kept, file?: File}[]>} */
  async all(user) {
    const kept = (await this.#read(UPLOADS, (store) => store.getAll())) ?? [];
    const now = Date.now();
    const mine = [];
    for (const one of kept) {
      if (one.until < now) await this.remove(one.id);
      else if (one.user === user) mine.push({ kept: one, file: await this.#read(FILES, (store) => store.get(one.id)) });
    }
    return mine;
  }

  /** Somebody signs out: the next person at this machine finds no file of theirs. */
  async clear(user) {
    for (const { kept } of await this.all(user)) await this.remove(kept.id);
  }

  async #change(names, work) {
    const database = await this.#database;
    if (!database) return;
    try {
      const transaction = database.transaction(names, "readwrite");
      work(...names.map((name) => transaction.objectStore(name)));
      await new Promise((resolve, reject) => {
        transaction.oncomplete = resolve;
        transaction.onerror = transaction.onabort = () => reject(transaction.error);
      });
    } catch (error) {
      // No room left, most likely. The upload goes on; it will not outlive the page.
      console.warn("an upload could not be kept for a reload", error);
    }
  }

  async #read(name, work) {
    const database = await this.#database;
    if (!database) return undefined;
    try {
      return await answer(work(database.transaction(name).objectStore(name)));
    } catch (error) {
      console.warn("a kept upload could not be read", error);
      return undefined;
    }
  }
}

function open() {
  const request = indexedDB.open(DATABASE, 1);
  request.onupgradeneeded = () => {
    request.result.createObjectStore(UPLOADS, { keyPath: "id" });
    request.result.createObjectStore(FILES);
  };
  return answer(request);
}

function answer(request) {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}
