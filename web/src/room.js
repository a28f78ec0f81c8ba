// What stands around the messages of a room: who it is with, and whether one can write in it.

import { part } from "./dom.js";
import { short } from "./format.js";

/** @param {{operator: boolean}} me @param {object} room @param {boolean} isIn Whether I am one of its two people. */
export function showRoom(me, room, isIn) {
  const open = room.status === "open" && isIn;
  part("room").hidden = false;
  part("no-room").hidden = true;
  part("room-title").textContent = me.operator ? `Customer ${short(room.customer)}` : "Support";
  part("room-about").textContent = me.operator ? "" : greeting(room);
  part("compose").hidden = !open;
  part("closed").hidden = open;
  part("closed-text").textContent = room.status === "open" ? "A colleague has taken over this chat." : "This chat is closed.";
  part("new-room").hidden = me.operator;
  part("transfer-room").hidden = !open || !me.operator;
  part("close-room").hidden = !open;
}

/** @param {{operator: boolean}} me @param {boolean} open Whether a room is on the page after all. */
export function showNoRoom(me, open) {
  part("room").hidden = !open;
  part("no-room").hidden = open;
  part("open-room").hidden = me.operator;
  part("no-room-operator").hidden = !me.operator;
}

function greeting({ status, operator }) {
  if (status !== "open") return "";
  return operator ? "Somebody is here for you." : "Somebody will be with you soon. You can write already.";
}
