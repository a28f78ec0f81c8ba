// One person's stay on the page: their rooms, the one they are in, and what comes in by the WebSocket.

import { actionsOf } from "./actions.js";
import { Composer } from "./composer.js";
import { Conversation } from "./conversation.js";
import { askForOperator, confirmed } from "./dialogs.js";
import { part } from "./dom.js";
import { Lightbox } from "./lightbox.js";
import { Live } from "./live.js";
import { Messages } from "./messages.js";
import { Problem } from "./problem.js";
import { showNoRoom, showRoom } from "./room.js";
import { Rooms } from "./rooms.js";
import { Uploads } from "./uploads.js";

// Taking, closing and opening rooms is not pushed. While the WebSocket is down, messages are asked for as well.
const POLL_MILLIS = 15_000;

export class Desk {
  #api;
  #say;
  #rooms;
  #uploads;
  #live;
  #lightbox;
  #actions;
  #composer;
  /** The room on the page: `{room, conversation, messages}`. */
  #open;
  #drafts = new Map();
  #timers = [];
  #ended = new AbortController();

  /**
   * @param {import("./api.js").Api} api
   * @param {{attempt(work: () => Promise<unknown>): Promise<boolean>, announce(text: string): void}} say
   */
  constructor(api, say) {
    this.#api = api;
    this.#say = say;
    this.#rooms = new Rooms(api.me, (room) => this.#chosen(room));
    this.#uploads = new Uploads(api, {
      changed: (id) => this.#uploadChanged(id),
      decided: (room, seq) => this.#refetch({ room, seq }),
    });
    this.#actions = actionsOf({
      api,
      uploads: this.#uploads,
      attempt: say.attempt,
      take: (message) => { if (this.#open?.room === message.room) this.#open.conversation.take([message]); },
      refetch: (message) => this.#refetch(message),
      look: (attachment) => this.#lightbox.open(this.#open.conversation.all, attachment),
    });
    this.#lightbox = new Lightbox(this.#actions);
    this.#composer = new Composer(part("room"), (...message) => this.#send(...message), say.attempt);
    this.#composer.clear();
    part("desk").classList.toggle("operator", api.me.operator);
    this.#bind();
    this.#live = new Live(api, {
      pushed: (push) => this.#pushed(push),
      synced: () => this.#refresh(),
      turned: (live) => {
        part("offline").hidden = live;
        part("desk").dataset.live = live;
      },
    });
    this.#timers.push(setInterval(() => this.#poll(), POLL_MILLIS));
    // Until the socket is open the page works by asking.
    say.attempt(async () => {
      await this.#refresh();
      await this.#uploads.restore();
    });
  }

  get uploads() {
    return this.#uploads;
  }

  async end() {
    this.#ended.abort();
    this.#live.end();
    for (const timer of this.#timers) clearInterval(timer);
    this.#lightbox.close();
    this.#leaveRoom();
    this.#rooms.take([]);
    part("offline").hidden = true;
    delete part("desk").dataset.live;
    await this.#uploads.leave();
  }

  #bind() {
    const { attempt } = this.#say;
    const { signal } = this.#ended;
    part("open-room").onclick = () => attempt(async () => this.#enter(await this.#api.openRoom()));
    part("new-room").onclick = part("open-room").onclick;
    part("back").onclick = () => this.#leaveRoom();
    part("earlier").onclick = () => attempt(async () => {
      await this.#open.conversation.earlier();
      this.#showEarlier();
    });
    part("close-room").onclick = () => attempt(async () => {
      if (!(await confirmed("Close this chat? Both of you can still read it, but nobody can write.", "Close chat"))) return;
      await this.#api.closeRoom(this.#open.room);
      await this.#listRooms();
    });
    part("transfer-room").onclick = () => {
      const { room } = this.#open;
      askForOperator(async (operator) => {
        const transferred = await this.#api.transferRoom(room, operator);
        if (transferred.operator !== operator) throw new Problem("This chat could not be transferred.");
        this.#leaveRoom();
        await this.#listRooms();
      });
    };
    document.addEventListener("visibilitychange", () => {
      this.#seen();
      if (document.visibilityState === "visible") this.#poll();
    }, { signal });
    part("my-id").textContent = this.#api.me.id;
  }

  async #poll() {
    try {
      await (this.#live.live ? this.#listRooms() : this.#refresh());
    } catch (error) {
      // It is tried again in a moment, and the bar says that the connection is lost; being signed out is another matter.
      if (error.status === 401) await this.#say.attempt(() => Promise.reject(error));
    }
    this.#open?.messages.tick();
  }

  async #refresh() {
    const open = this.#open;
    await Promise.all([this.#listRooms(), open?.conversation.catchUp()]).catch((error) => {
      if (error.status) throw error;
    });
  }

  async #listRooms() {
    const rooms = await this.#api.rooms();
    const open = this.#open?.room;
    // The list lags a little: a room that was just taken may still be missing, or still wait. The room itself knows better.
    if (open) {
      const room = await this.#openRoom(open);
      const listed = rooms.findIndex((one) => one.room === open);
      if (listed >= 0) rooms.splice(listed, 1);
      if (room.status === "open" && this.#isIn(room)) rooms.push(room);
      this.#showRoom(room);
    }
    if (this.#ended.signal.aborted) return;
    this.#rooms.take(rooms);
    const { only } = this.#rooms;
    if (!this.#api.me.operator && !this.#open && only) await this.#enter(only);
    if (!this.#open) this.#showNoRoom();
  }

  /** The room as it is now. To whoever is not in it any more it does not exist. */
  async #openRoom(room) {
    try {
      return await this.#api.room(room);
    } catch (error) {
      if (error.status !== 404) throw error;
      return { room, customer: "", ...this.#rooms.get(room), status: "open", operator: undefined };
    }
  }

  #chosen(room) {
    this.#say.attempt(async () => {
      const waits = this.#api.me.operator && !room.operator;
      await this.#enter(waits ? await this.#api.takeRoom(room.room) : room);
    });
  }

  async #enter(room) {
    if (this.#open?.room === room.room) {
      part("desk").dataset.view = "room";
      return;
    }
    this.#leaveRoom();
    this.#rooms.put(room);
    const conversation = new Conversation(this.#api, room.room, (news, how) => {
      // An answer may come when another room is on the page.
      if (this.#open?.conversation === conversation) this.#shown(news, how);
    });
    const messages = new Messages(part("scroller"), part("messages"), {
      isMine: ({ author }) => author === this.#api.me.id,
      nameOf: (message) => this.#nameOf(message),
      uploads: this.#uploads,
      actions: this.#actions,
    });
    this.#open = { room: room.room, conversation, messages, announced: new Map() };
    this.#rooms.select(room.room);
    this.#composer.draft = this.#drafts.get(room.room) ?? { text: "", files: [] };
    part("desk").dataset.view = "room";
    this.#showRoom(room);
    // Whoever chose it wants to write. On a phone the keyboard would cover what they want to read first.
    if (matchMedia("(pointer: fine)").matches && !part("compose").hidden) this.#composer.focus();
    await conversation.open(room.lastSeq);
    if (this.#open?.conversation !== conversation) return;
    messages.scrollToEnd();
    this.#showEarlier();
    this.#seen();
  }

  #leaveRoom() {
    if (this.#open) this.#drafts.set(this.#open.room, this.#composer.draft);
    this.#open?.messages.end();
    this.#open = undefined;
    this.#rooms.select(undefined);
    this.#composer.clear();
    part("desk").dataset.view = "rooms";
    this.#showNoRoom();
  }

  #showNoRoom() {
    showNoRoom(this.#api.me, Boolean(this.#open));
  }

  #showRoom(room) {
    if (this.#open?.room === room.room) showRoom(this.#api.me, room, this.#isIn(room));
  }

  #isIn({ customer, operator }) {
    return (this.#api.me.operator ? operator : customer) === this.#api.me.id;
  }

  #showEarlier() {
    part("earlier").hidden = !this.#open?.conversation.hasEarlier;
  }

  async #send(id, text, announced, files) {
    const { room, conversation, messages } = this.#open;
    const { message, uploads } = await this.#api.send(room, id, text, announced);
    message.attachments.forEach((attachment, index) => {
      const upload = uploads[attachment.id];
      if (upload && !this.#uploads.get(attachment.id)) this.#uploads.begin(message, attachment, files[index], upload);
    });
    conversation.take([message]);
    if (this.#open?.conversation === conversation) messages.scrollToEnd();
    else this.#drafts.delete(room);
  }

  #pushed({ room, seq, ver }) {
    const known = this.#rooms.heard(room, seq);
    const relist = () => this.#listRooms().catch(() => {});
    if (!known) relist();
    if (this.#open?.room !== room) return;
    this.#open.conversation.heard(seq, ver).catch(() => {
      // What was missed is asked for at the next sync, or by the next poll.
    });
  }

  /** The conversation has news. */
  #shown(news, { fresh }) {
    for (const { attachments } of news) for (const { id, state } of attachments) if (state !== "pending") this.#uploads.settle(id);
    const { messages, room } = this.#open;
    messages.show(news);
    for (const { seq } of news) this.#rooms.heard(room, seq);
    if (fresh) for (const message of news) this.#announce(message);
    this.#seen();
    // Whoever answers in a room that waited has taken it: its list does not say so yet.
    const known = this.#rooms.get(room);
    if (known && !known.operator && news.some(({ author }) => author !== known.customer)) this.#listRooms().catch(() => {});
  }

  /** Says to those who listen what came in. */
  #announce(message) {
    const { announced } = this.#open;
    const before = announced.get(message.seq);
    announced.set(message.seq, message);
    const mine = message.author === this.#api.me.id;
    if (!before && !mine && message.ver === 1) {
      const files = message.attachments.length;
      this.#say.announce(`${this.#nameOf(message)}: ${message.text}${files ? ` ${files} ${files === 1 ? "file" : "files"}` : ""}`);
    }
    for (const { id, name, state, rejection } of message.attachments) {
      if (!before || before.attachments.find((one) => one.id === id)?.state === state) continue;
      if (state === "ready") this.#say.announce(`${name} is here.`);
      if (state === "rejected") this.#say.announce(`${name} was refused. ${rejection?.message ?? ""}`);
    }
  }

  /** What is on the page and looked at has been read. */
  #seen() {
    if (this.#open && document.visibilityState === "visible") this.#rooms.read(this.#open.room, this.#open.conversation.lastSeq);
    this.#rooms.redraw();
  }

  #uploadChanged(id) {
    const transfer = this.#uploads.get(id);
    const open = this.#open;
    if (!open) return;
    const seq = transfer?.kept.seq ?? open.conversation.all.find(({ attachments }) => attachments.some((one) => one.id === id))?.seq;
    if (!transfer || transfer.kept.room === open.room) open.messages.refresh(seq, id);
  }

  async #refetch({ room, seq }) {
    if (this.#open?.room !== room) return undefined;
    try {
      return await this.#open.conversation.refetch(seq);
    } catch {
      return undefined;
    }
  }

  #nameOf({ author }) {
    if (author === this.#api.me.id) return "You";
    return this.#api.me.operator ? "Customer" : "Support";
  }
}
