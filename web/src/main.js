// The page: signing in and out, and saying what went wrong.

import "../styles/base.css";
import "../styles/desk.css";
import "../styles/messages.css";
import "../styles/composer.css";
import "../styles/lightbox.css";
import { Api } from "./api.js";
import { Desk } from "./desk.js";
import { confirmed } from "./dialogs.js";
import { el, part } from "./dom.js";
import { Session, configuration } from "./session.js";

/** The stay of the person who is signed in. @type {{desk: Desk, session: Session} | undefined} */
let stay;

/** Does something that a person asked for, and says what went wrong. @returns {Promise<boolean>} Whether it worked. */
async function attempt(work) {
  showProblem("");
  try {
    await work();
    return true;
  } catch (error) {
    if (error.status === 401 && stay) await leave();
    showProblem(error.message);
    return false;
  }
}

function showProblem(text) {
  part("problem-text").textContent = text;
  part("problem").hidden = !text;
}

function announce(text) {
  // Two of the same in a row would be heard as one.
  part("announcements").append(el("p", { textContent: text }));
  while (part("announcements").childElementCount > 20) part("announcements").firstElementChild.remove();
}

function enter(config, session) {
  part("name").textContent = session.me.name;
  part("who").hidden = part("desk").hidden = false;
  part("sign-in").hidden = true;
  part("sign-in-form").reset();
  stay = { session, desk: new Desk(new Api(config.apiUrl, session), { attempt, announce }) };
}

async function leave() {
  const { desk, session } = stay;
  stay = undefined;
  session.end();
  part("who").hidden = part("desk").hidden = true;
  part("sign-in").hidden = false;
  part("announcements").replaceChildren();
  await desk.end();
}

async function signIn(config, user, password) {
  await attempt(async () => enter(config, await Session.signIn(config, user, password)));
}

function offerPeople(config) {
  const people = config.people ?? [];
  part("people").hidden = !people.length;
  part("people-buttons").replaceChildren(...people.map(({ name, password }) =>
    el("button", { type: "button", className: "quiet", textContent: name, onclick: () => signIn(config, name, password) }),
  ));
}

part("problem-close").onclick = () => showProblem("");
part("sign-out").onclick = async () => {
  const { underWay } = stay.desk.uploads;
  const question = `${underWay} ${underWay === 1 ? "file is" : "files are"} still on the way. Sign out and stop?`;
  if (!underWay || (await confirmed(question, "Sign out"))) await leave();
};
// A file that misses its target would otherwise replace the page.
for (const event of ["dragover", "drop"]) addEventListener(event, (dropped) => dropped.preventDefault());

attempt(async () => {
  const config = await configuration();
  offerPeople(config);
  part("sign-in-form").onsubmit = (event) => {
    event.preventDefault();
    const { user, password } = part("sign-in-form").elements;
    signIn(config, user.value, password.value);
  };
  const session = Session.restored(config);
  if (session) enter(config, session);
  else part("sign-in").hidden = false;
});
