// SPDX-License-Identifier: GPL-2.0-or-later
// When: CPU, processes, run queue and storage over time, and what each process was doing. A range
// that is chosen here holds for the whole page.
import { scaleLinear, area, line, curveStepAfter, stack, axisBottom, brushX, select as pick, max } from "d3";
import { el, svg, byId, showTip, hideTip, onWidth } from "./dom.js";
import * as format from "./format.js";
import { OFFCPU, IO } from "./recording.js";
import { sumUp } from "./selection.js";

const PLOT = 62, GAP = 26, BAR = 15, FIRST_ROWS = 24, MOST_ROWS = 400;

export class Timeline {
  constructor(selection, colourOf) {
    this.selection = selection;
    this.recording = selection.recording;
    this.colourOf = colourOf;
    this.rows = FIRST_ROWS;
    const host = byId("time");
    this.legend = el("ul", { class: "legend" });
    this.picture = el("div", { id: "timeline" });
    this.more = el("p", { class: "more" });
    host.append(el("h2", { id: "time-title" }, "Time"),
      el("p", { class: "lead" }, "Drag over the curves, or give a range in seconds, and all figures are of that time."),
      this.rangeForm(), this.legend, this.picture, this.more);
    selection.onChange(() => this.draw());
    onWidth(this.picture, (width) => { if (width !== this.width) this.draw(); });
    this.draw();
  }

  rangeForm() {
    const field = (name, label) => el("input", { type: "number", min: 0, step: "any", id: `range-${name}`, "aria-label": label });
    this.from = field("from", "from second");
    this.to = field("to", "to second");
    return el("form", {
      class: "controls", onsubmit: (event) => { event.preventDefault(); this.choose(Number(this.from.value) * 1e9, Number(this.to.value) * 1e9); },
    }, el("label", { class: "control" }, el("span", {}, "From"), this.from), el("label", { class: "control" }, el("span", {}, "to"), this.to), el("span", { class: "unit" }, "s"),
    el("button", { type: "submit" }, "Choose"), el("button", { type: "button", class: "quiet", onclick: () => this.selection.set({ range: null }) }, "Whole recording"));
  }

  /** Whole buckets whose middle lies in the time, or the one that it lies in; none is everything. */
  choose(from, to) {
    const { bucketStarts, bucketEnds } = this.recording, numbers = bucketEnds.map((_, i) => i);
    const middles = numbers.filter((i) => bucketStarts[i] + bucketEnds[i] > 2 * from && bucketStarts[i] + bucketEnds[i] < 2 * to);
    const inside = middles.length ? middles : numbers.filter((i) => bucketStarts[i] <= from && from < bucketEnds[i]);
    const all = inside.length === bucketEnds.length || !inside.length;
    this.selection.set({ range: all ? null : [inside[0], inside[inside.length - 1]] });
  }

  draw() {
    const { recording, selection } = this;
    this.width = this.picture.clientWidth;
    if (this.width < 100) return; // not laid out yet: this comes again with its width
    if (!recording.bucketEnds.length) {
      this.picture.replaceChildren(el("p", { class: "empty" }, "This recording holds no time slices."));
      return;
    }
    this.left = this.width > 700 ? 172 : 8;
    const last = recording.bucketEnds[recording.bucketEnds.length - 1];
    this.x = scaleLinear([0, Math.max(recording.end, last) || 1], [this.left, this.width - 12]);
    const span = selection.span;
    this.from.value = (span[0] / 1e9).toFixed(1);
    this.to.value = (span[1] / 1e9).toFixed(1);
    const picture = svg("svg", { role: "img", "aria-label": "CPU time, processes, run queue and storage over time; the table of processes has the same in numbers" });
    let y = 4;
    this.boxes = [];
    const plots = this.plots();
    for (const plot of plots) { this.plot(picture, plot, y + 18); y += PLOT + GAP; }
    this.axis(picture, y);
    const brushHeight = y;
    y += 46;
    y = this.gantt(picture, y);
    picture.setAttribute("width", this.width);
    picture.setAttribute("height", y);
    picture.setAttribute("viewBox", `0 0 ${this.width} ${y}`); // paper is narrower
    this.shade(picture, y);
    this.brush(picture, brushHeight);
    this.picture.replaceChildren(picture);
    this.drawLegend();
  }

  /* --- What is plotted. */

  plots() {
    const { recording } = this, plots = [this.cpuPlot(), this.lifePlot()];
    if (recording.recorded[OFFCPU]) plots.push(this.queuePlot());
    if (recording.recorded[IO]) plots.push(this.storagePlot());
    return plots;
  }

  spans() { return this.recording.bucketEnds.map((end, i) => Math.max(1, end - this.recording.bucketStarts[i])); }

  cpuPlot() {
    const { recording, selection } = this, spans = this.spans();
    const all = new Uint8Array(spans.length + 1).fill(1);
    const groups = sumUp(recording, (epoch) => (selection.epochPasses[epoch.index] ? epoch.task : null), all, null)
      .filter((group) => group.cpu > 0).sort((a, b) => b.cpu - a.cpu);
    const shown = groups.slice(0, 10), rest = groups.slice(10), layers = shown.map((group) => ({ name: group.key, course: group.course }));
    if (rest.length) layers.push({ name: `${rest.length} more tasks`, course: spans.map((_, i) => rest.reduce((sum, { course }) => sum + course[i], 0)) });
    this.layers = layers;
    const cpus = Number(recording.meta.cpus) || 0;
    return { title: "CPUs busy", layers: layers.map(({ name, course }) => ({ name, colour: this.colourOf(name), values: spans.map((span, i) => course[i] / span) })), least: cpus, text: (value) => value.toFixed(2), mark: cpus };
  }

  lifePlot() {
    const { recording, selection } = this, spans = this.spans(), alive = new Float64Array(spans.length);
    for (const epoch of recording.epochs) {
      if (!selection.epochPasses[epoch.index] || recording.processes[epoch.process].many) continue;
      recording.bucketEnds.forEach((end, i) => { alive[i] += Math.max(0, Math.min(end, epoch.end) - Math.max(recording.bucketStarts[i], epoch.start)); });
    }
    for (let i = 0; i < recording.alive.count; i++)
      if (selection.epochPasses[recording.alive.keys[0][i]]) alive[recording.alive.keys[1][i]] += recording.alive.values[0][i];
    return { title: "Processes", layers: [{ name: "processes", colour: "var(--plot)", values: spans.map((span, i) => alive[i] / span) }], least: 1, text: (value) => value.toFixed(1) };
  }

  queuePlot() {
    const { recording, selection } = this, spans = this.spans(), waiting = new Float64Array(spans.length + 1);
    const { waits, classes } = recording, queue = classes.indexOf("run_queue");
    for (let i = 0; i < waits.count; i++)
      if (waits.keys[1][i] === queue && selection.epochPasses[waits.keys[0][i]]) waiting[waits.keys[2][i]] += waits.values[1][i];
    return { title: "Threads waiting for a CPU", layers: [{ name: "run queue", colour: "var(--queue)", values: spans.map((span, i) => waiting[i] / span) }], least: 1, text: (value) => value.toFixed(2) };
  }

  storagePlot() {
    const { recording, selection } = this, spans = this.spans();
    const { io, files, ops, outcomes } = recording, sums = { 1: new Float64Array(spans.length + 1), 2: new Float64Array(spans.length + 1) };
    const stored = files.map(({ kind }) => kind === "file" || kind === "directory");
    for (let i = 0; i < io.count; i++) {
      const { direction } = ops[outcomes[io.keys[2][i]].op];
      if (direction && stored[io.keys[1][i]] && selection.epochPasses[io.keys[0][i]]) sums[direction][io.keys[3][i]] += io.values[1][i];
    }
    const rates = (sum) => spans.map((span, i) => sum[i] / (span / 1e9));
    return { title: "Files: read and written", lines: [{ name: "read", colour: "var(--read)", values: rates(sums[1]) }, { name: "written", colour: "var(--write)", values: rates(sums[2]) }], least: 1, text: format.rate };
  }

  /* --- Drawing. */

  plot(picture, plot, top) {
    const { recording, x } = this, starts = recording.bucketStarts, layers = plot.layers || plot.lines;
    const highest = plot.layers ? max(starts, (_, i) => layers.reduce((sum, layer) => sum + layer.values[i], 0)) : max(layers, (layer) => max(layer.values));
    const y = scaleLinear([0, Math.max(highest || 0, plot.least || 0) || 1], [top + PLOT, top + 2]);
    const points = starts.map((start, i) => i).concat(starts.length - 1);
    const at = (i, last) => x(last ? recording.bucketEnds[i] : starts[i]);
    const group = svg("g", { class: "plot" });
    group.append(svg("line", { class: "base", x1: this.left, x2: this.width - 12, y1: top + PLOT, y2: top + PLOT }));
    if (plot.layers) this.areas(group, plot.layers, points, at, y);
    else this.curves(group, plot.lines, points, at, y);
    const title = `${plot.title}, at most ${plot.text(highest || 0)}`;
    const name = svg("text", { x: this.left, y: top - 5, class: "title" }, title);
    if (plot.lines) plot.lines.forEach((each, i) => name.append(svg("tspan", { dx: 12, fill: each.colour }, `■ ${each.name}`)));
    if (plot.mark) {
      group.append(svg("line", { class: "mark", x1: this.left, x2: this.width - 12, y1: y(plot.mark), y2: y(plot.mark) }));
      name.append(` of ${plot.mark}`);
    }
    group.append(name);
    const hover = svg("rect", { x: this.left, y: top, width: Math.max(0, this.width - 12 - this.left), height: PLOT, fill: "transparent" });
    group.append(hover);
    plot.box = { top, height: PLOT, layers };
    this.boxes.push(plot);
    picture.append(group);
  }

  areas(group, layers, points, at, y) {
    const keyed = points.map((i) => Object.fromEntries(layers.map((layer, k) => [k, layer.values[i]])));
    const shape = area().curve(curveStepAfter).x((_, j) => at(points[j], j === points.length - 1)).y0((d) => y(d[0])).y1((d) => y(d[1]));
    stack().keys(layers.map((_, k) => k))(keyed).forEach((series, k) =>
      group.append(svg("path", { d: shape(series), fill: layers[k].colour, class: "area" })));
  }

  curves(group, lines, points, at, y) {
    for (const each of lines) {
      const shape = line().curve(curveStepAfter).x((_, j) => at(points[j], j === points.length - 1)).y((i) => y(each.values[i]));
      group.append(svg("path", { d: shape(points), stroke: each.colour, class: "curve" }));
    }
  }

  axis(picture, y) {
    const group = svg("g", { class: "axis", transform: `translate(0 ${y})` });
    pick(group).call(axisBottom(this.x).ticks(Math.max(2, this.width / 110)).tickFormat((ns) => `${ns / 1e9} s`));
    picture.append(group);
  }

  brush(picture, height) {
    const brush = brushX().extent([[this.left, 0], [this.width - 12, height]]).on("end", (event) => {
      hideTip();
      if (!event.sourceEvent) return;
      if (!event.selection) this.selection.set({ range: null });
      else this.choose(...event.selection.map((at) => this.x.invert(at)));
    });
    const group = svg("g", { class: "brush" });
    picture.append(group);
    pick(group).call(brush);
    if (this.selection.range) pick(group).call(brush.move, this.selection.span.map(this.x));
    group.addEventListener("mousemove", (event) => this.tell(event, picture));
    group.addEventListener("mouseleave", hideTip);
  }

  tell(event, picture) {
    const box = picture.getBoundingClientRect(), ns = this.x.invert(event.clientX - box.left), y = event.clientY - box.top;
    const bucket = this.recording.bucketEnds.findIndex((end) => ns < end);
    const plot = this.boxes.find(({ box: { top, height } }) => y >= top - 16 && y <= top + height);
    if (bucket < 0 || !plot || event.buttons) return hideTip();
    const values = plot.box.layers.map((layer) => [layer.name, layer.values[bucket]]).filter(([, value]) => value > 0).sort((a, b) => b[1] - a[1]).slice(0, 8);
    return showTip(event, [`${plot.title}, ${format.clock(this.recording.bucketStarts[bucket])} to ${format.clock(this.recording.bucketEnds[bucket])}`, ...values.map(([name, value]) => `${format.shorten(name, 50)}: ${plot.text(value)}`)]);
  }

  shade(picture, height) {
    if (!this.selection.range) return;
    const [from, to] = this.selection.span.map(this.x);
    for (const [a, b] of [[this.left, from], [to, this.width - 12]])
      if (b > a) picture.append(svg("rect", { class: "outside", x: a, y: 0, width: b - a, height }));
  }

  /* --- What each process was doing. */

  /** Processes of a task that follow each other share a lane. */
  lanes() {
    const { recording, selection } = this, range = selection.range ? selection.span : null;
    const rows = sumUp(recording, (epoch) => (selection.epochPasses[epoch.index] && !recording.processes[epoch.process].many ? epoch.process : null), selection.bucketPasses, range)
      .filter((row) => row.elapsed > 0);
    const epochs = new Map(rows.map((row) => [row.key, []]));
    for (const epoch of recording.epochs) if (selection.epochPasses[epoch.index]) epochs.get(epoch.process)?.push(epoch);
    const members = rows.map((row) => {
      const own = epochs.get(row.key), chosen = own.find(({ rule }) => rule !== null) || own[own.length - 1];
      return { row, epochs: own, task: chosen.task, start: Math.max(0, Math.min(...own.map(({ start }) => start))), end: Math.max(...own.map(({ end }) => end)) };
    }).sort((a, b) => a.start - b.start || b.end - a.end);
    const byTask = new Map();
    for (const member of members) {
      if (!byTask.has(member.task)) byTask.set(member.task, []);
      const lanes = byTask.get(member.task), lane = lanes.find(({ end }) => end <= member.start) || { task: member.task, members: [], end: 0, weight: 0, start: member.start };
      if (!lane.members.length) lanes.push(lane);
      lane.members.push(member);
      lane.end = member.end;
      lane.weight += member.row.cpu + member.row.io * 0.01 + (member.row.named ? member.row.elapsed * 0.5 : 0);
    }
    return [[...byTask.values()].flat().sort((a, b) => b.weight - a.weight), members.length];
  }

  gantt(picture, top) {
    const [lanes, processes] = this.lanes(), shown = lanes.slice(0, this.rows);
    shown.sort((a, b) => this.order(a) - this.order(b) || a.start - b.start);
    picture.append(svg("text", { x: this.left, y: top - 2, class: "title" }, "Processes: when they lived, and (filled) the CPU time they used"));
    let y = top + 6;
    const wide = this.left > 100;
    for (const lane of shown) {
      picture.append(svg("text", { x: wide ? this.left - 8 : this.left, y: wide ? y + BAR - 3 : y + 10, class: wide ? "label end" : "label" }, this.laneName(lane, wide)));
      for (const member of lane.members) this.bar(picture, member, wide ? y : y + 13);
      y += wide ? BAR + 4 : BAR + 17;
    }
    const inShown = shown.reduce((sum, lane) => sum + lane.members.length, 0);
    this.drawMore(lanes.length, shown.length, processes, inShown);
    return y + 8;
  }

  laneName({ task, members }, wide) {
    const { pid } = this.recording.processes[members[0].row.key], most = wide ? 24 : 44;
    if (members.length > 1) return format.shorten(`${task} × ${members.length}`, most);
    return format.shorten(`${pid} ${task}`, most);
  }

  order({ task }) {
    const at = this.layers.findIndex(({ name }) => name === task);
    return at < 0 ? this.layers.length : at;
  }

  bar(picture, { row, epochs, start, end }, y) {
    const { recording, x } = this, process = recording.processes[row.key];
    const group = svg("g", { class: "process", "data-process": row.key });
    for (const epoch of epochs) {
      const from = x(Math.max(0, epoch.start)), to = x(Math.min(recording.end, epoch.end));
      group.append(svg("rect", { class: "life", x: from, y, width: Math.max(1.5, to - from - 0.5), height: BAR, fill: this.colourOf(epoch.task) }));
    }
    group.append(this.load(row, epochs, y));
    group.addEventListener("mousemove", (event) => showTip(event, [`${process.pid} ${process.comm || ""}`, `task ${[...new Set(epochs.map(({ task }) => task))].join(", ")}`,
      `${format.clock(start)} to ${format.clock(end)}`, `CPU ${format.time(row.cpu)}`, format.shorten(process.command || "", 160)]));
    group.addEventListener("mouseleave", hideTip);
    group.addEventListener("click", () => { hideTip(); this.selection.set({ process: this.selection.process === row.key ? null : row.key }); });
    picture.append(group);
  }

  /** CPU time within the bar: the full height is one CPU, or the most that it used if that is more. */
  load(row, epochs, y) {
    const { recording, x } = this, first = Math.max(0, epochs[0].start), last = epochs[epochs.length - 1].end;
    const pieces = [];
    row.course.forEach((ns, i) => {
      const from = Math.max(recording.bucketStarts[i], first), to = Math.min(recording.bucketEnds[i], last);
      if (ns > 0 && to > from) pieces.push([x(from), x(to), ns / (to - from)]);
    });
    const top = Math.max(1, ...pieces.map(([, , level]) => level));
    const path = pieces.map(([from, to, level]) => `M${from.toFixed(1)},${y + BAR}v${(-level / top * BAR).toFixed(1)}h${(to - from).toFixed(1)}V${y + BAR}z`).join("");
    return svg("path", { class: "load", d: path, fill: this.colourOf(epochs[epochs.length - 1].task) });
  }

  drawMore(all, shown, processes, inShown) {
    const button = (text, rows) => el("button", { type: "button", class: "quiet", onclick: () => { this.rows = rows; this.draw(); } }, text);
    this.more.replaceChildren(`${format.count(inShown)} of ${format.plural(processes, "process", "processes")} `);
    if (all > shown && shown < MOST_ROWS) this.more.append(button("show more", MOST_ROWS));
    else if (this.rows > FIRST_ROWS) this.more.append(button("show fewer", FIRST_ROWS));
  }

  drawLegend() {
    this.legend.replaceChildren(...this.layers.map(({ name }) => {
      const mark = el("span", { class: "mark" });
      mark.style.background = this.colourOf(name);
      return el("li", {}, mark, format.shorten(name, 32));
    }));
  }
}
