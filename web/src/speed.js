// How fast bytes go, over the last seconds.

const WINDOW_MILLIS = 6000;
const LEAST_MILLIS = 500;

export class Speed {
  /** @type {{at: number, bytes: number}[]} */
  #samples = [];

  /** Notes how many bytes have gone in all. */
  note(bytes, at = performance.now()) {
    this.#samples.push({ at, bytes });
    while (this.#samples.length > 2 && at - this.#samples[0].at > WINDOW_MILLIS) this.#samples.shift();
  }

  /** Undefined until there is something to tell. */
  get bytesPerSecond() {
    const first = this.#samples[0];
    const last = this.#samples.at(-1);
    if (!first || last.at - first.at < LEAST_MILLIS) return undefined;
    return ((last.bytes - first.bytes) / (last.at - first.at)) * 1000;
  }
}
