// The list of open chats: which there are, which wait, and in which there is something unread.

import { el, part } from "./dom.js";
import { short, when } from "./format.js";

const KEPT_AS = "vestibule.read";

export class Rooms {
  #me;
  #choose;
  /** @type {Map<string, object>} */
  #rooms = new Map();
  #read;
  #drawn;
  current = undefined;

  /** @param {{id: string, operator: boolean}} me @param {(room: object) => void} choose */
  constructor(me, choose) {
    this.#me = me;
    this.#choose = choose;
    this.#read = readMarks(me.id);
  }

  get(room) {
    return this.#rooms.get(room);
  }

  /** The room of a customer, who has one at most. */
  get only() {
    return this.#sorted[0];
  }

  /** Takes the list as the server has it. A room that is not in it is closed, or somebody else's now. */
  take(rooms) {
    this.#rooms = new Map(rooms.map((room) => [room.room, newer(room, this.#rooms.get(room.room))]));
    for (const room of Object.keys(this.#read)) if (!this.#rooms.has(room)) delete this.#read[room];
    this.#draw();
  }

  put(room) {
    this.#rooms.set(room.room, newer(room, this.#rooms.get(room.room)));
    this.#draw();
  }

  /** A push named a message. False if its room is not known. */
  heard(room, seq) {
    const known = this.#rooms.get(room);
    if (!known) return false;
    if (seq > known.lastSeq) {
      known.lastSeq = seq;
      known.lastActivity = new Date().toISOString();
      this.#draw();
    }
    return true;
  }

  /** Draws what has changed by itself: whether the page is looked at, say. */
  redraw() {
    this.#draw();
  }

  /** The person has seen a room up to here. */
  read(room, seq) {
    if ((this.#read[room] ?? 0) >= seq) return;
    this.#read[room] = seq;
    try {
      localStorage.setItem(`${KEPT_AS}.${this.#me.id}`, JSON.stringify(this.#read));
    } catch {
      // No room: what is read is only not remembered.
    }
    this.#draw();
  }

  select(room) {
    this.current = room;
    this.#draw();
  }

  /** How many messages of a room have not been seen here. */
  unread({ room, lastSeq }) {
    return room === this.current && document.visibilityState === "visible" ? 0 : Math.max(0, lastSeq - (this.#read[room] ?? 0));
  }

  get #sorted() {
    return [...this.#rooms.values()].sort((a, b) => b.lastActivity.localeCompare(a.lastActivity));
  }

  #draw() {
    const own = this.#sorted.filter(({ operator }) => operator || !this.#me.operator);
    // Who has waited longest comes first.
    const waiting = this.#sorted.filter(({ operator }) => !operator && this.#me.operator).reverse();
    const unread = own.reduce((sum, room) => sum + (this.unread(room) ? 1 : 0), 0);
    document.title = unread ? `(${unread}) Vestibule` : "Vestibule";
    const drawn = JSON.stringify([this.current, own.map((room) => [room, this.unread(room)]), waiting]);
    if (drawn === this.#drawn) return;
    this.#drawn = drawn;
    const list = part("rooms");
    // Each list is drawn anew as a whole: the focus goes to the same room's button.
    const focused = document.activeElement?.closest?.("[data-room]")?.dataset.room;
    list.replaceChildren(...own.map((room) => this.#row(room)));
    part("waiting").replaceChildren(...waiting.map((room) => this.#row(room, true)));
    part("waiting-section").hidden = !waiting.length;
    part("waiting-count").textContent = waiting.length ? String(waiting.length) : "";
    part("no-rooms").hidden = own.length > 0;
    if (focused) document.querySelector(`[data-room="${CSS.escape(focused)}"]`)?.focus({ preventScroll: true });
  }

  #row(room, waits = false) {
    const unread = waits ? 0 : this.unread(room);
    const about = waits ? `waits since ${when(room.openedAt)}` : room.lastSeq ? `${room.lastSeq} ${room.lastSeq === 1 ? "message" : "messages"}` : "no message yet";
    const button = el(
      "button",
      { type: "button", "data-room": room.room, "aria-current": String(room.room === this.current), onclick: () => this.#choose(room) },
      el("span", { className: "title", textContent: `Customer ${short(room.customer)}` }),
      el("span", { className: "when", textContent: waits ? "" : when(room.lastActivity) }),
      el("span", { className: "about", textContent: about }),
      waits && el("span", { className: "take", textContent: "Take" }),
      unread > 0 && el("span", { className: "unread", "aria-label": `${unread} unread`, textContent: unread > 99 ? "99+" : String(unread) }),
    );
    return el("li", { className: unread ? "has-unread" : "" }, button);
  }
}

/** A list that was read before a push came does not take back what the push said. */
function newer(room, known) {
  if (!known || known.lastSeq <= room.lastSeq) return room;
  return { ...room, lastSeq: known.lastSeq, lastActivity: known.lastActivity };
}

function readMarks(user) {
  try {
    return JSON.parse(localStorage.getItem(`${KEPT_AS}.${user}`)) ?? {};
  } catch {
    return {};
  }
}
