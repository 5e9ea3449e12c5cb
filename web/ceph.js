// SPDX-License-Identifier: GPL-2.0-or-later
// What CephFS's client did, mount by mount.
import { el, byId, choice, showInStacks } from "./dom.js";
import * as format from "./format.js";
import { CEPH } from "./recording.js";
import { Table, barCell } from "./table.js";
import { Course } from "./course.js";
import { drawBars } from "./bars.js";
import { histogram, quantiles } from "./distributions.js";

const FAMILIES = [["mds:", "requests to metadata servers", "var(--mds)"], ["osd:", "requests to storage servers", "var(--osd)"]];
const AROUND = "var(--around)", LONG_NS = 1e9, MOST_BARS = 10, MOST_HISTOGRAMS = 8, MOST_OPS = 3;
const WORDS = { "caps:wait": "waited for capabilities", "read:cached": "reads that sent no request", "read:network": "reads that sent requests", "osd:writeback": "written back from the page cache, by a kernel thread or who syncs" };

const colourOf = (name) => (FAMILIES.find(([prefix]) => name.startsWith(prefix)) || [])[2] || AROUND;

export class Ceph {
  constructor(selection) {
    this.selection = selection;
    this.recording = selection.recording;
    this.by = "time";
    const host = byId("ceph");
    host.append(el("h2", { id: "ceph-title" }, "CephFS"));
    if (!this.recording.recorded[CEPH]) {
      host.append(el("p", { class: "empty" }, "Not recorded: the source ceph was off, or the kernel's client cannot be followed (pipescope doctor tells)."));
      return;
    }
    const hosts = Object.fromEntries(["course", "done", "tasks"].map((name) => [name, el("div", { id: `ceph-${name}` })]));
    this.late = el("p", { id: "ceph-late", class: "bad" });
    this.picture = el("div", { class: "picture" });
    this.histograms = el("div", { class: "histograms" });
    host.append(el("p", { class: "lead" }, "Exact. “mds:” and “osd:” are requests to servers, from sending to the answer; the others lie around them and contain their time: do not add them."),
      this.late, hosts.course,
      el("div", { class: "bar-of-title" }, el("h3", {}, "Mounts and operations"),
        el("div", { class: "controls" }, choice("Measure of CephFS", [["time", "Time"], ["count", "Number"], ["bytes", "Bytes"]], "time", (by) => { this.by = by; this.draw(); }), showInStacks("ceph_time", "time by function"), showInStacks("ceph_ops", "requests by function"))),
      this.picture, hosts.done, el("h3", {}, "How long they took"), el("p", { class: "lead" }, "Of the whole recording, whatever is chosen."), this.histograms,
      el("h3", {}, "Requests by task"), el("p", { class: "lead" }, "By who sent them: a kernel thread writes back what others wrote."), hosts.tasks);
    this.course = new Course(hosts.course, selection, "Requests without an answer, on average", (value) => value.toPrecision(3));
    this.byMount = this.readHistograms();
    this.makeTables(hosts);
    selection.onChange(() => this.draw());
    this.draw();
  }

  makeTables(hosts) {
    const number = (name, title, text, hint) => ({ name, title, hint, number: true, value: (row) => row[name], text: (row) => (row[name] === null ? "–" : text(row[name])) });
    this.done = new Table(hosts.done, [
      { name: "mount", title: "mount", value: (row) => row.mount, text: (row) => format.shortenPath(row.mount, 40), title_of: (row) => row.mount },
      { name: "op", title: "operation", value: (row) => row.op, text: (row) => row.op, title_of: (row) => WORDS[row.op] || null },
      number("count", "number", format.count), { ...number("ns", "time", format.time), node: (row) => barCell(format.time(row.ns), row.ns, this.most, "io") }, number("mean", "mean", format.time),
      number("median", "median", format.time, "of the whole recording"), number("p99", "99 %", format.time, "of 100 operations 99 took no longer; of the whole recording"),
      number("bytes", "bytes", format.bytes), number("errors", "errors", format.count),
      { name: "reasons", title: "why they failed", when: (rows) => rows.some(({ errors }) => errors), value: (row) => row.errors, text: (row) => [...row.byError].sort((a, b) => b[1] - a[1]).map(([name, count]) => `${name} ${format.count(count)}`).join(", ") },
    ], { caption: "What CephFS's client did", sort: "ns", key: (row) => `${row.mount} ${row.op}`, filter: (row) => `${row.mount} ${row.op}`, filterHint: "filter operations", step: 16 });
    this.tasks = new Table(hosts.tasks, [
      { name: "task", title: "task", value: (row) => row.task, text: (row) => format.shorten(row.task, 48), title_of: (row) => row.task },
      number("count", "requests", format.count), { ...number("ns", "time in them", format.time), node: (row) => barCell(format.time(row.ns), row.ns, this.mostOfTasks, "io") },
      number("read", "read", format.bytes), number("written", "written", format.bytes), number("errors", "errors", format.count),
      { name: "mostly", title: "mostly", value: (row) => row.count, text: (row) => [...row.ops].sort((a, b) => b[1] - a[1]).slice(0, MOST_OPS).map(([name, count]) => `${name} ${format.count(count)}`).join(", ") },
    ], { caption: "Requests of CephFS by task", sort: "ns", key: (row) => row.task, empty: "no request in what is chosen" });
  }

  readHistograms() {
    const { cephHistograms, cephOps } = this.recording, groups = new Map();
    for (const { mount, op, bucket, count } of cephHistograms) {
      const key = `${mount}\0${cephOps[op].name}`;
      if (!count) continue;
      if (!groups.has(key)) groups.set(key, { mount, op: cephOps[op].name, count: 0, buckets: [] });
      groups.get(key).count += count;
      groups.get(key).buckets.push({ bucket, count });
    }
    for (const group of groups.values()) Object.assign(group, quantiles(group.buckets));
    const first = [...groups.values()].sort((a, b) => b.count * b.p95 - a.count * a.p95).slice(0, MOST_HISTOGRAMS);
    this.histograms.replaceChildren(...first.map((group) => histogram(group, group.op, group.mount, format.time)));
    return groups;
  }

  sum() {
    const { ceph, cephOutcomes, cephOps, mounts, epochs, bucketEnds } = this.recording, { epochPasses, bucketPasses } = this.selection;
    const done = new Map(), tasks = new Map(), course = FAMILIES.map(() => new Float64Array(bucketEnds.length + 1));
    const of = (map, key, make) => map.get(key) || map.set(key, make()).get(key);
    for (let i = 0; i < ceph.count; i++) {
      const [epoch, mount, outcome, bucket] = ceph.keys.map((keys) => keys[i]), [count, bytes, ns] = ceph.values.map((values) => values[i]);
      if (!epochPasses[epoch]) continue;
      const { op, error } = cephOutcomes[outcome], { name, direction, request } = cephOps[op], family = FAMILIES.findIndex(([prefix]) => name.startsWith(prefix));
      if (family >= 0) course[family][bucket] += ns;
      if (!bucketPasses[bucket]) continue;
      const row = of(done, `${mount} ${op}`, () => ({ mount: mounts[mount], op: name, count: 0, ns: 0, bytes: 0, errors: 0, byError: new Map() }));
      row.count += count;
      row.ns += ns;
      if (direction) row.bytes += bytes;
      if (error !== null) {
        row.errors += count;
        row.byError.set(error, (row.byError.get(error) || 0) + count);
      }
      if (!request) continue;
      const task = of(tasks, epochs[epoch].task, () => ({ task: epochs[epoch].task, count: 0, ns: 0, read: 0, written: 0, errors: 0, ops: new Map() }));
      task.count += count;
      task.ns += ns;
      if (direction === 1) task.read += bytes;
      if (direction === 2) task.written += bytes;
      if (error !== null) task.errors += count;
      task.ops.set(name, (task.ops.get(name) || 0) + count);
    }
    return [[...done.values()], [...tasks.values()], course];
  }

  draw() {
    const { recording, by } = this, [done, tasks, course] = this.sum();
    for (const row of done) {
      const times = this.byMount.get(`${row.mount}\0${row.op}`);
      Object.assign(row, { mean: row.count ? row.ns / row.count : null, median: times?.median ?? null, p99: times?.p99 ?? null });
    }
    this.most = Math.max(0, ...done.map(({ ns }) => ns));
    this.mostOfTasks = Math.max(0, ...tasks.map(({ ns }) => ns));
    this.done.set(done);
    this.tasks.set(tasks);
    // Their time in a bucket, divided by how long that is, is how many there were at once.
    this.course.draw(FAMILIES.map(([, name, colour], k) => ({ name, colour, values: recording.bucketEnds.map((end, i) => course[k][i] / Math.max(1, end - recording.bucketStarts[i])) })));
    this.drawBars(done, by);
    this.drawLate();
  }

  drawBars(done, by) {
    const field = { time: "ns", count: "count", bytes: "bytes" }[by], text = { time: format.time, count: format.count, bytes: format.bytes }[by], several = this.recording.mounts.length > 1;
    drawBars(this.picture, [...done].filter((row) => row[field] > 0).sort((a, b) => b[field] - a[field]).slice(0, MOST_BARS).map((row) => ({
      name: several ? `${row.op} ${format.shortenPath(row.mount, 24)}` : row.op, title: `${row.op} on ${row.mount}`, value: row[field], text: text(row[field]),
      parts: [{ value: row[field], colour: colourOf(row.op), words: WORDS[row.op] ? `${text(row[field])}: ${WORDS[row.op]}` : text(row[field]) }],
    })), "What CephFS's client did");
  }

  /** A request that nobody answered for long is what one wants to know first. */
  drawLate() {
    const { recording, selection } = this, { inFlight, cephOps, mounts } = recording;
    let oldest = -1;
    for (let i = 0; i < inFlight.count; i++)
      if (selection.bucketPasses[inFlight.keys[2][i]] && (oldest < 0 || inFlight.values[1][i] > inFlight.values[1][oldest])) oldest = i;
    this.late.hidden = oldest < 0 || inFlight.values[1][oldest] < LONG_NS;
    if (this.late.hidden) return;
    const [mount, op, bucket] = inFlight.keys.map((keys) => keys[oldest]);
    this.late.textContent = `A request ${cephOps[op].name} on ${mounts[mount]} was without an answer for ${format.time(inFlight.values[1][oldest])} at ${format.clock(recording.bucketEnds[bucket] ?? recording.end)}, whoever sent it.`;
    this.late.dataset.value = inFlight.values[1][oldest];
  }
}
