// SPDX-License-Identifier: GPL-2.0-or-later
// Where it went: flame graph, icicle, functions and lines.
import { el, byId, select, checkbox, choice, announce, onWidth } from "./dom.js";
import * as format from "./format.js";
import { CEPH, KIND_WORDS, NOT_SAMPLED, origin } from "./recording.js";
import * as model from "./stackmodel.js";
import { Flame } from "./flame.js";
import { Table, barCell } from "./table.js";
import { frameColour } from "./colours.js";

const UNITS = { time: format.time, bytes: format.bytes, count: format.count };

const isSubtask = ({ kind }) => kind === "subtask";

export class Stacks {
  constructor(selection) {
    this.selection = selection;
    this.recording = selection.recording;
    this.options = { metric: "cpu", item: model.NOT_IDLE, files: model.ALL_FILES, view: "icicle", frames: "mixed", by: "function", hideStartUp: false, term: "" };
    this.trees = new Map();
    this.places = new Map();
    this.focus = 0;
    this.build();
    selection.onChange(() => this.refresh());
    document.addEventListener("themechange", () => this.draw());
    document.addEventListener("showmetric", ({ detail }) => this.show(detail));
    onWidth(this.picture, (width) => { if (width !== this.flame.width) this.draw(); });
    this.refresh();
  }

  build() {
    const host = byId("stacks");
    this.itemHost = el("span", { class: "control-host" });
    this.fileHost = el("span", { class: "control-host" });
    this.search = el("input", {
      type: "search", id: "search", placeholder: "function, file or /expression/", "aria-label": "Search frames",
      oninput: (event) => { this.options.term = event.target.value; this.draw(); },
    });
    this.found = el("output", { id: "found", for: "search" });
    this.summary = el("p", { class: "lead", id: "stacks-summary" });
    this.picture = el("div", { id: "flame" });
    this.details = el("div", { id: "frame" });
    this.out = el("button", { type: "button", class: "quiet", id: "zoom-out", onclick: () => this.zoom(0) }, "Zoom out");
    host.append(
      el("h2", { id: "stacks-title" }, "Stacks"),
      el("div", { class: "controls" }, this.metricControl(), this.itemHost, this.fileHost,
        choice("Direction", [["icicle", "Icicle"], ["flame", "Flame graph"]], "icicle", (view) => this.change({ view })),
        choice("Frames", [["mixed", "All frames"], ["python", "Python only"], ["native", "Native only"]], "mixed", (frames) => this.change({ frames })),
        choice("Detail", this.detailChoices(), "function", (by) => this.change({ by })),
        checkbox("Hide imports", false, (hideStartUp) => this.change({ hideStartUp }), { id: "hide-startup" })),
      el("div", { class: "controls searching" }, el("label", { class: "control" }, el("span", {}, "Search"), this.search), this.found, this.out),
      this.summary, this.legend(), this.picture, this.details,
      el("h3", { id: "functions-title" }, "Functions"), el("p", { class: "lead" }, "Estimates from samples. Choose a row to find it in the picture."), el("div", { id: "functions" }));
    this.flame = new Flame(this.picture, {
      label: (at) => this.label(at), tip: (at) => this.tip(at), say: (at) => `${format.shorten(this.tree.frame[at].name, 200)}, ${this.share(at)}`,
      zoom: (at, keep) => this.zoom(at, keep), look: (at) => this.look(at),
    });
    this.table = new Table(byId("functions"), this.columns(), {
      caption: "Functions or lines", sort: "own", filterHint: "filter functions", key: (row) => row.key,
      filter: (row) => `${row.name} ${row.fn ? origin(row.fn) : ""} ${row.line}`,
      choose: (row) => this.searchFor(row.name), step: 15, empty: "nothing of this metric in what is chosen",
    });
  }

  metricControl() {
    const metrics = model.METRICS.filter(({ source }) => this.recording.recorded[source]);
    return select("Weight", metrics.map(({ name, title, group }) => [name, title, group]), "cpu", (metric) => this.weighBy(metric), { id: "metric" });
  }

  weighBy(name) {
    const metric = model.METRICS.find((one) => one.name === name);
    if (metric.source !== this.metric.source) this.drawFiles(metric);
    this.change({ metric: name, item: model.firstItem(metric) });
  }

  /** Asked for by another section: the same figures by function. */
  show(name) {
    byId("metric").value = name;
    this.weighBy(name);
    byId("stacks").scrollIntoView();
    byId("metric").focus({ preventScroll: true });
  }

  detailChoices() {
    const choices = [["function", "By function"], ["line", "By line"]];
    return this.recording.stacks.functions.some(isSubtask) ? [...choices, ["subtask", "By sub-task"]] : choices;
  }

  /** How the tree is made: sub-tasks stand alone, whatever frames are chosen. */
  get shape() {
    const { frames, by, hideStartUp } = this.options;
    return { frames: by === "subtask" ? "subtask" : frames, lines: by === "line", hideStartUp };
  }

  /** Waits by class, operations by name. */
  drawItems() {
    const items = model.itemsOf(this.recording, this.metric);
    if (!items) return this.itemHost.replaceChildren();
    const waits = this.options.metric === "offcpu", kinds = this.options.metric === "rss_growth" || this.metric.timeless;
    const list = [[model.ALL, waits ? "all waiting" : kinds ? "all kinds" : "all operations"], ...[...items].sort().map((name) => [name, name])];
    if (waits) list.unshift([model.NOT_IDLE, "all but idle threads"]);
    if (this.options.item === model.REQUESTS) list[0] = [model.REQUESTS, "all requests"];
    if (this.drawnFor === this.options.metric) return undefined;
    this.drawnFor = this.options.metric;
    return this.itemHost.replaceChildren(select(waits ? "for" : "of", list, this.options.item, (item) => this.change({ item }), { id: "item" }));
  }

  /** Of which files, or mounts; the samples of operations and requests know it. */
  drawFiles(metric) {
    const list = model.filesOf(this.recording, metric).map(([value, name, kind]) => [value, kind === "file" ? format.shortenPath(name, 60) : format.shorten(name, 60), { mount: "Mounts", dataset: "Datasets", file: "Files" }[kind]]);
    this.options.files = model.ALL_FILES;
    this.fileHost.replaceChildren(...(list.length ? [select("in", [[model.ALL_FILES, metric.source === CEPH ? "all mounts" : "all files"], ...list], model.ALL_FILES, (files) => this.change({ files }), { id: "item-files" })] : []));
  }

  legend() {
    const key = (kind, text) => {
      const mark = el("span", { class: "mark", "data-kind": kind });
      return el("li", {}, mark, text);
    };
    this.marks = el("ul", { class: "legend" }, ["python", "native", "interpreter", "kernel", ...(this.recording.stacks.functions.some(isSubtask) ? ["subtask"] : [])].map((kind) => key(kind, KIND_WORDS[kind])));
    return this.marks;
  }

  get metric() { return model.METRICS.find(({ name }) => name === this.options.metric); }

  words(value) { return UNITS[this.metric.unit](value); }

  change(options) {
    Object.assign(this.options, options);
    if ("frames" in options || "by" in options) this.focus = 0;
    this.refresh();
  }

  cached(cache, make) {
    const key = `${this.shape.frames} ${this.shape.lines}`;
    if (!cache.has(key)) cache.set(key, make(this.recording.stacks, this.shape));
    return cache.get(key);
  }

  refresh() {
    const { recording, options } = this;
    if (!this.drawnFor || this.drawnFor !== options.metric) {
      if (!model.itemsOf(recording, this.metric)) this.drawnFor = options.metric;
      this.drawItems();
    }
    this.tree = this.cached(this.trees, model.buildTree);
    this.weights = model.weigh(this.selection, this.metric, options.item, options.files);
    this.values = model.fillTree(this.tree, recording.stacks, this.weights, this.shape);
    if (!(this.values.total[this.focus] > 0)) this.focus = 0;
    const rows = model.fillPlaces(this.cached(this.places, model.buildPlaces), recording.stacks, this.weights, this.shape);
    this.mostOwn = Math.max(0, ...rows.map((row) => row.own));
    byId("functions-title").textContent = { function: "Functions", line: "Lines", subtask: "Sub-tasks" }[options.by];
    this.table.set(rows);
    this.draw();
  }

  label(at) {
    const frame = this.tree.frame[at];
    return frame.line ? `${frame.name} :${frame.line}` : frame.name;
  }

  share(at) {
    const { total } = this.values;
    return `${this.words(total[at])}, ${format.percent(total[at], total[0])} of what is shown`;
  }

  describe(at) {
    const frame = this.tree.frame[at], { values } = this;
    const samples = values.totalSamples[at];
    const lines = [frame.name, this.share(at)];
    if (values.own[at] > 0 && values.own[at] < values.total[at]) lines.push(`itself ${this.words(values.own[at])}`);
    lines.push(frame.fn ? `${KIND_WORDS[frame.kind]} · ${origin(frame.fn)}${frame.line ? ` · line ${frame.line}` : ""}` : frame.meaning || "");
    if (at && frame.name !== "(not sampled)") lines.push(this.metric.timeless ? `exact, of ${format.plural(samples, "place")}` : `an estimate from ${format.plural(samples, "sample")}`);
    return lines;
  }

  /** At the pointer, where the fields below the picture are of another frame: its nearest callers too. */
  tip(at) {
    const callers = [];
    for (let up = this.tree.parent[at]; up > 0 && callers.length < 6; up = this.tree.parent[up]) callers.push(format.shorten(this.label(up), 48));
    return callers.length ? [...this.describe(at), `called by ${callers.slice(0, 5).join(" ‹ ")}${callers.length > 5 ? " …" : ""}`] : this.describe(at);
  }

  find() {
    const { term } = this.options;
    if (!term) return null;
    let fits = (text) => text.toLowerCase().includes(term.toLowerCase());
    const expression = /^\/(.+)\/?$/.exec(term);
    if (expression && term.length > 2) {
      try {
        const pattern = new RegExp(expression[1].replace(/\/$/, ""), "i");
        fits = (text) => pattern.test(text);
      } catch {
        fits = (text) => text.includes(term);
      }
    }
    const known = new Map();
    return this.tree.frame.map((frame, at) => {
      if (!at) return false;
      const key = frame.fn || frame.name;
      if (!known.has(key)) known.set(key, fits(frame.name) || (!!frame.fn && fits(origin(frame.fn))));
      return known.get(key);
    });
  }

  draw() {
    const { values, tree, options } = this;
    for (const mark of this.marks.querySelectorAll(".mark")) mark.style.background = frameColour(mark.dataset.kind, "legend");
    const hits = this.find();
    this.drawFound(hits);
    this.drawSummary();
    this.out.hidden = this.focus === 0;
    this.picture.classList.toggle("nothing", !(values.total[0] > 0));
    this.flame.draw({ tree, values, hits, focus: this.focus, inverted: options.view === "icicle" });
    this.look(this.focus);
  }

  drawFound(hits) {
    if (!hits) {
      this.found.textContent = "";
      this.found.removeAttribute("data-value");
      return;
    }
    const inside = new Uint8Array(this.tree.count);
    let sum = 0, frames = 0;
    for (let at = 1; at < this.tree.count; at++) {
      inside[at] = inside[this.tree.parent[at]];
      if (!hits[at] || !(this.values.total[at] > 0)) continue;
      frames++;
      if (!inside[at]) sum += this.values.total[at];
      inside[at] = 1;
    }
    this.found.textContent = frames
      ? `${this.words(sum)}, ${format.percent(sum, this.values.total[0])} of what is shown, in ${format.plural(frames, "frame")}` : "not found";
    this.found.dataset.value = sum;
    announce(this.found.textContent);
  }

  drawSummary() {
    const { values, weights, options } = this, parts = [];
    const samples = values.totalSamples[0];
    const basis = this.metric.timeless ? `exact, from ${format.plural(samples, "place")} that mapped it` : `shared out over ${format.plural(samples, "sample")}`;
    parts.push(`${this.metric.title}: ${this.words(values.total[0])} of ${this.selection.words()}, ${basis}.`);
    const without = weights.own[NOT_SAMPLED];
    if (options.files !== model.ALL_FILES) parts.push(`Only the ${options.files.replace(/ [^]*/, "")} ${format.shorten(options.files.replace(/^\w+ /, ""), 100)}.`);
    if (without > 0) parts.push(`${this.words(without)} have no sample.`);
    if (this.metric.timeless && this.selection.range) parts.push("Of the whole time: of what was mapped it is not known when.");
    if (values.startUp > 0) parts.push(`${this.words(values.startUp)} of importing modules are hidden.`);
    this.summary.textContent = parts.join(" ");
    this.summary.dataset.value = values.total[0];
  }

  zoom(at, keepFocus) {
    this.focus = at;
    this.draw();
    if (keepFocus) this.flame.focusOn(at);
    announce(`zoomed to ${this.label(at)}`);
  }

  /** All about one frame, below the picture. */
  look(at) {
    const path = [];
    for (let up = at; up >= 0; up = this.tree.parent[up]) path.unshift(up);
    const [name, ...lines] = this.describe(at);
    this.details.replaceChildren(
      el("p", { class: "name" }, name), el("p", {}, lines.filter(Boolean).join(" · ")),
      el("p", { class: "path" }, el("span", { class: "unseen" }, "called by: "), path.map((up, i) => [
        i ? " › " : "",
        el("button", { type: "button", class: "link", onclick: () => this.zoom(up) }, format.shorten(this.label(up), 60)),
      ]).flat()));
    this.details.dataset.at = at;
    this.details.dataset.value = this.values.total[at];
  }

  searchFor(name) {
    this.search.value = this.options.term === name ? "" : name;
    this.options.term = this.search.value;
    this.draw();
    announce(this.found.textContent || "search cleared");
  }

  columns() {
    const total = () => this.values.total[0];
    const place = (row) => (this.shape.lines && row.fn && row.line ? `${row.fn.file || row.fn.module}:${row.line}` : row.fn ? origin(row.fn) : "");
    return [
      { name: "name", title: "function", value: (row) => row.name, text: (row) => format.shorten(row.name, 60), title_of: (row) => row.name },
      { name: "kind", title: "kind", value: (row) => row.kind, text: (row) => KIND_WORDS[row.kind] },
      { name: "own", title: "itself", number: true, hint: "without what it calls; the interpreter's own code counts for its caller", value: (row) => row.own, node: (row) => barCell(this.words(row.own), row.own, this.mostOwn, this.options.metric) },
      { name: "share", title: "of all", number: true, value: (row) => row.own, text: (row) => format.percent(row.own, total()) },
      { name: "total", title: "with callees", number: true, value: (row) => row.total, text: (row) => this.words(row.total) },
      { name: "samples", title: "samples", number: true, hint: "how many samples stand behind “itself”", value: (row) => row.samples, text: (row) => format.count(row.samples) },
      { name: "where", title: "where", wide: true, value: place, text: (row) => format.shortenPath(place(row), 52), title_of: place },
    ];
  }
}
