// The API as a customer's page uses it, around an upload.

import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { Client } from "../web/client.js";
import { eventually } from "../web/waiting.js";
import { PATIENCE_MILLIS } from "./network.js";

export class Chat {
  #client;
  #url;
  #room;

  /** Signs in as the customer and opens a room, or the one that is open. */
  static async open(stack) {
    const chat = new Chat();
    chat.#client = await Client.signIn(stack, stack.people.find(({ name }) => name === "customer"));
    chat.#url = stack.pageUrl;
    chat.#room = (await chat.#client.call("POST", "/v1/rooms", {})).room;
    return chat;
  }

  /** Announces a file. */
  async announce(file) {
    const body = { clientMessageId: randomUUID(), attachments: [file] };
    const { message, uploads } = await this.#client.call("POST", `/v1/rooms/${this.#room}/messages`, body);
    const [{ id }] = message.attachments;
    return { path: `/v1/rooms/${this.#room}/messages/${message.seq}`, id, address: this.#url + uploads[id].companion.url };
  }

  async attachment({ path, id }) {
    return (await this.#client.call("GET", path)).attachments.find((attachment) => attachment.id === id);
  }

  /** The attachment when its bytes have been judged. */
  decided(slot) {
    return eventually("the attachment is decided", async () => {
      const attachment = await this.attachment(slot);
      return attachment.state !== "pending" && attachment;
    }, PATIENCE_MILLIS);
  }

  async download({ path, id }) {
    const { url } = await this.#client.call("GET", `${path}/attachments/${id}`);
    const answer = await fetch(url);
    assert.equal(answer.status, 200);
    return Buffer.from(await answer.arrayBuffer());
  }

  giveUp({ path, id }) {
    return this.#client.call("DELETE", `${path}/attachments/${id}/upload`);
  }
}
