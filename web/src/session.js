// Signing in with Cognito, and staying signed in.

import { Problem } from "./problem.js";

// One tab's own, and gone with it: a reload does not sign anybody out, closing the tab does.
const KEPT_AS = "vestibule.session";
// A token is renewed this long before it ends, so that no request is on its way with a dead one.
const RENEW_BEFORE_MILLIS = 2 * 60 * 1000;

/** Where things are: the file beside this page. */
export async function configuration() {
  const response = await fetch("config.json", { cache: "no-store" });
  if (!response.ok) throw new Problem("The page's config.json is missing.");
  return response.json();
}

/** The bytes of base 64, of either alphabet. @param {string} base64 */
export function bytesOf(base64) {
  return Uint8Array.from(atob(base64.replaceAll("-", "+").replaceAll("_", "/")), (letter) => letter.charCodeAt(0));
}

export class Session {
  #config;
  #tokens;
  #renewal;

  constructor(config, tokens) {
    this.#config = config;
    this.#take(tokens);
    const claims = claimsOf(tokens.access);
    /** Who this is. */
    this.me = { id: claims.sub, name: claims.username, operator: (claims["cognito:groups"] ?? []).includes("operators") };
  }

  static async signIn(config, user, password) {
    const result = await cognito(config, "USER_PASSWORD_AUTH", { USERNAME: user, PASSWORD: password });
    return new Session(config, { client: config.clientId, access: result.AccessToken, refresh: result.RefreshToken });
  }

  /** The session of this tab before it was reloaded, if it was one with the same user pool. */
  static restored(config) {
    try {
      const tokens = JSON.parse(sessionStorage.getItem(KEPT_AS));
      return tokens?.client === config.clientId ? new Session(config, tokens) : undefined;
    } catch {
      return undefined;
    }
  }

  /** An access token that is good for a while. */
  async token() {
    if (claimsOf(this.#tokens.access).exp * 1000 - Date.now() < RENEW_BEFORE_MILLIS) await this.renew();
    return this.#tokens.access;
  }

  /** Gets a new access token; one request for all who ask at once. */
  renew() {
    this.#renewal ??= this.#renew().finally(() => { this.#renewal = undefined; });
    return this.#renewal;
  }

  end() {
    sessionStorage.removeItem(KEPT_AS);
  }

  async #renew() {
    const signedOut = new Problem("You have been signed out. Please sign in again.", { status: 401 });
    if (!this.#tokens.refresh) throw signedOut;
    try {
      const result = await cognito(this.#config, "REFRESH_TOKEN_AUTH", { REFRESH_TOKEN: this.#tokens.refresh });
      this.#take({ ...this.#tokens, access: result.AccessToken, refresh: result.RefreshToken ?? this.#tokens.refresh });
    } catch (error) {
      throw error.status ? signedOut : error;
    }
  }

  #take(tokens) {
    this.#tokens = tokens;
    sessionStorage.setItem(KEPT_AS, JSON.stringify(tokens));
  }
}

function claimsOf(token) {
  return JSON.parse(new TextDecoder().decode(bytesOf(token.split(".")[1])));
}

async function cognito(config, AuthFlow, AuthParameters) {
  let response;
  try {
    response = await fetch(config.signInUrl, {
      method: "POST",
      headers: {
        "content-type": "application/x-amz-json-1.1",
        "x-amz-target": "AWSCognitoIdentityProviderService.InitiateAuth",
      },
      body: JSON.stringify({ AuthFlow, ClientId: config.clientId, AuthParameters }),
    });
  } catch {
    throw new Problem("The server for signing in cannot be reached.");
  }
  const answer = await response.json().catch(() => ({}));
  if (!response.ok) throw new Problem(answer.message ?? "Signing in failed.", { status: response.status, code: answer.__type });
  if (!answer.AuthenticationResult) throw new Problem("This account needs a new password first: use `vestibule login`.");
  return answer.AuthenticationResult;
}
