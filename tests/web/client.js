// The API without a page: to prepare a case, and to look at what the page did.

import assert from "node:assert/strict";

export class Client {
  #url;
  #token;

  constructor(url, token) {
    this.#url = url;
    this.#token = token;
  }

  static async signIn({ endpointUrl, outputs, pageUrl }, { name, password }) {
    const answer = await fetch(endpointUrl, {
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
    return new Client(pageUrl, (await answer.json()).AuthenticationResult.AccessToken);
  }

  async rooms() {
    return (await this.call("GET", "/v1/rooms?limit=100")).rooms;
  }

  close(room) {
    return this.call("POST", `/v1/rooms/${room}/close`);
  }

  async messages(room) {
    return (await this.call("GET", `/v1/rooms/${room}/messages?limit=100`)).messages;
  }

  async call(method, path, body) {
    const headers = { accept: "application/json", authorization: `Bearer ${this.#token}`, "content-type": "application/json" };
    const answer = await fetch(this.#url + path, { method, headers, body: body && JSON.stringify(body) });
    assert.ok(answer.ok, `${method} ${path}: ${answer.status} ${await answer.clone().text()}`);
    return answer.json();
  }
}
