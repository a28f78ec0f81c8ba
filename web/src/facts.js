// Says what an attachment is, from what its bytes said.

import { bytes, clock, line } from "./format.js";
import { kind } from "./types.js";

/** What kind of file it is. */
export function kindOf(attachment) {
  return kind(attachment.facts?.type ?? attachment.type);
}

/** A line below the name: what cannot be seen of it. @param {boolean} pictured Whether there is a picture, which says what kind of file it is. */
export function about(attachment, pictured) {
  const { facts = {}, size = 0 } = attachment;
  const said = pictured && isPicture(attachment) ? [] : [kindOf(attachment).word];
  if (facts.durationMillis) said.push(clock(facts.durationMillis));
  if (facts.pages) said.push(counted(facts.pages, "page"));
  if (facts.entries && kindOf(attachment).icon === "archive") said.push(counted(facts.entries, "file"));
  if (facts.macros) said.push("with macros");
  if (facts.encrypted) said.push("encrypted");
  return line(...said, bytes(size));
}

/** What a person hears instead of seeing its picture. */
export function alternative(attachment) {
  const { facts = {}, name } = attachment;
  const { word } = kindOf(attachment);
  if (facts.pages) return `First page of ${name}, ${word}, ${counted(facts.pages, "page")}`;
  if (isFilm(attachment)) return `A picture from ${name}, ${word}${facts.durationMillis ? `, ${clock(facts.durationMillis)}` : ""}`;
  return `${word} ${name}`;
}

/** What is written on its picture: a film's or an animation's length, a document's pages. */
export function badge({ facts = {} }) {
  if (facts.durationMillis) return clock(facts.durationMillis);
  return facts.pages ? counted(facts.pages, "page") : undefined;
}

/** Whether the file is a picture itself, and not something of which there is one. */
export function isPicture(attachment) {
  return kindOf(attachment).icon === "picture";
}

export function isFilm(attachment) {
  return kindOf(attachment).icon === "film";
}

export function isSound(attachment) {
  return kindOf(attachment).icon === "sound";
}

function counted(count, word) {
  return `${count} ${word}${count === 1 ? "" : "s"}`;
}
