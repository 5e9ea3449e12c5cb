// SPDX-License-Identifier: GPL-2.0-or-later
// Waits, files and mounts: a picture first, its numbers in a table.
import { el, byId, choice } from "./dom.js";
import * as format from "./format.js";
import { OFFCPU, IO } from "./recording.js";
import { IDLE, sumUp } from "./selection.js";
import { Table, barCell } from "./table.js";
import { classColour } from "./colours.js";
import { drawBars } from "./bars.js";

const MOST_BARS = 10;

const CLASS_WORDS = {
  run_queue: "ready to run, but no CPU was free", lock: "another thread", sleep: "its own sleep", disk: "a disk", file_system: "a file system, on the network too",
  pipe: "the other end of a pipe", child: "a process it started", socket: "the network or another process", poll: "one of several things",
  page_fault: "a page of memory", idle: "threads of pools without work",
};

export class Waits {
  constructor(selection) {
    this.selection = selection;
    const host = byId("waits"), { recording } = selection;
    host.append(el("h2", { id: "waits-title" }, "Waiting"));
    if (!recording.recorded[OFFCPU]) {
      host.append(el("p", { class: "empty" }, "Not recorded: the source offcpu was off."));
      return;
    }
    this.legend = el("ul", { class: "legend" });
    this.picture = el("div", { class: "picture" });
    const side = el("div", {});
    host.append(el("p", { class: "lead" }, "Exact, of all threads together; without threads of pools that only wait for work (idle)."),
      el("div", { class: "pair" }, el("div", {}, this.legend, this.picture), side));
    this.table = new Table(side, [
      { name: "class", title: "waited for", value: (row) => row.name, node: (row) => el("span", {}, this.mark(row.name), row.name), title_of: (row) => CLASS_WORDS[row.name] || null },
      { name: "time", title: "time", number: true, value: (row) => row.ns, node: (row) => barCell(format.time(row.ns), row.ns, this.most, "") },
      { name: "share", title: "of all", number: true, value: (row) => row.ns, text: (row) => format.percent(row.ns, this.total) },
      { name: "count", title: "waits", number: true, value: (row) => row.count, text: (row) => format.count(row.count) },
      { name: "mean", title: "mean", number: true, value: (row) => (row.count ? row.ns / row.count : null), text: (row) => (row.count ? format.time(row.ns / row.count) : "–") },
    ], { caption: "What was waited for", sort: "time", key: (row) => row.name });
    selection.onChange(() => this.draw());
    this.draw();
  }

  mark(name) {
    const mark = el("span", { class: "mark" });
    mark.style.background = classColour(name);
    return mark;
  }

  draw() {
    const { recording, epochPasses, bucketPasses } = this.selection, { waits, classes } = recording;
    const rows = classes.map((name) => ({ name, ns: 0, count: 0 }));
    for (let i = 0; i < waits.count; i++) {
      if (!epochPasses[waits.keys[0][i]] || !bucketPasses[waits.keys[2][i]]) continue;
      rows[waits.keys[1][i]].count += waits.values[0][i];
      rows[waits.keys[1][i]].ns += waits.values[1][i];
    }
    const used = rows.filter((row) => row.ns > 0 || row.count > 0);
    this.total = used.reduce((sum, row) => sum + row.ns, 0);
    this.most = Math.max(0, ...used.map((row) => row.ns));
    this.table.set(used);
    this.drawTasks(used);
  }

  drawTasks(used) {
    const { selection } = this, { recording } = selection;
    const groups = sumUp(recording, (epoch) => (selection.epochPasses[epoch.index] ? epoch.task : null), selection.bucketPasses, null)
      .filter((group) => group.waited > 0).sort((a, b) => b.named - a.named || b.waited - a.waited).slice(0, MOST_BARS).sort((a, b) => b.waited - a.waited);
    drawBars(this.picture, groups.map((group) => ({
      name: format.shorten(group.key, 24), title: group.key, value: group.waited, text: format.time(group.waited),
      parts: [...group.classes].filter(([name]) => name !== IDLE).sort((a, b) => b[1] - a[1])
        .map(([name, ns]) => ({ value: ns, colour: classColour(name), words: `${name}: ${format.time(ns)}, ${format.percent(ns, group.waited)}` })),
    })), "Waiting of tasks");
    this.legend.replaceChildren(...[...used].filter(({ name }) => name !== IDLE).sort((a, b) => b.ns - a.ns).slice(0, 9).map(({ name }) => el("li", {}, this.mark(name), name)));
  }
}

const FILE_METRICS = {
  ns: { title: "Time", text: format.time }, bytes: { title: "Bytes", text: format.bytes }, ops: { title: "Operations", text: format.count },
};

/** Of a bar: what came and what went. */
export const directionParts = (row, text) => [
  { value: row.read, colour: "var(--read)", words: `read ${text(row.read)}` }, { value: row.written, colour: "var(--write)", words: `written ${text(row.written)}` },
];

const emptySums = () => ({ waited: 0, ns: 0, bytes: 0, read: 0, written: 0, ops: 0, errors: 0, byOp: new Map(), byError: new Map() });

export class Files {
  constructor(selection) {
    this.selection = selection;
    this.recording = selection.recording;
    this.metric = "ns";
    const host = byId("files");
    host.append(el("h2", { id: "files-title" }, "Files"));
    if (!this.recording.recorded[IO]) {
      host.append(el("p", { class: "empty" }, "Not recorded: the source io was off."));
      return;
    }
    this.picture = el("div", { class: "picture" });
    this.mountPicture = el("div", { class: "picture" });
    const files = el("div", {}), mounts = el("div", {}), ops = el("div", {});
    host.append(
      el("div", { class: "bar-of-title" }, el("p", { class: "lead" }, "Exact, every operation. Time is from the call to its return, waiting included."),
        choice("Measure of files", Object.entries(FILE_METRICS).map(([name, { title }]) => [name, title]), "ns", (metric) => { this.metric = metric; this.draw(); })),
      this.picture, files, el("h3", {}, "Mounts"), el("div", { class: "pair" }, this.mountPicture, mounts),
      el("h3", {}, "Operations"), ops);
    this.tables = {
      files: new Table(files, [this.pathColumn(), { name: "fs", title: "file system", value: (row) => row.file.fs, text: (row) => row.file.fs || row.file.kind }, ...this.sumColumns()], {
        caption: "Files", sort: "ns", filterHint: "filter files", filter: (row) => `${this.path(row.file)} ${row.file.fs}`, key: (row) => row.file.index, empty: "no operation in what is chosen",
      }),
      mounts: new Table(mounts, [{ name: "mount", title: "mount", value: (row) => row.name, text: (row) => row.name }, { name: "fs", title: "file system", value: (row) => row.fs, text: (row) => row.fs || "–" }, ...this.sumColumns().filter(({ name }) => name !== "what"),
        ...["mean", "peak"].map((name) => ({ name, title: { mean: "bytes/s", peak: "at most" }[name], hint: { mean: "read and written, over all of the chosen time", peak: "the most in any part of the time" }[name], number: true, value: (row) => row[name], text: (row) => format.rate(row[name]) }))],
        { caption: "Mounts", sort: "ns", key: (row) => row.name }),
      ops: new Table(ops, [{ name: "op", title: "operation", value: (row) => row.name, text: (row) => row.name }, ...this.sumColumns().filter(({ name }) => name !== "what"),
        { name: "mean", title: "mean", number: true, value: (row) => (row.ops ? row.ns / row.ops : null), text: (row) => (row.ops ? format.time(row.ns / row.ops) : "–") },
        { name: "reasons", title: "why they failed", wide: true, value: (row) => row.errors, text: (row) => this.top(row.byError, 4) }],
      { caption: "Operations", sort: "ns", key: (row) => row.name }),
    };
    selection.onChange(() => this.draw());
    this.draw();
  }

  path(file) { return file.path ?? `(${format.plural(file.count, "other file")} on ${file.mount || file.kind})`; }

  pathColumn() {
    return { name: "path", title: "file", wide: true, value: (row) => this.path(row.file), text: (row) => format.shortenPath(this.path(row.file), 64), title_of: (row) => this.path(row.file) };
  }

  top(map, most) {
    const parts = [...map].sort((a, b) => b[1] - a[1]);
    return parts.slice(0, most).map(([name, number]) => `${name} ${format.count(number)}`).join(", ") + (parts.length > most ? " …" : "");
  }

  sumColumns() {
    const column = (name, title, text) => ({ name, title, number: true, value: (row) => row[name], text: (row) => text(row[name]) });
    return [
      { ...column("ns", "time", format.time), node: (row) => barCell(format.time(row.ns), row.ns, this.most.ns, "io") },
      { ...column("waited", "waited", format.time), hint: "of threads, for this", when: (rows) => rows.some(({ waited }) => waited > 0) },
      column("read", "read", format.bytes), column("written", "written", format.bytes), column("ops", "operations", format.count), column("errors", "errors", format.count),
      { name: "what", title: "which", value: (row) => row.ops, text: (row) => this.top(row.byOp, 3) },
    ];
  }

  sum() {
    const { recording } = this, { epochPasses, bucketPasses } = this.selection, { io, outcomes, ops, files } = recording;
    const byFile = new Map(), byMount = new Map(), byOp = new Map(), spans = recording.bucketEnds.map((end, i) => Math.max(1, end - recording.bucketStarts[i]));
    const of = (map, key, make) => {
      if (!map.has(key)) map.set(key, { ...emptySums(), ...make() });
      return map.get(key);
    };
    const mountOf = (file) => {
      const mount = file.mount || (file.kind === "file" || file.kind === "directory" ? "(not known)" : `(${file.kind || "not known"})`);
      return of(byMount, `${mount}\0${file.fs}`, () => ({ name: mount, fs: file.fs, course: new Float64Array(spans.length + 1) }));
    };
    for (let i = 0; i < io.count; i++) {
      if (!epochPasses[io.keys[0][i]] || !bucketPasses[io.keys[3][i]]) continue;
      const file = files[io.keys[1][i]], { op, error } = outcomes[io.keys[2][i]], { name, direction } = ops[op];
      const [number, bytes, ns] = io.values.map((values) => values[i]);
      const ofMount = mountOf(file);
      if (direction) ofMount.course[io.keys[3][i]] += bytes;
      for (const sums of [of(byFile, file.index, () => ({ file })), ofMount, of(byOp, name, () => ({ name }))]) {
        sums.ns += ns;
        sums.ops += number;
        if (direction) sums.bytes += bytes;
        if (direction === 1) sums.read += bytes;
        if (direction === 2) sums.written += bytes;
        if (error !== null) {
          sums.errors += number;
          sums.byError.set(error, (sums.byError.get(error) || 0) + number);
        }
        sums.byOp.set(name, (sums.byOp.get(name) || 0) + number);
      }
    }
    this.addWaits(byFile, byMount, mountOf, of);
    const [from, to] = this.selection.span;
    for (const mount of byMount.values())
      Object.assign(mount, { mean: mount.bytes / Math.max(1, to - from) * 1e9, peak: Math.max(0, ...spans.map((span, i) => mount.course[i] / span * 1e9)) });
    return [byFile, byMount, byOp].map((map) => [...map.values()]);
  }

  /** Of which it is known on what they were. */
  addWaits(byFile, byMount, mountOf, of) {
    const { waitsOn, files } = this.recording, { epochPasses, bucketPasses } = this.selection;
    for (let i = 0; i < waitsOn.count; i++) {
      if (!epochPasses[waitsOn.keys[0][i]] || !bucketPasses[waitsOn.keys[2][i]]) continue;
      const file = files[waitsOn.keys[1][i]];
      of(byFile, file.index, () => ({ file })).waited += waitsOn.values[1][i];
      mountOf(file).waited += waitsOn.values[1][i];
    }
  }

  draw() {
    const [files, mounts, ops] = this.sum(), { metric } = this, { text } = FILE_METRICS[metric];
    const set = (table, rows) => {
      this.most = { ns: Math.max(0, ...rows.map((row) => row.ns)) };
      table.set(rows);
    };
    const bars = (rows, name) => [...rows].filter((row) => row[metric] > 0).sort((a, b) => b[metric] - a[metric]).slice(0, MOST_BARS).map((row) => ({
      name: format.shortenPath(name(row), 44), title: name(row), value: row[metric], text: text(row[metric]), parts: this.parts(row, metric, text),
    }));
    const real = files.filter(({ file }) => file.kind === "file" || file.kind === "directory");
    drawBars(this.picture, bars(real, (row) => this.path(row.file)), "Files that stand out");
    drawBars(this.mountPicture, bars(mounts, (row) => row.name), "Mounts");
    set(this.tables.files, files);
    set(this.tables.mounts, mounts);
    set(this.tables.ops, ops);
  }

  parts(row, metric, text) {
    return metric === "bytes" ? directionParts(row, text) : [{ value: row[metric], colour: "var(--io)", words: text(row[metric]) }];
  }
}
