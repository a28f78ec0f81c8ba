// Makes elements. All text from people goes through here as text, never as markup.

/**
 * Makes an element. A property with a dash in its name becomes an attribute; `undefined` and `false` children are left out.
 *
 * @param {string} tag
 * @param {Record<string, unknown>} [properties]
 * @param {...(Node | string | undefined | false)} children
 */
export function el(tag, properties = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (value === undefined) continue;
    if (name.includes("-") || name === "role") made.setAttribute(name, String(value));
    else made[name] = value;
  }
  made.append(...children.filter((child) => child !== undefined && child !== false));
  return made;
}

/** The element of the page with this id. */
export function part(id) {
  return document.getElementById(id);
}

// Strokes on a grid of 24.
const ICONS = {
  archive: "M4 4h16v5H4zM5 9v11h14V9M10 13h4",
  back: "M15 5l-7 7 7 7",
  cancel: "M6 6l12 12M18 6L6 18",
  check: "M5 12l5 5 9-10",
  download: "M12 4v11M7 11l5 5 5-5M5 20h14",
  edit: "M4 20h4L19 9l-4-4L4 16zM13 7l4 4",
  file: "M6 3h8l5 5v13H6zM14 3v5h5",
  film: "M4 5h16v14H4zM8 5v14M16 5v14M4 9h4M4 14h4M16 9h4M16 14h4",
  next: "M9 5l7 7-7 7",
  pause: "M9 5v14M15 5v14",
  picture: "M4 5h16v14H4zM4 16l5-5 4 4 3-3 4 4M15 9h.01",
  play: "M8 5l11 7-11 7z",
  remove: "M5 7h14M10 7V4h4v3M7 7l1 13h8l1-13",
  retry: "M5 12a7 7 0 1 0 2.5-5.4M5 4v4h4",
  sheet: "M6 3h12v18H6zM6 9h12M6 15h12M12 9v12",
  sound: "M9 18V6l10-2v12M9 18a3 3 0 1 1-3-3 3 3 0 0 1 3 3zM19 16a3 3 0 1 1-3-3",
  text: "M6 3h8l5 5v13H6zM9 12h7M9 16h7M9 8h2",
  warning: "M12 4l9 16H3zM12 10v5M12 17.5h.01",
};

/** @param {keyof typeof ICONS} name */
export function icon(name) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("class", "icon");
  svg.setAttribute("aria-hidden", "true");
  path.setAttribute("d", ICONS[name]);
  svg.append(path);
  return svg;
}

/** A button that shows an icon and says `label`. */
export function iconButton(name, label, onclick) {
  return el("button", { type: "button", className: "icon-button", title: label, "aria-label": label, "data-action": name, onclick }, icon(name));
}

/** A small button with words. */
export function quietButton(textContent, action, onclick) {
  return el("button", { type: "button", className: "quiet", textContent, "data-action": action, onclick });
}

/** Puts `children` into `parent`; a focused button whose like is among them keeps the focus. */
export function replaceKeepingFocus(parent, ...children) {
  const focused = parent.contains(document.activeElement) ? document.activeElement : undefined;
  parent.replaceChildren(...children.filter((child) => child !== undefined && child !== false));
  if (!focused || parent.contains(document.activeElement)) return;
  const action = focused.dataset?.action;
  const like = action && parent.querySelector(`[data-action="${CSS.escape(action)}"]`);
  const target = like ?? parent.querySelector("button, a[href]") ?? parent;
  // What takes no focus by itself takes it from here, so that the keyboard does not start again at the top of the page.
  if (target === parent) parent.tabIndex = -1;
  target.focus({ preventScroll: true });
}
