// The curve of expressions over time: a stacked area, with a cursor for pointer and keyboard, tied to the video.

import { canvas, clock, colour, el, emotions, percent } from "./dom.js";

const left = 44;
const bottom = 22;

/** Steps of the time axis that people can read. */
const steps = [0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200];

export class Chart {
  face = "all";
  cursor = null;

  constructor(timeline, { onSeek }) {
    this.timeline = timeline;
    this.onSeek = onSeek;
    this.canvas = el("canvas", {
      class: "chart", tabindex: "0", role: "slider", "aria-label": "Expressions over time", "aria-valuemin": "0",
      "aria-valuemax": timeline.end.toFixed(1), "aria-valuenow": "0",
    });
    this.readout = el("ul", { class: "legend" });
    this.time = el("p", { class: "muted" });
    this.element = el("div", {}, this.canvas, el("div", { class: "chart-foot" }, this.time, this.readout));
    this.canvas.addEventListener("pointermove", (event) => this.point(event, event.buttons > 0));
    this.canvas.addEventListener("pointerdown", (event) => this.point(event, true));
    this.canvas.addEventListener("keydown", (event) => this.key(event));
    this.observer = new ResizeObserver(() => this.draw());
    this.observer.observe(this.canvas);
    this.dark = matchMedia("(prefers-color-scheme: dark)");
    this.redraw = () => this.draw();
    this.dark.addEventListener("change", this.redraw);
    this.read();
  }

  close() {
    this.observer.disconnect();
    this.dark.removeEventListener("change", this.redraw);
  }

  show(face) {
    this.face = face;
    this.draw();
    this.read();
  }

  moveTo(time) {
    this.cursor = Math.min(Math.max(time, 0), this.timeline.end);
    this.draw();
    this.read();
  }

  point(event, isSeek) {
    const box = this.canvas.getBoundingClientRect();
    const share = (event.clientX - box.left - left) / (box.width - left);
    if (share < 0) return;
    this.moveTo(share * this.timeline.end);
    if (isSeek) this.onSeek(this.cursor);
  }

  key(event) {
    const step = { ArrowLeft: -1, ArrowRight: 1, PageDown: -10, PageUp: 10 }[event.key];
    const target = { Home: 0, End: this.timeline.end }[event.key];
    if (step === undefined && target === undefined) return;
    event.preventDefault();
    this.moveTo(target ?? (this.cursor ?? 0) + step * Math.max(this.timeline.end / 100, this.timeline.width));
    this.onSeek(this.cursor);
  }

  /** Numbers under the cursor, or how to get them. */
  read() {
    const values = this.cursor === null ? null : this.timeline.at(this.face, this.cursor);
    const empty = this.cursor === null ? "Point at the curve, or use the arrow keys, for the numbers of a moment." : `${clock(this.cursor)} · no face`;
    this.time.textContent = values ? clock(this.cursor) : empty;
    this.readout.replaceChildren(...emotions.map((name) =>
      el("li", {}, el("span", { class: `key ${name}`, "aria-hidden": "true" }), values ? `${name} ${percent(values[name])}` : name)));
    this.canvas.setAttribute("aria-valuenow", (this.cursor ?? 0).toFixed(1));
    const top = values && [...emotions].sort((a, b) => values[b] - values[a])[0];
    this.canvas.setAttribute("aria-valuetext", `${clock(this.cursor ?? 0)}${top ? `, mostly ${top} ${percent(values[top])}` : ""}`);
  }

  draw() {
    const { context, width, height } = canvas(this.canvas);
    if (width <= left) return;
    const area = { width: width - left, height: height - bottom };
    const end = this.timeline.end || this.timeline.width;
    const x = (time) => left + (time / end) * area.width;
    this.axes(context, area, x, end, width);
    this.areas(context, area, x);
    if (this.cursor !== null) {
      context.fillStyle = colour("text");
      context.fillRect(Math.min(x(this.cursor), width - 2) - 1, 0, 2, area.height);
    }
  }

  axes(context, area, x, end, width) {
    context.font = '12px system-ui, "DejaVu Sans", sans-serif';
    context.fillStyle = colour("sunk");
    context.fillRect(left, 0, area.width, area.height);
    context.fillStyle = colour("muted");
    context.textAlign = "right";
    context.textBaseline = "middle";
    [[0, "0 %"], [0.5, "50 %"], [1, "100 %"]].forEach(([share, text]) =>
      context.fillText(text, left - 6, Math.min(Math.max(area.height * (1 - share), 7), area.height - 6)));
    context.textBaseline = "top";
    const step = steps.find((candidate) => end / candidate <= area.width / 70) ?? 14400;
    for (let time = 0; time <= end; time += step) {
      const text = step < 1 ? `${time.toFixed(1)} s` : clock(time);
      context.textAlign = time === 0 ? "left" : x(time) > width - 24 ? "right" : "center";
      context.fillText(text, x(time), area.height + 6);
    }
  }

  /** Column by column: where no face was, the ground shows. Columns of one pixel average the buckets below them. */
  areas(context, area, x) {
    const buckets = this.timeline.faces.get(this.face) ?? [];
    const colours = emotions.map(colour);
    const columns = Math.max(1, Math.round(area.width));
    const perColumn = Math.max(this.timeline.end, this.timeline.width) / columns / this.timeline.width;
    for (let column = 0; column < columns; column += 1) {
      const from = Math.floor(column * perColumn);
      const to = Math.max(from + 1, Math.floor((column + 1) * perColumn));
      const sums = new Float64Array(emotions.length);
      let total = 0;
      for (let index = from; index < to; index += 1) {
        const bucket = this.timeline.near(buckets, index);
        if (!bucket) continue;
        total += bucket[0];
        for (let place = 0; place < sums.length; place += 1) sums[place] += bucket[place + 1];
      }
      if (!total) continue;
      let y = area.height;
      sums.forEach((sum, place) => {
        const part = (sum / total) * area.height;
        context.fillStyle = colours[place];
        context.fillRect(left + column, y - part, 1.2, part + 0.5);
        y -= part;
      });
    }
  }
}
