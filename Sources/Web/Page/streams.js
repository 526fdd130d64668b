// Streams: the last annotated frame, a strip of the last minute's expressions, and the numbers of health.

import { canvas, colour, count, el, emotions, legend, percent, span } from "./dom.js";

const stripSeconds = 60;
/** By name: the stream, its card and what its strip shows. */
const cards = new Map();

const container = document.getElementById("stream-cards");
const section = document.getElementById("streams");

function make(name) {
  const parts = {
    image: el("img", { alt: `Last annotated frame of ${name}`, hidden: true }),
    noImage: el("span", {}, "No picture kept"),
    tag: el("span", { class: "tag" }),
    detail: el("p", { class: "detail" }),
    strip: el("canvas", { class: "strip", role: "img" }),
    legend: el("div", {}),
    numbers: el("dl", { class: "numbers" }),
    purpose: el("p", { class: "detail" }),
  };
  parts.image.addEventListener("load", () => { parts.image.hidden = false; });
  parts.image.addEventListener("error", () => { parts.image.hidden = true; });
  const element = el("article", { class: "stream", "data-stream": name },
    el("div", { class: "picture" }, parts.noImage, parts.image),
    el("div", { class: "body" },
      el("div", { class: "title" }, el("h3", {}, name), parts.tag),
      parts.detail, parts.strip, parts.legend, parts.numbers, parts.purpose));
  container.append(element);
  return { parts, element, history: [], frameAt: null };
}

/** The mean over the faces that are there; null without one. */
function meanOf(faces) {
  if (!faces.length) return null;
  return Object.fromEntries(emotions.map((name) =>
    [name, faces.reduce((sum, face) => sum + (face.probabilities[name] ?? 0), 0) / faces.length]));
}

/** Its larger unit only: the place is small. */
const shortSpan = (seconds) => span(seconds).split(" ").slice(-4, -2).join(" ") || span(seconds);

function numbersOf(stream) {
  const age = stream.last_frame_at ? Date.now() / 1000 - stream.last_frame_at : null;
  const values = [
    ["Frames/s", `${stream.frames_per_second_analysed.toFixed(1)} / ${stream.frames_per_second_in.toFixed(1)}`],
    ["Lag", typeof stream.lag_seconds === "number" ? `${stream.lag_seconds.toFixed(2)} s` : "–"],
    ["Faces", count(stream.faces.length)],
    ["Dropped", count(stream.dropped)],
    ["Reconnects", count(stream.reconnects)],
    ["Last frame", age === null ? "–" : age < 2 ? "now" : `${shortSpan(age)} ago`],
  ];
  return values.map(([name, value]) => el("div", {}, el("dt", {}, name), el("dd", {}, value)));
}

export function updateStream(stream) {
  section.hidden = false;
  const card = cards.get(stream.name) ?? make(stream.name);
  cards.set(stream.name, card);
  card.stream = stream;
  const { parts } = card;
  parts.tag.textContent = stream.phase;
  parts.tag.className = `tag ${stream.phase}`;
  parts.detail.textContent = stream.detail ?? stream.url;
  parts.numbers.replaceChildren(...numbersOf(stream));
  parts.purpose.textContent = stream.purpose ? `Purpose: ${stream.purpose}` : "";
  parts.purpose.hidden = !stream.purpose;
  if (stream.has_frame && stream.last_frame_at !== card.frameAt) {
    card.frameAt = stream.last_frame_at;
    parts.image.src = `/api/v1/streams/${encodeURIComponent(stream.name)}/frame?at=${stream.last_frame_at ?? 0}`;
  }
  if (!stream.has_frame) parts.image.hidden = true;
  const mean = stream.phase === "live" ? meanOf(stream.faces) : null;
  card.history.push({ at: performance.now() / 1000, mean });
  while (card.history.length && card.history[0].at < performance.now() / 1000 - stripSeconds - 5) card.history.shift();
  parts.legend.replaceChildren(legend(mean ?? undefined));
  const top = mean && [...emotions].sort((a, b) => mean[b] - mean[a])[0];
  parts.strip.setAttribute("aria-label", top
    ? `Expressions of the last minute; now mostly ${top}, ${percent(mean[top])}`
    : "Expressions of the last minute; no face now");
  draw(card);
}

/** Time runs to the right edge, which is now; each report fills the time until the next one. */
function draw(card) {
  const { context, width, height } = canvas(card.parts.strip);
  const now = performance.now() / 1000;
  const colours = Object.fromEntries(emotions.map((name) => [name, colour(name)]));
  card.history.forEach((entry, index) => {
    if (!entry.mean) return;
    const until = Math.min(card.history[index + 1]?.at ?? now, entry.at + 5);
    // Whole pixels: edges that share one would show as lines.
    const left = Math.floor(width * (1 - (now - entry.at) / stripSeconds));
    const right = Math.floor(width * (1 - (now - until) / stripSeconds));
    let bottom = height;
    for (const name of emotions) {
      const part = entry.mean[name] * height;
      context.fillStyle = colours[name];
      context.fillRect(left, bottom - part, Math.max(1, right - left), part + 0.5);
      bottom -= part;
    }
  });
}

export function removeStream(name) {
  cards.get(name)?.element.remove();
  cards.delete(name);
  section.hidden = cards.size === 0;
}

export function showStreams(streams) {
  const names = new Set(streams.map((stream) => stream.name));
  for (const name of [...cards.keys()]) if (!names.has(name)) removeStream(name);
  streams.forEach(updateStream);
  section.hidden = cards.size === 0;
}

export function start() {
  setInterval(() => { if (!document.hidden) cards.forEach(draw); }, 1000);
}
