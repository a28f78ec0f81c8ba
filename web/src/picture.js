// Draws thumbnails: a blur first, then the smallest variant that is sharp enough.

import { blurOf } from "./blur.js";
import { el } from "./dom.js";
import { alternative } from "./facts.js";

/** An attachment's thumbnails, the smallest first. */
export function variantsOf(attachment) {
  return attachment.state === "ready" ? Object.values(attachment.variants ?? {}).sort((a, b) => a.width - b.width) : [];
}

/** Pixels of what is shown: the picture's own where the file is one, and of a page the largest thumbnail's. */
export function sizeOf(attachment) {
  const { width, height } = attachment.facts?.width ? attachment.facts : variantsOf(attachment).at(-1);
  return { width, height };
}

/**
 * @param {object} attachment One that has variants.
 * @param {{sizes: string, stale: () => void}} options `stale` is called when the picture does not load: its URL may have expired.
 */
export function picture(attachment, { sizes, stale }) {
  const variants = variantsOf(attachment);
  const image = el("img", { alt: alternative(attachment), decoding: "async", className: "picture" });
  // It keeps its place before it is loaded.
  ({ width: image.width, height: image.height } = sizeOf(attachment));
  const blur = blurOf(attachment.facts?.thumbhash);
  if (blur) image.style.backgroundImage = `url(${blur})`;
  image.addEventListener("load", () => {
    image.classList.add("loaded");
    // Behind a transparent picture the blur would stay to be seen.
    image.style.backgroundImage = "";
  });
  image.addEventListener("error", stale, { once: true });
  image.sizes = sizes;
  image.srcset = variants.map(({ url, width }) => `${url} ${width}w`).join(", ");
  image.src = variants[0].url;
  return image;
}
