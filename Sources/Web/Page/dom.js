// Elements, numbers and times. Text from outside only ever becomes text, never HTML.

export const emotions = ["happy", "surprise", "neutral", "sad", "fear", "disgust", "angry"];

/** el("p", {class: "muted", onclick: f}, "text", child): an element. */
export function el(tag, properties = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (value === undefined || value === null || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else element.setAttribute(name, value === true ? "" : String(value));
  }
  element.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

export function announce(text) {
  document.getElementById("announce").textContent = text;
}

const numbers = new Intl.NumberFormat("en");
export const count = (value) => numbers.format(value);
export const percent = (share) => `${Math.round(share * 100)} %`;
export const plural = (value, one, many = `${one}s`) => `${count(value)} ${value === 1 ? one : many}`;

export function bytes(value) {
  const units = ["bytes", "kB", "MB", "GB", "TB"];
  let unit = 0;
  while (value >= 1000 && unit < units.length - 1) { value /= 1000; unit += 1; }
  return `${unit === 0 || value >= 100 ? Math.round(value) : value.toFixed(1)} ${units[unit]}`;
}

/** 75 → "1:15", 3700 → "1:01:40". */
export function clock(seconds) {
  const whole = Math.max(0, Math.floor(seconds));
  const two = (value) => String(value).padStart(2, "0");
  const [hours, minutes] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60];
  return hours ? `${hours}:${two(minutes)}:${two(whole % 60)}` : `${minutes}:${two(whole % 60)}`;
}

/** 75 → "1 min 15 s", for spans that a person waits. */
export function span(seconds) {
  if (seconds < 1) return "under 1 s";
  if (seconds < 60) return `${Math.round(seconds)} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} min ${Math.round(seconds % 60)} s`;
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

export function when(time) {
  const date = new Date(time * 1000);
  const isToday = date.toDateString() === new Date().toDateString();
  const day = isToday ? "" : `${date.toLocaleDateString(undefined, { day: "numeric", month: "short", year: "numeric" })}, `;
  return day + date.toLocaleTimeString(undefined, { hour: "2-digit", minute: "2-digit" });
}

/** Colours are the style's, so that canvases follow light and dark. */
export function colour(name) {
  return getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
}

/** A canvas at the screen's resolution: gives its context and its size in CSS pixels. */
export function canvas(element) {
  const { clientWidth: width, clientHeight: height } = element;
  const ratio = window.devicePixelRatio || 1;
  if (element.width !== Math.round(width * ratio) || element.height !== Math.round(height * ratio)) {
    element.width = Math.round(width * ratio);
    element.height = Math.round(height * ratio);
  }
  const context = element.getContext("2d");
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  context.clearRect(0, 0, width, height);
  return { context, width, height };
}

export function legend(values) {
  return el("ul", { class: "legend" }, emotions.map((name) =>
    el("li", {}, el("span", { class: `key ${name}`, "aria-hidden": "true" }), values ? `${name} ${percent(values[name] ?? 0)}` : name)));
}

/** Shares of expressions as one thin bar; what is missing to one was not clear. */
export function miniBar(shares) {
  const known = emotions.filter((name) => (shares[name] ?? 0) > 0.004);
  const said = [...known].sort((a, b) => shares[b] - shares[a]).map((name) => `${name} ${percent(shares[name])}`).join(", ");
  const bar = el("div", { class: "mini", role: "img", "aria-label": `Expressions: ${said || "none clear"}`, title: said });
  for (const name of known) {
    const part = el("span", { class: name });
    part.style.width = `${shares[name] * 100}%`;
    bar.append(part);
  }
  return bar;
}

/** One line with name, bar and number for each expression. */
export function bars(probabilities) {
  return el("div", { class: "bars" }, emotions.flatMap((name) => {
    const fill = el("i", { class: name });
    fill.style.width = `${(probabilities[name] ?? 0) * 100}%`;
    return [el("span", {}, name), el("span", { class: "bar", "aria-hidden": "true" }, fill),
      el("span", { class: "value" }, percent(probabilities[name] ?? 0))];
  }));
}

/** The API's answer, or an error with its sentence. */
export async function api(path, options = {}) {
  const answer = await fetch(`/api/v1/${path}`, options);
  if (answer.status === 401) location.assign("/");
  if (!answer.ok) {
    const body = await answer.json().catch(() => null);
    throw new Error(body?.error?.message ?? `the service answered ${answer.status}`);
  }
  return answer.json();
}
