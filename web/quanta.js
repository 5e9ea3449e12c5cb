// SPDX-License-Identifier: GPL-2.0-or-later
// What quanta used, and how that differs from one to the other.
import { el, svg, byId, showTip, hideTip } from "./dom.js";
import * as format from "./format.js";
import { SECONDS, OF_BYTES, NUMBER, SHARE } from "./recording.js";
import { Table } from "./table.js";

const BINS = 14, TINY = [96, 18];

/** A figure in its unit. */
export const figureText = (value, unit) => {
  if (value === null || value === undefined) return "–";
  if (unit === SECONDS) return format.time(value * 1e9);
  if (unit === OF_BYTES) return format.bytes(value);
  if (unit === SHARE) return format.percent(value, 1);
  return unit === NUMBER ? format.count(value) : value.toFixed(3);
};

/** Of some numbers, as the text report has it; null: there are none. */
export const spread = (numbers) => {
  const values = Float64Array.from(numbers).sort(), { length } = values;
  if (!length) return null;
  return {
    values, count: length, mean: values.reduce((sum, value) => sum + value / length, 0), most: values[length - 1],
    median: (values[(length - 1) >> 1] + values[length >> 1]) / 2, p95: values[Math.floor((length * 95 + 99) / 100) - 1],
  };
};

/** How numbers are distributed, from the least to the most. */
export const tinyHistogram = (of, text) => {
  if (!of) return "–";
  const [width, height] = TINY, [low] = of.values, bins = new Uint32Array(BINS), each = (of.most - low) / BINS;
  for (const value of of.values) bins[each > 0 ? Math.min(BINS - 1, Math.floor((value - low) / each)) : 0]++;
  const most = Math.max(...bins), step = width / BINS;
  const words = `${format.count(of.count)}: ${text(low)} to ${text(of.most)}, median ${text(of.median)}, 95 % within ${text(of.p95)}`;
  const picture = svg("svg", { class: "tiny", viewBox: `0 0 ${width} ${height}`, width, height, role: "img", "aria-label": words });
  bins.forEach((count, i) => {
    const tall = count ? Math.max(1.5, count / most * (height - 1)) : 0;
    if (count) picture.append(svg("rect", { x: i * step, width: Math.max(1, step - 1), y: height - tall, height: tall }));
  });
  if (each > 0) {
    const at = (of.median - low) / (of.most - low) * width;
    picture.append(svg("line", { x1: at, x2: at, y1: 0, y2: height }));
  }
  picture.addEventListener("mousemove", (event) => showTip(event, [words]));
  picture.addEventListener("mouseleave", hideTip);
  return picture;
};

/** Seen from its beginning to its end. */
export const isWhole = (recording, epoch) => epoch.quantum.whole && epoch.end < recording.end;

/** The figures that every quantum has, before those of its resources. */
const BASIC = [
  { name: "elapsed_s", title: "elapsed", unit: SECONDS, of: (epoch) => epoch.elapsed / 1e9 },
  { name: "cpu_s", title: "CPU", unit: SECONDS, of: (epoch, cpu) => cpu[epoch.index] / 1e9 },
  { name: "user_s", title: "user", unit: SECONDS, of: (epoch) => epoch.user / 1e9 },
  { name: "system_s", title: "system", unit: SECONDS, of: (epoch) => epoch.system / 1e9 },
];

export class Quanta {
  constructor(selection) {
    this.selection = selection;
    this.recording = selection.recording;
    const host = byId("quanta");
    if (!this.recording.quanta.length) {
      host.hidden = true;
      return;
    }
    const { usage, epochs } = this.recording;
    this.cpu = new Float64Array(epochs.length);
    for (let i = 0; i < usage.count; i++) this.cpu[usage.keys[0][i]] += usage.values[0][i];
    this.figures = [...BASIC, ...this.recording.quantumFigures.map((figure) => ({ ...figure, of: ({ quantum }) => figure.values[quantum.index] }))];
    this.lead = el("p", { class: "lead", id: "quanta-lead" });
    const table = el("div", { id: "quanta-figures" });
    host.append(el("h2", { id: "quanta-title" }, "Quanta"), this.lead, table);
    const number = (name, title, hint) => ({ name, title, hint, number: true, value: (row) => row[name], text: (row) => figureText(row[name], row.unit) });
    this.table = new Table(table, [
      { name: "figure", title: "of each quantum", value: (row) => row.name, text: (row) => row.title },
      { name: "distribution", title: "distribution", value: (row) => row.median, node: (row) => tinyHistogram(row, (value) => figureText(value, row.unit)) },
      { name: "count", title: "quanta", number: true, hint: "that have this figure and were seen from beginning to end", value: (row) => row.count, text: (row) => format.count(row.count) },
      number("mean", "mean"), number("median", "median"), number("p95", "95 %", "of 100 quanta 95 have no more"), number("most", "most"),
    ], { caption: "What quanta used", sort: null, key: (row) => row.name, step: 16, filter: (row) => `${row.name} ${row.title}`, filterHint: "filter figures", empty: "no whole quantum in what is chosen" });
    selection.onChange(() => this.draw());
    this.draw();
  }

  draw() {
    const { recording, selection } = this, [from, to] = selection.span;
    const chosen = recording.quanta.map(({ epoch }) => recording.epochs[epoch])
      .filter((epoch) => selection.epochPasses[epoch.index] && (!selection.range || (epoch.start < to && epoch.end > from)));
    // One quantum that is asked for is shown, whole or not.
    const whole = selection.quantum === null ? chosen.filter((epoch) => isWhole(recording, epoch)) : chosen;
    const rows = [];
    for (const figure of this.figures) {
      const of = spread(whole.map((epoch) => figure.of(epoch, this.cpu)).filter((value) => value !== null));
      if (of && of.most > 0) rows.push({ ...of, name: figure.name, title: figure.title, unit: figure.unit });
    }
    const part = chosen.length - whole.length;
    this.lead.textContent = selection.quantum === null
      ? `${format.plural(whole.length, "quantum", "quanta")} of ${selection.words()}, each with all of its time${part ? `; ${format.count(part)} more were not seen from beginning to end` : ""}. Exact; hardware counters are scaled where they took turns.`
      : `${selection.quantumName(selection.quantum)}${chosen.length && !isWhole(recording, chosen[0]) ? ", which was not seen from its beginning to its end" : ""}. Exact; hardware counters are scaled where they took turns.`;
    this.table.set(rows);
  }
}
