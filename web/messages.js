// Draws a room's messages. All text from people goes in as text, never as markup.

/** Makes an element with properties and children. */
function element(name, properties = {}, ...children) {
  const made = Object.assign(document.createElement(name), properties);
  made.append(...children.filter((child) => child !== undefined));
  return made;
}

const UNITS = ["bytes", "kB", "MB", "GB"];

function size(bytes) {
  const unit = Math.min(UNITS.length - 1, Math.floor(Math.log10(Math.max(bytes, 1)) / 3));
  return `${(bytes / 1000 ** unit).toFixed(unit ? 1 : 0)} ${UNITS[unit]}`;
}

/** Draws messages into a list and keeps what has not changed, so that pictures do not load twice. */
export class Messages {
  #list;
  #api;
  #uploads;
  #actions;
  #known = new Map();

  /** `actions`: `{remove(message), download(message, attachment), cancel(message, attachment), again(message, attachment)}`. */
  constructor(list, api, uploads, actions) {
    this.#list = list;
    this.#api = api;
    this.#uploads = uploads;
    this.#actions = actions;
    list.replaceChildren();
  }

  /** The latest change known: where to ask on from. */
  get latest() {
    return [...this.#known.values()].map(({ message }) => message.at).sort().at(-1);
  }

  /** Takes messages in; what is known in this version or a later one is left alone. */
  show(messages) {
    const atEnd = this.#list.scrollHeight - this.#list.scrollTop - this.#list.clientHeight < 80;
    for (const message of messages) {
      const known = this.#known.get(message.seq);
      if (known && known.message.ver >= message.ver) continue;
      const drawn = this.#draw(message);
      if (known) known.drawn.replaceWith(drawn);
      else this.#insert(drawn, message.seq);
      this.#known.set(message.seq, { message, drawn });
    }
    if (atEnd) this.#list.scrollTop = this.#list.scrollHeight;
  }

  /** Draws one attachment again: its upload has news. */
  refresh(attachmentId) {
    for (const { message, drawn } of this.#known.values()) {
      const attachment = message.attachments.find(({ id }) => id === attachmentId);
      const old = drawn.querySelector(`[data-attachment="${CSS.escape(attachmentId)}"]`);
      if (attachment && old) old.replaceWith(this.#attachment(message, attachment));
    }
  }

  #insert(drawn, seq) {
    const after = [...this.#known].filter(([other]) => other > seq).sort(([a], [b]) => a - b);
    this.#list.insertBefore(drawn, after.length ? after[0][1].drawn : null);
  }

  #draw(message) {
    const mine = message.author === this.#api.me.id;
    const drawn = element("li", { className: mine ? "message mine" : "message" });
    if (message.deleted) {
      drawn.append(element("p", { className: "text gone", textContent: "This message was deleted." }));
      return drawn;
    }
    if (message.text) drawn.append(element("p", { className: "text", textContent: message.text }));
    if (message.attachments.length) {
      const attachments = message.attachments.map((attachment) => this.#attachment(message, attachment));
      drawn.append(element("ul", { className: "attachments" }, ...attachments));
    }
    const at = new Date(message.createdAt).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });
    const footer = element("footer", {}, message.editedAt ? `${at}, edited` : at);
    if (mine) {
      const remove = () => this.#actions.remove(message);
      footer.append(element("button", { className: "quiet", textContent: "Delete", onclick: remove }));
    }
    drawn.append(footer);
    return drawn;
  }

  #attachment(message, attachment) {
    const upload = this.#uploads.get(attachment.id);
    const failed = attachment.state === "pending" && upload?.state === "failed";
    const drawn = element("li", { className: `attachment ${failed ? "failed" : attachment.state}` });
    drawn.dataset.attachment = attachment.id;
    const open = () => this.#actions.download(message, attachment);
    const picture = attachment.state === "ready" ? this.#picture(attachment, open) : undefined;
    if (picture) drawn.append(picture);
    if (attachment.name) {
      const name = { className: "name", textContent: attachment.name, onclick: open, disabled: attachment.state !== "ready" };
      drawn.append(element("button", name));
    }
    drawn.append(element("span", { className: "state", textContent: this.#state(attachment, upload) }));
    drawn.append(...this.#controls(message, attachment, upload));
    return drawn;
  }

  #picture(attachment, open) {
    const variants = Object.values(attachment.variants ?? {}).sort((a, b) => a.width - b.width);
    if (!variants.length) return undefined;
    const [small] = variants;
    return element("img", {
      src: small.url,
      srcset: variants.map((variant) => `${variant.url} ${variant.width}w`).join(", "),
      sizes: "20rem",
      width: small.width,
      height: small.height,
      alt: attachment.name,
      onclick: open,
    });
  }

  #state(attachment, upload) {
    const { facts, rejection } = attachment;
    switch (attachment.state) {
      case "ready": {
        const pixels = facts?.width ? `, ${facts.width} × ${facts.height}` : "";
        return `${size(attachment.size)}${pixels}, ${facts?.type ?? attachment.type}`;
      }
      case "rejected":
        return rejection?.message ?? "This file was not accepted.";
      case "cancelled":
        return "Upload cancelled.";
      case "removed":
        return "This file was removed.";
      default:
        if (!upload) return "Waiting for the file, or looking at it …";
        if (upload.state === "failed") return "The upload failed.";
        if (upload.state === "gone") return "Looking at the file …";
        return `${size(upload.sent)} of ${size(upload.file.size)}`;
    }
  }

  #controls(message, attachment, upload) {
    if (attachment.state !== "pending" || !upload || upload.state === "gone") return [];
    const quiet = (textContent, onclick) => element("button", { className: "quiet", textContent, onclick });
    const cancel = quiet("Cancel", () => this.#actions.cancel(message, attachment));
    if (upload.state === "failed") return [quiet("Try again", () => this.#actions.again(message, attachment)), " ", cancel];
    const progress = element("progress", { max: upload.file.size || 1, value: upload.sent });
    return [progress, " ", cancel];
  }
}
