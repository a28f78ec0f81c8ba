// The browser's network: a forward proxy, through which all of its requests go.
//
// It also serves the page, on the origin that the bucket's CORS was made for. Playwright's `route` could do both, but answers
// every preflight itself once it is in use: then nothing would check CORS, which is half of the contract.

import { EventEmitter, once } from "node:events";
import { createServer, request as send } from "node:http";
import { within } from "../web/waiting.js";

/** How long anything may take. Uppy itself may try again for ten seconds before it gives up. */
export const PATIENCE_MILLIS = 60_000;

/** What becomes of a request. */
export const PASS = "pass";
/** The connection breaks before the request arrives. */
export const CUT = "cut";
/** Nothing happens, until the browser gives up or the network is dropped. */
export const HOLD = "hold";
/** The request arrives, and the connection breaks before its answer does. */
export const LOSE = "lose";

export class Network {
  #changed = new EventEmitter().setMaxListeners(0);
  #pages;
  #origin;
  #server;
  #held = [];
  /** What the page asked for since `reset`: `{method, url, part, fate, sent, status, answer, location, closed}` */
  exchanges = [];
  preflights = [];
  /** Decides about each request. */
  fate = () => PASS;

  /** @param pages what is served on `origin`, by path: `{type, body}` */
  static async start(origin, pages) {
    const network = new Network();
    network.#origin = origin;
    network.#pages = pages;
    network.#server = createServer((request, response) => network.#exchange(request, response));
    // HTTPS is nothing that this test needs: whatever the browser itself wants from elsewhere, it does not get.
    network.#server.on("connect", (_, socket) => socket.destroy());
    network.#server.listen(0, "127.0.0.1");
    await once(network.#server, "listening");
    return network;
  }

  get address() {
    return `http://127.0.0.1:${this.#server.address().port}`;
  }

  async end() {
    const closed = once(this.#server, "close");
    this.#server.close();
    this.#server.closeAllConnections();
    await closed;
  }

  reset() {
    this.fate = () => PASS;
    this.exchanges = [];
    this.preflights = [];
  }

  /** Breaks the connections of what is held. */
  drop() {
    for (const socket of this.#held.splice(0)) socket.destroy();
  }

  /** The exchanges with this method whose URL matches. */
  asked(method, path) {
    return this.exchanges.filter((exchange) => exchange.method === method && path.test(exchange.url.pathname));
  }

  /** How often each part was begun to be sent. */
  begun() {
    return count(this.exchanges);
  }

  /** How often each part was sent and kept by the bucket. */
  stored() {
    return count(this.exchanges.filter(({ status }) => status === 200));
  }

  /** Waits until `holds` is true of what has happened. */
  async until(what, holds) {
    let look;
    const seen = new Promise((resolve) => {
      look = () => { if (holds()) resolve(); };
      this.#changed.on("change", look);
      look();
    });
    try {
      await within(PATIENCE_MILLIS, what, seen);
    } catch (error) {
      throw new Error(`${error.message}\n${this.told()}`, { cause: error });
    } finally {
      this.#changed.off("change", look);
    }
  }

  /** All of it, for the message of a failure. */
  told() {
    return this.exchanges.map(({ method, url, status, fate, answer }) =>
      `${fate} ${method} ${url.pathname.replace(/^\/u\/[^/]+/, "/u/…")} ${url.searchParams.get("partNumber") ?? ""} ` +
      `${status ?? "unanswered"} ${status >= 400 ? answer : ""}`).join("\n");
  }

  async #exchange(request, response) {
    const url = new URL(request.url);
    // Chromium has things of its own to ask the world.
    if (url.hostname !== "127.0.0.1") return void response.writeHead(403).end();
    const page = url.origin === this.#origin && this.#pages[url.pathname];
    if (page) return void response.writeHead(200, { "content-type": page.type }).end(page.body);
    if (url.pathname === "/favicon.ico") return void response.writeHead(404).end();

    const exchange = { method: request.method, url, part: partOf(request.method, url), fate: PASS, sent: "", answer: "" };
    if (request.method === "OPTIONS") {
      this.preflights.push(exchange);
    } else {
      this.exchanges.push(exchange);
      exchange.fate = this.fate(exchange);
    }
    const changed = () => this.#changed.emit("change");
    response.on("close", () => { exchange.closed = true; changed(); });
    changed();
    if (exchange.fate === CUT) return void request.socket.destroy();
    if (exchange.fate === HOLD) {
      this.#held.push(request.socket);
      return void request.resume();
    }

    const onward = send(url, { method: request.method, headers: request.headers }, (answer) => {
      // What the test looks at is text, and short.
      const keep = answer.headers["content-type"]?.match(/json|xml/);
      answer.on("data", (data) => { if (keep) exchange.answer += data; });
      // Before the browser has it: what the page knows, the test knows too.
      answer.on("end", () => {
        Object.assign(exchange, { status: answer.statusCode, location: answer.headers.location });
        changed();
      });
      if (exchange.fate === LOSE) return void answer.on("end", () => request.socket.destroy());
      response.writeHead(answer.statusCode, answer.statusMessage, answer.headers);
      answer.pipe(response);
    });
    onward.on("error", () => request.socket.destroy());
    response.on("close", () => { if (!response.writableFinished) onward.destroy(); });
    if (request.headers["content-type"]?.startsWith("application/json")) {
      request.on("data", (data) => { exchange.sent += data; });
    }
    request.pipe(onward);
  }
}

function partOf(method, url) {
  return method === "PUT" && url.searchParams.has("uploadId") ? Number(url.searchParams.get("partNumber")) : undefined;
}

function count(exchanges) {
  const counts = {};
  for (const { part } of exchanges) if (part) counts[part] = (counts[part] ?? 0) + 1;
  return counts;
}
