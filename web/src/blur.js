// A picture before it is there: the thumbhash of an attachment as a small blurred image.

import { thumbHashToDataURL } from "thumbhash";
import { bytesOf } from "./session.js";

/** @param {string | undefined} thumbhash Base 64. @returns {string | undefined} A `data:` URL. */
export function blurOf(thumbhash) {
  if (!thumbhash) return undefined;
  try {
    return thumbHashToDataURL(bytesOf(thumbhash));
  } catch {
    return undefined;
  }
}
