// The page of one job: picture or video, curve, summary, files; or why there is no result.

import { api, bars, bytes, clock, count, el, emotions, miniBar, percent, plural, when } from "./dom.js";
import { actions, failureText, metaText, progressParts, setProgress, stateTag } from "./jobs.js";
import { Chart } from "./chart.js";
import { readTimeline } from "./timeline.js";

const container = document.getElementById("result");
let open = null;

export function closeResult() {
  open?.abort.abort();
  open?.chart?.close();
  open = null;
  container.hidden = true;
  container.replaceChildren();
}

export async function openResult(id) {
  closeResult();
  const page = (open = { id, abort: new AbortController(), head: el("div"), body: el("div") });
  container.hidden = false;
  container.replaceChildren(el("a", { class: "back", href: "#/" }, "← All jobs"), page.head, page.body);
  try {
    await show(page, await api(`jobs/${id}`));
  } catch (error) {
    if (open === page) page.head.replaceChildren(el("p", { class: "notice bad", role: "alert" }, error.message));
  }
}

/** What changes while the page is open. */
export function start() {
  document.addEventListener("job", ({ detail }) => { if (open?.id === detail.id) show(open, detail); });
  document.addEventListener("job-progress", ({ detail }) => {
    if (open?.id === detail.id && open.progress) setProgress(open.progress, detail.progress);
  });
}

async function show(page, job) {
  if (open !== page) return;
  page.progress = job.state === "running" ? progressParts(job) : null;
  page.head.replaceChildren(...[
    el("div", { class: "result-head" },
      el("div", { class: "title" }, el("h1", {}, job.path), stateTag(job)),
      el("div", { class: "actions" }, actions(job))),
    el("p", { class: "result-meta" }, metaText(job)),
    page.progress && el("div", { class: "panel" }, page.progress.bar, page.progress.text),
    job.failure && job.state !== "done" && el("div", { class: "notice bad" }, el("p", {}, failureText(job.failure)),
      job.failure.log?.length ? el("pre", { class: "log" }, job.failure.log.join("\n")) : null),
    ...(job.summary?.warnings ?? []).map((text) => el("p", { class: "notice warn" }, text)),
    job.same_as && el("p", { class: "notice" }, "The same content was analysed before: ", el("a", { href: `#/jobs/${job.same_as}` }, `job ${job.same_as}`)),
  ].filter(Boolean));
  const shown = job.has_result ? `${job.ended_at}` : null;
  if (shown === page.shown) return;
  page.shown = shown;
  page.chart?.close();
  page.body.replaceChildren();
  if (job.has_result) await showResult(page, job);
}

async function showResult(page, job) {
  const base = `/api/v1/jobs/${job.id}/results/`;
  const address = (path) => base + path.split("/").map(encodeURIComponent).join("/");
  const { files } = await api(`jobs/${job.id}/results`);
  if (open !== page) return;
  const has = (name) => files.some((file) => file.path === name);
  const media = mediaOf(has, address, job);
  const curve = el("div");
  const columns = el("div", { class: "columns" }, panel("Files", fileList(files, address)));
  page.body.replaceChildren(...[media && el("div", { class: "panel media" }, media), curve, columns].filter(Boolean));
  const reading = [];
  if (has("timeline.csv")) reading.push(showTimeline(page, curve, address("timeline.csv"), media));
  if (has("run.json")) reading.push(showRun(page, columns, address("run.json")));
  await Promise.all(reading);
}

const panel = (title, ...children) => el("section", { class: "panel" }, el("h2", {}, title), ...children);

function mediaOf(has, address, job) {
  if (has("annotated.mp4")) {
    return el("video", { controls: true, preload: "metadata", playsinline: true, src: address("annotated.mp4"), "aria-label": `Annotated video of ${job.path}` });
  }
  const picture = ["annotated.jpg", "annotated.png"].find(has);
  return picture ? el("img", { src: address(picture), alt: `Annotated picture of ${job.path}` }) : null;
}

function fileList(files, address) {
  const most = 40;
  const shown = files.slice(0, most).map((file) => el("li", {},
    el("a", { href: `${address(file.path)}?download`, download: file.path.split("/").pop() }, file.path),
    el("span", { class: "muted" }, bytes(file.bytes))));
  if (files.length > most) shown.push(el("li", { class: "muted" }, `and ${count(files.length - most)} more`));
  return el("ul", { class: "files" }, shown);
}

async function showTimeline(page, place, address, media) {
  place.replaceChildren(panel("Expressions", el("p", { class: "muted" }, "Reading the timeline…")));
  let timeline;
  try {
    timeline = await readTimeline(address, page.abort.signal);
  } catch (error) {
    if (open === page) place.replaceChildren(el("p", { class: "notice bad" }, error.message));
    return;
  }
  if (open !== page) return;
  if (!timeline.rows) {
    place.replaceChildren(panel("Expressions", el("p", { class: "muted" }, "No face was found.")));
  } else if (timeline.end === 0) {
    place.replaceChildren(panel("Expressions", el("div", { class: "faces" }, timeline.first.map(({ face, dominant, values }) =>
      el("div", {}, el("h3", {}, `Face ${face}: ${dominant || "no clear expression"}`), bars(values))))));
  } else {
    place.replaceChildren(curveOf(page, timeline, media), facesOf(timeline));
    page.chart.draw();
  }
}

function curveOf(page, timeline, media) {
  const video = media?.tagName === "VIDEO" ? media : null;
  page.chart = new Chart(timeline, { onSeek: (time) => { if (video) video.currentTime = time; } });
  video?.addEventListener("timeupdate", () => page.chart.moveTo(video.currentTime));
  const choice = el("select", { id: "face", onchange: () => page.chart.show(choice.value) },
    el("option", { value: "all" }, "All faces (mean)"),
    timeline.faceIDs.slice(0, 200).map((face) => el("option", { value: face }, `Face ${face}`)));
  const head = el("div", { class: "chart-head" }, el("h2", {}, "Expressions over time"),
    el("p", {}, el("label", { for: "face", class: "visually-hidden" }, "Face"), choice));
  return el("section", { class: "panel" }, head, page.chart.element);
}

function facesOf(timeline) {
  const most = 30;
  const rows = timeline.faceIDs.slice(0, most).map((face) => {
    const buckets = timeline.faces.get(face);
    const sums = Object.fromEntries(emotions.map((name) => [name, 0]));
    let total = 0;
    let firstBucket = null;
    buckets.forEach((bucket, index) => {
      firstBucket ??= index;
      total += bucket[0];
      emotions.forEach((name, place) => { sums[name] += bucket[place + 1]; });
    });
    const means = Object.fromEntries(emotions.map((name) => [name, sums[name] / total]));
    const top = [...emotions].sort((a, b) => means[b] - means[a])[0];
    return el("tr", {}, el("td", {}, face),
      el("td", {}, `${clock(firstBucket * timeline.width)} – ${clock(buckets.length * timeline.width)}`),
      el("td", {}, `${top} ${percent(means[top])}`), el("td", {}, miniBar(means)));
  });
  const head = ["Face", "Seen", "Mostly", "Mean of each expression"].map((text) => el("th", { scope: "col" }, text));
  const rest = timeline.faceIDs.length - most;
  return panel("Faces", el("div", { class: "table" }, el("table", {}, el("thead", {}, el("tr", {}, head)), el("tbody", {}, rows))),
    rest > 0 && el("p", { class: "muted" }, `and ${plural(rest, "more face", "more faces")}, see summary.csv`));
}

async function showRun(page, place, address) {
  const run = await fetch(address, { signal: page.abort.signal }).then((answer) => answer.json()).catch(() => null);
  if (!run || open !== page) return;
  const { input = {}, counts = {}, timing = {}, model = {}, detector = {}, program = {} } = run;
  const lines = [
    ["Size", input.width && `${input.width} × ${input.height}`],
    ["Codec", input.codec], ["Duration", input.duration && clock(input.duration)],
    ["Frames analysed", counts.analysed !== undefined && count(counts.analysed)],
    ["Frames with faces", counts.with_faces !== undefined && count(counts.with_faces)],
    ["Speed", timing.frames_per_second && `${timing.frames_per_second.toFixed(1)} frames/s`],
    ["Model", model.name], ["Detector", detector.name], ["Program", program.version && `emotiond ${program.version}`],
  ].filter(([, value]) => value);
  place.append(panel("About this run", el("dl", { class: "facts" },
    lines.flatMap(([name, value]) => [el("dt", {}, name), el("dd", {}, value)]))));
}
