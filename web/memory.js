// SPDX-License-Identifier: GPL-2.0-or-later
// How much memory processes had over time, and what made it grow.
import { el, byId, choice, showInStacks } from "./dom.js";
import * as format from "./format.js";
import { MEM } from "./recording.js";
import { Table, barCell } from "./table.js";
import { Course } from "./course.js";
import { drawBars } from "./bars.js";

const LEVELS = [["anonymous", "heap and private mappings", "var(--anonymous)"], ["file", "mapped files", "var(--file)"], ["shared", "shared", "var(--shared)"]];
const KIND_COLOURS = { anonymous: "var(--anonymous)", file: "var(--file)", shared: "var(--shared)" };
const GROUPS = { task: ["task", (epoch) => epoch.task], process: ["process", (epoch) => epoch.process] };
const MOST_BARS = 10;
const OOM_KILL = 1; // enum mem_event_kind; the other one: it had to free some

export class Memory {
  constructor(selection) {
    this.selection = selection;
    this.recording = selection.recording;
    this.by = "task";
    const host = byId("memory");
    host.append(el("h2", { id: "memory-title" }, "Memory"));
    if (!this.recording.recorded[MEM]) {
      host.append(el("p", { class: "empty" }, "Not recorded: the source mem was off."));
      return;
    }
    const levels = el("div", {}), shortages = el("div", { id: "memory-shortages" }), table = el("div", { id: "memory-table" });
    this.picture = el("div", { class: "picture" });
    host.append(el("p", { class: "lead" }, "Resident is what processes had at the ends of slices, pages that they share in each of them. Growth is exact: bytes that came, however many went again. What was mapped, and its peak, is of the whole time."),
      levels, shortages, el("div", { class: "bar-of-title" }, el("h3", {}, "What grew"),
        el("div", { class: "controls" }, choice("Memory by", [["task", "Tasks"], ["process", "Processes"]], "task", (by) => { this.by = by; this.draw(); }),
          showInStacks("rss_growth", "growth by function"), showInStacks("mmap_peak", "at the peak by function"), showInStacks("faults", "page faults by function"))),
      this.picture, table);
    this.course = new Course(levels, selection, "Resident memory", format.bytes);
    const number = (name, title, text, hint) => ({ name, title, hint, number: true, value: (row) => row[name], text: (row) => (row[name] === null ? "–" : text(row[name])) });
    this.table = new Table(table, [
      { name: "name", title: "of", value: (row) => row.name, text: (row) => format.shorten(row.name, 48), title_of: (row) => row.name },
      { ...number("highest", "highest", format.bytes, "resident: the most in any part of the time; – of those that saw no end of a slice"), node: (row) => (row.highest === null ? "–" : barCell(format.bytes(row.highest), row.highest, this.most, "mem")) },
      number("mean", "mean", format.bytes, "resident, over all of the time"),
      { ...number("swap", "swapped out", format.bytes, "the most in any part of the time"), when: (rows) => rows.some(({ swap }) => swap > 0) },
      number("grown", "grew by", format.bytes), ...["anonymous", "file", "shared"].map((kind) => number(kind, `of it ${kind}`, format.bytes)),
      number("faults", "page faults", format.count),
      number("peak", "mapped at peak", format.bytes, "mapped during the recording, when each process or quantum had most"), number("live", "not released", format.bytes, "of what was mapped during the recording"),
    ], { caption: "Memory", sort: "highest", key: (row) => row.key, filter: (row) => row.name, filterHint: "filter", empty: "nothing in what is chosen" });
    if (this.recording.shortages.count) this.drawShortages(shortages);
    selection.onChange(() => this.draw());
    this.draw();
  }

  /* --- Who had too little. */

  drawShortages(host) {
    host.append(el("h3", {}, "Short of memory"),
      el("p", { class: "lead" }, "Killed: by the kernel, for want of memory. Had to free: so often a process had to free memory itself before it got some, because the node or its control group had none left. Exact."));
    this.shortages = new Table(host.appendChild(el("div", {})), [
      { name: "name", title: "process", value: (row) => row.name, text: (row) => format.shorten(row.name, 48), title_of: (row) => row.name },
      { name: "task", title: "task", value: (row) => row.task, text: (row) => format.shorten(row.task, 48), title_of: (row) => row.task },
      { name: "kills", title: "killed", number: true, value: (row) => row.kills, text: (row) => (row.kills ? `at ${format.clock(row.killed)}` : "–") },
      { name: "times", title: "had to free", number: true, value: (row) => row.times, text: (row) => format.count(row.times) },
      { name: "bytes", title: "freed", number: true, value: (row) => row.bytes, text: (row) => format.bytes(row.bytes) },
    ], { caption: "Short of memory", sort: null, key: (row) => row.key, filter: (row) => `${row.name} ${row.task}`, filterHint: "filter those short of memory", step: 8, empty: "nothing in what is chosen" });
  }

  shortageRows() {
    const { recording, selection } = this, { epochs, shortages } = recording, rows = new Map();
    for (let i = 0; i < shortages.count; i++) {
      const [epoch, kind, bucket] = shortages.keys.map((keys) => keys[i]);
      if (!selection.epochPasses[epoch] || !selection.bucketPasses[bucket]) continue;
      const key = epochs[epoch].process;
      if (!rows.has(key)) rows.set(key, { key, name: selection.processName(key), task: epochs[epoch].task, kills: 0, killed: 0, times: 0, bytes: 0 });
      const row = rows.get(key);
      if (kind === OOM_KILL) {
        row.kills += shortages.values[0][i];
        row.killed = recording.bucketEnds[bucket];
      } else {
        row.times += shortages.values[0][i];
        row.bytes += shortages.values[1][i];
      }
    }
    return [...rows.values()].sort((a, b) => b.kills - a.kills || b.bytes - a.bytes);
  }

  rows() {
    const { recording, selection } = this, { epochs, levels, growth, maps, memKinds } = recording, { epochPasses, bucketPasses } = selection;
    const [, keyOf] = GROUPS[this.by], rows = new Map(), buckets = recording.bucketEnds.length;
    const of = (epoch) => {
      const key = keyOf(epochs[epoch]);
      if (!rows.has(key))
        rows.set(key, { key, name: this.by === "task" ? key : selection.processName(key), grown: 0, anonymous: 0, file: 0, shared: 0, faults: 0, live: 0, peak: 0, course: new Float64Array(buckets), swapped: new Float64Array(buckets) });
      return rows.get(key);
    };
    for (let i = 0; i < levels.count; i++) {
      const [epoch, bucket] = [levels.keys[0][i], levels.keys[1][i]];
      if (!epochPasses[epoch] || !bucketPasses[bucket]) continue;
      of(epoch).course[bucket] += levels.values[0][i] + levels.values[1][i] + levels.values[2][i];
      of(epoch).known = true;
      of(epoch).swapped[bucket] += levels.values[3][i];
    }
    for (let i = 0; i < growth.count; i++) {
      if (!epochPasses[growth.keys[0][i]] || !bucketPasses[growth.keys[2][i]]) continue;
      const row = of(growth.keys[0][i]), kind = memKinds[growth.keys[1][i]], [bytes, faults] = [growth.values[0][i], growth.values[1][i]];
      row.grown += bytes;
      row.faults += faults;
      if (kind in KIND_COLOURS) row[kind] += bytes;
    }
    for (let i = 0; i < maps.count; i++) {
      if (!epochPasses[maps.keys[0][i]]) continue;
      const row = of(maps.keys[0][i]);
      row.live += maps.values[0][i];
      row.peak += maps.values[1][i];
    }
    const [from, to] = selection.span;
    for (const row of rows.values()) {
      row.highest = row.known ? Math.max(0, ...row.course) : null; // of short lives there is no end of a slice
      row.swap = Math.max(0, ...row.swapped);
      row.mean = !row.known ? null : row.course.reduce((sum, bytes, i) => sum + bytes * (recording.bucketEnds[i] - recording.bucketStarts[i]), 0) / Math.max(1, to - from);
    }
    return [...rows.values()];
  }

  draw() {
    const { recording, selection } = this, { levels } = recording, buckets = recording.bucketEnds.length;
    const layers = LEVELS.map(([, name, colour]) => ({ name, colour, values: new Float64Array(buckets) }));
    for (let i = 0; i < levels.count; i++)
      if (selection.epochPasses[levels.keys[0][i]])
        layers.forEach(({ values }, k) => { values[levels.keys[1][i]] += levels.values[k][i]; });
    this.course.draw(layers.filter(({ values }, i) => i < 2 || values.some((bytes) => bytes > 0)));
    const rows = this.rows();
    this.most = Math.max(0, ...rows.map(({ highest }) => highest));
    this.table.set(rows);
    this.shortages?.set(this.shortageRows());
    drawBars(this.picture, [...rows].filter(({ grown }) => grown > 0).sort((a, b) => b.grown - a.grown).slice(0, MOST_BARS).map((row) => ({
      name: format.shorten(row.name, 30), title: row.name, value: row.grown, text: format.bytes(row.grown),
      parts: Object.keys(KIND_COLOURS).filter((kind) => row[kind] > 0).map((kind) => ({ value: row[kind], colour: KIND_COLOURS[kind], words: `${kind}: ${format.bytes(row[kind])}` })),
    })), "Growth of memory");
  }
}
