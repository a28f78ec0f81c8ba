// What is known of one room's messages, and how to hear what has changed.

// The list of changes lags a little and clocks differ: ask again for what changed somewhat earlier, and drop what is known.
const OVERLAP_MILLIS = 2 * 60 * 1000;
// How many messages are read at first, and with each press of the button for earlier ones.
const WINDOW = 100;

export class Conversation {
  #api;
  #changed;
  /** @type {Map<number, object>} */
  #messages = new Map();
  #fetching = new Map();
  #firstSeq = 1;

  /** @param {import("./api.js").Api} api @param {string} room @param {(messages: object[], how: {fresh: boolean}) => void} changed */
  constructor(api, room, changed) {
    this.#api = api;
    this.room = room;
    this.#changed = changed;
  }

  get(seq) {
    return this.#messages.get(seq);
  }

  /** In their order. */
  get all() {
    return [...this.#messages.values()].sort((a, b) => a.seq - b.seq);
  }

  get lastSeq() {
    return Math.max(0, ...this.#messages.keys());
  }

  /** Whether there are messages before the first one here. */
  get hasEarlier() {
    return this.#firstSeq > 1;
  }

  /** Reads the newest messages of a room that has `lastSeq`. */
  async open(lastSeq) {
    const after = Math.max(0, lastSeq - WINDOW);
    const messages = await this.#api.messages(this.room, after);
    this.#firstSeq = after + 1;
    this.take(messages, { fresh: false });
  }

  async earlier() {
    const until = this.#firstSeq - 1;
    const after = Math.max(0, until - WINDOW);
    const messages = await this.#api.messages(this.room, after, until);
    this.#firstSeq = after + 1;
    this.take(messages, { fresh: false });
  }

  /** Asks for what changed since the last change that is known. */
  async catchUp() {
    const latest = this.all.map(({ at }) => at).sort().at(-1);
    const since = latest && new Date(Date.parse(latest) - OVERLAP_MILLIS).toISOString();
    this.take(since ? await this.#api.changed(this.room, since) : await this.#api.messages(this.room, 0));
  }

  /** A push says that a message has this version now. */
  async heard(seq, ver) {
    if (seq < this.#firstSeq) return;
    // One request for a message at a time; one that was under way may have been answered too early.
    while ((this.#messages.get(seq)?.ver ?? 0) < ver) {
      const running = this.#fetching.get(seq);
      if (running) await running;
      else {
        await this.refetch(seq);
        break;
      }
    }
  }

  /** Reads a message again, also one that is known in its last version: its thumbnails' URLs may have expired. */
  async refetch(seq) {
    const request = this.#api.message(this.room, seq);
    this.#fetching.set(seq, request.catch(() => {}));
    try {
      const message = await request;
      this.take([message], { again: true });
      return message;
    } finally {
      this.#fetching.delete(seq);
    }
  }

  /** Takes messages in; what is known in this version or a later one is passed over. */
  take(messages, { fresh = true, again = false } = {}) {
    const news = messages.filter(({ seq, ver }) => {
      const known = this.#messages.get(seq);
      // What changed before the first message here belongs to what has not been read.
      return seq >= this.#firstSeq && (!known || known.ver < ver || (again && known.ver === ver));
    });
    for (const message of news) this.#messages.set(message.seq, message);
    if (news.length) this.#changed(news, { fresh });
  }
}
