// The list of a room's messages on the page.

import { el } from "./dom.js";
import { day } from "./format.js";
import { MessageView } from "./message.js";

// A person who is this near to the end wants to see what comes.
const NEAR_END_PIXELS = 120;

export class Messages {
  #scroller;
  #list;
  #options;
  /** @type {Map<number, MessageView>} */
  #views = new Map();
  #order = [];
  #follow = true;
  #lastTop = 0;
  #observer;

  /**
   * @param {HTMLElement} scroller What scrolls; the list is in it.
   * @param {HTMLElement} list
   * @param {{isMine(message: object): boolean, nameOf(message: object): string, uploads: object, actions: object}} options
   */
  constructor(scroller, list, options) {
    this.#scroller = scroller;
    this.#list = list;
    this.#options = options;
    list.replaceChildren();
    scroller.onscroll = () => this.#scrolled();
    // Pictures that grow, and keyboards that come up, do not push the end out of sight.
    this.#observer = new ResizeObserver(() => { if (this.#follow) this.scrollToEnd(); });
    this.#observer.observe(list);
    this.#observer.observe(scroller);
  }

  get atEnd() {
    const { scrollHeight, scrollTop, clientHeight } = this.#scroller;
    return scrollHeight - scrollTop - clientHeight < NEAR_END_PIXELS;
  }

  /** Only a person scrolls up. What grows below them moves nothing, although the end is far away then. */
  #scrolled() {
    const { scrollTop } = this.#scroller;
    if (this.atEnd) this.#follow = true;
    else if (scrollTop < this.#lastTop) this.#follow = false;
    this.#lastTop = scrollTop;
  }

  scrollToEnd() {
    this.#follow = true;
    this.#scroller.scrollTop = this.#scroller.scrollHeight;
  }

  /** Shows these messages, new ones and those that changed. */
  show(messages) {
    const { scrollHeight, scrollTop } = this.#scroller;
    const firstBefore = this.#order[0];
    for (const message of messages) {
      let view = this.#views.get(message.seq);
      if (!view) view = this.#insert(message);
      view.update(message);
    }
    this.#nameDays();
    if (this.#follow) this.scrollToEnd();
    // What came in above does not move what is being read.
    else if (firstBefore !== this.#order[0]) this.#scroller.scrollTop = scrollTop + this.#scroller.scrollHeight - scrollHeight;
  }

  /** An upload has news. */
  refresh(seq, attachment) {
    this.#views.get(seq)?.refresh(attachment);
  }

  /** Time has passed: what is pending may have lapsed. */
  tick() {
    for (const view of this.#views.values()) view.update();
  }

  end() {
    this.#observer.disconnect();
    for (const view of this.#views.values()) view.drop();
    this.#list.replaceChildren();
  }

  #insert(message) {
    const { isMine, nameOf, uploads, actions } = this.#options;
    const view = new MessageView({ mine: isMine(message), who: nameOf(message), uploads, actions });
    view.node.dataset.day = day(message.createdAt);
    this.#views.set(message.seq, view);
    const at = this.#order.findIndex((seq) => seq > message.seq);
    const index = at < 0 ? this.#order.length : at;
    this.#list.insertBefore(view.node, this.#views.get(this.#order[index])?.node ?? null);
    this.#order.splice(index, 0, message.seq);
    return view;
  }

  #nameDays() {
    let before;
    for (const seq of this.#order) {
      const { node } = this.#views.get(seq);
      const heading = node.previousElementSibling;
      const named = heading?.classList.contains("day");
      if (node.dataset.day === before) {
        if (named) heading.remove();
      } else if (!named) {
        node.before(el("li", { className: "day", textContent: node.dataset.day }));
      }
      before = node.dataset.day;
    }
  }
}
