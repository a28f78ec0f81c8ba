// What went wrong, in a sentence for a person.

import { duration } from "./format.js";

export class Problem extends Error {
  /**
   * @param {string} message
   * @param {{status?: number, code?: string, retryAfterSeconds?: number}} [about]
   */
  constructor(message, { status, code, retryAfterSeconds } = {}) {
    super(message);
    this.status = status;
    this.code = code;
    this.retryAfterSeconds = retryAfterSeconds;
  }
}

/** From an answer of the API that is not a success. @param {Response} response */
export async function problemOf(response) {
  const document = await response.json().catch(() => ({}));
  const after = Number.parseInt(response.headers.get("retry-after") ?? "", 10);
  const retryAfterSeconds = Number.isFinite(after) ? after : undefined;
  let message = document.detail ?? document.title ?? `The server answered ${response.status}.`;
  const rules = (document.errors ?? []).map(({ detail }) => detail).filter((detail) => detail && !message.includes(detail));
  if (rules.length) message = `${message} ${rules.join(" ")}`;
  if (response.status === 429) message = `${plainWords(document.code) ?? message}${tryAgain(retryAfterSeconds)}`;
  return new Problem(message, { status: response.status, code: document.code, retryAfterSeconds });
}

function plainWords(code) {
  switch (code) {
    case "quota-exceeded":
      return "You have sent as much as you may for now.";
    case "too-many-pending":
      return "Too many of your files are still on their way. Wait for some to arrive, or cancel some.";
    default:
      return undefined;
  }
}

function tryAgain(seconds) {
  return seconds ? ` Try again in ${duration(seconds)}.` : "";
}
