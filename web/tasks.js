// SPDX-License-Identifier: GPL-2.0-or-later
// Tasks, processes and quanta: what each used, and the choice among them.
import { el, svg, byId, choice, announce } from "./dom.js";
import * as format from "./format.js";
import { OFFCPU, IO } from "./recording.js";
import { sumUp, sumOfSelection, IDLE } from "./selection.js";
import { Table, barCell } from "./table.js";
import { classColour } from "./colours.js";
import { spread, tinyHistogram, isWhole, figureText } from "./quanta.js";

const SPARK = [90, 18];

/** CPU time over the recording; most: what is the full height. */
const sparkline = (recording, course, most, label) => {
  const [width, height] = SPARK, end = recording.end || 1;
  const points = [];
  for (let i = 0; i < course.length; i++) {
    const from = recording.bucketStarts[i], to = recording.bucketEnds[i];
    const level = to > from && most > 0 ? Math.min(1, course[i] / (to - from) / most) : 0;
    const y = (height - level * (height - 1)).toFixed(1);
    points.push(`${(from / end * width).toFixed(1)},${y}`, `${(to / end * width).toFixed(1)},${y}`);
  }
  return svg("svg", { class: "spark", viewBox: `0 0 ${width} ${height}`, width, height, role: "img", "aria-label": label },
    svg("polygon", { points: `0,${height} ${points.join(" ")} ${width},${height}` }));
};

/** A bar of what was waited for. */
export const waitBar = (classes, total) => {
  const parts = [...classes].filter(([name, ns]) => name !== IDLE && ns > 0).sort((a, b) => b[1] - a[1]);
  if (!parts.length) return "–";
  const words = parts.slice(0, 6).map(([name, ns]) => `${name} ${format.percent(ns, total)}`).join(", ");
  const bar = el("span", { class: "stacked", role: "img", "aria-label": words, title: words });
  for (const [name, ns] of parts) {
    const part = el("span", {});
    part.style.flexGrow = ns / total;
    part.style.background = classColour(name);
    bar.append(part);
  }
  return bar;
};

const busiest = (recording, rows) => {
  let most = 0;
  for (const { course } of rows)
    course.forEach((ns, i) => {
      const span = recording.bucketEnds[i] - recording.bucketStarts[i];
      if (span > 0) most = Math.max(most, ns / span);
    });
  return most;
};

/** Of what each quantum used, the figures that stand in the table; the section "Quanta" has all. */
const QUANTUM_COLUMNS = [
  ["rss_peak_bytes", "peak RSS"], ["run_queue_s", "run queue"], ["threads", "threads"], ["major_faults", "maj. faults"], ["minor_faults", "faults"], ["voluntary_switches", "switches"],
  ["involuntary_switches", "preempted"], ["migrations", "migrations"], ["device_read_bytes", "from device"], ["device_write_bytes", "to device"], ["children_cpu_s", "children's CPU"],
  ["ghz", "GHz"], ["ipc", "IPC"], ["llc_misses_per_ki", "LLC miss/ki"], ["branch_miss_share", "branch misses"],
];

export class Tasks {
  constructor(selection) {
    this.selection = selection;
    this.recording = selection.recording;
    this.mode = "tasks";
    const host = byId("tasks");
    this.tiles = el("dl", { class: "tiles" });
    this.hosts = { tasks: el("div", { id: "tasks-table" }), processes: el("div", { id: "processes-table", hidden: true }), quanta: el("div", { id: "quanta-table", hidden: true }) };
    const modes = [["tasks", "Tasks"], ["processes", "Processes"]];
    if (this.recording.quanta.length) modes.push(["quanta", "Quanta"]);
    host.append(
      el("div", { class: "bar-of-title" }, el("h2", { id: "tasks-title" }, "Tasks"),
        choice("Rows", modes, "tasks", (mode) => this.show(mode))),
      el("p", { class: "lead" }, "Exact. Choose a row, and all below is about it."),
      ...Object.values(this.hosts), this.tiles);
    this.tables = {
      tasks: new Table(this.hosts.tasks, this.taskColumns(), {
        caption: "Tasks", sort: "cpu", filter: (row) => `${row.key} ${row.job || ""}`, filterHint: "filter tasks", key: (row) => row.key,
        choose: (row) => selection.set({ task: selection.task === row.key ? null : row.key, process: null, quantum: null }),
        chosen: (row) => selection.task === row.key,
      }),
      processes: new Table(this.hosts.processes, this.processColumns(), {
        caption: "Processes", sort: "cpu", filterHint: "filter processes", filter: (row) => this.processText(row), key: (row) => row.key,
        choose: (row) => selection.set({ process: selection.process === row.key ? null : row.key, quantum: null }),
        chosen: (row) => selection.process === row.key,
      }),
      quanta: new Table(this.hosts.quanta, this.quantumColumns(), {
        caption: "Quanta", sort: "elapsed", filterHint: "filter quanta", filter: (row) => `${this.quantumText(row)} ${this.epoch(row).task} ${this.recording.processes[this.epoch(row).process].pid}`, key: (row) => row.key,
        choose: (row) => selection.set({ quantum: selection.quantum === row.key ? null : row.key }),
        chosen: (row) => selection.quantum === row.key,
      }),
    };
    selection.onChange(() => this.draw());
    this.draw();
  }

  show(mode) {
    this.mode = mode;
    for (const [name, host] of Object.entries(this.hosts)) host.hidden = name !== mode;
    this.draw();
  }

  epoch(row) { return this.recording.epochs[row.key]; }

  quantumText(row) {
    const { quantum } = this.epoch(row);
    return quantum.data || quantum.id || `number ${quantum.number}`;
  }

  processText(row) {
    const process = this.recording.processes[row.key];
    return process.many ? `small processes ${row.tasks}` : `${process.pid} ${process.command} ${row.tasks}`;
  }

  sharedColumns() {
    const has = (source) => () => this.recording.recorded[source];
    return [
      { name: "elapsed", title: "elapsed", number: true, hint: "time that its processes lived, added up", value: (row) => row.elapsed, text: (row) => format.time(row.elapsed) },
      { name: "cpu", title: "CPU", number: true, hint: "CPU time", value: (row) => row.cpu, node: (row) => barCell(format.time(row.cpu), row.cpu, this.most, "cpu") },
      { name: "efficiency", title: "eff.", number: true, hint: "CPU time / elapsed", value: (row) => (row.elapsed ? row.cpu / row.elapsed : null), text: (row) => format.percent(row.cpu, row.elapsed) },
      { name: "course", title: "CPU over time", value: (row) => row.cpu, node: (row) => sparkline(this.recording, row.course, this.level, `CPU time over the recording`) },
      { name: "waited", title: "waited", number: true, hint: "by all threads, without idle ones", when: has(OFFCPU), value: (row) => row.waited, text: (row) => format.time(row.waited) },
      { name: "for", title: "waited for", when: has(OFFCPU), value: (row) => row.waited, node: (row) => waitBar(row.classes, row.waited) },
      { name: "read", title: "read", number: true, when: has(IO), value: (row) => row.read, text: (row) => format.bytes(row.read) },
      { name: "written", title: "written", number: true, when: has(IO), value: (row) => row.written, text: (row) => format.bytes(row.written) },
      { name: "ops", title: "operations", number: true, when: has(IO), value: (row) => row.ops, text: (row) => format.count(row.ops) },
      { name: "errors", title: "errors", number: true, hint: "operations that failed", when: has(IO), value: (row) => row.errors, text: (row) => format.count(row.errors) },
      { name: "rss", title: "peak RSS", number: true, value: (row) => row.rss, text: (row) => (row.rss === null ? "?" : format.bytes(row.rss)) },
    ];
  }

  taskColumns() {
    return [
      { name: "task", title: "task", value: (row) => row.key, text: (row) => format.shorten(row.key, 48), title_of: (row) => row.key },
      { name: "job", title: "job", when: (rows) => rows.some((row) => row.job), value: (row) => row.job, text: (row) => row.job || "–" },
      { name: "processes", title: "processes", number: true, value: (row) => row.processCount, text: (row) => format.count(row.processCount) },
      { name: "quanta", title: "quanta", number: true, hint: "pieces of work", when: (rows) => rows.some((row) => row.quanta.length), value: (row) => row.quanta.length, text: (row) => (row.quanta.length ? format.count(row.quanta.length) : "–") },
      { name: "each", title: "each took", hint: "how long whole quanta took: distribution and median", when: (rows) => rows.some((row) => row.each), value: (row) => row.each?.median ?? null, node: (row) => (row.each ? el("span", { class: "barred" }, tinyHistogram(row.each, format.time), el("span", { class: "figure" }, format.time(row.each.median))) : "–") },
      ...this.sharedColumns(),
      { name: "failures", title: "failed", number: true, hint: "processes that ended with an error or by a signal", value: (row) => row.failures, text: (row) => format.count(row.failures) },
    ];
  }

  processColumns() {
    const of = (row) => this.recording.processes[row.key];
    const exit = (process) => process.many ? "" : process.signal !== null ? `signal ${process.signal}`
      : process.code !== null ? `code ${process.code}` : "ran on";
    return [
      { name: "pid", title: "pid", value: (row) => of(row).pid ?? null, text: (row) => (of(row).many ? `${of(row).count} small` : String(of(row).pid)) },
      { name: "command", title: "command", wide: true, value: (row) => of(row).command, text: (row) => format.shorten(of(row).command || "(together)", 44), title_of: (row) => of(row).command },
      { name: "task", title: "task", value: (row) => row.tasks, text: (row) => format.shorten(row.tasks, 32), title_of: (row) => row.tasks },
      ...this.sharedColumns(),
      { name: "exit", title: "ended", value: (row) => exit(of(row)), text: (row) => exit(of(row)) },
    ];
  }

  quantumColumns() {
    const { recording } = this, process = (row) => recording.processes[this.epoch(row).process];
    const figures = QUANTUM_COLUMNS.map(([name, title]) => [recording.quantumFigures.find((figure) => figure.name === name), title]).filter(([figure]) => figure);
    return [
      { name: "quantum", title: "quantum", value: (row) => this.quantumText(row), text: (row) => format.shorten(this.quantumText(row), 44), title_of: (row) => [this.quantumText(row), this.epoch(row).quantum.id, this.epoch(row).quantum.run].filter(Boolean).join(" · ") },
      { name: "task", title: "task", value: (row) => this.epoch(row).task, text: (row) => format.shorten(this.epoch(row).task, 28), title_of: (row) => this.epoch(row).task },
      { name: "pid", title: "pid", number: true, value: (row) => process(row).pid, text: (row) => String(process(row).pid) },
      { name: "start", title: "began", number: true, value: (row) => this.epoch(row).start, text: (row) => `${this.epoch(row).quantum.whole ? "" : "before "}${format.clock(this.epoch(row).start)}` },
      ...this.sharedColumns().filter(({ name }) => name !== "rss"),
      ...figures.map(([figure, title]) => {
        const value = (row) => figure.values[this.epoch(row).quantum.index];
        return { name: figure.name, title, hint: figure.title, number: true, value, text: (row) => figureText(value(row), figure.unit) };
      }),
    ];
  }

  /** What is a row: null for what is none. */
  rowOf(epoch) {
    const { task, process } = this.selection;
    if (this.mode === "tasks") return epoch.task;
    if (task !== null && epoch.task !== task) return null;
    if (this.mode === "processes") return epoch.process;
    return epoch.quantum && (process === null || epoch.process === process) ? epoch.index : null;
  }

  draw() {
    const { selection, recording, mode } = this;
    const range = selection.range ? selection.span : null;
    const rows = sumUp(recording, (epoch) => this.rowOf(epoch), selection.bucketPasses, range)
      .filter((row) => !range || row.elapsed > 0 || row.cpu > 0);
    if (mode === "processes") this.nameTasks(rows);
    for (const row of rows) row.each = mode === "tasks" ? spread(row.quanta.filter((epoch) => isWhole(recording, epoch)).map(({ elapsed }) => elapsed)) : null;
    this.most = Math.max(0, ...rows.map((row) => row.cpu));
    this.level = busiest(recording, rows);
    this.tables[mode].set(rows);
    this.drawTiles();
  }

  nameTasks(rows) {
    const names = new Map();
    for (const epoch of this.recording.epochs) {
      if (!names.has(epoch.process)) names.set(epoch.process, new Set());
      names.get(epoch.process).add(epoch.task);
    }
    for (const row of rows) {
      const { task } = this.recording.processes[row.key];
      const all = [...names.get(row.key)];
      row.tasks = task && all.length > 1 ? `${task} +${all.length - 1}` : all[0];
    }
  }

  drawTiles() {
    const { recording, selection } = this, sum = sumOfSelection(selection);
    const tile = (name, title, value, text) => el("div", { "data-tile": name, "data-value": value }, el("dt", {}, title), el("dd", {}, text));
    const tiles = [];
    if (sum) {
      tiles.push(tile("cpu", "CPU time", sum.cpu, format.time(sum.cpu)));
      const [from, to] = selection.span;
      if (to > from) tiles.push(tile("busy", "CPUs busy", sum.cpu / (to - from), `${(sum.cpu / (to - from)).toFixed(2)} of ${recording.meta.cpus || "?"}`));
      if (recording.recorded[OFFCPU]) tiles.push(tile("waited", "Waited", sum.waited, format.time(sum.waited)));
      if (recording.recorded[OFFCPU] && sum.idle > 0) tiles.push(tile("idle", "Idle threads", sum.idle, format.time(sum.idle)));
      if (recording.recorded[IO])
        tiles.push(tile("read", "Read", sum.read, format.bytes(sum.read)), tile("written", "Written", sum.written, format.bytes(sum.written)),
          tile("ops", "Operations", sum.ops, format.count(sum.ops)), tile("errors", "of these failed", sum.errors, format.count(sum.errors)));
    }
    this.tiles.replaceChildren(el("div", { class: "what" }, el("dt", {}, "Chosen"), el("dd", {}, format.shorten(selection.words(), 40))), ...tiles);
  }
}

/** What is chosen, at the top of the window, with the way back. */
export const drawSelection = (selection) => {
  const host = byId("selection");
  const draw = () => {
    const chip = (kind, text, change) => el("span", { class: "chip", "data-chip": kind }, text,
      el("button", { type: "button", "aria-label": `do not filter by ${text}`, onclick: () => selection.set(change) }, "×"));
    const chips = [];
    if (selection.task !== null) chips.push(chip("task", `task ${format.shorten(selection.task, 40)}`, { task: null }));
    if (selection.process !== null) chips.push(chip("process", selection.processName(selection.process), { process: null }));
    if (selection.quantum !== null) chips.push(chip("quantum", format.shorten(selection.quantumName(selection.quantum), 60), { quantum: null }));
    host.dataset.range = selection.range ? selection.span.join(" ") : "";
    if (selection.range) chips.push(chip("range", `${selection.span.map((ns) => (ns / 1e9).toFixed(1)).join(" – ")} s`, { range: null }));
    host.hidden = !chips.length;
    host.replaceChildren("Only ", ...chips,
      el("button", { type: "button", class: "quiet", id: "everything", onclick: () => selection.set({ task: null, process: null, quantum: null, range: null }) }, "Show everything"));
    announce(`chosen: ${selection.words()}`);
  };
  selection.onChange(draw);
  host.hidden = true;
};
