// Says quantities and times in words.

// Between a number and its unit no line is broken.
const NO_BREAK = "\u00a0";
const UNITS = ["bytes", "kB", "MB", "GB", "TB"];

/** @param {number} bytes */
export function bytes(bytes) {
  const unit = Math.min(UNITS.length - 1, Math.floor(Math.log10(Math.max(bytes, 1)) / 3));
  const amount = bytes / 1000 ** unit;
  return `${amount.toFixed(unit && amount < 100 ? 1 : 0)}${NO_BREAK}${UNITS[unit]}`;
}

/** @param {number} seconds */
export function duration(seconds) {
  if (seconds < 60) return `${Math.max(1, Math.ceil(seconds))}${NO_BREAK}s`;
  const minutes = Math.ceil(seconds / 60);
  if (minutes < 60) return `${minutes}${NO_BREAK}min`;
  return `${Math.floor(minutes / 60)}${NO_BREAK}h ${minutes % 60}${NO_BREAK}min`;
}

/** A length of time as players write it: `0:07`, `12:34`, `1:02:03`. @param {number} millis */
export function clock(millis) {
  const seconds = Math.max(1, Math.round(millis / 1000)) * Math.sign(millis);
  const two = (number) => String(number).padStart(2, "0");
  const [hours, minutes] = [Math.floor(seconds / 3600), Math.floor(seconds / 60)];
  return hours ? `${hours}:${two(minutes % 60)}:${two(seconds % 60)}` : `${minutes}:${two(seconds % 60)}`;
}

/** Puts a few facts on one line. @param {...string} facts */
export function line(...facts) {
  return facts.join(`${NO_BREAK}· `);
}

/** The time of day. @param {string} iso */
export function time(iso) {
  return new Date(iso).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });
}

/** The day, as people say it. @param {string} iso */
export function day(iso, now = new Date()) {
  const date = new Date(iso);
  const daysAgo = Math.round((startOfDay(now) - startOfDay(date)) / 86_400_000);
  if (daysAgo === 0) return "Today";
  if (daysAgo === 1) return "Yesterday";
  return date.toLocaleDateString([], { weekday: "long", day: "numeric", month: "long", year: "numeric" });
}

/** The time of today, or the day. @param {string} iso */
export function when(iso) {
  return day(iso) === "Today" ? time(iso) : new Date(iso).toLocaleDateString([], { day: "numeric", month: "short" });
}

/** The end of an id: enough to tell a few apart. @param {string} id */
export function short(id) {
  return id.slice(-6);
}

function startOfDay(date) {
  return new Date(date.getFullYear(), date.getMonth(), date.getDate()).getTime();
}
