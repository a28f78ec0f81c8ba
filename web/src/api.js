// The HTTP API as one signed-in person sees it.

import { Problem, problemOf } from "./problem.js";

// An HTTP API of API Gateway gives up after 30 s.
const TIMEOUT_MILLIS = 35_000;

export class Api {
  #url;
  #session;

  /**
   * @param {string} url Where the API is; empty for the page's own origin.
   * @param {import("./session.js").Session} session
   */
  constructor(url, session) {
    this.#url = url;
    this.#session = session;
    this.me = session.me;
  }

  /** An address that the API gave, which may be a path on its own origin. */
  address(url) {
    return new URL(url, new URL(this.#url || ".", location.href)).href;
  }

  openRoom() {
    return this.#call("POST", "/v1/rooms", {});
  }

  takeRoom(room) {
    return this.#call("PUT", `/v1/rooms/${room}/operator`);
  }

  transferRoom(room, operator) {
    return this.#call("PUT", `/v1/rooms/${room}/operator`, { operator });
  }

  closeRoom(room) {
    return this.#call("POST", `/v1/rooms/${room}/close`);
  }

  room(room) {
    return this.#call("GET", `/v1/rooms/${room}`);
  }

  /** The rooms one is in; for an operator, also those that wait for one. */
  async rooms() {
    const lists = [this.#pages("/v1/rooms?", "rooms", "after")];
    if (this.me.operator) lists.push(this.#pages("/v1/rooms?waiting=true&", "rooms", "after"));
    return (await Promise.all(lists)).flat();
  }

  /** The messages behind `afterSeq`, up to `untilSeq` if it is given. */
  async messages(room, afterSeq, untilSeq = Number.POSITIVE_INFINITY) {
    const done = (found) => (found.at(-1)?.seq ?? 0) >= untilSeq;
    const found = await this.#pages(`/v1/rooms/${room}/messages?limit=100&`, "messages", "afterSeq", String(afterSeq), done);
    return found.filter(({ seq }) => seq <= untilSeq);
  }

  /** The messages that changed at `since` or later. */
  changed(room, since) {
    return this.#pages(`/v1/rooms/${room}/messages?`, "messages", "changedSince", since);
  }

  message(room, seq) {
    return this.#call("GET", `/v1/rooms/${room}/messages/${seq}`);
  }

  send(room, clientMessageId, text, attachments) {
    return this.#call("POST", `/v1/rooms/${room}/messages`, { clientMessageId, text: text || undefined, attachments });
  }

  editMessage(room, seq, text) {
    return this.#call("PATCH", `/v1/rooms/${room}/messages/${seq}`, { text });
  }

  deleteMessage(room, seq) {
    return this.#call("DELETE", `/v1/rooms/${room}/messages/${seq}`);
  }

  /** A short-lived address of the whole file. */
  async download(room, seq, attachment) {
    return (await this.#call("GET", `/v1/rooms/${room}/messages/${seq}/attachments/${attachment}`)).url;
  }

  removeAttachment(room, seq, attachment) {
    return this.#call("DELETE", `/v1/rooms/${room}/messages/${seq}/attachments/${attachment}`);
  }

  uploadAgain(room, seq, attachment) {
    return this.#call("POST", `/v1/rooms/${room}/messages/${seq}/attachments/${attachment}/upload`);
  }

  cancelUpload(room, seq, attachment) {
    return this.#call("DELETE", `/v1/rooms/${room}/messages/${seq}/attachments/${attachment}/upload`);
  }

  connectTicket() {
    return this.#call("POST", "/v1/connect-tickets");
  }

  async #pages(path, name, parameter, from, enough = () => false) {
    const found = [];
    let next = from;
    do {
      const page = await this.#call("GET", path + (next ? `${parameter}=${encodeURIComponent(next)}` : ""));
      found.push(...page[name]);
      next = page.next;
    } while (next && !enough(found));
    return found;
  }

  async #call(method, path, body) {
    let response = await this.#send(method, path, body);
    if (response.status === 401) {
      await this.#session.renew();
      response = await this.#send(method, path, body);
    }
    if (response.ok) return response.json().catch(() => ({}));
    if (response.status === 401) throw new Problem("You have been signed out. Please sign in again.", { status: 401 });
    throw await problemOf(response);
  }

  async #send(method, path, body) {
    const headers = { accept: "application/json", authorization: `Bearer ${await this.#session.token()}` };
    if (body) headers["content-type"] = "application/json";
    const signal = AbortSignal.timeout(TIMEOUT_MILLIS);
    try {
      return await fetch(this.#url + path, { method, headers, signal, body: body && JSON.stringify(body) });
    } catch {
      throw new Problem(navigator.onLine ? "The server cannot be reached." : "You are offline.");
    }
  }
}
