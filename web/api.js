// Signing in, and the HTTP API as one signed-in person sees it.

/** What went wrong, in a sentence for a person. */
export class Problem extends Error {
  constructor(message, status, code) {
    super(message);
    this.status = status;
    this.code = code;
  }
}

/** Where things are: see the file beside this page. */
export async function configuration() {
  const response = await fetch("config.json", { cache: "no-store" });
  if (!response.ok) throw new Problem("The page's config.json is missing.");
  return response.json();
}

/** Signs in with Cognito and answers the API for that person. */
export async function signIn(config, user, password) {
  const response = await fetch(config.signInUrl, {
    method: "POST",
    headers: {
      "content-type": "application/x-amz-json-1.1",
      "x-amz-target": "AWSCognitoIdentityProviderService.InitiateAuth",
    },
    body: JSON.stringify({
      AuthFlow: "USER_PASSWORD_AUTH",
      ClientId: config.clientId,
      AuthParameters: { USERNAME: user, PASSWORD: password },
    }),
  });
  const answer = await response.json();
  if (!response.ok) throw new Problem(answer.message ?? "Signing in failed.", response.status, answer.__type);
  if (!answer.AuthenticationResult) throw new Problem("This account needs a new password first: use `vestibule login`.");
  return new Api(config.apiUrl, answer.AuthenticationResult.AccessToken);
}

export class Api {
  #url;
  #token;

  constructor(url, token) {
    this.#url = url;
    this.#token = token;
    const claims = JSON.parse(new TextDecoder().decode(bytesOf(token.split(".")[1])));
    /** Who this is. */
    this.me = { id: claims.sub, name: claims.username, operator: (claims["cognito:groups"] ?? []).includes("operators") };
  }

  openRoom() {
    return this.#call("POST", "/v1/rooms", {});
  }

  takeRoom(room) {
    return this.#call("PUT", `/v1/rooms/${room}/operator`);
  }

  closeRoom(room) {
    return this.#call("POST", `/v1/rooms/${room}/close`);
  }

  /** The rooms one is in; for an operator, also those that wait for one. */
  async rooms() {
    const lists = [this.#pages("/v1/rooms?", "rooms", "after")];
    if (this.me.operator) lists.push(this.#pages("/v1/rooms?waiting=true&", "rooms", "after"));
    return (await Promise.all(lists)).flat();
  }

  /** All messages of a room. */
  messages(room) {
    return this.#pages(`/v1/rooms/${room}/messages?`, "messages", "afterSeq");
  }

  /** The messages that changed at `since` or later. */
  async changed(room, since) {
    const changed = [];
    for (let from = since; from; ) {
      const page = await this.#call("GET", `/v1/rooms/${room}/messages?changedSince=${encodeURIComponent(from)}`);
      changed.push(...page.messages);
      from = page.next;
    }
    return changed;
  }

  send(room, clientMessageId, text, attachments) {
    return this.#call("POST", `/v1/rooms/${room}/messages`, { clientMessageId, text: text || undefined, attachments });
  }

  deleteMessage(room, seq) {
    return this.#call("DELETE", `/v1/rooms/${room}/messages/${seq}`);
  }

  /** A short-lived address of the whole file. */
  async download(room, seq, attachment) {
    return (await this.#call("GET", `/v1/rooms/${room}/messages/${seq}/attachments/${attachment}`)).url;
  }

  uploadAgain(room, seq, attachment) {
    return this.#call("POST", `/v1/rooms/${room}/messages/${seq}/attachments/${attachment}/upload`);
  }

  cancelUpload(room, seq, attachment) {
    return this.#call("DELETE", `/v1/rooms/${room}/messages/${seq}/attachments/${attachment}/upload`);
  }

  async #pages(path, name, parameter) {
    const found = [];
    let next;
    do {
      const from = next ? `${parameter}=${encodeURIComponent(next)}` : "";
      const page = await this.#call("GET", path + from);
      found.push(...page[name]);
      next = page.next;
    } while (next);
    return found;
  }

  async #call(method, path, body) {
    const headers = { accept: "application/json", authorization: `Bearer ${this.#token}` };
    if (body) headers["content-type"] = "application/json";
    let response;
    try {
      response = await fetch(this.#url + path, { method, headers, body: body && JSON.stringify(body) });
    } catch {
      throw new Problem("The server cannot be reached.");
    }
    const answer = await response.json().catch(() => ({}));
    if (response.ok) return answer;
    if (response.status === 401) throw new Problem("You have been signed out. Please sign in again.", 401);
    throw new Problem(answer.detail ?? answer.title ?? `The server answered ${response.status}.`, response.status, answer.code);
  }
}

/** The bytes of base 64, of either alphabet. */
export function bytesOf(base64) {
  return Uint8Array.from(atob(base64.replaceAll("-", "+").replaceAll("_", "/")), (letter) => letter.charCodeAt(0));
}
