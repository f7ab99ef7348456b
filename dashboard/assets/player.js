// The player at the bottom of the page. It plays what the buttons `.mp-play` on the page describe.
//
// The buttons are the playlist, in the order of the page. wavesurfer.js draws the outline from the
// stored peaks, so the browser loads no more of a file than it plays.

import WaveSurfer from "./wavesurfer.esm.js";

const STEP_SECONDS = 5;
const PLAY_ICON = "M4 2l10 6-10 6z";
const PAUSE_ICON = "M4 3h3v10H4zM9 3h3v10H9z";
const PLAY_TEXT = "▶ Play";
const PAUSE_TEXT = "❚❚ Pause";
const KEYS_SETTING = "mirpipe player keys";
const TYPING = "input, textarea, select, [contenteditable=true], [role=combobox], [role=listbox]";
const PRESSED_BY_SPACE = `button, a, summary, [role=button], [role=checkbox], [role=tab]`;

const audio = new Audio();
audio.preload = "auto";
audio.className = "mp-player-audio";
let view = null; // The elements of the player, and the WaveSurfer that draws into them.
let current = null; // The track that is loaded.
let answer = null; // The track that was loaded before its target.
let ticket = ""; // The permission to request audio. It ends with the connection of this page.
let requestTicket = () => {};
let waiting = null; // The position to go on from when a new ticket comes.

const playButtons = () => [...document.querySelectorAll("button.mp-play")];
const isOf = (button, track) => track !== null && button.dataset.content === track.content;
const isPlaying = () => !audio.paused && audio.error === null;
const addressOf = (track) => `/audio/${track.content}.${ticket}`;
const clock = (seconds) => {
  const whole = Math.floor(seconds || 0);
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, "0")}`;
};

function trackOf(button) {
  const { content, title, seconds, volume, peaks, offset, marks, role } = button.dataset;
  const pairs = Int8Array.from(atob(peaks), (character) => character.charCodeAt(0));
  return {
    content, title, role, seconds: Number(seconds), volume: Number(volume), offset: Number(offset),
    marks: JSON.parse(marks),
    peaks: [1, 0].map((side) => [...pairs].filter((_, index) => index % 2 === side)
      .map((value) => Math.abs(value) / 127)),
  };
}

function load(track, position, plays) {
  current = track;
  view.status.textContent = "";
  view.title.textContent = track.title;
  view.wave.setAttribute("aria-valuemax", Math.round(track.seconds));
  view.marks.replaceChildren(...track.marks.map(([start, end]) => {
    const mark = document.createElement("span");
    mark.title = `Excerpt: ${clock(start)} to ${clock(end)}`;
    mark.style.left = `${(100 * start) / track.seconds}%`;
    mark.style.width = `${(100 * (end - start)) / track.seconds}%`;
    return mark;
  }));
  view.playing.textContent = `button.mp-play[data-content="${CSS.escape(track.content)}"] `
    + "{ border-color: currentColor; }";
  audio.volume = track.volume;
  waiting = null;
  start(addressOf(track), position, plays);
  showState();
}

function start(src, position, plays) {
  view.surfer.load(src, current.peaks, current.seconds).catch(() => {});
  view.surfer.setTime(Math.min(Math.max(position, 0), current.seconds));
  if (plays) audio.play().catch(() => {}); // An error is shown by the listener of the audio.
}

// If the ticket is not valid any more, get a new one. If the browser cannot decode the file, the
// server does. If there is no audio, say why.
async function recover() {
  const track = current;
  if (track === null || !audio.src) return;
  const position = audio.currentTime;
  const address = addressOf(track);
  const reply = await fetch(address, { headers: { Range: "bytes=0-0" } })
    .catch(() => new Response("The dashboard does not answer.", { status: 503 }));
  const text = reply.ok ? "" : await reply.text();
  if (track !== current) return;
  view.status.textContent = text && `${track.title} cannot be played. ${text}`;
  if (reply.status === 403 && waiting === null) {
    waiting = position;
    requestTicket();
  } else if (reply.ok && !audio.src.includes(address)) {
    start(address, position, true); // The audio was requested with an old ticket.
  } else if (reply.ok && !audio.src.endsWith("?as=wav")) {
    start(`${address}?as=wav`, position, true);
  } else if (reply.ok) {
    view.status.textContent = `${track.title} cannot be played. The audio cannot be decoded.`;
  }
}

// Streamlit calls this when the page is shown for the first time, and after a lost connection.
function useTicket(issued) {
  if (issued === ticket) return;
  ticket = issued;
  if (waiting !== null && current !== null) start(addressOf(current), waiting, true);
}

function toggle() {
  if (current === null) step(1);
  else if (audio.error !== null) load(current, audio.currentTime, true);
  else if (audio.paused) audio.play().catch(() => {});
  else audio.pause();
}

function step(distance) {
  const buttons = playButtons();
  const same = buttons.filter((button) => isOf(button, current));
  const index = buttons.indexOf(
    same.find((button) => button.dataset.title === current.title) ?? same[0],
  );
  const next = buttons[index < 0 ? 0 : index + distance];
  if (next !== undefined) load(trackOf(next), 0, true);
}

function choose(number) {
  const button = playButtons().filter((each) => each.dataset.role === "answer")[number - 1];
  if (button !== undefined) load(trackOf(button), 0, true);
}

// A/B: from an answer to its target, and back. An excerpt of the target starts at the offset.
function compare() {
  const plays = !audio.paused;
  if (current !== null && current.role === "answer") {
    const target = playButtons().find((button) => button.dataset.role === "target");
    if (target === undefined) return;
    answer = current;
    load(trackOf(target), audio.currentTime + answer.offset, plays);
  } else {
    const first = playButtons().find((button) => button.dataset.role === "answer");
    const other = answer ?? (first && trackOf(first));
    if (other) load(other, audio.currentTime - other.offset, plays);
  }
}

function showState() {
  const label = isPlaying() ? "Pause" : "Play";
  view.toggle.querySelector("path").setAttribute("d", isPlaying() ? PAUSE_ICON : PLAY_ICON);
  view.toggle.setAttribute("aria-label", label);
  view.toggle.title = `${label} (space)`;
  view.compare.setAttribute("aria-pressed", String(current?.role === "target"));
  showButtons();
  showTime();
}

// The button of the track that is playing pauses it. Streamlit draws new buttons at any time.
function showButtons() {
  for (const button of playButtons()) {
    const pauses = isPlaying() && isOf(button, current);
    const text = pauses ? PAUSE_TEXT : PLAY_TEXT;
    if (button.textContent !== text) button.textContent = text;
    const label = `${pauses ? "Pause" : "Play"} ${button.dataset.title}`;
    if (button.getAttribute("aria-label") !== label) button.setAttribute("aria-label", label);
  }
}

function showTime() {
  if (current === null) return;
  const [now, length] = [clock(audio.currentTime), clock(current.seconds)];
  view.time.textContent = `${now} / ${length}`;
  view.wave.setAttribute("aria-valuenow", Math.round(audio.currentTime));
  view.wave.setAttribute("aria-valuetext", `${now} of ${length}`);
}

function pressInSlider(event) {
  const moves = {
    ArrowLeft: audio.currentTime - STEP_SECONDS, ArrowDown: audio.currentTime - STEP_SECONDS,
    ArrowRight: audio.currentTime + STEP_SECONDS, ArrowUp: audio.currentTime + STEP_SECONDS,
    Home: 0, End: current?.seconds ?? 0,
  };
  if (current === null || !(event.key in moves)) return;
  event.preventDefault();
  view.surfer.setTime(Math.min(Math.max(moves[event.key], 0), current.seconds));
}

function press(event) {
  if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return;
  if (view === null || !view.keys.checked || !playButtons().length && current === null) return;
  const focused = event.target;
  if (focused.closest?.(TYPING) && focused !== view.keys) return;
  if (event.key === " ") {
    if (focused.closest?.(PRESSED_BY_SPACE) || focused === view.keys) return;
    toggle();
  } else if (event.key === "j") step(1);
  else if (event.key === "k") step(-1);
  else if (event.key === "a") compare();
  else if (/^[1-9]$/.test(event.key)) choose(Number(event.key));
  else return;
  event.preventDefault();
  event.stopPropagation();
}

function listen() {
  document.addEventListener("keydown", press, true);
  document.addEventListener("click", (event) => {
    const button = event.target.closest?.("button.mp-play");
    if (!button || view === null) return;
    if (isOf(button, current)) toggle();
    else load(trackOf(button), 0, true);
  });
  document.addEventListener("play", (event) => {
    for (const other of document.querySelectorAll("audio")) {
      if (other !== event.target) other.pause();
    }
  }, true);
  for (const name of ["play", "pause", "ended", "error"]) audio.addEventListener(name, showState);
  for (const name of ["timeupdate", "seeking"]) audio.addEventListener(name, showTime);
  audio.addEventListener("playing", () => {
    waiting = null;
    view.status.textContent = "";
  });
  audio.addEventListener("error", recover);
  new MutationObserver(showButtons).observe(document.body, {
    subtree: true, childList: true, attributeFilter: ["data-content", "data-title"],
  });
}

// Streamlit calls this when the player is drawn. The audio goes on if it is drawn again.
export default function draw({ parentElement, data, setTriggerValue }) {
  requestTicket = () => setTriggerValue("refused", true);
  useTicket(data.ticket);
  const root = parentElement.querySelector(".mp-player");
  if (view?.root === root) return;
  if (view === null) listen();
  const part = (name) => root.querySelector(`.mp-player-${name}`);
  const action = (name, act) => {
    const button = root.querySelector(`[data-do=${name}]`);
    button.onclick = act;
    return button;
  };
  view = {
    root, title: part("title"), time: part("time"), wave: part("wave"), marks: part("marks"),
    status: part("status"), keys: part("keys"), playing: part("playing"),
    toggle: action("toggle", toggle), compare: action("compare", compare),
    surfer: WaveSurfer.create({
      container: part("outline"), media: audio, height: 40, dragToSeek: true, normalize: true,
      waveColor: "#808080", progressColor: "#2b87c4", cursorColor: "#2b87c4", cursorWidth: 2,
    }),
  };
  action("previous", () => step(-1));
  action("next", () => step(1));
  root.append(audio);
  view.wave.onkeydown = pressInSlider;
  view.keys.checked = localStorage.getItem(KEYS_SETTING) !== "off";
  view.keys.disabled = false;
  view.keys.onchange = () => localStorage.setItem(KEYS_SETTING, view.keys.checked ? "on" : "off");
  if (current === null) showState();
  else load(current, audio.currentTime, !audio.paused);
}
