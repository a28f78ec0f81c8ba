// Draws one attachment of a message: what it is, how far it is, and what its owner can do about it.

import { el, icon, iconButton, quietButton, replaceKeepingFocus } from "./dom.js";
import { about, badge, isFilm, kindOf } from "./facts.js";
import { bytes, duration, line } from "./format.js";
import { picture, sizeOf, variantsOf } from "./picture.js";
import { player } from "./sound.js";
import { drawnLocally } from "./types.js";

// A tall picture takes at least so much of the width of a wide one.
const LEAST_SHARE = 0.6;

/**
 * @typedef {object} AttachmentActions
 * @property {(message: object, attachment: object) => void} open
 * @property {(message: object, attachment: object) => void} download
 * @property {(message: object, attachment: object) => Promise<string | undefined>} find
 * @property {(message: object, attachment: object) => void} cancel
 * @property {(message: object, attachment: object) => void} remove
 * @property {(message: object, attachment: object, file: File) => void} supply
 * @property {(id: string) => void} pause
 * @property {(id: string) => void} resume
 * @property {(message: object) => void} refetch
 */
export class AttachmentView {
  #actions;
  #mine;
  #shape;
  #status;
  #progress;
  #preview;
  #player;
  /** Whether its URLs have expired: it is drawn anew when there are others. */
  #stale = false;

  /** @param {boolean} mine Whether the signed-in person sent it. @param {AttachmentActions} actions */
  constructor(mine, actions) {
    this.#mine = mine;
    this.#actions = actions;
    this.node = el("li", { className: "attachment" });
  }

  /** @param {object} message @param {object} attachment @param {import("./transfer.js").Transfer | undefined} transfer */
  update(message, attachment, transfer) {
    const going = attachment.state === "pending" ? transfer : undefined;
    const lapsed = attachment.state === "pending" && Date.parse(attachment.lapsesAt) < Date.now() && going?.state !== "gone";
    const state = lapsed ? "lapsed" : (going?.state ?? attachment.state);
    // What is drawn stays as long as it is of the same shape, so that pictures do not load and buttons do not lose the focus.
    const shape = JSON.stringify([state, variantsOf(attachment).map(({ url, width }) => (this.#stale ? url : width)), Boolean(going?.file)]);
    if (shape !== this.#shape) {
      this.#shape = shape;
      this.node.className = `attachment ${state}`;
      this.node.dataset.state = state;
      this.node.dataset.attachment = attachment.id;
      this.#draw(message, attachment, going, state);
    }
    this.#status.textContent = this.#sentence(attachment, going, state);
    if (this.#progress) this.#progress.value = going?.sent ?? 0;
  }

  /** It is not shown any more. */
  drop() {
    if (this.#preview) URL.revokeObjectURL(this.#preview);
    this.#preview = undefined;
    this.#dropPlayer();
  }

  #dropPlayer() {
    this.#player?.drop();
    this.#player = undefined;
  }

  #draw(message, attachment, transfer, state) {
    this.#status = el("span", { className: "status" });
    this.#progress = undefined;
    if (transfer && ["queued", "going", "paused", "waiting"].includes(state)) {
      this.#progress = el("progress", { max: attachment.size || 1, "aria-label": `Upload of ${attachment.name}` });
    }
    const words = el("div", { className: "about" }, this.#name(message, attachment), this.#status, this.#progress);
    const buttons = this.#buttons(message, attachment, transfer, state);
    const row = el("div", { className: "row" }, words, buttons.length > 0 && el("div", { className: "buttons" }, ...buttons));
    const shown = this.#picture(message, attachment) ?? this.#localPicture(attachment, transfer);
    if (!shown) row.prepend(el("span", { className: "kind" }, icon(this.#icon(attachment, state))));
    this.node.classList.toggle("pictured", Boolean(shown));
    replaceKeepingFocus(this.node, shown, row, this.#sound(message, attachment), excerpt(attachment));
  }

  #icon(attachment, state) {
    if (state === "rejected" || state === "failed" || state === "lapsed") return "warning";
    if (state === "cancelled" || state === "removed") return "cancel";
    return kindOf(attachment).icon;
  }

  #name(message, attachment) {
    if (!attachment.name) return undefined;
    if (attachment.state !== "ready") return el("span", { className: "name", textContent: attachment.name });
    return el("button", {
      type: "button", className: "name", textContent: attachment.name, title: `Download ${attachment.name}`, "data-action": "name",
      onclick: () => this.#actions.download(message, attachment),
    });
  }

  #picture(message, attachment) {
    if (!variantsOf(attachment).length) return undefined;
    this.drop();
    const stale = () => {
      // Once: a picture that cannot be loaded with a fresh URL either is not worth another.
      if (this.#stale) return;
      this.#stale = true;
      this.#actions.refetch(message);
    };
    const image = picture(attachment, { sizes: "(max-width: 30rem) 75vw, 20rem", stale });
    // A small picture is not blown up, and a tall one has no bars beside it.
    const { width, height } = sizeOf(attachment);
    image.style.maxWidth = `${width}px`;
    this.#shapeLike(width, height);
    const onclick = () => this.#actions.open(message, attachment);
    // What is written on it is part of what it is called.
    const label = [`Look at ${attachment.name}`, badge(attachment)].filter(Boolean).join(", ");
    return el("button", { type: "button", className: "frame", "aria-label": label, "data-action": "open", onclick }, image, ...marks(attachment));
  }

  #sound(message, attachment) {
    if (attachment.state !== "ready" || !attachment.facts.waveform || !attachment.facts.durationMillis) {
      // Nothing would be left to stop it with.
      this.#dropPlayer();
      return undefined;
    }
    this.#player ??= player(attachment, () => this.#actions.find(message, attachment));
    return this.#player.node;
  }

  /** The sender sees the picture at once, from the file itself. */
  #localPicture(attachment, transfer) {
    if (!transfer?.file || !drawnLocally(transfer.file)) return undefined;
    this.#preview ??= URL.createObjectURL(transfer.file);
    const image = el("img", { src: this.#preview, alt: attachment.name, className: "picture local" });
    image.onload = () => this.#shapeLike(image.naturalWidth, image.naturalHeight);
    return el("div", { className: "frame" }, image);
  }

  #shapeLike(width, height) {
    this.node.style.setProperty("--share", String(Math.min(1, Math.max(LEAST_SHARE, width / height))));
  }

  #buttons(message, attachment, transfer, state) {
    const { name, id } = attachment;
    const { cancel, pause, resume, remove, download, supply } = this.#actions;
    const giveUp = iconButton("cancel", `Cancel ${name}`, () => cancel(message, attachment));
    if (state === "ready") {
      const buttons = [iconButton("download", `Download ${name}`, () => download(message, attachment))];
      if (this.#mine) buttons.push(iconButton("remove", `Remove ${name}`, () => remove(message, attachment)));
      return buttons;
    }
    if (!this.#mine || attachment.state !== "pending") return [];
    switch (state) {
      case "going":
      case "queued":
      case "waiting":
        return [iconButton("pause", `Pause ${name}`, () => pause(id)), giveUp];
      case "paused":
        return [iconButton("play", `Go on with ${name}`, () => resume(id)), giveUp];
      case "failed":
        return [iconButton("retry", `Try ${name} again`, () => resume(id)), giveUp];
      case "lost":
      case "pending":
        return [chooser(name, (file) => supply(message, attachment, file)), giveUp];
      default:
        return [giveUp];
    }
  }

  #sentence(attachment, transfer, state) {
    const { rejection } = attachment;
    const size = bytes(attachment.size ?? 0);
    switch (state) {
      case "ready":
        return about(attachment, variantsOf(attachment).length > 0);
      case "rejected":
        return rejection?.message ?? "This file was not accepted.";
      case "cancelled":
        return "The upload was cancelled.";
      case "removed":
        return "This file was removed.";
      case "lapsed":
        return "The upload was not finished in time.";
      case "queued":
        return line(size, "waits for its turn");
      case "going":
        return progressOf(transfer);
      case "paused":
        return `Paused at ${percentOf(transfer)} of ${size}`;
      case "waiting":
        return line("Waiting for the connection", `${percentOf(transfer)} of ${size}`);
      case "failed":
        return transfer.problem ?? "The upload failed.";
      case "lost":
        return "The upload was interrupted. Choose the file again to go on.";
      case "gone":
        return line(size, "being checked …");
      default:
        return line(size, this.#mine ? "sent from elsewhere, or interrupted" : "on its way …");
    }
  }
}

/** What is drawn over a picture: that it is of a film, and how long or how many pages that is. */
function marks(attachment) {
  const text = badge(attachment);
  return [
    isFilm(attachment) && el("span", { className: "plays" }, icon("play")),
    text && el("span", { className: "badge", textContent: text, "aria-hidden": true }),
  ].filter(Boolean);
}

/** The first lines of a text. */
function excerpt({ state, facts }) {
  return state === "ready" && facts?.excerpt ? el("pre", { className: "excerpt", textContent: facts.excerpt }) : undefined;
}

function chooser(name, chosen) {
  const input = el("input", { type: "file", hidden: true, onchange: () => { if (input.files[0]) chosen(input.files[0]); } });
  const button = quietButton("Choose again", "choose", () => input.click());
  button.setAttribute("aria-label", `Choose ${name} again`);
  return el("span", {}, button, input);
}

function percentOf(transfer) {
  return `${Math.floor((100 * transfer.sent) / (transfer.size || 1))} %`;
}

function progressOf(transfer) {
  const facts = [`${bytes(transfer.sent)} of ${bytes(transfer.size)}`];
  if (transfer.bytesPerSecond) facts.push(`${bytes(transfer.bytesPerSecond)}/s`, `${duration(transfer.secondsLeft)} left`);
  return line(...facts);
}
