// SPDX-License-Identifier: GPL-2.0-or-later
// What is chosen: a task, a process, a quantum, a range of time; and sums of what was counted over it.

export const IDLE = "idle";

export class Selection {
  constructor(recording) {
    this.recording = recording;
    this.task = null;
    this.process = null;
    this.quantum = null; // its epoch
    this.range = null; // [first bucket, last bucket]
    this.listeners = [];
    this.refresh();
  }

  onChange(listener) { this.listeners.push(listener); }

  set(change) {
    Object.assign(this, change);
    this.refresh();
    for (const listener of this.listeners) listener(this);
  }

  refresh() {
    const { epochs } = this.recording;
    this.epochPasses = Uint8Array.from(epochs, (epoch) =>
      (this.task === null || epoch.task === this.task) &&
      (this.process === null || epoch.process === this.process) &&
      (this.quantum === null || epoch.index === this.quantum) ? 1 : 0);
    const buckets = this.recording.bucketEnds.length;
    // The last one is for what no slice is known of: it lies in no range.
    this.bucketPasses = Uint8Array.from({ length: buckets + 1 }, (_, i) =>
      !this.range || (i >= this.range[0] && i <= this.range[1]) ? 1 : 0);
  }

  get isEverything() { return this.task === null && this.process === null && this.quantum === null && !this.range; }

  /** The chosen time, in nanoseconds. */
  get span() {
    const { bucketStarts, bucketEnds, end } = this.recording;
    return this.range ? [bucketStarts[this.range[0]], bucketEnds[this.range[1]]] : [0, end];
  }

  processName(index) {
    const process = this.recording.processes[index];
    if (process.many) return `${process.count} small processes`;
    return `process ${process.pid} (${process.comm || "?"})`;
  }

  quantumName(index) {
    const { quantum, process } = this.recording.epochs[index];
    return `quantum ${quantum.data || quantum.id || `${quantum.number} of ${this.processName(process)}`}`;
  }

  words() {
    const words = [];
    if (this.task !== null) words.push(`task ${this.task}`);
    if (this.process !== null) words.push(this.processName(this.process));
    if (this.quantum !== null) words.push(this.quantumName(this.quantum));
    if (this.range) words.push(this.span.map((ns) => (ns / 1e9).toFixed(1)).join(" to ") + " s");
    return words.join(", ") || "everything";
  }
}

const clipped = (epoch, [from, to]) => Math.max(0, Math.min(epoch.end, to) - Math.max(epoch.start, from));

/** Exact sums by a key of the epoch: groups(epoch) gives the key, or null for none. */
export const sumUp = (recording, groupOf, bucketPasses, range) => {
  const groups = new Map();
  const at = recording.epochs.map((epoch) => {
    const key = groupOf(epoch);
    if (key === null) return null;
    if (!groups.has(key)) {
      groups.set(key, {
        key, cpu: 0, user: 0, system: 0, waited: 0, idle: 0, waitCount: 0, io: 0, read: 0, written: 0, ops: 0, errors: 0,
        elapsed: 0, failures: 0, quanta: [], rss: null, named: false, job: null, processes: new Set(), classes: new Map(),
        course: new Float64Array(recording.bucketEnds.length),
      });
    }
    return groups.get(key);
  });
  addEpochs(recording, at, range);
  addCounted(recording, at, bucketPasses);
  for (const group of groups.values())
    group.processCount = [...group.processes].reduce((sum, p) => sum + recording.processes[p].count, 0);
  return [...groups.values()];
};

/** Of epochs that are many: how long they lived in the range. */
const livedIn = ({ alive, epochs, bucketStarts, bucketEnds }, [from, to]) => {
  const lived = new Float64Array(epochs.length);
  for (let i = 0; i < alive.count; i++)
    if (bucketStarts[alive.keys[1][i]] >= from && bucketEnds[alive.keys[1][i]] <= to) lived[alive.keys[0][i]] += alive.values[0][i];
  return lived;
};

const addEpochs = (recording, at, range) => {
  const lived = range && livedIn(recording, range);
  for (const epoch of recording.epochs) {
    const group = at[epoch.index];
    if (!group) continue;
    const elapsed = !range ? epoch.elapsed : epoch.many ? lived[epoch.index] : clipped(epoch, range);
    group.elapsed += elapsed;
    if (range && !elapsed) continue;
    group.processes.add(epoch.process);
    group.failures += epoch.failures;
    group.user += epoch.user;
    group.system += epoch.system;
    if (epoch.rss !== null && (group.rss === null || epoch.rss > group.rss)) group.rss = epoch.rss;
    if (epoch.quantum) group.quanta.push(epoch);
    group.named ||= epoch.rule !== null;
    group.job ??= epoch.job;
  }
};

const addCounted = (recording, at, bucketPasses) => {
  const { usage, waits, io, classes, outcomes, ops } = recording;
  for (let i = 0; i < usage.count; i++) {
    const group = at[usage.keys[0][i]], bucket = usage.keys[1][i];
    if (!group) continue;
    if (bucket < group.course.length) group.course[bucket] += usage.values[0][i];
    if (bucketPasses[bucket]) group.cpu += usage.values[0][i];
  }
  for (let i = 0; i < waits.count; i++) {
    const group = at[waits.keys[0][i]], name = classes[waits.keys[1][i]], ns = waits.values[1][i];
    if (!group || !bucketPasses[waits.keys[2][i]]) continue;
    if (name === IDLE) group.idle += ns;
    else group.waited += ns;
    group.waitCount += waits.values[0][i];
    group.classes.set(name, (group.classes.get(name) || 0) + ns);
  }
  for (let i = 0; i < io.count; i++) {
    const group = at[io.keys[0][i]];
    if (!group || !bucketPasses[io.keys[3][i]]) continue;
    const outcome = outcomes[io.keys[2][i]], { direction } = ops[outcome.op];
    group.ops += io.values[0][i];
    if (direction === 1) group.read += io.values[1][i];
    if (direction === 2) group.written += io.values[1][i];
    group.io += io.values[2][i];
    if (outcome.error !== null) group.errors += io.values[0][i];
  }
};

/** One sum over all that is chosen. */
export const sumOfSelection = (selection) => {
  const { recording, epochPasses } = selection;
  const groups = sumUp(recording, (epoch) => (epochPasses[epoch.index] ? "all" : null),
    selection.bucketPasses, selection.range ? selection.span : null);
  return groups[0] || null;
};
