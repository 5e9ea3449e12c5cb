// SPDX-License-Identifier: GPL-2.0-or-later
// When: quanta, CPU, run queue, memory and storage over time, and what each process was doing. A range
// that is chosen here holds for the whole page.
import { scaleLinear, area, line, curveStepAfter, stack, axisBottom, brushX, select as pick, max } from "d3";
import { el, svg, byId, select, showTip, hideTip, onWidth } from "./dom.js";
import * as format from "./format.js";
import { OFFCPU, IO, MEM } from "./recording.js";
import { sumUp } from "./selection.js";
import { Table } from "./table.js";

const LABEL = 24; // letters of a lane's name, at most
const PLOT = 62, GAP = 26, BAR = 15, FIRST_ROWS = 24, MOST_ROWS = 400, MOST_LAYERS = 8;
const LAYER_COLOURS = ["#4e79a7", "#f28e2b", "#59a14f", "#b07aa1", "#76b7b2", "#e15759", "#c9a227", "#9c755f", "#8d949e"];

/** What the bytes of files are told apart by. */
const STORAGE = {
  direction: { title: "read and written" },
  mount: { title: "by mount", keyOf: (_, file) => file.mount || `(${file.kind})` },
  task: { title: "by task", keyOf: (epoch) => epoch.task },
  dataset: { title: "by dataset", keyOf: (_, file) => file.dataset || "(no dataset)" },
};

const isStored = ({ kind }) => kind === "file" || kind === "directory";

export class Timeline {
  constructor(selection, colourOf) {
    this.selection = selection;
    this.recording = selection.recording;
    this.colourOf = colourOf;
    this.rows = FIRST_ROWS;
    this.storageBy = "direction";
    const host = byId("time");
    this.legend = el("ul", { class: "legend" });
    this.picture = el("div", { id: "timeline" });
    this.more = el("p", { class: "more" });
    const numbers = el("div", { id: "curves" });
    host.append(el("h2", { id: "time-title" }, "Time"),
      el("p", { class: "lead" }, "Drag over the curves, or give a range in seconds, and all figures are of that time."),
      el("div", { class: "bar-of-title" }, this.rangeForm(), this.storageControl()), this.legend, this.picture, this.more,
      el("details", {}, el("summary", {}, "The curves in numbers"), numbers));
    this.numbers = new Table(numbers, [
      { name: "plot", title: "curve", value: (row) => row.plot, text: (row) => row.plot }, { name: "name", title: "of", value: (row) => row.name, text: (row) => format.shorten(row.name, 60), title_of: (row) => row.name },
      { name: "mean", title: "mean", number: true, value: (row) => row.mean, text: (row) => row.text(row.mean) }, { name: "most", title: "most", number: true, value: (row) => row.most, text: (row) => row.text(row.most) },
      { name: "at", title: "at", number: true, hint: "from when on it was most", value: (row) => row.at, text: (row) => format.clock(row.at) },
    ], { caption: "The curves in numbers", sort: null, key: (row) => `${row.plot} ${row.name}`, step: 20 });
    selection.onChange(() => this.draw());
    onWidth(this.picture, (width) => { if (width !== this.width) this.draw(); });
    this.draw();
  }

  storageControl() {
    const { recorded, files } = this.recording, has = files.some(({ dataset }) => dataset);
    if (!recorded[IO]) return "";
    return select("Files", Object.entries(STORAGE).filter(([name]) => has || name !== "dataset").map(([name, { title }]) => [name, title]), "direction", (by) => { this.storageBy = by; this.draw(); }, { id: "storage-by" });
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
    this.labels = [];
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
    this.fitLabels();
    this.drawLegend();
    this.drawNumbers(plots);
  }

  /** What the eye sees, for who has none: of the chosen time. */
  drawNumbers(plots) {
    const { recording, selection } = this, [first, last] = selection.range || [0, recording.bucketEnds.length - 1], spans = this.spans();
    this.numbers.set(plots.flatMap(({ title, layers, lines, text }) => (layers || lines).map(({ name, values }) => {
      let sum = 0, time = 0, at = first;
      for (let i = first; i <= last; i++) {
        sum += values[i] * spans[i];
        time += spans[i];
        if (values[i] > values[at]) at = i;
      }
      return { plot: title, name, mean: sum / time, most: values[at], at: recording.bucketStarts[at], text };
    })));
  }

  /* --- What is plotted. */

  plots() {
    const { recording } = this, plots = [this.cpuPlot()];
    if (recording.quanta.length) plots.push(this.quantaPlot());
    plots.push(this.lifePlot());
    if (recording.recorded[OFFCPU]) plots.push(this.queuePlot());
    if (recording.recorded[IO]) plots.push(this.storageBy === "direction" ? this.directionPlot() : this.storagePlot());
    if (recording.recorded[MEM] && recording.levels.count) plots.push(this.memoryPlot());
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
      if (!selection.epochPasses[epoch.index] || epoch.many) continue;
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

  /** How many quanta there were at once: what the node was filled with. */
  quantaPlot() {
    const { recording, selection } = this, byTask = new Map();
    for (const { epoch: index } of recording.quanta) {
      const epoch = recording.epochs[index];
      if (!selection.epochPasses[index]) continue;
      if (!byTask.has(epoch.task)) byTask.set(epoch.task, new Float64Array(recording.bucketEnds.length));
      recording.bucketEnds.forEach((end, i) => {
        const [from, to] = [Math.max(recording.bucketStarts[i], epoch.start), Math.min(end, epoch.end)];
        if (to > from) byTask.get(epoch.task)[i] += (to - from) / Math.max(1, end - recording.bucketStarts[i]);
      });
    }
    return { title: "Quanta at work", layers: this.largest(byTask, "tasks", this.colourOf), least: 1, text: (value) => value.toFixed(1) };
  }

  /** Resident memory, as processes had it at the ends of slices. */
  memoryPlot() {
    const { recording, selection } = this, { levels, epochs } = recording, byTask = new Map();
    for (let i = 0; i < levels.count; i++) {
      const [epoch, bucket] = [levels.keys[0][i], levels.keys[1][i]];
      if (!selection.epochPasses[epoch]) continue;
      const { task } = epochs[epoch];
      if (!byTask.has(task)) byTask.set(task, new Float64Array(recording.bucketEnds.length));
      byTask.get(task)[bucket] += levels.values[0][i] + levels.values[1][i] + levels.values[2][i];
    }
    return { title: "Resident memory", layers: this.largest(byTask, "tasks", this.colourOf), least: 1, text: format.bytes };
  }

  /** The layers of a plot: the largest one by one, the others together. */
  largest(series, what, colourOf) {
    const sum = ([, values]) => values.reduce((all, value) => all + value, 0);
    const sorted = [...series].filter((one) => sum(one) > 0).sort((a, b) => sum(b) - sum(a)), rest = sorted.slice(MOST_LAYERS);
    const layers = sorted.slice(0, MOST_LAYERS).map(([name, values], i) => ({ name, colour: colourOf ? colourOf(name) : LAYER_COLOURS[i], values }));
    if (rest.length) layers.push({ name: `${rest.length} more ${what}`, colour: LAYER_COLOURS[MOST_LAYERS], values: this.spans().map((_, i) => rest.reduce((all, [, values]) => all + values[i], 0)) });
    return layers;
  }

  storagePlot() {
    const { recording, selection } = this, { io, files, ops, outcomes, epochs } = recording, { title, keyOf } = STORAGE[this.storageBy], spans = this.spans(), series = new Map();
    for (let i = 0; i < io.count; i++) {
      const file = files[io.keys[1][i]], bucket = io.keys[3][i];
      if (!ops[outcomes[io.keys[2][i]].op].direction || !isStored(file) || !selection.epochPasses[io.keys[0][i]] || bucket >= spans.length) continue;
      const key = keyOf(epochs[io.keys[0][i]], file);
      if (!series.has(key)) series.set(key, new Float64Array(spans.length));
      series.get(key)[bucket] += io.values[1][i] / (spans[bucket] / 1e9);
    }
    return { title: `Files, read and written ${title}`, layers: this.largest(series, `${this.storageBy}s`, this.storageBy === "task" ? this.colourOf : null), least: 1, text: format.rate, named: true };
  }

  directionPlot() {
    const { recording, selection } = this, spans = this.spans();
    const { io, files, ops, outcomes } = recording, sums = { 1: new Float64Array(spans.length + 1), 2: new Float64Array(spans.length + 1) };
    const stored = files.map(isStored);
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
    const title = `${plot.title}${this.width > 500 ? ", at most" : ","} ${plot.text(highest || 0)}`;
    const name = svg("text", { x: this.left, y: top - 5, class: "title" }, title);
    if (plot.lines || plot.named) layers.forEach((each) => name.append(svg("tspan", { dx: 12, fill: each.colour }, `■ ${format.shortenPath(each.name, 24)}`)));
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
    const quanta = this.recording.quanta.length ? ", darker while they were in a quantum" : "";
    picture.append(svg("text", { x: this.left, y: top - 2, class: "title" }, this.width > 700 ? `Processes: when they lived${quanta}, and (filled) the CPU time they used` : "Processes, filled as far as they used a CPU"));
    let y = top + 6;
    const wide = this.left > 100;
    for (const lane of shown) {
      const label = picture.appendChild(svg("text", { x: wide ? this.left - 8 : this.left, y: wide ? y + BAR - 3 : y + 10, class: wide ? "label end" : "label" }, this.laneName(lane, wide ? LABEL : 44)));
      if (wide) this.labels.push([label, lane]);
      for (const member of lane.members) this.bar(picture, member, wide ? y : y + 13);
      y += wide ? BAR + 4 : BAR + 17;
    }
    const inShown = shown.reduce((sum, lane) => sum + lane.members.length, 0);
    this.drawMore(lanes.length, shown.length, processes, inShown);
    return y + 8;
  }

  /** The pid stands in front, where a label that is too long would be cut off. */
  fitLabels() {
    for (const [label, lane] of this.labels)
      for (let most = LABEL - 2; most > 8 && label.getComputedTextLength() > this.left - 10; most -= 2) label.textContent = this.laneName(lane, most);
  }

  laneName({ task, members }, most) {
    const { pid } = this.recording.processes[members[0].row.key];
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
      group.append(svg("rect", { class: epoch.quantum ? "life quantum" : "life", "data-quantum": epoch.quantum ? epoch.index : null, x: from, y, width: Math.max(1.5, to - from - 0.5), height: BAR, fill: this.colourOf(epoch.task) }));
    }
    const cuts = epochs.filter(({ quantum, elapsed }) => quantum && x(elapsed) - x(0) > 3).map((epoch) => `M${x(epoch.start).toFixed(1)},${y}v${BAR}`).join("");
    group.append(this.load(row, epochs, y), svg("path", { class: "cuts", d: cuts }));
    const at = (event) => event.target.dataset.quantum === undefined ? null : recording.epochs[event.target.dataset.quantum];
    group.addEventListener("mousemove", (event) => showTip(event, at(event) ? this.quantumWords(at(event), process) : [`${process.pid} ${process.comm || ""}`, `task ${[...new Set(epochs.map(({ task }) => task))].join(", ")}`,
      `${format.clock(start)} to ${format.clock(end)}`, `CPU ${format.time(row.cpu)}`, format.shorten(process.command || "", 160)]));
    group.addEventListener("mouseleave", hideTip);
    group.addEventListener("click", (event) => {
      const { selection } = this, quantum = at(event)?.index ?? null;
      hideTip();
      if (quantum !== null) selection.set({ quantum: selection.quantum === quantum ? null : quantum });
      else selection.set({ process: selection.process === row.key ? null : row.key, quantum: null });
    });
    picture.append(group);
  }

  quantumWords(epoch, process) {
    const { quantum, task, start, end } = epoch;
    return [quantum.data || quantum.id || `number ${quantum.number}`, `quantum of task ${task}, process ${process.pid}`, `${format.clock(start)} to ${format.clock(end)}: ${format.time(epoch.elapsed)}`,
      `CPU ${format.time(epoch.user + epoch.system)}`, ...(quantum.whole ? [] : ["it may have begun before it was seen"])];
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
