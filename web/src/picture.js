// Draws thumbnails: a blur first, then the smallest variant that is sharp enough.

import { blurOf } from "./blur.js";
import { el } from "./dom.js";

/** An attachment's thumbnails, the smallest first. */
export function variantsOf(attachment) {
  return attachment.state === "ready" ? Object.values(attachment.variants ?? {}).sort((a, b) => a.width - b.width) : [];
}

/**
 * @param {object} attachment One that has variants.
 * @param {{sizes: string, stale: () => void}} options `stale` is called when the picture does not load: its URL may have expired.
 */
export function picture(attachment, { sizes, stale }) {
  const variants = variantsOf(attachment);
  const largest = variants.at(-1);
  const image = el("img", { alt: attachment.name, decoding: "async", className: "picture" });
  // The facts have the picture's own size; it keeps its place before it is loaded.
  image.width = attachment.facts?.width ?? largest.width;
  image.height = attachment.facts?.height ?? largest.height;
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
