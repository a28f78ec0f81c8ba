// Draws one message.

import { AttachmentView } from "./attachment.js";
import { el, iconButton, quietButton, replaceKeepingFocus } from "./dom.js";
import { time } from "./format.js";
import { variantsOf } from "./picture.js";

/** `remove` and `edit` of a message; the rest are those of attachments. */
export class MessageView {
  #mine;
  #who;
  #actions;
  #uploads;
  #message;
  #editing = false;
  /** @type {Map<string, AttachmentView>} */
  #attachments = new Map();
  #text = el("p", { className: "text" });
  #list = el("ul", { className: "attachments" });
  #footer = el("footer");
  #when = el("span", { className: "when" });

  /** @param {{mine: boolean, who: string, actions: object, uploads: import("./uploads.js").Uploads}} options */
  constructor({ mine, who, actions, uploads }) {
    this.#mine = mine;
    this.#who = who;
    this.#actions = actions;
    this.#uploads = uploads;
    this.node = el("li", { className: mine ? "message mine" : "message" });
  }

  update(message = this.#message) {
    this.#message = message;
    this.node.dataset.seq = message.seq;
    this.node.setAttribute("aria-label", `${this.#who}, ${time(message.createdAt)}`);
    this.node.classList.toggle("deleted", message.deleted);
    if (message.deleted) {
      this.drop();
      replaceKeepingFocus(this.node, el("p", { className: "text gone", textContent: "This message was deleted." }));
      return;
    }
    this.#text.textContent = message.text;
    this.#drawAttachments(message);
    if (!this.#editing) this.#compose();
  }

  /** The upload of one of its attachments has news. */
  refresh(id) {
    const attachment = this.#message.attachments.find((one) => one.id === id);
    if (attachment) this.#attachments.get(id)?.update(this.#message, attachment, this.#uploads.get(id));
  }

  drop() {
    for (const view of this.#attachments.values()) view.drop();
    this.#attachments.clear();
  }

  #compose() {
    const message = this.#message;
    if (!this.#footer.hasChildNodes()) {
      if (this.#mine) {
        this.#footer.append(
          iconButton("edit", "Edit this message", () => this.#edit()),
          iconButton("remove", "Delete this message", () => this.#actions.removeMessage(this.#message)),
        );
      }
      this.#footer.append(this.#when);
    }
    this.#when.textContent = message.editedAt ? `${time(message.createdAt)}, edited` : time(message.createdAt);
    const parts = [message.text && this.#text, message.attachments.length > 0 && this.#list, this.#footer].filter(Boolean);
    // Moving a node that is in its place already would make a picture in it flicker.
    if (parts.length !== this.node.childNodes.length || parts.some((part, index) => this.node.childNodes[index] !== part)) {
      replaceKeepingFocus(this.node, ...parts);
    }
  }

  #drawAttachments(message) {
    const ids = new Set(message.attachments.map(({ id }) => id));
    for (const [id, view] of this.#attachments) {
      if (ids.has(id)) continue;
      view.drop();
      view.node.remove();
      this.#attachments.delete(id);
    }
    this.#list.classList.toggle("several", message.attachments.filter((attachment) => variantsOf(attachment).length).length > 1);
    message.attachments.forEach((attachment, index) => {
      let view = this.#attachments.get(attachment.id);
      if (!view) this.#attachments.set(attachment.id, (view = new AttachmentView(this.#mine, this.#actions)));
      view.update(message, attachment, this.#uploads.get(attachment.id));
      if (this.#list.children[index] !== view.node) this.#list.insertBefore(view.node, this.#list.children[index] ?? null);
    });
  }

  #edit() {
    this.#editing = true;
    const input = el("textarea", { value: this.#message.text, rows: 3, "aria-label": "The message's text" });
    const problem = el("p", { className: "field-problem", role: "alert" });
    const done = () => {
      this.#editing = false;
      form.remove();
      this.update();
      this.#footer.querySelector('[data-action="edit"]')?.focus();
    };
    const form = el(
      "form",
      { className: "edit" },
      input,
      problem,
      el("p", {}, quietButton("Cancel", "cancel", done), el("button", { textContent: "Save" })),
    );
    form.onsubmit = async (event) => {
      event.preventDefault();
      try {
        await this.#actions.editMessage(this.#message, input.value.trim());
        done();
      } catch (error) {
        problem.textContent = error.message;
      }
    };
    form.onkeydown = (event) => {
      if (event.key === "Escape") done();
      if (event.key === "Enter" && !event.shiftKey && event.target === input) {
        event.preventDefault();
        form.requestSubmit();
      }
    };
    this.node.replaceChildren(form, ...(this.#message.attachments.length ? [this.#list] : []));
    input.focus();
    input.setSelectionRange(input.value.length, input.value.length);
  }
}
