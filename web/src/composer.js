// Writing a message: its text, and the files that are dropped, pasted or picked for it.

import { el, icon, iconButton, part } from "./dom.js";
import { bytes } from "./format.js";
import { drawnLocally, kind } from "./types.js";
import { announcement } from "./uploads.js";

// What the API takes with one message.
const MAX_FILES = 20;
const TALLEST_PIXELS = 200;

export class Composer {
  #form = part("compose");
  #text = part("text");
  #chosen = part("chosen");
  #files = [];
  #send;
  #attempt;
  /** The name of the message that is being written: sent again after a lost answer, it is the same message, not another. */
  #id;

  /**
   * @param {HTMLElement} dropZone
   * @param {(id: string, text: string, announced: object[], files: File[]) => Promise<void>} send
   * @param {(work: () => Promise<void>) => Promise<boolean>} attempt Does it, and says what goes wrong.
   */
  constructor(dropZone, send, attempt) {
    this.#send = send;
    this.#attempt = attempt;
    this.#form.onsubmit = (event) => {
      event.preventDefault();
      this.#submit();
    };
    this.#text.oninput = () => this.#changed();
    this.#text.onkeydown = (event) => {
      // On a phone's keyboard Enter is the only way to a new line.
      const sends = event.key === "Enter" && !event.shiftKey && !event.isComposing && matchMedia("(pointer: fine)").matches;
      if (!sends) return;
      event.preventDefault();
      this.#submit();
    };
    const picker = part("picker");
    part("attach").onclick = () => picker.click();
    picker.onchange = () => {
      this.add(picker.files);
      picker.value = "";
    };
    this.#text.onpaste = (event) => {
      if (!event.clipboardData.files.length) return;
      event.preventDefault();
      this.add(event.clipboardData.files);
    };
    this.#takeDrops(dropZone);
  }

  /** What is being written: it is another in each room. */
  get draft() {
    return { id: this.#id, text: this.#text.value, files: this.#files };
  }

  set draft({ id, text, files }) {
    this.#text.value = text;
    this.#files = files;
    this.#changed();
    this.#drawChosen();
    this.#id = id;
  }

  clear() {
    this.draft = { text: "", files: [] };
  }

  focus() {
    this.#text.focus();
  }

  /** @param {Iterable<File>} files */
  add(files) {
    const all = [...this.#files, ...files];
    if (all.length > MAX_FILES) this.#attempt(() => Promise.reject(new Error(`A message takes at most ${MAX_FILES} files.`)));
    this.#files = all.slice(0, MAX_FILES);
    this.#changed();
    this.#drawChosen();
  }

  async #submit() {
    const text = this.#text.value.trim();
    const files = this.#files;
    const button = part("send");
    if (button.disabled) return;
    button.disabled = true;
    const id = (this.#id ??= crypto.randomUUID());
    const sent = await this.#attempt(async () => {
      const announced = await Promise.all(files.map(announcement));
      await this.#send(id, text, announced, files);
    });
    // Somebody may have gone to another room meanwhile.
    if (sent && this.#id === id) this.clear();
    else this.#showSendable();
  }

  /** What is about to be sent is another message now. */
  #changed() {
    this.#id = undefined;
    this.#text.style.height = "auto";
    this.#text.style.height = `${Math.min(TALLEST_PIXELS, this.#text.scrollHeight)}px`;
    this.#showSendable();
  }

  #showSendable() {
    part("send").disabled = !this.#text.value.trim() && !this.#files.length;
  }

  #drawChosen() {
    for (const image of this.#chosen.querySelectorAll("img")) URL.revokeObjectURL(image.src);
    this.#chosen.replaceChildren(...this.#files.map((file) => this.#drawFile(file)));
    this.#chosen.hidden = !this.#files.length;
  }

  #drawFile(file) {
    const shown = drawnLocally(file) ? el("img", { src: URL.createObjectURL(file), alt: "" }) : icon(kind(file.type).icon);
    const remove = iconButton("cancel", `Leave out ${file.name}`, () => {
      this.#files = this.#files.filter((other) => other !== file);
      this.#changed();
      this.#drawChosen();
      (this.#chosen.querySelector("button") ?? this.#text).focus();
    });
    const name = el("span", { className: "name", textContent: file.name });
    return el("li", {}, shown, el("span", { className: "about" }, name, el("small", { textContent: bytes(file.size) })), remove);
  }

  #takeDrops(zone) {
    let depth = 0;
    const over = (is) => zone.classList.toggle("over", is);
    const hasFiles = (event) => [...(event.dataTransfer?.types ?? [])].includes("Files");
    // Set, not added: those of the person who was signed in before are replaced.
    zone.ondragenter = (event) => {
      if (!hasFiles(event)) return;
      depth += 1;
      over(true);
    };
    zone.ondragleave = (event) => {
      if (!hasFiles(event)) return;
      depth -= 1;
      if (depth <= 0) over(false);
    };
    zone.ondragover = (event) => { if (hasFiles(event)) event.preventDefault(); };
    zone.ondrop = (event) => {
      if (!hasFiles(event)) return;
      event.preventDefault();
      depth = 0;
      over(false);
      if (!this.#form.hidden) this.add(filesOf(event.dataTransfer));
      this.focus();
    };
  }
}

/** The files that were dropped. A folder comes as a file that cannot be read: it is left out. */
function filesOf(transfer) {
  const items = [...transfer.items].filter(({ kind }) => kind === "file");
  if (!items.length) return [...transfer.files];
  return items.filter((item) => !item.webkitGetAsEntry?.()?.isDirectory).map((item) => item.getAsFile()).filter(Boolean);
}
