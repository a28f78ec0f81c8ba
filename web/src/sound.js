// A sound in place: its waveform, and a button to hear it. The file is fetched when it is played, and not before.

import { el, icon } from "./dom.js";
import { clock } from "./format.js";
import { bytesOf } from "./session.js";

// Units of the drawing: a bar and the gap behind it are 3 wide, and the loudest is 24 high.
const STEP = 3;
const HEIGHT = 24;
const LEAST = 1;

/** The one that plays: another stops it. @type {HTMLAudioElement | undefined} */
let playing;

/**
 * @param {object} attachment One with a waveform.
 * @param {() => Promise<string | undefined>} find Asks for the file's URL, and says what goes wrong.
 */
export function player(attachment, find) {
  const { name, facts } = attachment;
  const points = pointsOf(facts.waveform);
  const audio = new Audio();
  audio.preload = "none";
  const button = el("button", { type: "button", className: "icon-button play", "data-action": "play" });
  const seconds = facts.durationMillis / 1000;
  const seek = el("input", { type: "range", className: "seek", min: 0, max: seconds, step: 0.1, value: 0, "aria-label": `Position in ${name}` });
  const time = el("span", { className: "time", textContent: clock(facts.durationMillis) });
  const wave = el("span", { className: "wave" }, bars(points, "ahead"), bars(points, "behind"), seek);
  const status = el("span", { className: "cannot", role: "status" });
  let dropped = false;

  const show = () => {
    const label = audio.paused ? `Play ${name}` : `Pause ${name}`;
    button.title = label;
    button.setAttribute("aria-label", label);
    button.replaceChildren(icon(audio.paused ? "play" : "pause"));
    const at = Number(seek.value);
    wave.style.setProperty("--played", `${(100 * at) / seconds}%`);
    seek.setAttribute("aria-valuetext", `${clock(1000 * at)} of ${clock(facts.durationMillis)}`);
    time.textContent = clock(audio.paused && at === 0 ? facts.durationMillis : 1000 * at);
  };
  /** Lets the file go; where it was is kept. */
  const unload = () => {
    audio.pause();
    audio.removeAttribute("src");
    audio.load();
  };
  const play = async () => {
    status.textContent = "";
    if (!audio.src) {
      const url = await find();
      // It may have been removed meanwhile.
      if (!url || dropped) return;
      audio.src = url;
      audio.currentTime = Number(seek.value);
    }
    if (playing !== audio) playing?.pause();
    playing = audio;
    await audio.play().catch(() => {});
  };
  button.onclick = () => (audio.paused ? play() : audio.pause());
  seek.oninput = () => {
    if (audio.src) audio.currentTime = Number(seek.value);
    show();
  };
  audio.ontimeupdate = () => {
    if (!audio.src) return;
    seek.value = audio.currentTime;
    show();
  };
  audio.onplay = show;
  audio.onpause = show;
  audio.onended = () => {
    seek.value = 0;
    show();
  };
  // Its URL may have expired: the next click asks for another.
  audio.onerror = () => {
    unload();
    show();
    status.textContent = "It could not be played. Try again, or download it to hear it.";
  };
  show();
  const node = el("div", { className: "player" }, button, wave, time, status);
  const drop = () => {
    dropped = true;
    unload();
  };
  return { node, drop };
}

function pointsOf(waveform) {
  try {
    return bytesOf(waveform);
  } catch {
    return new Uint8Array(100);
  }
}

/** The waveform as bars, drawn twice: what was heard is cut off the one and shown of the other. */
function bars(points, className) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
  svg.setAttribute("viewBox", `0 0 ${STEP * points.length} ${HEIGHT}`);
  svg.setAttribute("preserveAspectRatio", "none");
  svg.setAttribute("class", className);
  svg.setAttribute("aria-hidden", "true");
  const bar = (point, index) => {
    const length = Math.max(LEAST, (HEIGHT * point) / 255);
    return `M${STEP * index + 1} ${(HEIGHT - length) / 2}v${length}`;
  };
  path.setAttribute("d", Array.from(points, bar).join(""));
  svg.append(path);
  return svg;
}
