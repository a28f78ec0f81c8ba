// The page: sign in, choose a room, write and attach, see what becomes of it.

import { configuration, signIn } from "./api.js";
import { Messages } from "./messages.js";
import { Uploads, announcement } from "./uploads.js";

const POLL_MILLIS = 1000;
// Every so many polls the list of rooms is looked at too.
const POLLS_PER_ROOMS = 5;
// The index of changes may lag: ask again for what changed a little earlier, and drop what is known.
const OVERLAP_MILLIS = 2 * 60 * 1000;

const part = (id) => document.getElementById(id);
const signInForm = part("sign-in-form");
const sendForm = part("send-form");

/** All that one person's stay on the page knows. */
let stay;

/** Does something that a person asked for, and says what went wrong. */
async function attempt(work) {
  part("problem").hidden = true;
  try {
    return await work();
  } catch (error) {
    if (error.status === 401) leave();
    part("problem").textContent = error.message;
    part("problem").hidden = false;
    return undefined;
  }
}

function enter(api) {
  const uploads = new Uploads((id) => stay?.messages?.refresh(id));
  stay = { api, uploads, room: undefined, messages: undefined };
  part("name").textContent = api.me.operator ? `${api.me.name} (operator)` : api.me.name;
  for (const id of ["who", "desk"]) part(id).hidden = false;
  part("sign-in").hidden = true;
  part("open-room").hidden = api.me.operator;
  signInForm.reset();
  poll(stay);
}

function leave() {
  stay = undefined;
  for (const id of ["who", "desk", "room"]) part(id).hidden = true;
  part("sign-in").hidden = false;
}

/** Looks for news until this stay ends. */
async function poll(mine) {
  for (let polls = 0; stay === mine; polls += 1) {
    try {
      if (polls % POLLS_PER_ROOMS === 0) await listRooms();
      if (stay === mine && mine.messages) await catchUp(mine);
    } catch (error) {
      if (stay === mine) await attempt(() => Promise.reject(error));
    }
    await new Promise((done) => setTimeout(done, POLL_MILLIS));
  }
}

async function catchUp({ api, room, messages }) {
  const latest = messages.latest;
  const since = latest && new Date(Date.parse(latest) - OVERLAP_MILLIS).toISOString();
  messages.show(since ? await api.changed(room, since) : await api.messages(room));
}

async function listRooms() {
  const mine = stay;
  const rooms = await mine.api.rooms();
  if (stay !== mine) return;
  if (mine.room && !rooms.some(({ room }) => room === mine.room)) leaveRoom();
  part("rooms").replaceChildren(...rooms.map(roomButton));
  part("no-room").hidden = mine.room !== undefined;
  if (!mine.api.me.operator) {
    part("open-room").hidden = rooms.length > 0;
    if (!mine.room && rooms.length) await choose(rooms[0]);
  }
}

/** The room was closed, by either side. */
function leaveRoom() {
  stay.room = stay.messages = undefined;
  part("room").hidden = true;
}

function roomButton(room) {
  const button = document.createElement("button");
  const about = document.createElement("small");
  const waits = stay.api.me.operator && !room.operator;
  about.textContent = waits ? "waits for an operator: take it" : `since ${new Date(room.openedAt).toLocaleTimeString()}`;
  button.append(`Room ${room.room.slice(-6)}`, about);
  button.setAttribute("aria-current", String(room.room === stay.room));
  button.onclick = () => attempt(async () => choose(waits ? await stay.api.takeRoom(room.room) : room));
  const item = document.createElement("li");
  item.append(button);
  return item;
}

async function choose(room) {
  if (stay.room === room.room) return;
  const { api, uploads } = stay;
  stay.room = room.room;
  stay.messages = new Messages(part("messages"), api, uploads, actions(room.room));
  part("room-title").textContent = `Room ${room.room.slice(-6)}`;
  part("room").hidden = false;
  stay.messages.show(await api.messages(room.room));
  await listRooms();
}

/** What the buttons of messages and attachments do. */
function actions(room) {
  const { api, uploads } = stay;
  const show = (message) => stay?.messages.show([message]);
  return {
    remove: ({ seq }) => attempt(async () => show(await api.deleteMessage(room, seq))),
    cancel: ({ seq }, { id }) => attempt(async () => {
      uploads.stop(id);
      show(await api.cancelUpload(room, seq, id));
    }),
    again: ({ seq }, { id }) => attempt(async () => {
      uploads.start(id, uploads.get(id).file, await api.uploadAgain(room, seq, id));
    }),
    download: ({ seq }, { id }) => {
      // Opened at once, while the click still permits it.
      const tab = window.open("", "_blank");
      attempt(async () => {
        const url = await api.download(room, seq, id);
        if (tab) tab.location.replace(url);
        else location.assign(url);
      });
    },
  };
}

async function send() {
  const { api, room, messages, uploads } = stay;
  const files = [...sendForm.elements.files.files];
  const text = sendForm.elements.text.value.trim();
  if (!text && !files.length) return;
  // A person who presses Send again after a lost answer sends the same message, not another.
  sendForm.dataset.id ||= crypto.randomUUID();
  const announced = await Promise.all(files.map(announcement));
  const sent = await api.send(room, sendForm.dataset.id, text, announced);
  delete sendForm.dataset.id;
  sendForm.reset();
  showChosen();
  sent.message.attachments.forEach(({ id }, index) => {
    if (sent.uploads[id]) uploads.start(id, files[index], sent.uploads[id]);
  });
  messages.show([sent.message]);
}

function showChosen() {
  // What is about to be sent has changed, so it is another message.
  delete sendForm.dataset.id;
  part("chosen").textContent = [...sendForm.elements.files.files].map(({ name }) => name).join(", ");
}

function allowDrops() {
  const over = (is) => (event) => {
    event.preventDefault();
    sendForm.classList.toggle("over", is);
  };
  sendForm.addEventListener("dragover", over(true));
  sendForm.addEventListener("dragleave", over(false));
  sendForm.addEventListener("drop", (event) => {
    over(false)(event);
    if (event.dataTransfer.files.length) sendForm.elements.files.files = event.dataTransfer.files;
    showChosen();
  });
}

function offerPeople(config) {
  part("people").hidden = !config.people.length;
  part("people-buttons").replaceChildren(...config.people.map(({ name, password }) => {
    const button = document.createElement("button");
    button.textContent = name;
    button.onclick = () => attempt(async () => enter(await signIn(config, name, password)));
    return button;
  }));
}

await attempt(async () => {
  const config = await configuration();
  offerPeople(config);
  signInForm.onsubmit = (event) => {
    event.preventDefault();
    const { user, password } = signInForm.elements;
    attempt(async () => enter(await signIn(config, user.value, password.value)));
  };
});
part("sign-out").onclick = leave;
part("open-room").onclick = () => attempt(async () => choose(await stay.api.openRoom()));
part("close-room").onclick = () => attempt(async () => {
  await stay.api.closeRoom(stay.room);
  await listRooms();
});
sendForm.elements.files.onchange = showChosen;
sendForm.elements.text.oninput = () => delete sendForm.dataset.id;
sendForm.onsubmit = async (event) => {
  event.preventDefault();
  const button = sendForm.querySelector("p button");
  button.disabled = true;
  await attempt(send);
  button.disabled = false;
};
allowDrops();
