// SPDX-License-Identifier: GPL-2.0-or-later
// How files are used: what they hold, in which order they are read, what makes a shared file system
// slow, what was left torn.
import { el, byId } from "./dom.js";
import * as format from "./format.js";
import { IO, OPS, FIRST_NODE } from "./recording.js";
import { linedOf } from "./stackmodel.js";
import { Table, barCell } from "./table.js";
import { drawBars } from "./bars.js";
import { directionParts } from "./events.js";

/** As in the text report. */
const MANY_OPERATIONS = 2000, SMALL_BYTES = 4096, MANY_ABSENT = 200;
const MOST_BARS = 10;
const ORDERS = [["sequential", "var(--sequential)"], ["strided", "var(--strided)"], ["random", "var(--random)"]];
const TORN_WORDS = { killed: "its writer was killed", appending: "killed while it appended, as logs do", failed: "left open by a writer that failed (a weaker sign)" };

const number = (name, title, text, hint) => ({ name, title, hint, number: true, value: (row) => row[name], text: (row) => (row[name] === null ? "–" : text(row[name])) });
const group = (map, key, make) => map.get(key) || map.set(key, make()).get(key);

/** A stacked bar of the orders of reads. */
const orderBar = (row) => {
  const all = ORDERS.reduce((sum, [name]) => sum + row[name], 0);
  if (!all) return "–";
  const words = ORDERS.map(([name]) => `${name} ${format.percent(row[name], all)}`).join(", ");
  const bar = el("span", { class: "stacked", role: "img", "aria-label": words, title: words });
  for (const [name, colour] of ORDERS) {
    const part = el("span", {});
    part.style.flexGrow = row[name] / all;
    part.style.background = colour;
    bar.append(part);
  }
  return bar;
};

/** What pipes and sockets carry makes no file system slow. */
const isStored = ({ kind }) => kind === "file" || kind === "directory";

/** What of a task's operations of a kind is a storm; null: nothing. */
const stormOf = (op, { ops, read, written }) => {
  if (ops < MANY_OPERATIONS) return null;
  if (op === "read") return read < ops * SMALL_BYTES ? "small reads" : null;
  if (op === "write") return written < ops * SMALL_BYTES ? "small writes" : null;
  return { stat: "stats", access: "stats", open: "opens", readdir: "directory reads" }[op] || null;
};

/** Of each node the line to look at: the innermost of Python, where there is one, as it is the one that can be changed. */
const linesThatCall = (stacks) => {
  const lined = linedOf(stacks), python = new Int32Array(stacks.count);
  for (let i = 0; i < stacks.count; i++) {
    const own = stacks.line[i] && stacks.fn[i] >= 0 && stacks.functions[stacks.fn[i]].kind === "python";
    python[i] = own ? i : stacks.parent[i] < 0 ? -1 : python[stacks.parent[i]];
  }
  return lined.map((line, i) => (python[i] >= 0 ? python[i] : line));
};

export class Storage {
  constructor(selection) {
    this.selection = selection;
    this.recording = selection.recording;
    const host = byId("storage");
    host.append(el("h2", { id: "storage-title" }, "How files are used"));
    if (!this.recording.recorded[IO]) {
      host.append(el("p", { class: "empty" }, "Not recorded: the source io was off."));
      return;
    }
    const part = (name, title, words, picture) => {
      const table = el("div", { id: `${name}-table` });
      host.append(el("h3", {}, title), el("p", { class: "lead" }, words), picture || "", table);
      return table;
    };
    this.parts = [];
    this.addDatasets(part);
    this.addOrder(part);
    this.addStorms(part);
    this.addTorn(part);
    selection.onChange(() => this.draw());
    this.draw();
  }

  draw() { for (const draw of this.parts) draw(); }

  passes(epoch, bucket) { return this.selection.epochPasses[epoch] && this.selection.bucketPasses[bucket]; }

  /* --- What files hold. */

  addDatasets(part) {
    if (!this.recording.files.some(({ dataset }) => dataset)) return;
    const picture = el("div", { class: "picture" });
    const table = new Table(part("datasets", "Datasets", "By the kind of data that files hold, as rules of the kind path tell. Exact; what was read again is an estimate, and of the whole recording.", picture), [
      { name: "dataset", title: "dataset", value: (row) => row.name, text: (row) => row.name },
      { ...number("ns", "time", format.time), node: (row) => barCell(format.time(row.ns), row.ns, this.mostOfDatasets, "io") },
      number("read", "read", format.bytes), number("written", "written", format.bytes), number("ops", "operations", format.count), number("errors", "errors", format.count),
      number("filesWritten", "files written", format.count, "that were written and closed"), number("size", "mean size", format.bytes, "of these"),
      { ...number("filesRead", "files read", format.count), text: (row) => `${row.atLeast ? "≥ " : ""}${format.count(row.filesRead)}` },
      number("readHere", "written here earlier", format.count, "of the files read, those written here in an earlier second; in the whole recording"),
      { name: "order", title: "order of reads", value: (row) => row.sequential, node: orderBar },
      number("again", "read again", (value) => `× ${value.toFixed(2)}`, "bytes that reads asked for, per distinct byte; in the whole recording"),
    ], { caption: "Datasets", sort: "ns", key: (row) => row.name, empty: "nothing in what is chosen" });
    this.parts.push(() => {
      const rows = this.datasets();
      this.mostOfDatasets = Math.max(0, ...rows.map(({ ns }) => ns));
      table.set(rows);
      drawBars(picture, [...rows].map((row) => ({ ...row, bytes: row.read + row.written })).filter(({ bytes }) => bytes > 0).sort((a, b) => b.bytes - a.bytes).slice(0, MOST_BARS)
        .map((row) => ({ name: format.shorten(row.name, 40), title: row.name, value: row.bytes, text: format.bytes(row.bytes), parts: directionParts(row, format.bytes) })), "Datasets by bytes");
    });
  }

  datasets() {
    const { recording, selection } = this, { files, io, written, patterns, outcomes, ops } = recording, rows = new Map();
    const of = (file) => group(rows, file.dataset, () => ({ name: file.dataset, ns: 0, read: 0, written: 0, ops: 0, errors: 0, filesWritten: 0, grown: 0, filesRead: 0, atLeast: false, readHere: 0, sequential: 0, strided: 0, random: 0, asked: 0, distinct: 0, seen: new Set() }));
    for (let i = 0; i < io.count; i++) {
      const file = files[io.keys[1][i]];
      if (!file.dataset || !this.passes(io.keys[0][i], io.keys[3][i])) continue;
      const row = of(file), { op, error } = outcomes[io.keys[2][i]], { direction } = ops[op];
      row.ops += io.values[0][i];
      if (direction === 1) row.read += io.values[1][i];
      if (direction === 2) row.written += io.values[1][i];
      row.ns += io.values[2][i];
      if (error !== null) row.errors += io.values[0][i];
      if (direction === 1 && io.values[1][i] > 0 && file.read) row.seen.add(file);
    }
    for (let i = 0; i < written.count; i++) {
      const file = files[written.keys[1][i]];
      if (!file.dataset || !this.passes(written.keys[0][i], written.keys[2][i])) continue;
      of(file).filesWritten += written.values[0][i];
      of(file).grown += written.values[1][i];
    }
    for (let i = 0; i < patterns.count; i++) {
      const file = files[patterns.keys[1][i]];
      if (!file.dataset || file.kind !== "file" || !this.passes(patterns.keys[0][i], patterns.keys[2][i])) continue;
      ORDERS.forEach(([name], k) => { of(file)[name] += patterns.values[k][i]; });
    }
    for (const file of files) {
      const row = file.dataset && rows.get(file.dataset);
      if (!row) continue;
      row.asked += file.asked;
      row.distinct += file.distinct;
      row.readHere += file.readHere;
    }
    for (const row of rows.values()) {
      // Of files that were put together it is known how many were read, not when.
      for (const file of row.seen) row.filesRead += selection.isEverything || file.count === 1 ? file.read : 1;
      row.atLeast = !selection.isEverything && [...row.seen].some(({ count }) => count > 1);
      row.size = row.filesWritten > 0 ? row.grown / row.filesWritten : null;
      row.again = row.distinct > 0 ? row.asked / row.distinct : null;
    }
    return [...rows.values()];
  }

  /* --- In which order they are read. */

  addOrder(part) {
    const { files, patterns } = this.recording;
    if (!patterns.count) return;
    const legend = el("ul", { class: "legend" }, ORDERS.map(([name, colour]) => {
      const mark = el("span", { class: "mark" });
      mark.style.background = colour;
      return el("li", {}, mark, name);
    }));
    const table = new Table(part("order", "Order of reads", "Sequential reads begin behind the one before, strided ones as far from it as that from the one before it, random ones elsewhere; of each thread apart.", legend), [
      { name: "path", title: "file", wide: true, value: (row) => row.path, text: (row) => format.shortenPath(row.path, 60), title_of: (row) => row.path },
      { name: "order", title: "order", value: (row) => row.sequential + row.strided + row.random, node: orderBar },
      ...ORDERS.map(([name]) => number(name, name, format.count)), number("bytes", "asked for", format.bytes),
      number("again", "read again", (value) => `× ${value.toFixed(2)}`, "bytes that reads asked for, per distinct byte, at most; in the whole recording"),
    ], { caption: "Order of reads", sort: "bytes", key: (row) => row.key, filter: (row) => row.path, filterHint: "filter files", step: 8, empty: "no read in what is chosen" });
    this.parts.push(() => {
      const rows = new Map();
      for (let i = 0; i < patterns.count; i++) {
        const file = files[patterns.keys[1][i]];
        if (file.kind !== "file" || !this.passes(patterns.keys[0][i], patterns.keys[2][i])) continue;
        const row = group(rows, file.index, () => ({ key: file.index, path: file.path ?? `(${format.plural(file.count, "other file")} on ${file.mount || file.kind})`, sequential: 0, strided: 0, random: 0, bytes: 0, again: file.distinct > 0 ? file.asked / file.distinct : null }));
        ORDERS.forEach(([name], k) => { row[name] += patterns.values[k][i]; });
        row.bytes += patterns.values[3][i];
      }
      table.set([...rows.values()]);
    });
  }

  /* --- Very many small operations, and files that are not there. */

  addStorms(part) {
    const storms = new Table(part("storms", "Storms", `Tasks with ${format.count(MANY_OPERATIONS)} or more small reads or writes (less than 4 kB on the average), stats, opens or directory reads, without pipes and sockets. Numbers are exact, lines estimated: that of Python, where there is one.`), [
      { name: "task", title: "task", value: (row) => row.task, text: (row) => format.shorten(row.task, 40), title_of: (row) => row.task },
      { name: "what", title: "storm of", value: (row) => row.what, text: (row) => row.what },
      { ...number("ops", "number", format.count), node: (row) => barCell(format.count(row.ops), row.ops, this.mostOfStorms, "io") }, number("ns", "time", format.time),
      number("each", "bytes each", format.bytes),
      { name: "line", title: "mostly by line", wide: true, value: (row) => row.line, text: (row) => (row.line ? format.shortenPath(row.line, 48) : "–"), title_of: (row) => row.line },
      number("part", "of them", (value) => format.percent(value, 1)),
    ], { caption: "Storms", sort: "ops", key: (row) => `${row.task} ${row.op}`, step: 8, empty: "none in what is chosen" });
    const absent = new Table(part("absent", "Looked for and not there", `Folders in which a task looked ${MANY_ABSENT} times or more for what was not there, as search paths make it. Exact.`), [
      { name: "task", title: "task", value: (row) => row.task, text: (row) => format.shorten(row.task, 40), title_of: (row) => row.task },
      { ...number("ops", "look-ups", format.count), node: (row) => barCell(format.count(row.ops), row.ops, this.mostOfAbsent, "io") }, number("names", "names", format.count), number("ns", "time", format.time),
      { name: "folder", title: "in", wide: true, value: (row) => row.folder, text: (row) => format.shortenPath(row.folder, 52), title_of: (row) => row.folder },
      { name: "example", title: "of, for example", value: (row) => row.example, text: (row) => format.shorten(row.example, 32), title_of: (row) => row.example },
    ], { caption: "Looked for and not there", sort: "ops", key: (row) => `${row.task} ${row.folder}`, step: 8, empty: "none in what is chosen" });
    this.parts.push(() => {
      const [many, missing] = this.sumOperations();
      this.mostOfStorms = Math.max(0, ...many.map(({ ops }) => ops));
      this.mostOfAbsent = Math.max(0, ...missing.map(({ ops }) => ops));
      this.findLines(many);
      storms.set(many);
      absent.set(missing);
    });
  }

  sumOperations() {
    const { io, epochs, outcomes, ops, files } = this.recording, byOp = new Map(), byFolder = new Map();
    for (let i = 0; i < io.count; i++) {
      if (!this.passes(io.keys[0][i], io.keys[3][i])) continue;
      const { task } = epochs[io.keys[0][i]], { op, error } = outcomes[io.keys[2][i]], { name, direction } = ops[op], file = files[io.keys[1][i]];
      if (isStored(file)) {
        const row = group(byOp, `${op} ${task}`, () => ({ task, op: name, item: op, ops: 0, ns: 0, read: 0, written: 0 }));
        row.ops += io.values[0][i];
        row.ns += io.values[2][i];
        if (direction === 1) row.read += io.values[1][i];
        if (direction === 2) row.written += io.values[1][i];
      }
      const slash = error === "ENOENT" && file.path ? file.path.lastIndexOf("/") : -1;
      if (slash < 0) continue;
      const folder = file.path.slice(0, slash) || "/";
      const missing = group(byFolder, `${folder}\0${task}`, () => ({ task, folder, example: file.path.slice(slash + 1), ops: 0, ns: 0, seen: new Set() }));
      missing.ops += io.values[0][i];
      missing.ns += io.values[2][i];
      missing.seen.add(file);
    }
    const storms = [...byOp.values()].map((row) => ({ ...row, what: stormOf(row.op, row), each: row.read + row.written > 0 ? (row.read + row.written) / row.ops : null })).filter(({ what }) => what);
    return [storms, [...byFolder.values()].filter(({ ops: count }) => count >= MANY_ABSENT).map((row) => ({ ...row, names: row.seen.size }))];
  }

  /** The line that makes most of each storm. */
  findLines(storms) {
    const { recording, selection } = this, { pools, sampled, stacks, epochs } = recording;
    const byKey = new Map(storms.map((storm) => [`${storm.item} ${storm.task}`, { storm, all: 0, lines: new Map() }]));
    if (!storms.length) return;
    this.lined ??= linesThatCall(stacks);
    const ofPool = pools.map((pool) => (pool.source === IO && selection.epochPasses[pool.epoch] ? byKey.get(`${pool.item} ${epochs[pool.epoch].task}`) : undefined));
    const [pool, share, node, bucket, file] = sampled.keys;
    for (let i = 0; i < sampled.count; i++) {
      const of = ofPool[pool[i]];
      if (!of || share[i] !== OPS || !selection.bucketPasses[bucket[i]]) continue;
      if (file[i] && !isStored(recording.files[file[i] - 1])) continue;
      const weight = sampled.values[1][i] * pools[pool[i]].factor[OPS], lined = node[i] < FIRST_NODE ? -1 : this.lined[node[i] - FIRST_NODE];
      of.all += weight;
      const fn = lined < 0 || stacks.fn[lined] < 0 ? null : stacks.functions[stacks.fn[lined]];
      if (!fn) continue;
      const line = `${fn.file || fn.module}:${stacks.line[lined]}`;
      of.lines.set(line, (of.lines.get(line) || 0) + weight);
    }
    for (const { storm, all, lines } of byKey.values()) {
      const [most] = [...lines].sort((a, b) => b[1] - a[1]);
      storm.line = most ? most[0] : null;
      storm.part = most ? most[1] / all : null;
    }
  }

  /* --- What was left torn. */

  addTorn(part) {
    const { torn, tornRecorded, epochs, processes } = this.recording;
    if (!torn.length) return;
    const cut = tornRecorded > torn.length ? ` The first ${format.count(torn.length)} of ${format.count(tornRecorded)}.` : "";
    const table = new Table(part("torn", "Torn files", `Opened since the recording began, and written, by a process that neither closed nor renamed them when it ended otherwise than by exit 0.${cut}`), [
      { name: "path", title: "file", wide: true, value: (row) => row.path, text: (row) => format.shortenPath(row.path, 56), title_of: (row) => row.path },
      { name: "kind", title: "why", value: (row) => row.kind, text: (row) => row.kind, title_of: (row) => TORN_WORDS[row.kind] }, { name: "end", title: "end", value: (row) => row.end, text: (row) => row.end },
      { name: "task", title: "task", value: (row) => epochs[row.epoch].task, text: (row) => format.shorten(epochs[row.epoch].task, 32), title_of: (row) => epochs[row.epoch].task },
      { name: "pid", title: "pid", number: true, value: (row) => row.pid, text: (row) => String(row.pid ?? "–") },
      { name: "quantum", title: "quantum", when: (rows) => rows.some(({ quantum }) => quantum), value: (row) => row.quantum, text: (row) => format.shorten(row.quantum || "–", 32), title_of: (row) => row.quantum },
      number("ended", "ended", format.clock), number("before", "last write before", format.time, "how long before the end it was last written"),
      number("bytes", "written", format.bytes), number("size", "size", format.bytes),
    ], { caption: "Torn files", sort: null, key: (row) => row.key, filter: (row) => `${row.path} ${epochs[row.epoch].task} ${row.end}`, filterHint: "filter torn files", step: 8, empty: "none in what is chosen" });
    const rows = torn.map((one, key) => ({ ...one, key, pid: processes[epochs[one.epoch].process].pid, quantum: epochs[one.epoch].quantum?.data ?? null, before: one.ended - one.written }));
    this.parts.push(() => {
      const [from, to] = this.selection.span, { range, epochPasses } = this.selection;
      table.set(rows.filter((row) => epochPasses[row.epoch] && (!range || (row.ended >= from && row.ended <= to))));
    });
  }
}
