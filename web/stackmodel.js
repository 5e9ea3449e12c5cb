// SPDX-License-Identifier: GPL-2.0-or-later
// Weights of stacks: of what is chosen, in a metric, as a tree and by function or line.
import { FIRST_NODE, NOT_SAMPLED, NO_STACK, CPU, OFFCPU, ALONE, BY_FILE, IO, CEPH, MEM, ALLOC, TIME, BYTES, OPS, LIVE, PEAK, isStartUp } from "./recording.js";
import { IDLE } from "./selection.js";

export const METRICS = [
  { name: "cpu", title: "CPU time", group: "CPU", source: CPU, share: TIME, unit: "time" },
  { name: "offcpu", title: "Waiting time", group: "Waiting", source: OFFCPU, share: TIME, unit: "time" },
  { name: "io_time", title: "Time in file operations", group: "Files", source: IO, share: TIME, unit: "time" },
  { name: "read_bytes", title: "Bytes read", group: "Files", source: IO, share: BYTES, direction: 1, unit: "bytes" },
  { name: "write_bytes", title: "Bytes written", group: "Files", source: IO, share: BYTES, direction: 2, unit: "bytes" },
  { name: "ops", title: "Number of operations", group: "Files", source: IO, share: OPS, unit: "count" },
  { name: "ceph_time", title: "Time of CephFS requests", group: "CephFS", source: CEPH, share: TIME, unit: "time" },
  { name: "ceph_ops", title: "Number of CephFS requests", group: "CephFS", source: CEPH, share: OPS, unit: "count" },
  { name: "ceph_read_bytes", title: "Bytes read from CephFS", group: "CephFS", source: CEPH, share: BYTES, direction: 1, unit: "bytes" },
  { name: "ceph_write_bytes", title: "Bytes written to CephFS", group: "CephFS", source: CEPH, share: BYTES, direction: 2, unit: "bytes" },
  { name: "rss_growth", title: "Growth of memory", group: "Memory", source: MEM, share: BYTES, unit: "bytes" },
  { name: "faults", title: "Page faults", group: "Memory", source: MEM, share: OPS, unit: "count" },
  { name: "mmap_peak", title: "Mapped memory at its peak", group: "Memory", source: MEM, share: PEAK, unit: "bytes", timeless: true },
  { name: "mmap_live", title: "Mapped memory not released", group: "Memory", source: MEM, share: LIVE, unit: "bytes", timeless: true },
  { name: "alloc_bytes", title: "Bytes allocated, in windows", group: "Allocations", source: ALLOC, share: BYTES, unit: "bytes" },
  { name: "alloc_count", title: "Number of allocations, in windows", group: "Allocations", source: ALLOC, share: OPS, unit: "count" },
  { name: "alloc_kept", title: "Bytes not freed in their window", group: "Allocations", source: ALLOC, share: LIVE, unit: "bytes" },
];

export const NOT_IDLE = "(all but idle)";
export const ALL = "(all)";
/** Of CephFS, without what lies around the requests. */
export const REQUESTS = "(requests)";

/** Waits by class, operations and kinds of memory by name; null: the metric has no such parts. */
export const itemsOf = (recording, metric) => {
  if (metric.source === OFFCPU) return recording.classes;
  if (metric.source === MEM && metric.share !== OPS) return recording.memKinds.filter((name) => name !== "fault");
  if (metric.share === BYTES) return null;
  if (metric.source === IO) return recording.ops.map(({ name }) => name);
  return metric.source === CEPH ? recording.cephOps.map(({ name }) => name) : null;
};

export const firstItem = (metric) => (metric.source === OFFCPU ? NOT_IDLE : metric.source === CEPH ? REQUESTS : ALL);

const poolPasses = (selection, metric, item) => {
  const { recording, epochPasses } = selection;
  return Uint8Array.from(recording.pools, (pool) => {
    if (pool.source !== metric.source || !epochPasses[pool.epoch]) return 0;
    if (metric.source === CPU || metric.source === ALLOC) return 1;
    const op = { [IO]: recording.ops, [CEPH]: recording.cephOps }[metric.source]?.[pool.item];
    const name = op ? op.name : (metric.source === OFFCPU ? recording.classes : recording.memKinds)[pool.item];
    if (metric.direction && op.direction !== metric.direction) return 0;
    if (item === ALL) return 1;
    if (item === REQUESTS) return op.request ? 1 : 0;
    return (item === NOT_IDLE ? name !== IDLE : name === item) ? 1 : 0;
  });
};

/** Of all files, or mounts of CephFS; of a mount, a dataset, or one file: "mount /data". */
export const ALL_FILES = "";
const MOST_FILES = 100;

/** What a metric of operations or requests can be narrowed to, the most time first: [value, words, kind] each. */
export const filesOf = (recording, metric) => {
  if (![IO, CEPH].includes(metric.source) || recording.sampleFiles === ALONE) return [];
  const sums = { mount: new Map(), dataset: new Map(), file: new Map() }, { files, io, mounts, ceph } = recording;
  const add = (kind, name, ns) => { if (name) sums[kind].set(name, (sums[kind].get(name) || 0) + ns); };
  for (let i = 0; metric.source === CEPH && i < ceph.count; i++) add("mount", mounts[ceph.keys[1][i]], ceph.values[2][i]);
  for (let i = 0; metric.source === IO && i < io.count; i++) {
    const file = files[io.keys[1][i]], ns = io.values[2][i];
    if (!file) continue;
    add("mount", file.mount, ns);
    add("dataset", file.dataset, ns);
    if (recording.sampleFiles === BY_FILE) add("file", file.path, ns);
  }
  return Object.entries(sums).flatMap(([kind, names]) => [...names].sort((a, b) => b[1] - a[1]).slice(0, MOST_FILES).map(([name]) => [`${kind} ${name}`, name, kind]));
};

const filePasses = ({ files }, chosen) => {
  if (chosen === ALL_FILES) return null;
  const [, kind, name] = /^(\w+) ([^]*)$/.exec(chosen), of = { mount: "mount", dataset: "dataset", file: "path" }[kind];
  return Uint8Array.from([0, ...files.map((file) => (file[of] === name ? 1 : 0))]);
};

/** Own weight and samples of each node, the special ones included. */
export const weigh = (selection, metric, item, chosenFiles = ALL_FILES) => {
  const { recording } = selection, { sampled, pools, stacks } = recording;
  const passes = poolPasses(selection, metric, item);
  const own = new Float64Array(stacks.count + FIRST_NODE), samples = new Float64Array(stacks.count + FIRST_NODE);
  const [pool, share, node, bucket, file] = sampled.keys, [number, weight] = sampled.values;
  const files = [IO, CEPH].includes(metric.source) ? filePasses(recording, chosenFiles) : null;
  for (let i = 0; i < sampled.count; i++) {
    // What was mapped is known of no time.
    if (!passes[pool[i]] || share[i] !== metric.share || !(metric.timeless || selection.bucketPasses[bucket[i]])) continue;
    if (files && !files[file[i]]) continue;
    own[node[i]] += weight[i] * pools[pool[i]].factor[metric.share];
    samples[node[i]] += number[i];
  }
  return { own, samples };
};

const marks = new WeakMap();

/** Nodes that import modules, and all that they call. */
const startUpNodes = (stacks) => {
  if (marks.has(stacks)) return marks.get(stacks);
  const byFunction = stacks.functions.map(isStartUp), marked = new Uint8Array(stacks.count);
  for (let i = 0; i < stacks.count; i++)
    marked[i] = (stacks.fn[i] >= 0 && byFunction[stacks.fn[i]]) || (stacks.parent[i] >= 0 && marked[stacks.parent[i]]) ? 1 : 0;
  marks.set(stacks, marked);
  return marked;
};

const isHidden = (fn, frames) => {
  if (!fn) return false;
  if (frames === "subtask") return fn.kind !== "subtask";
  if (frames === "python") return fn.kind !== "python" && fn.kind !== "subtask";
  if (frames === "native") return fn.kind === "python" || fn.kind === "subtask" || fn.loop;
  return fn.loop;
};

const SPECIAL_NAMES = { [NO_STACK]: "(unknown)", [NOT_SAMPLED]: "(not sampled)" };
const SPECIAL_MEANINGS = {
  "(unknown)": "samples without a stack", "(not sampled)": "counted exactly, but no sample stands for it",
  "(other)": "rare stacks, put together to keep this page small", "(no Python)": "stacks without a Python frame",
  "(only Python)": "stacks without a native frame", "(no sub-task)": "outside of all tasks and sub-tasks that are known by name",
};

/** How what is left of a stack is called when none of its frames is of a kind. */
const NONE_OF_KIND = { python: "(no Python)", native: "(only Python)", subtask: "(no sub-task)" };

const special = (name) => ({ name, kind: "none", meaning: SPECIAL_MEANINGS[name] });

/**
 * The tree that is shown; it depends on no weights. options: frames (mixed, python, native), lines.
 * target: of each node of the recording (and the special ones), its node here. 0 is the root.
 */
export const buildTree = (stacks, { frames, lines }) => {
  const parent = [-1], frame = [{ name: "all", kind: "none", meaning: "everything that is chosen" }], children = new Map();
  const target = new Int32Array(stacks.count + FIRST_NODE);
  const size = stacks.functions.length + 8;
  const hidden = stacks.functions.map((fn) => isHidden(fn, frames));
  const specials = ["(unknown)", "(not sampled)", "(other)", NONE_OF_KIND[frames] || "(only Python)"];
  const child = (of, key, make) => {
    const whole = of * (size * (lines ? 1048576 : 1)) + key;
    let at = children.get(whole);
    if (at === undefined) {
      at = parent.length;
      parent.push(of);
      frame.push(make());
      children.set(whole, at);
    }
    return at;
  };
  const specialChild = (of, number) => child(of, (stacks.functions.length + number) * (lines ? 1048576 : 1), () => special(specials[number]));
  for (const node of [NO_STACK, NOT_SAMPLED]) target[node] = specialChild(0, node);
  for (let i = 0; i < stacks.count; i++) {
    const of = stacks.parent[i] < 0 ? 0 : target[stacks.parent[i] + FIRST_NODE], fn = stacks.fn[i];
    if (fn < 0) {
      target[i + FIRST_NODE] = specialChild(of, 2);
    } else if (hidden[fn]) {
      target[i + FIRST_NODE] = of;
    } else {
      const line = lines ? stacks.line[i] : 0;
      target[i + FIRST_NODE] = child(of, lines ? fn * 1048576 + Math.min(line, 1048575) : fn, () => ({ fn: stacks.functions[fn], name: stacks.functions[fn].name, kind: stacks.functions[fn].kind, line }));
    }
  }
  // What has no frame of the wanted kind is a stack of its own, not nothing.
  const none = specialChild(0, frames === "mixed" ? 0 : 3);
  return { count: parent.length, parent, frame, target, none, children: null };
};

/** Values of a tree's nodes: own and with callees; and what was left out. */
export const fillTree = (tree, stacks, weights, { hideStartUp }) => {
  const own = new Float64Array(tree.count), samples = new Float64Array(tree.count);
  const startUp = hideStartUp ? startUpNodes(stacks) : null;
  let left = 0;
  for (let i = 0; i < weights.own.length; i++) {
    if (!weights.own[i] && !weights.samples[i]) continue;
    if (startUp && i >= FIRST_NODE && startUp[i - FIRST_NODE]) {
      left += weights.own[i];
      continue;
    }
    const at = tree.target[i] || tree.none;
    own[at] += weights.own[i];
    samples[at] += weights.samples[i];
  }
  const total = Float64Array.from(own), totalSamples = Float64Array.from(samples);
  // A parent comes before its children, except for the special node of a kind, which has none.
  for (let i = tree.count - 1; i > 0; i--) {
    total[tree.parent[i]] += total[i];
    totalSamples[tree.parent[i]] += totalSamples[i];
  }
  return { own, samples, total, totalSamples, startUp: left };
};

export const childrenOf = (tree) => {
  if (tree.children) return tree.children;
  const children = Array.from({ length: tree.count }, () => []);
  for (let i = 1; i < tree.count; i++) children[tree.parent[i]].push(i);
  tree.children = children;
  return children;
};

/** Whose own figure a node's is: the interpreter's code runs for its caller, as in the text report. */
const ownersOf = (stacks, frames) => {
  const kind = (i) => (stacks.fn[i] < 0 ? "none" : stacks.functions[stacks.fn[i]].kind);
  const owner = new Int32Array(stacks.count);
  for (let i = 0; i < stacks.count; i++) {
    const up = stacks.parent[i];
    owner[i] = i;
    if (up < 0) continue;
    if (kind(i) === "interpreter" && kind(owner[up]) !== "interpreter") owner[i] = owner[up];
    else if (frames === "python" && kind(i) !== "python" && kind(owner[up]) === "python") owner[i] = owner[up];
  }
  return owner;
};

/** The innermost frame that has a line, -1: none. */
export const linedOf = (stacks) => {
  const lined = new Int32Array(stacks.count);
  for (let i = 0; i < stacks.count; i++)
    lined[i] = stacks.line[i] ? i : stacks.parent[i] < 0 ? -1 : lined[stacks.parent[i]];
  return lined;
};

/** The innermost sub-task around each node, -1: none. */
const subtaskOf = (stacks) => {
  const around = new Int32Array(stacks.count);
  for (let i = 0; i < stacks.count; i++)
    around[i] = stacks.fn[i] >= 0 && stacks.functions[stacks.fn[i]].kind === "subtask" ? i : stacks.parent[i] < 0 ? -1 : around[stacks.parent[i]];
  return around;
};

const NO_SUBTASK = "(no sub-task)";

const subtaskPlaces = (stacks) => {
  const around = subtaskOf(stacks), places = [], index = new Map(), at = new Int32Array(stacks.count);
  for (let i = 0; i < stacks.count; i++) {
    const fn = around[i] < 0 ? null : stacks.functions[stacks.fn[around[i]]];
    const key = stacks.fn[i] < 0 ? "(other)" : fn ? fn.name : NO_SUBTASK; // there may be sub-tasks among the others
    if (!index.has(key)) {
      index.set(key, places.length);
      places.push({ key, fn: key === "(other)" ? null : fn, name: key, kind: fn && key !== "(other)" ? "subtask" : "none", line: 0 });
    }
    at[i] = index.get(key);
  }
  return { places, at, outermost: outermostOf(stacks, at) };
};

/** Places (functions, lines, sub-tasks) of nodes: of each node its place, or -1. */
export const buildPlaces = (stacks, { frames, lines }) => {
  if (frames === "subtask") return subtaskPlaces(stacks);
  const nearest = lines ? linedOf(stacks) : ownersOf(stacks, frames);
  const places = [], index = new Map(), at = new Int32Array(stacks.count);
  for (let i = 0; i < stacks.count; i++) {
    const node = nearest[i];
    const fn = node < 0 ? null : stacks.fn[node] < 0 ? null : stacks.functions[stacks.fn[node]];
    const other = node >= 0 && stacks.fn[node] < 0;
    const line = lines && fn ? stacks.line[node] : 0;
    const key = other ? "(other)" : !fn ? "(no line)" : lines ? `${fn.file || fn.module}\0${line}` : fn.index;
    if (!index.has(key)) {
      index.set(key, places.length);
      places.push({ key, fn, name: fn ? fn.name : key, kind: fn ? fn.kind : "none", line });
    }
    at[i] = index.get(key);
  }
  return { places, at, outermost: outermostOf(stacks, at) };
};

/** A function counts once per stack: where it is outermost. */
const outermostOf = (stacks, at) => {
  const outermost = new Uint8Array(stacks.count);
  for (let i = 0; i < stacks.count; i++) {
    let up = stacks.parent[i];
    while (up >= 0 && at[up] !== at[i]) up = stacks.parent[up];
    outermost[i] = up < 0 ? 1 : 0;
  }
  return outermost;
};

export const fillPlaces = ({ places, at, outermost }, stacks, weights, { frames, lines, hideStartUp }) => {
  const startUp = hideStartUp ? startUpNodes(stacks) : null;
  const rows = places.map((place) => ({ ...place, own: 0, samples: 0, total: 0 }));
  const total = new Float64Array(stacks.count);
  for (let i = stacks.count - 1; i >= 0; i--) {
    const skip = startUp && startUp[i];
    if (!skip) {
      const row = rows[at[i]];
      row.own += weights.own[i + FIRST_NODE];
      row.samples += weights.samples[i + FIRST_NODE];
      total[i] += weights.own[i + FIRST_NODE];
    }
    if (outermost[i]) rows[at[i]].total += total[i];
    if (stacks.parent[i] >= 0) total[stacks.parent[i]] += total[i];
  }
  // What has no line is no place that could call something.
  for (const row of rows) if (row.key === "(no line)" || row.key === NO_SUBTASK) row.total = row.own;
  for (const node of [NO_STACK, NOT_SAMPLED]) {
    const name = node === NOT_SAMPLED ? SPECIAL_NAMES[node] : lines ? "(no line)" : frames === "subtask" ? NO_SUBTASK : SPECIAL_NAMES[node];
    const same = rows.find((row) => row.key === name), own = weights.own[node], samples = weights.samples[node];
    if (same) Object.assign(same, { own: same.own + own, total: same.total + own, samples: same.samples + samples });
    else rows.push({ key: name, name, kind: "none", own, total: own, samples });
  }
  const wanted = (row) => lines || frames === "subtask" || frames === "mixed" || row.kind === "none" || (frames === "python") === (row.kind === "python");
  return rows.filter((row) => (row.total > 0 || row.samples > 0) && wanted(row));
};
