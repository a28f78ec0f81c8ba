// Looks at the pictures of a room one by one, large. Esc closes it, the arrows go to the next and the one before.

import { el, part } from "./dom.js";
import { bytes, line } from "./format.js";
import { picture, variantsOf } from "./picture.js";

export class Lightbox {
  #dialog = part("lightbox");
  #pictures = [];
  #index = 0;
  #actions;
  #opener;

  /** @param {{download(message: object, attachment: object): void, refetch(message: object): Promise<object>}} actions */
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
    // A small picture is not blown up.
    image.style.maxWidth = `${attachment.facts.width}px`;
    image.style.maxHeight = `${attachment.facts.height}px`;
    part("lightbox-stage").replaceChildren(image);
    part("lightbox-name").textContent = attachment.name;
    part("lightbox-about").replaceChildren(
      el("span", { textContent: line(`${attachment.facts.width} × ${attachment.facts.height}`, bytes(attachment.size)) }),
      el("span", { textContent: count > 1 ? ` · ${this.#index + 1} of ${count}` : "" }),
    );
    part("lightbox-previous").disabled = this.#index === 0;
    part("lightbox-next").disabled = this.#index === count - 1;
    // A button that has just been disabled would swallow the arrow keys.
    if (!this.#dialog.contains(document.activeElement) || document.activeElement.disabled) part("lightbox-close").focus();
  }
}
