// The voting page: shows one question at a time, and stores each answer before the next one.
"use strict";

const base = location.pathname.replace(/\/$/, "");
const element = (id) => document.getElementById(id);
const CHOICES = [
  { answer: 1, label: "A", keys: ["ArrowLeft", "1"], key: "←" },
  { answer: 0, label: "No difference", keys: ["ArrowDown", "0"], key: "↓" },
  { answer: -1, label: "B", keys: ["ArrowRight", "2"], key: "→" },
];
const RATINGS = [
  "1 – not similar at all", "2 – a little similar", "3 – similar", "4 – very similar",
  "5 – almost the same",
].map((label, index) => ({ answer: index + 1, label, keys: [String(index + 1)], key: "" }));
const PARTS = {
  target: { label: "Target", key: "t" },
  left: { label: "A", key: "a" },
  right: { label: "B", key: "b" },
};
const UNPLAYABLE =
  "The audio cannot be played. Reload the page, skip the question, or ask the person who sent you " +
  "the link.";
// Positions of questions that were skipped since the page was loaded. Later, their audio may work.
const skipped = new Set();
let question = null;
let isBusy = false;

class NotFound extends Error {}

async function request(path, method = "GET") {
  const response = await fetch(base + path, { method });
  if (response.status === 404 || response.status === 422) throw new NotFound(path);
  if (!response.ok) throw new Error(path);
  return response.json();
}

function show(id) {
  for (const section of document.querySelectorAll("main > section")) section.hidden = section.id !== id;
  element("rights").hidden = !["consent", "question", "done"].includes(id);
  element(id).querySelector("[tabindex]")?.focus();
}

// Run one step at a time, so that a key that is held down does not answer several questions.
async function run(step) {
  if (isBusy) return;
  isBusy = true;
  try {
    await step();
  } catch (error) {
    show(error instanceof NotFound ? "invalid" : "failed");
  } finally {
    isBusy = false;
  }
}

async function start() {
  const progress = await request("/progress");
  element("export").href = `${base}/votes`;
  if (progress.has_consented) return showNext();
  element("consent-text").textContent = progress.consent;
  element("consent-n").textContent = progress.questions_n;
  show("consent");
}

async function showNext() {
  const [progress, first] = await Promise.all([request("/progress"), request("/question")]);
  let next = first;
  while (next !== null && (next.answer !== null || skipped.has(next.position))) {
    const position = next.position + 1;
    next = position < progress.questions_n ? await request(`/question/${position}`) : null;
  }
  question = next;
  if (next === null) {
    element("review").dataset.position = progress.questions_n - 1;
    element("playable").hidden = skipped.size === 0;
    show("done");
  } else {
    showQuestion(progress);
  }
}

async function showPosition(position) {
  const [progress, found] = await Promise.all([
    request("/progress"), request(`/question/${position}`),
  ]);
  question = found;
  showQuestion(progress);
}

function showQuestion(progress) {
  element("bar").max = progress.questions_n;
  element("bar").value = progress.answered_n;
  element("count").textContent = `Question ${question.position + 1} of ${progress.questions_n}`;
  element("asked").textContent = question.is_rating
    ? "How similar is A to the target?"
    : question.criterion === "quality"
      ? "Which is better music?"
      : "Which is more similar to the target?";
  const parts = [
    ...(question.criterion === "similarity" ? ["target"] : []), "left",
    ...(question.is_rating ? [] : ["right"]),
  ];
  element("players").replaceChildren(...parts.map(player));
  const choices = question.is_rating ? RATINGS : CHOICES;
  element("answers").replaceChildren(...choices.map(answerButton));
  element("back").hidden = question.position === 0;
  allowAnswers();
  show("question");
}

function player(part) {
  const { label, key } = PARTS[part];
  const figure = document.createElement("figure");
  const caption = document.createElement("figcaption");
  caption.append(`${label} `, keyHint(key.toUpperCase()));
  const audio = document.createElement("audio");
  audio.controls = true;
  audio.setAttribute("controlslist", "nodownload noplaybackrate");
  audio.setAttribute("aria-label", label);
  audio.dataset.key = key;
  audio.preload = "auto";
  audio.src = `${base}/audio/${question.position}/${part}`;
  audio.addEventListener("play", () => {
    for (const other of document.querySelectorAll("audio")) if (other !== audio) other.pause();
  });
  audio.addEventListener("playing", () => {
    audio.dataset.heard = "true";
    allowAnswers();
  });
  audio.addEventListener("error", () => {
    audio.dataset.failed = "true";
    allowAnswers();
  });
  figure.append(caption, audio);
  return figure;
}

function answerButton({ answer, label, key }) {
  const button = document.createElement("button");
  button.append(label, ...(key ? [" ", keyHint(key)] : []));
  button.dataset.answer = answer;
  button.setAttribute("aria-pressed", String(question.answer === answer));
  button.addEventListener("click", () => run(() => give(answer)));
  return button;
}

function keyHint(text) {
  const hint = document.createElement("kbd");
  hint.textContent = text;
  return hint;
}

// A question can be answered when every track was played, or if it was answered before. It can be
// skipped if a track cannot be played.
function allowAnswers() {
  const audios = [...document.querySelectorAll("audio")];
  const isAllowed = question.answer !== null || audios.every((audio) => audio.dataset.heard);
  for (const button of element("answers").children) button.disabled = !isAllowed;
  const hasFailed = audios.some((audio) => audio.dataset.failed);
  element("skip").hidden = isAllowed || !hasFailed;
  if (isAllowed) element("hint").textContent = "";
  else element("hint").textContent = hasFailed ? UNPLAYABLE : "Play everything once before you answer.";
}

async function give(answer) {
  for (const audio of document.querySelectorAll("audio")) audio.pause();
  await request(`/vote/${question.position}/${answer}`, "POST");
  await showNext();
}

document.addEventListener("keydown", (event) => {
  const isOther = event.ctrlKey || event.metaKey || event.altKey || element("sure").open;
  // The arrow keys of a player change its position and volume.
  const isOfPlayer = event.target.localName === "audio" && event.key.startsWith("Arrow");
  if (isOther || isOfPlayer || element("question").hidden) return;
  const audio = document.querySelector(`audio[data-key="${CSS.escape(event.key.toLowerCase())}"]`);
  const choices = question.is_rating ? RATINGS : CHOICES;
  const chosen = choices.find(({ keys }) => keys.includes(event.key));
  if (audio) {
    audio.paused ? audio.play() : audio.pause();
  } else if (chosen) {
    element("answers").querySelector(`[data-answer="${chosen.answer}"]`).click();
  } else if (event.key === "Backspace" && question.position > 0) {
    element("back").click();
  } else if (event.key.toLowerCase() === "s" && !element("skip").hidden) {
    element("skip").click();
  } else {
    return;
  }
  event.preventDefault();
});

element("agree").addEventListener("click", () => run(async () => {
  await request("/consent", "POST");
  await showNext();
}));
element("back").addEventListener("click", () => run(() => showPosition(question.position - 1)));
element("skip").addEventListener("click", () => run(() => {
  skipped.add(question.position);
  return showNext();
}));
element("review").addEventListener("click", (event) => {
  const position = Number(event.currentTarget.dataset.position);
  run(() => showPosition(position));
});
element("again").addEventListener("click", () => run(start));
element("withdraw").addEventListener("click", () => element("sure").showModal());
element("keep").addEventListener("click", () => element("sure").close());
element("delete").addEventListener("click", () => run(async () => {
  element("sure").close();
  await request("/withdraw", "POST");
  for (const audio of document.querySelectorAll("audio")) audio.remove();
  show("withdrawn");
}));
run(start);
