// The list of jobs: counts as filters, progress, reasons of failures, uploads.

import { announce, api, bytes, clock, count, el, miniBar, percent, plural, span, when } from "./dom.js";

const states = ["queued", "running", "done", "failed", "cancelled"];
const pageSize = 50;
const shown = { filter: null, text: "", next: null, counts: {}, asked: 0 };
/** By id: the job and its row. */
const rows = new Map();

const list = document.getElementById("jobs");
const runningList = document.getElementById("running");
const more = document.getElementById("more");
const empty = document.getElementById("empty");

export const knownJob = (id) => rows.get(id)?.job;

// MARK: one row

export function progressText(progress) {
  const parts = [];
  if (typeof progress.fraction === "number") parts.push(percent(progress.fraction));
  parts.push(plural(progress.frames, "frame"));
  if (progress.frames_per_second) parts.push(`${progress.frames_per_second.toFixed(1)} a second`);
  if (typeof progress.remaining === "number") parts.push(`about ${span(progress.remaining)} left`);
  return parts.join(" · ");
}

export function progressParts(job) {
  const bar = el("progress", { max: "1", "aria-label": `Progress of ${job.path}` });
  const text = el("p", { class: "meta" });
  setProgress({ bar, text }, job.progress ?? { frames: 0 });
  return { bar, text };
}

export function setProgress({ bar, text }, progress) {
  if (typeof progress.fraction === "number") bar.value = progress.fraction;
  else bar.removeAttribute("value");
  text.textContent = progressText(progress);
}

export function metaText(job) {
  const parts = [`#${job.id}`];
  if (job.state === "queued") parts.push(`queued ${when(job.queued_at)}`);
  if (job.state === "running") parts.push(`started ${when(job.started_at ?? job.queued_at)}`);
  if (job.ended_at) parts.push(`${job.state === "done" ? "finished" : "ended"} ${when(job.ended_at)}`);
  if (job.started_at && job.ended_at) parts.push(`took ${span(job.ended_at - job.started_at)}`);
  if (job.bytes) parts.push(bytes(job.bytes));
  if (job.attempts > 1) parts.push(plural(job.attempts, "attempt"));
  if (job.summary?.duration) parts.push(`${clock(job.summary.duration)} of video`);
  if (job.summary) parts.push(job.summary.faces ? plural(job.summary.faces, "face") : "no face");
  return parts.join(" · ");
}

export function failureText(failure) {
  const end = failure.signal ? `signal ${failure.signal}` : typeof failure.exit_code === "number" ? `exit ${failure.exit_code}` : "";
  return failure.reason + (end ? ` (${end})` : "");
}

export const stateTag = (job) => {
  const name = job.outcome && job.outcome !== "complete" ? job.outcome : job.state;
  return el("span", { class: `tag ${name === "skipped" ? "done" : name}` }, name);
};

/** Asks for retry or cancel; the row changes when the service says so, the answer is shown at once. */
export function actionButton(job, action, label) {
  const button = el("button", { class: "button", type: "button", "data-action": action, "aria-label": `${label}: ${job.path}` }, label);
  button.addEventListener("click", async () => {
    button.disabled = true;
    try {
      updateJob(await api(`jobs/${job.id}/${action}`, { method: "POST" }));
      announce(`${label}: ${job.path}`);
    } catch (error) {
      button.disabled = false;
      button.closest(".job, .result-head")?.append(el("p", { class: "notice bad", role: "alert" }, error.message));
    }
  });
  return button;
}

export function actions(job) {
  const buttons = [];
  if (job.state === "failed" || job.state === "cancelled") buttons.push(actionButton(job, "retry", "Retry"));
  if (job.state === "queued" || job.state === "running") buttons.push(actionButton(job, "cancel", "Cancel"));
  return buttons;
}

function fill(row, job) {
  const focused = row.element.contains(document.activeElement) ? document.activeElement.dataset.action : null;
  const opens = row.element.querySelector("details")?.open ?? false;
  const address = `#/jobs/${job.id}`;
  const parts = [
    el("div", { class: "title" }, el("a", { class: "path", href: address }, job.path), stateTag(job)),
    el("div", { class: "actions" }, actions(job),
      job.has_result && el("a", { class: "button", href: address, "aria-label": `Open the result of ${job.path}` }, "Open")),
  ];
  row.progress = null;
  if (job.state === "running") {
    row.progress = progressParts(job);
    parts.push(row.progress.bar, row.progress.text);
  }
  if (job.failure && job.state !== "done") {
    parts.push(el("p", { class: "reason" }, failureText(job.failure)));
    if (job.failure.log?.length) {
      parts.push(el("details", { open: opens }, el("summary", {}, "Last log lines"), el("pre", { class: "log" }, job.failure.log.join("\n"))));
    }
  }
  if (job.waiting_for) parts.push(el("p", { class: "meta" }, `Waits: ${job.waiting_for}`));
  parts.push(el("p", { class: "meta" }, metaText(job)));
  if (job.summary && Object.keys(job.summary.expressions ?? {}).length) parts.push(miniBar(job.summary.expressions));
  row.element.replaceChildren(...parts.filter(Boolean));
  if (focused) row.element.querySelector("[data-action], a.path")?.focus();
}

// MARK: the list

const matches = (job) =>
  (!shown.filter || job.state === shown.filter) && (!shown.text || job.path.toLowerCase().includes(shown.text));

function place(job) {
  let row = rows.get(job.id);
  if (!row) {
    row = { element: el("li", { class: "job", "data-job": job.id }) };
    rows.set(job.id, row);
  }
  row.job = job;
  fill(row, job);
  // Work under way stands above a queue that may be long.
  const target = job.state === "running" && !shown.filter ? runningList : list;
  if (row.element.parentNode === target) return;
  const after = [...target.children].find((other) => Number(other.dataset.job) < job.id);
  if (after) after.before(row.element);
  else target.append(row.element);
}

export function updateJob(job) {
  const before = rows.get(job.id)?.job;
  if (before && before.state !== job.state) announce(`${job.path}: ${job.state}`);
  // An older job than all that is shown belongs to a page that was not asked for yet.
  const isInReach = before || job.state === "running" || shown.next === null || job.id >= shown.next;
  if (matches(job) && isInReach) place(job);
  else if (before) {
    rows.get(job.id).element.remove();
    rows.delete(job.id);
  }
  showEmpty();
  document.dispatchEvent(new CustomEvent("job", { detail: job }));
}

export function updateProgress({ id, progress }) {
  const row = rows.get(id);
  if (row) row.job.progress = progress;
  if (row?.progress) setProgress(row.progress, progress);
  document.dispatchEvent(new CustomEvent("job-progress", { detail: { id, progress } }));
}

export function updateCounts(counts) {
  shown.counts = counts;
  const total = states.reduce((sum, state) => sum + (counts[state] ?? 0), 0);
  const tiles = [[null, "all", total], ...states.map((state) => [state, state, counts[state] ?? 0])];
  const group = document.getElementById("counts");
  if (group.children.length !== tiles.length) {
    group.replaceChildren(...tiles.map(([state, name]) => el("button", {
      class: "count", type: "button", "data-state": state ?? "all", onclick: () => { shown.filter = state; loadJobs(); },
    }, el("b", {}, "0"), el("span", {}, name))));
  }
  tiles.forEach(([state, , value], index) => {
    const tile = group.children[index];
    tile.firstChild.textContent = count(value);
    tile.setAttribute("aria-pressed", String(shown.filter === state));
    tile.classList.toggle("bad", state === "failed" && value > 0);
  });
  document.title = counts.running ? `(${counts.running}) emotiond` : "emotiond";
}

function showEmpty() {
  empty.hidden = rows.size > 0;
  empty.textContent = shown.filter || shown.text
    ? "No job matches."
    : "No jobs yet. Drop a video or a picture above, or copy one into the watched folder.";
}

/** Reads the list anew; older pages stay away until they are asked for. */
export async function loadJobs(before = null) {
  const asked = (shown.asked += 1);
  const query = new URLSearchParams({ limit: pageSize });
  if (shown.filter) query.set("state", shown.filter);
  if (shown.text) query.set("q", shown.text);
  if (before) query.set("before", before);
  const hasOwnList = !shown.filter && !before;
  const [page, running] = await Promise.all([
    api(`jobs?${query}`), hasOwnList ? api(`jobs?${new URLSearchParams({ state: "running", limit: 500, q: shown.text })}`) : { jobs: [] },
  ]);
  // Another filter was chosen while this answer was on its way.
  if (asked !== shown.asked) return;
  if (!before) {
    const kept = new Set([...running.jobs, ...page.jobs].map((job) => job.id));
    for (const [id, row] of rows) {
      if (kept.has(id)) continue;
      row.element.remove();
      rows.delete(id);
    }
  }
  [...running.jobs, ...page.jobs].forEach(place);
  shown.next = page.next ?? null;
  more.hidden = shown.next === null;
  updateCounts(page.counts);
  showEmpty();
}

// MARK: uploads

function upload(file) {
  const bar = el("progress", { max: "1", value: "0", "aria-label": `Upload of ${file.name}` });
  const state = el("span", { class: "muted" }, "waits");
  const line = el("li", {}, el("span", { class: "name" }, file.name), state, bar);
  document.getElementById("uploads").append(line);
  const end = (text, failed) => {
    bar.remove();
    state.className = failed ? "failed" : "muted";
    state.textContent = text;
    announce(`${file.name}: ${text}`);
    if (!failed) setTimeout(() => line.remove(), 8000);
  };
  return new Promise((resolve) => {
    // fetch tells nothing about what has been sent so far.
    const request = new XMLHttpRequest();
    request.open("PUT", `/api/v1/files/${encodeURIComponent(file.name)}`);
    request.upload.addEventListener("progress", (event) => {
      bar.value = event.total ? event.loaded / event.total : 0;
      state.textContent = percent(bar.value);
    });
    request.addEventListener("load", () => {
      let message = null;
      try { message = JSON.parse(request.responseText).error?.message; } catch { /* no JSON: the status says it */ }
      if (request.status < 300) end("uploaded, is taken in when it has been still for a moment", false);
      else end(message ?? `the service answered ${request.status}`, true);
    });
    request.addEventListener("error", () => end("the connection broke off", true));
    request.addEventListener("loadend", resolve);
    request.send(file);
  });
}

/** One after the other: the order on the disk is the order that was chosen. */
async function uploadAll(files) {
  for (const file of files) await upload(file);
}

export function start() {
  const drop = document.getElementById("drop");
  const pick = document.getElementById("pick");
  pick.addEventListener("change", () => { uploadAll([...pick.files]).finally(() => { pick.value = ""; }); });
  // The whole window takes files: a page that is replaced by a dropped video is nobody's wish.
  window.addEventListener("dragover", (event) => { event.preventDefault(); drop.classList.add("over"); });
  window.addEventListener("dragleave", (event) => { if (!event.relatedTarget) drop.classList.remove("over"); });
  window.addEventListener("drop", (event) => {
    event.preventDefault();
    drop.classList.remove("over");
    uploadAll([...event.dataTransfer.files]);
  });
  more.addEventListener("click", () => loadJobs(shown.next));
  const search = document.getElementById("search-text");
  document.getElementById("search").addEventListener("submit", (event) => event.preventDefault());
  let timer = 0;
  search.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(() => { shown.text = search.value.trim().toLowerCase(); loadJobs(); }, 200);
  });
}
