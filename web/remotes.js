// SPDX-License-Identifier: GPL-2.0-or-later
// The other ends of sockets: who was waited for, and what was sent.
import { el, byId, choice } from "./dom.js";
import * as format from "./format.js";
import { IO } from "./recording.js";
import { Table, barCell } from "./table.js";
import { drawBars } from "./bars.js";
import { directionParts } from "./events.js";

const MOST_BARS = 10;
const METRICS = { waited: ["Waiting", format.time], ns: ["Time", format.time], bytes: ["Bytes", format.bytes], ops: ["Operations", format.count] };

export class Remotes {
  constructor(selection) {
    this.selection = selection;
    this.recording = selection.recording;
    this.metric = "waited";
    this.by = "remote";
    const host = byId("remotes"), sockets = this.recording.files.filter(({ kind }) => kind === "socket");
    host.append(el("h2", { id: "remotes-title" }, "Remotes"));
    if (!this.recording.recorded[IO] || !sockets.length) {
      host.append(el("p", { class: "empty" }, this.recording.recorded[IO] ? "No socket was used." : "Not recorded: the source io was off."));
      return;
    }
    const table = el("div", { id: "remotes-table" }), number = (name, title, text, hint) => ({ name, title, hint, number: true, value: (row) => row[name], text: (row) => text(row[name]) });
    this.picture = el("div", { class: "picture" });
    host.append(el("div", { class: "bar-of-title" }, el("p", { class: "lead" }, "The other ends of sockets. Exact. Waiting is that of threads for them, also in poll; time is from the call to its return."),
      el("div", { class: "controls" }, choice("Remotes by", [["remote", "Remotes"], ["service", "Services"]], "remote", (by) => { this.by = by; this.draw(); }),
        choice("Measure of remotes", Object.entries(METRICS).map(([name, [title]]) => [name, title]), "waited", (metric) => { this.metric = metric; this.draw(); }))),
    this.picture, table);
    this.table = new Table(table, [
      { name: "name", title: "remote or service", wide: true, value: (row) => row.name, text: (row) => format.shorten(row.name, 64), title_of: (row) => row.name },
      { name: "service", title: "service", when: (rows) => this.by === "remote" && rows.some(({ service }) => service), value: (row) => row.service, text: (row) => row.service || "–" },
      { name: "end", title: "end", hint: "own: the address is this node's, as of sockets that listen", when: () => this.by === "remote", value: (row) => row.end, text: (row) => row.end },
      { ...number("waited", "waited", format.time, "by threads, for this remote"), node: (row) => barCell(format.time(row.waited), row.waited, this.most, "") },
      number("waits", "waits", format.count), number("ns", "time", format.time, "in operations"), number("read", "received", format.bytes), number("written", "sent", format.bytes),
      number("ops", "operations", format.count), number("errors", "errors", format.count),
    ], { caption: "Remotes", sort: "waited", key: (row) => row.key, filter: (row) => `${row.name} ${row.service || ""}`, filterHint: "filter remotes", empty: "nothing in what is chosen" });
    selection.onChange(() => this.draw());
    this.draw();
  }

  nameOf(file) {
    if (this.by === "service") return file.service || "(no service)";
    return file.path ?? `(${format.plural(file.count, "other remote")}${file.service ? ` of ${file.service}` : ""})`;
  }

  rows() {
    const { recording, selection } = this, { files, io, waitsOn, outcomes, ops } = recording, rows = new Map();
    const of = (file) => {
      const key = this.by === "service" ? file.service || "" : file.index;
      if (!rows.has(key))
        rows.set(key, { key, name: this.nameOf(file), service: file.service, end: file.own ? "own" : "other", waited: 0, waits: 0, ns: 0, read: 0, written: 0, bytes: 0, ops: 0, errors: 0 });
      return rows.get(key);
    };
    const passes = (epoch, file, bucket) => selection.epochPasses[epoch] && selection.bucketPasses[bucket] && files[file].kind === "socket";
    for (let i = 0; i < io.count; i++) {
      if (!passes(io.keys[0][i], io.keys[1][i], io.keys[3][i])) continue;
      const row = of(files[io.keys[1][i]]), { op, error } = outcomes[io.keys[2][i]], { direction } = ops[op];
      row.ops += io.values[0][i];
      if (direction === 1) row.read += io.values[1][i];
      if (direction === 2) row.written += io.values[1][i];
      row.ns += io.values[2][i];
      if (error !== null) row.errors += io.values[0][i];
    }
    for (let i = 0; i < waitsOn.count; i++) {
      if (!passes(waitsOn.keys[0][i], waitsOn.keys[1][i], waitsOn.keys[2][i])) continue;
      const row = of(files[waitsOn.keys[1][i]]);
      row.waits += waitsOn.values[0][i];
      row.waited += waitsOn.values[1][i];
    }
    for (const row of rows.values()) row.bytes = row.read + row.written;
    return [...rows.values()];
  }

  draw() {
    const rows = this.rows(), { metric } = this, [title, text] = METRICS[metric];
    this.most = Math.max(0, ...rows.map(({ waited }) => waited));
    this.table.set(rows);
    drawBars(this.picture, [...rows].filter((row) => row[metric] > 0).sort((a, b) => b[metric] - a[metric]).slice(0, MOST_BARS).map((row) => ({
      name: format.shorten(row.service && this.by === "remote" ? `${row.service}: ${row.name}` : row.name, 44), title: row.name, value: row[metric], text: text(row[metric]),
      parts: metric === "bytes" ? directionParts(row, text) : [{ value: row[metric], colour: metric === "waited" ? "var(--queue)" : "var(--io)", words: `${title.toLowerCase()}: ${text(row[metric])}` }],
    })), `Remotes by ${title.toLowerCase()}`);
  }
}
