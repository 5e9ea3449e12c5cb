// SPDX-License-Identifier: GPL-2.0-or-later
// The data of the page as arrays. docs/INTERNALS.md ("The page's data") says how they are packed.

export const KINDS = ["python", "native", "interpreter", "kernel", "subtask"];
export const KIND_WORDS = {
  python: "Python", native: "C, C++ …", interpreter: "interpreter", kernel: "kernel", subtask: "task or sub-task", none: "no frame",
};
export const [CPU, OFFCPU, IO, CEPH, MEM, ALLOC] = [0, 1, 2, 3, 4, 5];
export const [TIME, BYTES, OPS, LIVE, PEAK] = [0, 1, 2, 3, 4];
/** How many shares a pool of a source has. */
const SHARES = [1, 1, 3, 3, 5, 4];
/** Units of what a quantum used. */
export const [SECONDS, OF_BYTES, NUMBER, RATIO, SHARE] = [0, 1, 2, 3, 4];
/** What samples tell of the file that an operation was on: nothing, one of the same mount and dataset, itself. */
export const [ALONE, BY_MOUNT, BY_FILE] = [0, 1, 2];
/** In the place of a node of the stack tree. */
export const [NO_STACK, NOT_SAMPLED, FIRST_NODE] = [0, 1, 2];

/** A key is the difference to the row before as long as all keys before it are that row's. */
const unpack = (flat, keys, values) => {
  const width = keys + values, count = flat.length / width;
  const rows = {
    count,
    keys: Array.from({ length: keys }, () => new Uint32Array(count)),
    values: Array.from({ length: values }, () => new Float64Array(count)),
  };
  for (let row = 0, at = 0; row < count; row++) {
    let same = row > 0;
    for (let k = 0; k < keys; k++) {
      const step = flat[at++];
      rows.keys[k][row] = same ? rows.keys[k][row - 1] + step : step;
      if (step !== 0) same = false;
    }
    for (let v = 0; v < values; v++) rows.values[v][row] = flat[at++];
  }
  return rows;
};

const chunks = (flat, width) => {
  const list = [];
  for (let i = 0; i < flat.length; i += width) list.push(flat.slice(i, i + width));
  return list;
};

const readProcess = (text) => (row, index) => {
  const [number, pid, comm, command, task, parent, start, end, code, signal, rss, python, otherTasks] = row;
  if (row.length === 1) return { index, many: true, count: number, comm: null, command: null };
  return {
    index, many: false, count: 1, pid, comm: text(comm), command: text(command), task: text(task),
    parent, start, end, code, signal, rss, python: text(python), otherTasks,
  };
};

const readEpoch = (text) => (row, index) => {
  const [process, task, job, rule, start, end, elapsed, user, system, failures, rss, many] = row;
  return {
    index, process, task: text(task), job: text(job), rule: text(rule),
    start, end, elapsed, user, system, failures, rss, many: !!many, quantum: null,
  };
};

const readQuantum = (text) => ([epoch, number, whole, label, kind, id, run, data], index) => ({
  index, epoch, number, whole: !!whole, label: text(label), kind: text(kind), id: text(id), run: text(run), data: text(data),
});

const readFile = (text) => ([kind, path, fs, mount, count, dataset, service, own, read, readHere, asked, distinct], index) => ({
  index, kind: text(kind), path: text(path), fs: text(fs), mount: text(mount), count, dataset: text(dataset), service: text(service), own: !!own, read, readHere, asked, distinct,
});

const readTorn = (text) => ([epoch, path, kind, end, bytes, size, opened, written, ended]) => ({
  epoch, path: text(path) ?? "(unknown)", kind: text(kind), end: text(end), bytes, size, opened, written, ended,
});

const readStacks = (raw, text) => {
  const count = raw.nodes.length / 3;
  const parent = new Int32Array(count), fn = new Int32Array(count), line = new Uint32Array(count);
  for (let i = 0, at = 0; i < count; i++) {
    const distance = raw.nodes[at++];
    parent[i] = distance ? i - distance : -1;
    fn[i] = raw.nodes[at++];
    line[i] = raw.nodes[at++];
  }
  const functions = chunks(raw.functions, 6).map(([kind, loop, name, file, module, first], index) => ({
    index, kind: KINDS[kind], loop: !!loop, name: text(name), file: text(file), module: text(module), line: first,
  }));
  return { count, parent, fn, line, functions };
};

const readPools = (flat) => {
  const pools = [];
  for (let at = 0; at < flat.length;) {
    const [source, epoch, item] = flat.slice(at, at + 3);
    const factors = SHARES[source];
    pools.push({ source, epoch, item, factor: flat.slice(at + 3, at + 3 + factors) });
    at += 3 + factors;
  }
  return pools;
};

export const readRecording = (json) => {
  const raw = JSON.parse(json);
  const text = (index) => (index < 0 ? null : raw.strings[index]);
  const ends = raw.bucket_ends;
  const epochs = raw.epochs.map(readEpoch(text)), quanta = raw.quanta.map(readQuantum(text));
  for (const quantum of quanta) epochs[quantum.epoch].quantum = quantum;
  return {
    meta: raw.meta, complete: raw.complete, end: raw.end_ns, totals: raw.totals,
    recorded: raw.recorded.map(Boolean), processesRecorded: raw.processes_recorded,
    samples: raw.samples, python: raw.python, counters: raw.counters, endings: raw.endings,
    overhead: raw.overhead, folded: raw.folded, version: raw.pipescope,
    processes: raw.processes.map(readProcess(text)),
    epochs, quanta,
    quantumFigures: raw.quantum_figures.map(([name, title, unit, values]) => ({ name: text(name), title: text(title), unit, values })),
    torn: raw.torn.map(readTorn(text)), tornRecorded: raw.torn_recorded,
    files: chunks(raw.files, 12).map(readFile(text)),
    outcomes: raw.outcomes.map(([op, error]) => ({ op, error })),
    classes: raw.classes.map(text),
    ops: raw.ops.map(([name, direction]) => ({ name: text(name), direction })),
    bucketEnds: ends,
    bucketStarts: ends.map((_, i) => (i ? ends[i - 1] : 0)),
    alive: unpack(raw.alive, 2, 1),
    usage: unpack(raw.usage, 2, 1),
    waits: unpack(raw.waits, 3, 2),
    io: unpack(raw.io, 4, 3),
    waitsOn: unpack(raw.waits_on, 3, 2),
    written: unpack(raw.written, 3, 2),
    patterns: unpack(raw.patterns, 3, 4),
    memKinds: raw.mem_kinds.map(text),
    levels: unpack(raw.levels, 2, 4),
    growth: unpack(raw.growth, 3, 2),
    maps: unpack(raw.maps, 2, 2),
    shortages: unpack(raw.shortages, 3, 2),
    cephOps: raw.ceph_ops.map(([name, direction, request]) => ({ name: text(name), direction, request: !!request })),
    cephOutcomes: raw.ceph_outcomes.map(([op, error]) => ({ op, error })),
    mounts: raw.mounts.map((mount) => text(mount) ?? "(unknown)"),
    ceph: unpack(raw.ceph, 4, 3),
    inFlight: unpack(raw.in_flight, 3, 2),
    cephHistograms: chunks(raw.ceph_histograms, 4).map(([mount, op, bucket, count]) => ({ mount: text(mount) ?? "(unknown)", op, bucket, count })),
    histograms: chunks(raw.histograms, 5).map(([op, fs, what, bucket, count]) => ({
      op: text(op), fs: text(fs), what: text(what), bucket, count,
    })),
    pools: readPools(raw.pools),
    sampled: unpack(raw.sampled, 5, 2), sampleFiles: raw.sample_files,
    ...{ stacks: readStacks(raw, text) },
  };
};

/** "main.py:12" where a function begins, or its library. */
export const origin = (fn) => (fn.file ? `${fn.file}${fn.line ? `:${fn.line}` : ""}` : fn.module);

export const isStartUp = (fn) => fn.kind === "python" &&
  /importlib[._/]*_bootstrap(_external)?/.test(fn.file || fn.module);
