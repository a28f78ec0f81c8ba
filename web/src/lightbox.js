// Looks at the pictures of a room one by one, large, and plays its films. Esc closes it, the arrows go to the next and the one before.

import { el, icon, part } from "./dom.js";
import { about, isFilm, isPicture } from "./facts.js";
import { line } from "./format.js";
import { picture, sizeOf, variantsOf } from "./picture.js";

export class Lightbox {
  #dialog = part("lightbox");
  #pictures = [];
  #index = 0;
  #actions;
  #opener;

  /** @param {{download(message: object, attachment: object): void, find(message: object, attachment: object): Promise<string | undefined>, refetch(message: object): Promise<object>}} actions */
  constructor(actions) {
    this.#actions = actions;
    part("lightbox-close").onclick = () => this.#dialog.close();
    part("lightbox-previous").onclick = () => this.#go(-1);
    part("lightbox-next").onclick = () => this.#go(1);
    part("lightbox-download").onclick = () => {
      const { message, attachment } = this.#pictures[this.#index];
      this.#actions.download(message, attachment);
    };
    this.#dialog.onkeydown = (event) => {
      // A film that plays is wound by them.
      if (event.target instanceof HTMLVideoElement) return;
      if (event.key === "ArrowLeft") this.#go(-1);
      if (event.key === "ArrowRight") this.#go(1);
    };
    // Beside the picture is nothing but backdrop.
    this.#dialog.onclick = ({ target }) => {
      if (target === this.#dialog || target === part("lightbox-stage")) this.#dialog.close();
    };
    this.#dialog.onclose = () => {
      part("lightbox-stage").replaceChildren();
      // The button that opened it may have been drawn anew meanwhile.
      const { id } = this.#opener ?? {};
      document.querySelector(`[data-attachment="${CSS.escape(id ?? "")}"] .frame`)?.focus({ preventScroll: true });
    };
  }

  /** @param {object[]} messages In their order. @param {object} opened The attachment to begin with. */
  open(messages, opened) {
    this.#pictures = messages.flatMap((message) =>
      message.attachments.filter((attachment) => variantsOf(attachment).length).map((attachment) => ({ message, attachment })),
    );
    this.#index = Math.max(0, this.#pictures.findIndex(({ attachment }) => attachment.id === opened.id));
    this.#opener = opened;
    this.#dialog.showModal();
    this.#show();
  }

  close() {
    this.#dialog.close();
  }

  #go(step) {
    const index = this.#index + step;
    if (index < 0 || index >= this.#pictures.length) return;
    this.#index = index;
    this.#opener = this.#pictures[index].attachment;
    this.#show();
  }

  #show({ again = true } = {}) {
    const shown = this.#pictures[this.#index];
    const { attachment, message } = shown;
    const stale = async () => {
      if (!again) return;
      const fresh = await this.#actions.refetch(message);
      const found = fresh?.attachments.find(({ id }) => id === attachment.id);
      if (!found || this.#pictures[this.#index] !== shown || !variantsOf(found).length) return;
      this.#pictures[this.#index] = { message: fresh, attachment: found };
      this.#show({ again: false });
    };
    const count = this.#pictures.length;
    const image = picture(attachment, { sizes: "100vw", stale });
    const { width, height } = sizeOf(attachment);
    // A small picture is not blown up.
    image.style.maxWidth = `${width}px`;
    image.style.maxHeight = `${height}px`;
    part("lightbox-stage").replaceChildren(image);
    if (isFilm(attachment)) this.#offer(shown, image);
    const pixels = isPicture(attachment) || isFilm(attachment) ? [`${width} × ${height}`] : [];
    part("lightbox-name").textContent = attachment.name;
    part("lightbox-about").replaceChildren(
      el("span", { textContent: line(...pixels, about(attachment, true)) }),
      el("span", { textContent: count > 1 ? ` · ${this.#index + 1} of ${count}` : "" }),
    );
    part("lightbox-previous").disabled = this.#index === 0;
    part("lightbox-next").disabled = this.#index === count - 1;
    // A button that has just been disabled would swallow the arrow keys.
    if (!this.#dialog.contains(document.activeElement) || document.activeElement.disabled) part("lightbox-close").focus();
  }
  /** A button over a film's picture that plays it in its place. */
  #offer(shown, image) {
    const { message, attachment } = shown;
    const onclick = async () => {
      const src = await this.#actions.find(message, attachment);
      if (!src || this.#pictures[this.#index] !== shown || !this.#dialog.open) return;
      const film = el("video", { className: "picture", controls: true, playsInline: true, src, poster: image.currentSrc, "aria-label": attachment.name });
      film.onerror = () => {
        const sentence = "This browser cannot play it. Download it to watch it.";
        part("lightbox-stage").replaceChildren(image, el("p", { className: "cannot", role: "status", textContent: sentence }));
      };
      part("lightbox-stage").replaceChildren(film);
      film.focus();
      await film.play().catch(() => {});
    };
    const button = el("button", { type: "button", className: "plays", "aria-label": `Play ${attachment.name}`, onclick }, icon("play"));
    part("lightbox-stage").append(button);
  }
}
