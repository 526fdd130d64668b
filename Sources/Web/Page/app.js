// Starts the page: reads the lists, listens to events, shows the overview or one job.

import { announce, api } from "./dom.js";
import * as jobs from "./jobs.js";
import * as result from "./result.js";
import * as streams from "./streams.js";

const status = document.getElementById("status");
const statusText = document.getElementById("status-text");
const banner = document.getElementById("banner");

function setStatus(kind, text) {
  status.className = `pill ${kind}`;
  if (statusText.textContent !== text) statusText.textContent = text;
}

function showReadiness({ is_ready: isReady, reasons }) {
  setStatus(isReady ? "good" : "warn", isReady ? "Ready" : "Not ready");
  banner.hidden = isReady;
  banner.textContent = reasons.join(" · ");
}

/** All lists anew: at the start, and when events may have been missed. */
async function loadAll() {
  try {
    const [ready, health, { streams: all }] = await Promise.all([
      fetch("/readyz").then((answer) => answer.json()), fetch("/healthz").then((answer) => answer.json()),
      api("streams"), jobs.loadJobs(),
    ]);
    showReadiness(ready);
    document.getElementById("version").textContent = `emotiond ${health.version}`;
    streams.showStreams(all);
  } catch (error) {
    setStatus("bad", "No answer");
    announce(error.message);
  }
}

function listen() {
  const events = new EventSource("/api/v1/events");
  const on = (name, use) => events.addEventListener(name, (event) => use(JSON.parse(event.data)));
  on("hello", loadAll);
  on("reset", loadAll);
  on("job", jobs.updateJob);
  on("progress", jobs.updateProgress);
  on("counts", jobs.updateCounts);
  on("stream", streams.updateStream);
  on("stream-removed", ({ name }) => streams.removeStream(name));
  on("readiness", showReadiness);
  let wasLost = false;
  events.addEventListener("open", () => {
    if (wasLost) loadAll();
    wasLost = false;
  });
  events.addEventListener("error", () => {
    wasLost = true;
    setStatus("bad", "Connection lost");
    // A browser gives up for good on an answer that is no event stream, such as 401 or 503.
    if (events.readyState === EventSource.CLOSED) setTimeout(listen, 5000);
  });
}

function route() {
  const id = Number(location.hash.match(/^#\/jobs\/(\d+)$/)?.[1]);
  document.getElementById("overview").hidden = Boolean(id);
  if (id) result.openResult(id);
  else result.closeResult();
  window.scrollTo(0, 0);
}

jobs.start();
streams.start();
result.start();
// "#main" is the skip link's, not a page of ours.
window.addEventListener("hashchange", () => { if (location.hash !== "#main") route(); });
if (location.hash !== "#main") route();
listen();
