// SPDX-License-Identifier: GPL-2.0-or-later
// Tasks and processes: what each used, and the choice among them.
import { el, svg, byId, choice, announce } from "./dom.js";
import * as format from "./format.js";
import { OFFCPU, IO } from "./recording.js";
import { sumUp, sumOfSelection, IDLE } from "./selection.js";
import { Table, barCell } from "./table.js";
import { classColour } from "./colours.js";

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

export class Tasks {
  constructor(selection) {
    this.selection = selection;
    this.recording = selection.recording;
    this.mode = "tasks";
    const host = byId("tasks");
    this.tiles = el("dl", { class: "tiles" });
    this.hosts = { tasks: el("div", { id: "tasks-table" }), processes: el("div", { id: "processes-table", hidden: true }) };
    host.append(
      el("div", { class: "bar-of-title" }, el("h2", { id: "tasks-title" }, "Tasks"),
        choice("Rows", [["tasks", "Tasks"], ["processes", "Processes"]], "tasks", (mode) => this.show(mode))),
      el("p", { class: "lead" }, "Exact. Choose a row, and all below is about it."),
      this.hosts.tasks, this.hosts.processes, this.tiles);
    this.tables = {
      tasks: new Table(this.hosts.tasks, this.taskColumns(), {
        caption: "Tasks", sort: "cpu", filter: (row) => `${row.key} ${row.job || ""}`, filterHint: "filter tasks", key: (row) => row.key,
        choose: (row) => selection.set({ task: selection.task === row.key ? null : row.key, process: null }),
        chosen: (row) => selection.task === row.key,
      }),
      processes: new Table(this.hosts.processes, this.processColumns(), {
        caption: "Processes", sort: "cpu", filterHint: "filter processes", filter: (row) => this.processText(row), key: (row) => row.key,
        choose: (row) => selection.set({ process: selection.process === row.key ? null : row.key }),
        chosen: (row) => selection.process === row.key,
      }),
    };
    selection.onChange(() => this.draw());
    this.draw();
  }

  show(mode) {
    this.mode = mode;
    this.hosts.tasks.hidden = mode !== "tasks";
    this.hosts.processes.hidden = mode !== "processes";
    this.draw();
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

  draw() {
    const { selection, recording } = this;
    const range = selection.range ? selection.span : null;
    const byTask = this.mode === "tasks";
    const passes = (epoch) => byTask || selection.task === null || epoch.task === selection.task;
    const rows = sumUp(recording, (epoch) => (passes(epoch) ? (byTask ? epoch.task : epoch.process) : null), selection.bucketPasses, range)
      .filter((row) => !range || row.elapsed > 0 || row.cpu > 0);
    if (!byTask) this.nameTasks(rows);
    this.most = Math.max(0, ...rows.map((row) => row.cpu));
    this.level = busiest(recording, rows);
    this.tables[this.mode].set(rows);
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
    host.dataset.range = selection.range ? selection.span.join(" ") : "";
    if (selection.range) chips.push(chip("range", `${selection.span.map((ns) => (ns / 1e9).toFixed(1)).join(" – ")} s`, { range: null }));
    host.hidden = !chips.length;
    host.replaceChildren("Only ", ...chips,
      el("button", { type: "button", class: "quiet", id: "everything", onclick: () => selection.set({ task: null, process: null, range: null }) }, "Show everything"));
    announce(`chosen: ${selection.words()}`);
  };
  selection.onChange(draw);
  host.hidden = true;
};
