// SPDX-License-Identifier: GPL-2.0-or-later
// How long operations took and how much they moved.
import { el, svg, byId, choice, showTip, hideTip } from "./dom.js";
import * as format from "./format.js";
import { Table } from "./table.js";

/** Linear in the logarithm within a bucket, as in the text report. */
export const quantile = (buckets, part) => {
  const all = buckets.reduce((sum, { count }) => sum + count, 0);
  let before = 0;
  for (const { bucket, count } of buckets) {
    if (count > 0 && before + count >= part * all) return 2 ** (bucket + (part * all - before) / count);
    before += count;
  }
  return 0;
};

/** Sorts the buckets. */
export const quantiles = (buckets) => {
  buckets.sort((a, b) => a.bucket - b.bucket);
  return { median: quantile(buckets, 0.5), p95: quantile(buckets, 0.95), p99: quantile(buckets, 0.99) };
};

const HISTOGRAM = [250, 92];

/** group: {buckets: [{bucket, count}] sorted, count, median, p95}; text: of a value. */
export const histogram = (group, name, where, text) => {
  const [width, height] = HISTOGRAM;
  const low = group.buckets[0].bucket, high = group.buckets[group.buckets.length - 1].bucket + 1;
  const most = Math.max(...group.buckets.map(({ count }) => count)), x = (log) => (log - low) / (high - low) * width;
  const words = `${name} on ${where}: ${format.plural(group.count, "operation")}, median ${text(group.median)}, 95 % within ${text(group.p95)}`;
  const picture = svg("svg", { viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": words });
  for (const { bucket, count } of group.buckets) {
    const tall = Math.max(1, count / most * (height - 24));
    const bar = svg("rect", { class: "column", x: x(bucket) + 0.5, width: Math.max(1, x(bucket + 1) - x(bucket) - 1), y: height - 14 - tall, height: tall });
    bar.addEventListener("mousemove", (event) => showTip(event, [`${text(2 ** bucket)} to ${text(2 ** (bucket + 1))}`, `${format.count(count)} of ${format.count(group.count)}, ${format.percent(count, group.count)}`]));
    bar.addEventListener("mouseleave", hideTip);
    picture.append(bar);
  }
  for (const [kind, value] of [["median", group.median], ["p95", group.p95]])
    picture.append(svg("line", { class: `quantile ${kind}`, x1: x(Math.log2(value)), x2: x(Math.log2(value)), y1: 6, y2: height - 14 }));
  picture.append(svg("text", { x: 0, y: height - 2 }, text(2 ** low)), svg("text", { x: width, y: height - 2, class: "end" }, text(2 ** high)));
  return el("figure", {}, el("figcaption", {}, el("b", {}, name), ` ${format.shorten(where, 16)}, ${format.count(group.count)}`), picture,
    el("p", {}, el("span", { class: "median" }, `median ${text(group.median)}`), el("span", { class: "p95" }, `95 % within ${text(group.p95)}`)));
};

export class Distributions {
  constructor(selection) {
    this.recording = selection.recording;
    this.what = "ns";
    const host = byId("distributions");
    host.append(el("h2", { id: "distributions-title" }, "Distributions"));
    if (!this.recording.histograms.length) {
      host.append(el("p", { class: "empty" }, "None were recorded."));
      return;
    }
    this.picture = el("div", { class: "histograms" });
    const table = el("div", {});
    host.append(el("div", { class: "bar-of-title" }, el("p", { class: "lead" }, "How long an operation took, or how much it moved. Of the whole recording, whatever is chosen."),
      choice("Distribution of", [["ns", "Time"], ["bytes", "Size"]], "ns", (what) => { this.what = what; this.draw(); })),
    this.picture, el("details", { open: false }, el("summary", {}, "The numbers"), table));
    const text = (value) => (this.what === "ns" ? format.time(value) : format.bytes(value));
    const number = (name, title) => ({ name, title, number: true, value: (row) => row[name], text: (row) => text(row[name]) });
    this.table = new Table(table, [
      { name: "op", title: "operation", value: (row) => row.op, text: (row) => row.op }, { name: "fs", title: "file system", value: (row) => row.fs, text: (row) => row.fs },
      { name: "count", title: "number", number: true, value: (row) => row.count, text: (row) => format.count(row.count) },
      number("median", "median"), number("p95", "95 %"), number("p99", "99 %"),
    ], { caption: "Distributions", sort: "count", key: (row) => `${row.op} ${row.fs}` });
    this.draw();
  }

  groups() {
    const groups = new Map();
    for (const { op, fs, what, bucket, count } of this.recording.histograms) {
      if (what !== this.what || !count) continue;
      const key = `${op}\0${fs}`;
      if (!groups.has(key)) groups.set(key, { op, fs: fs || "(others)", count: 0, buckets: [] });
      groups.get(key).count += count;
      groups.get(key).buckets.push({ bucket, count });
    }
    for (const group of groups.values()) {
      Object.assign(group, quantiles(group.buckets));
    }
    return [...groups.values()];
  }

  /** What takes most time in all: number times median, which needs no sum that is not there. */
  draw() {
    const groups = this.groups();
    this.table.set(groups);
    const first = [...groups].sort((a, b) => b.count * b.p95 - a.count * a.p95).slice(0, 12), text = this.what === "ns" ? format.time : format.bytes;
    this.picture.replaceChildren(...first.map((group) => histogram(group, group.op, group.fs, text)));
  }
}
