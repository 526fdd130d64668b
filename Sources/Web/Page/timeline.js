// timeline.csv as it comes in: any length is folded into a bounded number of buckets while it is read.

import { emotions } from "./dom.js";

const mostBuckets = 1200;
const firstWidth = 1 / 32;
const mostRows = 5_000_000;

/** Splits one line by RFC 4180; our own timelines have no quotes, but a reader should not rely on that. */
function cells(line) {
  if (!line.includes('"')) return line.split(",");
  const result = [];
  const pattern = /("(?:[^"]|"")*"|[^,]*)(,|$)/g;
  for (let match; (match = pattern.exec(line)) && (match[0] !== "" || result.length === 0);) {
    const cell = match[1];
    result.push(cell.startsWith('"') ? cell.slice(1, -1).replaceAll('""', '"') : cell);
    if (match[2] === "") break;
  }
  return result;
}

/** Sums over equal spans of time; when there are too many, each two become one. */
export class Timeline {
  /** By face id, and "all": buckets as [count, sum of each expression]. */
  faces = new Map([["all", []]]);
  width = firstWidth;
  end = 0;
  rows = 0;
  /** The first frame's faces, for pictures. */
  first = [];

  add(time, face, values) {
    this.rows += 1;
    this.end = Math.max(this.end, time);
    while (time / this.width >= mostBuckets) this.fold();
    const index = Math.floor(time / this.width);
    for (const key of ["all", face]) {
      if (!this.faces.has(key)) this.faces.set(key, []);
      const buckets = this.faces.get(key);
      const bucket = (buckets[index] ??= new Float64Array(emotions.length + 1));
      bucket[0] += 1;
      values.forEach((value, place) => { bucket[place + 1] += value; });
    }
  }

  fold() {
    this.width *= 2;
    for (const [key, buckets] of this.faces) {
      const folded = [];
      buckets.forEach((bucket, index) => {
        const target = (folded[index >> 1] ??= new Float64Array(emotions.length + 1));
        bucket.forEach((value, place) => { target[place] += value; });
      });
      this.faces.set(key, folded);
    }
  }

  /** Frames are further apart than buckets at first: a bucket between two of them is not a face that went away. */
  near(buckets, index) {
    const reach = Math.ceil(0.5 / this.width);
    for (let back = 0; back <= reach; back += 1) if (buckets[index - back]) return buckets[index - back];
    return null;
  }

  /** Means at a time, by expression; null where no face was. */
  at(face, time) {
    const bucket = this.near(this.faces.get(face) ?? [], Math.floor(time / this.width));
    return bucket && Object.fromEntries(emotions.map((name, place) => [name, bucket[place + 1] / bucket[0]]));
  }

  get faceIDs() {
    return [...this.faces.keys()].filter((key) => key !== "all");
  }
}

export async function readTimeline(address, signal) {
  const answer = await fetch(address, { signal });
  if (!answer.ok) throw new Error(`the timeline cannot be read (${answer.status})`);
  const timeline = new Timeline();
  const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  let columns = null;
  for (;;) {
    const { value, done } = await reader.read();
    const lines = (rest + (value ?? "")).split("\n");
    rest = done ? "" : lines.pop();
    for (const line of lines) {
      if (!line) continue;
      const row = cells(line);
      if (!columns) columns = Object.fromEntries(row.map((name, place) => [name, place]));
      else take(timeline, row, columns);
    }
    if (timeline.rows > mostRows) await reader.cancel();
    if (done || timeline.rows > mostRows) return timeline;
  }
}

function take(timeline, row, columns) {
  const face = row[columns.face_id];
  const time = Number(row[columns.timestamp]);
  if (!Number.isFinite(time)) return;
  if (!face) {
    timeline.end = Math.max(timeline.end, time);
    return;
  }
  const values = emotions.map((name) => Number(row[columns[name]]));
  if (!values.every(Number.isFinite) || row[columns.happy] === "") return;
  if (timeline.first.length < 200 && row[columns.frame] === "0") {
    timeline.first.push({ face, dominant: row[columns.dominant], values: Object.fromEntries(emotions.map((name, place) => [name, values[place]])) });
  }
  timeline.add(Math.max(0, time), face, values);
}
