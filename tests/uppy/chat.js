// The API as a customer's page uses it, around an upload.

import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { eventually } from "./waiting.js";

export class Chat {
  #url;
  #token;
  #room;

  /** Signs in as the customer and opens a room, or the one that is open. */
  static async open({ endpointUrl, pageUrl, outputs, people }) {
    const { name, password } = people.find(({ name }) => name === "customer");
    const signedIn = await fetch(endpointUrl, {
      method: "POST",
      headers: {
        "content-type": "application/x-amz-json-1.1",
        "x-amz-target": "AWSCognitoIdentityProviderService.InitiateAuth",
      },
      body: JSON.stringify({
        AuthFlow: "USER_PASSWORD_AUTH",
        ClientId: outputs.UserPoolClientId,
        AuthParameters: { USERNAME: name, PASSWORD: password },
      }),
    });
    const chat = new Chat();
    chat.#url = pageUrl;
    chat.#token = (await signedIn.json()).AuthenticationResult.AccessToken;
    chat.#room = (await chat.#call("POST", "/v1/rooms", {})).room;
    return chat;
  }

  /** Announces a file. */
  async announce(file) {
    const body = { clientMessageId: randomUUID(), attachments: [file] };
    const { message, uploads } = await this.#call("POST", `/v1/rooms/${this.#room}/messages`, body);
    const [{ id }] = message.attachments;
    return { path: `/v1/rooms/${this.#room}/messages/${message.seq}`, id, address: this.#url + uploads[id].companion.url };
  }

  async attachment({ path, id }) {
    return (await this.#call("GET", path)).attachments.find((attachment) => attachment.id === id);
  }

  /** The attachment when its bytes have been judged. */
  decided(slot) {
    return eventually("the attachment is decided", async () => {
      const attachment = await this.attachment(slot);
      return attachment.state !== "pending" && attachment;
    });
  }

  async download({ path, id }) {
    const { url } = await this.#call("GET", `${path}/attachments/${id}`);
    const answer = await fetch(url);
    assert.equal(answer.status, 200);
    return Buffer.from(await answer.arrayBuffer());
  }

  giveUp({ path, id }) {
    return this.#call("DELETE", `${path}/attachments/${id}/upload`);
  }

  async #call(method, path, body) {
    const headers = { accept: "application/json", authorization: `Bearer ${this.#token}`, "content-type": "application/json" };
    const answer = await fetch(this.#url + path, { method, headers, body: body && JSON.stringify(body) });
    assert.ok(answer.ok, `${method} ${path}: ${answer.status} ${await answer.clone().text()}`);
    return answer.json();
  }
}
