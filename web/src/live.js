// The WebSocket: hears that messages changed, and comes back by itself when it is lost.

// API Gateway hangs up on a connection that was silent for ten minutes.
const PING_MILLIS = 4 * 60 * 1000;
const FIRST_PAUSE_MILLIS = 500;
const LONGEST_PAUSE_MILLIS = 30_000;
// A connection is replaced this long before it ends.
const RENEW_BEFORE_MILLIS = 60_000;
const SYNC_TIMEOUT_MILLIS = 10_000;
// A timer of a browser overflows behind this.
const LONGEST_TIMER_MILLIS = 2 ** 31 - 1;

/**
 * @typedef {object} Listener
 * @property {(push: {room: string, seq: number, ver: number}) => void} pushed
 * @property {() => void} synced Whatever happened before must be asked for; what happens from now on is pushed.
 * @property {(live: boolean) => void} turned Perhaps more than once with the same word.
 */
export class Live {
  #api;
  #listener;
  #socket;
  #timers = new Set();
  #failures = 0;
  #ended = new AbortController();
  live = false;

  /** @param {import("./api.js").Api} api @param {Listener} listener */
  constructor(api, listener) {
    this.#api = api;
    this.#listener = listener;
    const { signal } = this.#ended;
    addEventListener("online", () => this.#again(0), { signal });
    addEventListener("offline", () => this.#lost(this.#socket), { signal });
    // A laptop that wakes up has a dead socket and does not know it.
    document.addEventListener("visibilitychange", () => this.#probe(), { signal });
    this.#connect();
  }

  end() {
    this.#ended.abort();
    this.#forget();
  }

  async #connect() {
    this.#forget();
    const attempt = (this.#socket = { closed: false });
    let ticket;
    try {
      ticket = await this.#api.connectTicket();
    } catch {
      this.#lost(attempt);
      return;
    }
    if (this.#socket !== attempt || this.#ended.signal.aborted) return;
    const socket = new WebSocket(`${ticket.url}?ticket=${encodeURIComponent(ticket.ticket)}`);
    this.#socket = socket;
    socket.onopen = () => this.#hello(socket);
    socket.onmessage = ({ data }) => this.#heard(socket, data);
    socket.onclose = socket.onerror = () => this.#lost(socket);
    this.#after(SYNC_TIMEOUT_MILLIS, () => { if (!this.live) this.#lost(socket); });
  }

  #hello(socket) {
    if (socket.readyState === WebSocket.OPEN) socket.send(JSON.stringify({ action: "hello" }));
    this.#after(PING_MILLIS, () => this.#hello(socket));
  }

  #heard(socket, data) {
    if (socket !== this.#socket) return;
    let said;
    try {
      said = JSON.parse(data);
    } catch {
      return;
    }
    if (said.type === "message") this.#listener.pushed(said);
    if (said.type !== "sync") return;
    const first = !this.live;
    this.#turn(true);
    this.#failures = 0;
    if (!first) return;
    this.#after(Date.parse(said.until) - Date.now() - RENEW_BEFORE_MILLIS, () => this.#connect());
    this.#listener.synced();
  }

  /** Asks a connection that is thought to be open whether it is; one that does not answer is replaced. */
  #probe() {
    if (document.visibilityState !== "visible") return;
    const socket = this.#socket;
    if (!this.live || socket?.readyState !== WebSocket.OPEN) {
      this.#again(0);
      return;
    }
    const answered = () => { socket.removeEventListener("message", answered); clearTimeout(timer); };
    const timer = this.#after(SYNC_TIMEOUT_MILLIS, () => this.#lost(socket));
    socket.addEventListener("message", answered);
    socket.send(JSON.stringify({ action: "hello" }));
  }

  #lost(socket) {
    if (socket !== this.#socket || this.#ended.signal.aborted) return;
    this.#forget();
    // Also when it never was: a page that cannot connect says so.
    this.#listener.turned(false);
    this.#failures += 1;
    const longest = Math.min(LONGEST_PAUSE_MILLIS, FIRST_PAUSE_MILLIS * 2 ** this.#failures);
    // Full jitter: a thousand pages that lost the same server do not come back in one moment.
    if (navigator.onLine) this.#again(Math.random() * longest);
  }

  #again(millis) {
    if (this.live) return;
    this.#clearTimers();
    this.#after(millis, () => this.#connect());
  }

  #forget() {
    this.#clearTimers();
    const socket = this.#socket;
    this.#socket = undefined;
    if (socket instanceof WebSocket) {
      socket.onopen = socket.onmessage = socket.onclose = socket.onerror = null;
      socket.close();
    }
    this.#turn(false);
  }

  #turn(live) {
    if (this.live === live) return;
    this.live = live;
    if (!this.#ended.signal.aborted) this.#listener.turned(live);
  }

  #after(millis, work) {
    const timer = setTimeout(() => { this.#timers.delete(timer); work(); }, Math.min(Math.max(0, millis), LONGEST_TIMER_MILLIS));
    this.#timers.add(timer);
    return timer;
  }

  #clearTimers() {
    for (const timer of this.#timers) clearTimeout(timer);
    this.#timers.clear();
  }
}
