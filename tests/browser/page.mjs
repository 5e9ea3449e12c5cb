// SPDX-License-Identifier: GPL-2.0-or-later
// node tests/browser/page.mjs PIPESCOPE RECORDING PAGE: the page of a recording in a real browser,
// without a network, against `pipescope report --format json`.
//
//   --whole       nothing was put together to save room: rows are compared one by one
//   --times       fails when loading takes more than 3 s or a zoom more than 200 ms
//   --shots DIR   screenshots for people, light and dark, wide and narrow
//
// $CHROMIUM is the browser. Exit status 1 when a check failed.
import { execFileSync } from "node:child_process";
import { createRequire } from "node:module";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

const root = join(dirname(fileURLToPath(import.meta.url)), "../..");
const { chromium } = createRequire(join(root, "web/"))("playwright-core");

const MOST_LOAD_MS = 3000, MOST_ZOOM_MS = 200;
const args = process.argv.slice(2);
const option = (name) => args.includes(name) && args.splice(args.indexOf(name), 1).length > 0;
const whole = option("--whole"), times = option("--times");
const shots = args.includes("--shots") ? args.splice(args.indexOf("--shots"), 2)[1] : null;
const [pipescope, recording, file] = args;

let failures = 0, checks = 0;
const check = (what, fine, more = "") => {
  checks++;
  if (fine) return;
  failures++;
  console.log(`FAIL: ${what} ${more}`);
};
const near = (one, other, part = 1e-6) => Math.abs(one - other) <= Math.max(Math.abs(one), Math.abs(other)) * part + 2e-6;
const equal = (what, page, report, part) => check(what, near(page, report, part), `page ${page}, report ${report}`);

const report = (...options) => JSON.parse(execFileSync(pipescope, ["report", recording, "--format", "json", ...options], { maxBuffer: 1 << 30 }));

/** What of a name cannot be seen is written out on the page. */
const visible = (text) => text.replace(/[\x00-\x1f\x7f-\x9f]/g, (letter) => `\\x${letter.charCodeAt(0).toString(16).padStart(2, "0")}`)
  .replace(/[\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\u061c]/g, (letter) => `\\u{${letter.charCodeAt(0).toString(16)}}`);

const rowsOf = (page, table) => page.evaluate((selector) => [...document.querySelectorAll(`${selector} tbody tr[data-key]`)].map((row) =>
  Object.fromEntries([["key", row.dataset.key], ...[...row.cells].flatMap((cell) => [[cell.dataset.column, cell.dataset.value === undefined ? cell.textContent : Number(cell.dataset.value)],
    [`${cell.dataset.column} title`, cell.title]])])), table);

/** Until a table shows all that it has. */
const showAll = async (page, table) => {
  for (;;) {
    const button = page.locator(`${table} .more button`, { hasText: /more/ });
    if (!await button.count()) return;
    await button.first().evaluate((element) => element.click());
  }
};

/** Rows by name, those of one name added up. */
const byName = (rows, nameOf, valuesOf) => {
  const sums = new Map();
  for (const row of rows) {
    const name = nameOf(row), values = valuesOf(row), before = sums.get(name);
    sums.set(name, before ? before.map((value, i) => value + values[i]) : values);
  }
  return sums;
};

const compare = (what, page, wanted, part) => {
  check(`${what}: there are rows`, wanted.size > 0);
  for (const [name, values] of wanted) {
    const shown = page.get(name);
    if (values.every((value) => !value)) continue;
    check(`${what}: '${name.slice(0, 60)}' is there`, shown);
    if (shown) values.forEach((value, i) => equal(`${what}: '${name.slice(0, 60)}' value ${i}`, shown[i], value, part));
  }
};

const compareTasks = async (page, filters = []) => {
  await showAll(page, "#tasks-table");
  const rows = await rowsOf(page, "#tasks-table");
  const wanted = report("--by", "task", ...filters).rows;
  compare(`tasks ${filters}`, byName(rows, (row) => row.key, (row) => [row.cpu / 1e9, row.waited / 1e9, row.read, row.written, row.ops, row.errors]),
    byName(wanted, (row) => visible(row.task), (row) => [row.cpu_s, row.offcpu_s - (row.wait.idle || 0), row.read_bytes, row.write_bytes, row.op_count, row.error_count]));
  if (!filters.length)
    compare("tasks' processes", byName(rows, (row) => row.key, (row) => [row.processes, row.elapsed / 1e9, row.failures]),
      byName(wanted, (row) => visible(row.task), (row) => [row.processes, row.elapsed_s, row.failures]));
};

/** Of each metric of the stacks the report's field, and how much of the page's unit one of it is. */
const METRICS = {
  cpu: ["cpu_s", 1e9], offcpu: ["offcpu_s", 1e9], io_time: ["io_s", 1e9], read_bytes: ["read_bytes", 1], write_bytes: ["write_bytes", 1], ops: ["op_count", 1],
  ceph_time: ["ceph_s", 1e9], ceph_ops: ["ceph_op_count", 1], ceph_read_bytes: ["ceph_read_bytes", 1], ceph_write_bytes: ["ceph_write_bytes", 1],
  rss_growth: ["rss_growth_bytes", 1], faults: ["fault_count", 1], mmap_live: ["mmap_live_bytes", 1], mmap_peak: ["mmap_peak_bytes", 1],
};

const compareFunctions = async (page, metric, filters = [], by = "function") => {
  await showAll(page, "#functions");
  const rows = await rowsOf(page, "#functions"), kinds = { python: "Python", native: "C, C++ …", interpreter: "interpreter", kernel: "kernel", subtask: "task or sub-task" };
  const [field, unit] = METRICS[metric];
  const wanted = report("--by", by, "--metric", metric, ...filters).rows.filter((row) => row[field] > 0 || row.total[field] > 0);
  const nameOf = by === "subtask" ? (row) => row["name title"] : by === "line" ? (row) => (row["where title"] || row.key) : (row) => `${row["name title"]} ${row.kind}`;
  const wantedName = by === "subtask" ? (row) => (row.subtask === null || row.subtask === "(unknown)" ? "(no sub-task)" : visible(row.subtask)) : by === "line" ? (row) => (row.line_file === null ? row.line : visible(`${row.line_file}:${row.line.split(":").pop()}`)) : (row) => `${visible(row.function)} ${kinds[row.kind] || "no frame"}`;
  compare(`${by}s by ${metric} ${filters}`, byName(rows, nameOf, (row) => [row.own / unit, row.total / unit]), byName(wanted, wantedName, (row) => [row[field], row.total[field]]));
};

/** What the stacks of a metric can be narrowed to, "mount /data" …; nothing of it is chosen first. */
const narrowings = async (page, metric) => {
  await page.selectOption("#metric", metric);
  return page.locator("#item-files option").evaluateAll((list) => list.map((one) => one.value));
};

/** Stacks of CephFS's requests on a mount. */
const compareMountsOfStacks = async (page) => {
  const options = await narrowings(page, "ceph_time");
  check("requests can be narrowed to mounts alone", options.length > 1 && options.slice(1).every((value) => value.startsWith("mount ")), options.length);
  for (const metric of ["ceph_time", "ceph_read_bytes"]) {
    await page.selectOption("#metric", metric);
    await page.selectOption("#item-files", "mount /sdf/data");
    if (whole) await compareFunctions(page, metric, ["--where", "mount=/sdf/data"]);
  }
  return page.selectOption("#item-files", "");
};

/** Stacks of operations in a mount, of a dataset, on one file. */
const compareFilesOfStacks = async (page) => {
  const options = await narrowings(page, "io_time");
  if (!whole && !options.length)
    return check("the head tells that files were left out of stacks", (await page.locator("#missing").innerText()).includes("not known by file"));
  check("operations can be narrowed to mounts and datasets", ["mount", "dataset"].every((kind) => options.some((value) => value.startsWith(kind))), options.length);
  for (const metric of ["io_time", "read_bytes"])
    for (const kind of ["mount", "dataset", "file"]) {
      // As a pattern it says no more than the name does; and samples have it.
      const value = options.filter((one) => one.startsWith(`${kind} `) && /^[\w./ ]+$/.test(one)).slice(0, 20)
        .find((one) => report("--by", "function", "--metric", metric, "--where", one.replace(" ", "=")).rows.length);
      if (!value) continue;
      await page.selectOption("#metric", metric);
      await page.selectOption("#item-files", value);
      if (whole) await compareFunctions(page, metric, ["--where", value.replace(" ", "=")]);
    }
  check("single files are among them", !whole || options.some((value) => value.startsWith("file ")));
  return page.selectOption("#item-files", "");
};

const compareEvents = async (page, filters = []) => {
  await showAll(page, "#waits");
  compare(`waits ${filters}`, byName(await rowsOf(page, "#waits"), (row) => row.key, (row) => [row.time / 1e9, row.count]),
    byName(report("--by", "wait", ...filters).rows, (row) => visible(row.wait), (row) => [row.offcpu_s, row.wait_count]));
  await showAll(page, "#files");
  const tables = await page.evaluate(() => [...document.querySelectorAll("#files .table")].length);
  check("files, mounts and operations have a table", tables === 3, tables);
  const rows = (number) => page.evaluate((n) => [...document.querySelectorAll("#files .table")[n].querySelectorAll("tbody tr[data-key]")].map((row) =>
    [row.cells[0].title || row.cells[0].textContent, ...["ns", "read", "written", "ops", "errors"].map((name) => Number(row.querySelector(`[data-column="${name}"]`).dataset.value))]), number);
  const figures = ([, ns, ...others]) => [ns / 1e9, ...others];
  const wanted = (row) => [row.io_s, row.read_bytes, row.write_bytes, row.op_count, row.error_count];
  compare(`operations ${filters}`, byName(await rows(2), ([name]) => name, figures), byName(report("--by", "op", ...filters).rows, (row) => visible(row.op), wanted));
  compare(`mounts ${filters}`, byName((await rows(1)).filter(([name]) => name.startsWith("/")), ([name]) => name, figures),
    byName(report("--by", "mount", ...filters).rows.filter((row) => row.mount), (row) => visible(row.mount), wanted));
  if (whole)
    compare(`files ${filters}`, byName(await rows(0), ([name]) => name, figures), byName(report("--by", "file", ...filters).rows.filter((row) => row.file), (row) => visible(row.file), wanted));
};

/** A table of the page against a report: columns and fields in the same order, in the page's unit. */
const compareTable = async (page, table, what, filters, { by, key = by, name, wantedName, columns, fields, rows = null, keep = () => true }) => {
  await showAll(page, table);
  compare(`${what} ${filters}`, byName(await rowsOf(page, table), name, (row) => columns.map((column) => (typeof row[column] === "number" ? row[column] : 0))),
    byName((rows || report("--by", by, ...filters).rows).filter((row) => row[key] !== null && keep(row)), wantedName || ((row) => visible(row[key])), (row) => fields.map((field) => (typeof field === "function" ? field(row) : row[field]))));
};

const ns = (field) => (row) => row[field] * 1e9;
/** Names of the first column; a table that can be chosen from has a button there. */
const titled = (column) => (row) => row[`${column} title`] || row[column];

const compareRemotes = async (page, filters = []) => {
  const columns = ["waited", "waits", "ns", "read", "written", "ops", "errors"], fields = [ns("waited_s"), "waited_count", ns("io_s"), "read_bytes", "write_bytes", "op_count", "error_count"];
  await compareTable(page, "#remotes-table", "remotes", filters, { by: "remote", name: titled("name"), columns, fields });
  await page.click('[data-choice="service"]');
  await compareTable(page, "#remotes-table", "services", filters, { by: "service", name: titled("name"), columns, fields });
  await page.click('[data-choice="remote"]');
};

const compareCeph = async (page, filters = []) => {
  await compareTable(page, "#ceph-done", "CephFS", filters, { by: "mount,ceph", key: "ceph", name: (row) => `${titled("mount")(row)} ${row.op}`, wantedName: (row) => visible(`${row.mount} ${row.ceph}`),
    columns: ["ns", "count", "bytes", "errors"], fields: [ns("ceph_s"), "ceph_op_count", (row) => row.ceph_read_bytes + row.ceph_write_bytes, "ceph_error_count"] });
  await compareTable(page, "#ceph-tasks", "CephFS's tasks", filters, { by: "task", name: titled("task"), columns: ["ns", "count", "read", "written", "errors"],
    fields: [ns("ceph_s"), "ceph_op_count", "ceph_read_bytes", "ceph_write_bytes", "ceph_error_count"] });
};

const compareMemory = async (page, filters = [], timeless = true) => {
  const kind = (name) => (row) => row.rss_growth[name] || 0;
  await compareTable(page, "#memory-table", "memory", filters, { by: "task", name: titled("name"), columns: ["grown", "anonymous", "file", "faults"].concat(timeless ? ["live", "peak"] : []),
    fields: ["rss_growth_bytes", kind("anonymous"), kind("file"), "fault_count"].concat(timeless ? ["mmap_live_bytes", "mmap_peak_bytes"] : []) });
};

const compareShortages = async (page) => {
  const wanted = report("--by", "task").memory_shortages.map((row) => [row.oom_kills, row.reclaims, row.reclaimed_bytes].join()).sort();
  await showAll(page, "#memory-shortages");
  const shown = (await rowsOf(page, "#memory-shortages")).map((row) => [row.kills, row.times, row.bytes].join()).sort();
  check("somebody was short of memory", wanted.length > 0);
  check("who was short of memory", !whole || shown.join("|") === wanted.join("|"), `${shown} for ${wanted}`);
};

const compareStorage = async (page, filters = []) => {
  const orders = ["reads_sequential", "reads_strided", "reads_random"], again = filters.length ? [] : ["read_again_estimated"];
  await compareTable(page, "#datasets-table", "datasets", filters, { by: "dataset", name: (row) => row.dataset,
    columns: ["ns", "read", "written", "ops", "errors", "filesWritten", "size"].concat(filters.length ? [] : ["filesRead", "readHere", "again"]),
    fields: [ns("io_s"), "read_bytes", "write_bytes", "op_count", "error_count", "files_written", (row) => row.file_size_bytes || 0].concat(filters.length ? [] : ["files_read", "files_read_written_here", ...again]) });
  await compareTable(page, "#order-table", "order of reads", filters, { by: "file", name: titled("path"), columns: ["sequential", "strided", "random"].concat(filters.length ? [] : ["again"]), fields: [...orders, ...again], keep: (row) => row.file_kind === "file" && row.reads_sequential + row.reads_strided + row.reads_random > 0 });
  const { rows } = report("--by", "task,op", ...filters);
  await compareTable(page, "#storms-table", "storms", filters, { by: "task,op", key: "op", rows, name: (row) => `${titled("task")(row)} ${row.what}`, wantedName: (row) => visible(`${row.task} stats`), columns: ["ops", "ns"], fields: ["op_count", ns("io_s")],
    keep: (row) => row.op === "stat" && row.op_count >= 2000 });
};

const compareOthers = async (page, filters) => {
  await compareRemotes(page, filters);
  await compareCeph(page, filters);
  await compareStorage(page, filters);
};

const milliseconds = async (page, action) => page.evaluate(async (code) => {
  const before = performance.now();
  new Function(code)();
  await new Promise((done) => requestAnimationFrame(() => setTimeout(done)));
  return performance.now() - before;
}, action);

const sections = {
  async head(page) {
    const { quality, recording: meta, overhead } = report("--by", "task");
    const text = await page.locator("#head").innerText();
    check("the head names the node", text.includes(visible(meta.node)), text.slice(0, 100));
    check("the head tells the samples", text.includes(quality.samples.toLocaleString("en-US")));
    check("the head tells the cost", text.includes(`${overhead.cpu_percent.toFixed(2)} %`));
    const kills = report("--by", "task").memory_shortages.reduce((sum, one) => sum + one.oom_kills, 0);
    check("the head tells of kills", !kills || (await page.locator("#killed").innerText()).includes(`killed ${kills} process`));
    for (const [name, value] of Object.entries(quality.counters))
      if (name.startsWith("lost_") && value) check(`the head tells of ${name}`, (await page.locator("#missing").innerText()).includes(value.toLocaleString("en-US")));
  },

  async numbers(page) {
    await compareTasks(page);
    await compareEvents(page);
    const cpu = report("--by", "task").recording;
    equal("CPU time of the stacks", Number(await page.locator("#stacks-summary").getAttribute("data-value")) / 1e9, cpu.cpu_s);
    equal("CPU time of the whole", Number(await page.locator('[data-tile="cpu"]').getAttribute("data-value")) / 1e9, cpu.cpu_s);
    if (whole) await compareFunctions(page, "cpu");
  },

  async metrics(page) {
    const { rows } = report("--by", "task");
    for (const metric of Object.keys(METRICS).filter((name) => name !== "cpu")) {
      const [field, unit] = METRICS[metric];
      await page.selectOption("#metric", metric);
      if (await page.locator('#item option[value="(all)"]').count()) await page.selectOption("#item", "(all)");
      equal(`stacks by ${metric}`, Number(await page.locator("#stacks-summary").getAttribute("data-value")), rows.reduce((sum, row) => sum + row[field] * unit, 0), 1e-5);
      if (whole) await compareFunctions(page, metric);
    }
    await compareFilesOfStacks(page);
    await page.selectOption("#metric", "offcpu");
    const waits = report("--by", "wait").rows.filter((row) => row.offcpu_s > 0);
    await page.selectOption("#item", waits[0].wait);
    equal("stacks of one class of waits", Number(await page.locator("#stacks-summary").getAttribute("data-value")) / 1e9, waits[0].offcpu_s, 1e-5);
    await page.selectOption("#metric", "cpu");
  },

  async lines(page) {
    await page.click('[data-choice="line"]');
    if (whole) await compareFunctions(page, "cpu", [], "line");
    await page.click('[data-choice="function"]');
  },

  async subtasks(page) {
    await page.click('[data-choice="subtask"]');
    const kinds = await page.evaluate(() => [...new Set([...document.querySelectorAll("#flame g.frame")].map((frame) => frame.dataset.kind))].sort().join());
    check("only sub-tasks are drawn", kinds === "none,subtask", kinds);
    if (whole) await compareFunctions(page, "cpu", [], "subtask");
    await page.click('[data-choice="function"]');
  },

  async others(page) {
    await compareRemotes(page);
    await compareCeph(page);
    await compareMemory(page);
    await compareShortages(page);
    const late = await page.locator("#ceph-late").getAttribute("data-value"), { ceph_in_flight: inFlight, ceph_histograms: histograms } = report("--by", "task");
    equal("the oldest request without an answer", Number(late) / 1e9, Math.max(...inFlight.map(({ oldest_s: age }) => age)));
    const [first] = await rowsOf(page, "#ceph-done"), buckets = histograms.filter((one) => one.ceph === first.op && visible(one.mount) === titled("mount")(first));
    const half = buckets.reduce((sum, { count }) => sum + count, 0) / 2;
    let before = 0;
    const median = buckets.sort((a, b) => a.bucket_start - b.bucket_start).find(({ count }) => (before += count) >= half);
    check("the median lies in its bucket", first.median >= median.bucket_start && first.median <= median.bucket_start * 2, `${first.median} in ${median.bucket_start}`);
    if (whole) await compareStorage(page);
  },

  async torn(page) {
    const name = (file, end) => `${file} ${end}`, ends = { 9: "SIGKILL" };
    await compareTable(page, "#torn-table", "torn files", [], { key: "file", rows: report("--by", "torn").torn, name: (row) => name(titled("path")(row), row.end),
      wantedName: (row) => name(visible(row.file), row.cause === "oom" ? "out of memory" : row.cause === "exit" ? `exit ${row.exit_code}` : ends[row.signal]),
      columns: ["bytes", "size", "pid", "ended", "before"], fields: ["written_bytes", "size_bytes", "pid", ns("end_s"), (row) => (row.end_s - row.last_write_s) * 1e9] });
  },

  /** What each task's quanta used, and one of them alone. */
  async quanta(page) {
    await page.click('[data-choice="quanta"]');
    await showAll(page, "#quanta-table");
    const rows = await rowsOf(page, "#quanta-table"), wanted = report("--by", "quantum").rows.filter((row) => row.dataid);
    const nameOf = (row) => visible(typeof row.dataid === "string" ? row.dataid : Object.entries(row.dataid).map(([field, value]) => `${field}=${value}`).join(" "));
    if (whole)
      compare("quanta", byName(rows, (row) => row["quantum title"].split(" · ")[0], (row) => [row.cpu / 1e9, row.elapsed / 1e9, row.waited / 1e9, row.rss_peak_bytes, row.run_queue_s, row.threads, row.minor_faults, row.ipc]),
        byName(wanted, nameOf, (row) => [row.cpu_s, row.elapsed_s, row.offcpu_s - (row.wait.idle || 0), row.rss_peak_bytes, row.run_queue_s, row.threads, row.minor_faults, row.ipc]));
    const shown = new Set(rows.map((row) => row["quantum title"].split(" · ")[0]));
    const [one] = wanted.filter((row) => shown.has(nameOf(row)) && /^visit=\d+ detector=\d+$/.test(nameOf(row))), visit = nameOf(one).split(" ")[0];
    await page.click(`#quanta-table tbody tr .pick:text-is("${nameOf(one)}")`);
    check("a quantum is chosen", (await page.locator("#selection").innerText()).includes(visit));
    equal("CPU time of a quantum", Number(await page.locator('[data-tile="cpu"]').getAttribute("data-value")) / 1e9, one.cpu_s);
    if (whole) await compareFunctions(page, "cpu", ["--where", `quantum=${visit}`]);
    await compareEvents(page, ["--where", `quantum=${visit}`]);
    await compareMemory(page, ["--where", `quantum=${visit}`]);
    await page.click("#everything");
    await page.click('[data-choice="tasks"]');
  },

  /** The distributions of a task's quanta. */
  async spreads(page) {
    if (!whole) return; // not all quanta are there one by one
    const task = report("--by", "task").rows.find((row) => row.quantum_elapsed_s_count > 1 && /^[\w.]+$/.test(row.task));
    const shown = (await rowsOf(page, "#tasks-table")).find((row) => row.key === task.task);
    equal("median of quanta", shown.each / 1e9, task.quantum_elapsed_median_s);
    equal("number of quanta", shown.quanta, task.quanta);
    await page.click(`#tasks-table tr[data-key="${task.task}"] .pick`);
    await showAll(page, "#quanta-figures");
    const rows = await rowsOf(page, "#quanta-figures");
    check("there are figures of quanta", rows.length > 10, rows.length);
    for (const row of rows)
      for (const [column, part] of [["count", "count"], ["mean", "mean"], ["median", "median"], ["p95", "p95"], ["most", "max"]])
        equal(`${column} of quanta's ${row.key}`, row[column], task[`quantum_${row.key}_${part}`]);
    await page.click("#everything");
  },

  /** Curves are the report's figures of slices. */
  async curves(page) {
    const { rows, recording: { elapsed_s: elapsed } } = report("--by", "time,mount"), curve = async (start) => (await rowsOf(page, "#curves")).filter((row) => row.plot.startsWith(start));
    const sums = (list) => [list.reduce((sum, row) => sum + row.mean, 0)];
    for (const [by, key, wanted] of [["mount", "mount", rows], ["task", "task", report("--by", "time,task,mount").rows], ["dataset", "dataset", report("--by", "time,dataset").rows]]) {
      await page.selectOption("#storage-by", by);
      await showAll(page, "#curves");
      const shown = (await curve("Files")).filter(({ name }) => !/^\d+ more/.test(name)), named = new Map(shown.map((row) => [row["name title"], row]));
      const bytes = byName(wanted.filter((row) => row[key] !== null && (by === "dataset" || row.mount !== null)), (row) => visible(row[key]), (row) => [row.read_bytes + row.write_bytes]);
      check(`there are curves by ${by}`, shown.length > 1);
      for (const [name, [sum]] of bytes) if (named.has(name)) equal(`bytes by ${by}: ${name.slice(0, 30)}`, named.get(name).mean * elapsed, sum, 1e-5);
      if (by === "mount" && whole)
        for (const [name, row] of named) equal(`highest rate of ${name}`, row.most, Math.max(...rows.filter((one) => one.mount === name).map((one) => one.read_bytes_per_s + one.write_bytes_per_s)), 1e-5);
    }
    await page.selectOption("#storage-by", "direction");
    const levels = report("--by", "task").memory_levels.map((row) => row.anonymous_bytes + row.file_bytes + row.shared_bytes);
    equal("mean resident memory", sums(await curve("Resident memory"))[0], levels.reduce((sum, value) => sum + value / levels.length, 0), 1e-5);
  },

  async frames(page) {
    const kinds = () => page.evaluate(() => [...new Set([...document.querySelectorAll("#flame g.frame")].map((frame) => frame.dataset.kind))].sort().join());
    check("all kinds of frames are drawn", (await kinds()).includes("kernel") && (await kinds()).includes("python"), await kinds());
    await page.click('[data-choice="python"]');
    check("only Python frames are drawn", !/native|kernel|interpreter/.test(await kinds()), await kinds());
    const all = Number(await page.locator("#stacks-summary").getAttribute("data-value"));
    await page.click('[data-choice="native"]');
    check("no Python frames are drawn", !(await kinds()).includes("python"), await kinds());
    equal("native only has the same total", Number(await page.locator("#stacks-summary").getAttribute("data-value")), all);
    await page.click('[data-choice="mixed"]');
    await page.check("#hide-startup");
    const without = Number(await page.locator("#stacks-summary").getAttribute("data-value"));
    check("hiding imports hides something", without < all, `${without} of ${all}`);
    check("no import is drawn", !await page.locator('#flame g.frame[aria-label^="_find_and_load,"]').count());
    await page.uncheck("#hide-startup");
    await page.click('[data-choice="flame"]');
    const lower = await page.evaluate(() => document.querySelector('#flame g.frame[data-at="0"]').getBoundingClientRect().top > document.querySelector('#flame g.frame[aria-level="2"]').getBoundingClientRect().top);
    check("a flame graph stands on its root", lower);
    await page.click('[data-choice="icicle"]');
  },

  async search(page) {
    const name = (await rowsOf(page, "#functions")).find((row) => row["name title"].startsWith("function_") || /^[A-Za-z_]\w+$/.test(row["name title"]))["name title"];
    await page.fill("#search", name);
    await page.waitForSelector("#found[data-value]");
    const [sum, all] = await page.evaluate(() => [Number(document.querySelector("#found").dataset.value), Number(document.querySelector("#stacks-summary").dataset.value)]);
    check("what was searched for has a part of all", sum > 0 && sum <= all * 1.000001, `${name}: ${sum} of ${all}`);
    check("the share is told", (await page.locator("#found").innerText()).includes("%"));
    await page.fill("#search", "/[broken/");
    await page.fill("#search", "no such function anywhere");
    check("nothing is found", (await page.locator("#found").innerText()) === "not found");
    await page.fill("#search", "");
  },

  async zoom(page) {
    const target = await page.evaluate(() => [...document.querySelectorAll('#flame g.frame[aria-level="3"]')].sort((a, b) => b.dataset.value - a.dataset.value)[0].dataset.at);
    const value = await page.locator(`#flame g.frame[data-at="${target}"]`).getAttribute("data-value");
    await page.locator(`#flame g.frame[data-at="${target}"]`).click({ position: { x: 2, y: 5 } });
    const [width, all, shown] = await page.evaluate((at) => [document.querySelector(`#flame g.frame[data-at="${at}"] rect`).getBoundingClientRect().width, document.querySelector("#flame").clientWidth, document.querySelector("#frame").dataset.value], target);
    check("what was clicked has the whole width", Math.abs(width - all) < 2, `${width} of ${all}`);
    check("its figures are told", shown === value, `${shown}, not ${value}`);
    await page.click("#zoom-out");
    check("the whole is back", !await page.locator("#zoom-out").isVisible());
  },

  async keyboard(page) {
    await page.focus('#flame g.frame[data-at="0"]');
    await page.keyboard.press("ArrowDown");
    await page.keyboard.press("ArrowDown");
    const level = await page.evaluate(() => document.activeElement.getAttribute("aria-level"));
    check("arrow keys go inwards", level === "3", level);
    const at = await page.evaluate(() => document.activeElement.dataset.at);
    check("the frame's figures are told", await page.locator("#frame").getAttribute("data-at") === at);
    await page.keyboard.press("Enter");
    check("Enter zooms", await page.locator("#zoom-out").isVisible());
    check("the focus stays", await page.evaluate(() => document.activeElement.dataset.at) === at);
    await page.keyboard.press("Escape");
    check("Escape zooms out", !await page.locator("#zoom-out").isVisible());
    await page.keyboard.press("ArrowDown");
    const first = await page.evaluate(() => document.activeElement.dataset.at);
    await page.keyboard.press("ArrowRight");
    check("right goes to the neighbour", await page.evaluate(() => document.activeElement.dataset.at) !== first);
    await page.keyboard.press("ArrowUp");
    check("up goes outwards", await page.evaluate(() => document.activeElement.dataset.at) === "0");
    check("every control has a name", await page.evaluate(() => [...document.querySelectorAll("button, input, select")].every((one) => one.textContent.trim() || one.getAttribute("aria-label") || one.closest("label"))));
    await page.focus("#tasks-table th button");
    await page.keyboard.press("Enter");
    check("a table is sorted by the keyboard", await page.locator('#tasks-table thead th[data-column="task"]').getAttribute("aria-sort") === "descending");
  },

  async sort(page) {
    const values = async () => (await rowsOf(page, "#tasks-table")).map((row) => row.read);
    await page.click('#tasks-table th[data-column="read"] button');
    const down = await values();
    check("sorted by bytes read, descending", down.every((value, i) => !i || value <= down[i - 1]));
    await page.click('#tasks-table th[data-column="read"] button');
    const up = await values();
    check("sorted by bytes read, ascending", up.every((value, i) => !i || value >= up[i - 1]));
    await page.fill("#tasks-table .filter input", (await rowsOf(page, "#tasks-table"))[0].key.slice(0, 5));
    check("the filter keeps what fits", (await rowsOf(page, "#tasks-table")).length >= 1);
    await page.fill("#tasks-table .filter input", "no such task anywhere");
    check("the filter drops what does not", !(await rowsOf(page, "#tasks-table")).length);
    await page.fill("#tasks-table .filter input", "");
    await page.click('#tasks-table th[data-column="cpu"] button');
  },

  async choosing(page) {
    const rows = report("--by", "task", "--where", "task=*").rows, task = rows.find((row) => /^[\w.]+$/.test(row.task)).task;
    await page.click(`#tasks-table tr[data-key="${task}"] .pick`);
    equal(`CPU time of ${task}`, Number(await page.locator('[data-tile="cpu"]').getAttribute("data-value")) / 1e9, rows.find((row) => row.task === task).cpu_s);
    if (whole) await compareFunctions(page, "cpu", ["--where", `task=${task}`]);
    await compareEvents(page, ["--where", `task=${task}`]);
    if (whole) await compareOthers(page, ["--where", `task=${task}`]);
    await compareMemory(page, ["--where", `task=${task}`]);
    check("what is chosen is told", (await page.locator("#selection").innerText()).includes(task));
    await page.click('[data-choice="processes"]');
    await showAll(page, "#processes-table");
    if (whole)
      compare("processes of a task", byName(await rowsOf(page, "#processes-table"), (row) => String(row.pid), (row) => [row.cpu / 1e9, row.waited / 1e9, row.read]),
        byName(report("--by", "process", "--where", `task=${task}`).rows, (row) => String(row.pid), (row) => [row.cpu_s, row.offcpu_s - (row.wait.idle || 0), row.read_bytes]));
    await page.click("#processes-table tbody tr .pick");
    check("a process is chosen too", (await page.locator("#selection").innerText()).includes("process"));
    await page.click('[data-choice="tasks"]');
    await page.click("#everything");
    check("everything is back", !await page.locator("#selection").isVisible());
  },

  async range(page) {
    const { rows } = report("--by", "time"), slices = rows.filter((row) => row.time !== null).sort((a, b) => a.time - b.time);
    const half = slices[Math.floor(slices.length / 2)].time;
    await page.fill("#range-from", "0");
    await page.fill("#range-to", String(half - 0.001));
    await page.click('#time form button[type="submit"]');
    // Where slices were put together the range grows to what the page knows.
    const to = Number((await page.locator("#selection").getAttribute("data-range")).split(" ")[1]) / 1e9;
    check("the range is about what was asked for", Math.abs(to - half) < 1 + slices[slices.length - 1].time / 10, `${to} for ${half}`);
    await compareTasks(page, ["--where", `time=0-${to}`]);
    if (whole) await compareFunctions(page, "cpu", ["--where", `time=0-${to}`]);
    if (whole) await compareOthers(page, ["--where", `time=0-${to}`]);
    await compareMemory(page, ["--where", `time=0-${to}`], false);
    await page.click("#everything");
  },

  async dark(page) {
    const brightness = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor.match(/\d+/g).map(Number).reduce((sum, part) => sum + part, 0));
    await page.emulateMedia({ colorScheme: "dark" });
    check("dark follows the system", await brightness() < 200, await brightness());
    await page.click("#theme");
    check("the button makes it light", await brightness() > 600, await brightness());
    await page.click("#theme");
    check("and dark again", await brightness() < 200);
    await page.emulateMedia({ colorScheme: "light" });
    await page.click("#theme");
  },

  async harmless(page) {
    check("no name ran as a script", await page.evaluate(() => window.harmed === undefined));
    check("no name became an element", !await page.locator("main img, main script, main b:not(figcaption b), main i").count());
    if (!whole) return;
    await page.fill("#search", "ns::Template");
    const frame = page.locator("#flame g.frame.hit").first();
    if (!await frame.count()) return check("a long name is drawn", false);
    await frame.evaluate((element) => element.dispatchEvent(new MouseEvent("mouseover", { bubbles: true, clientX: 300, clientY: 300 })));
    check("the whole of a long name is in the tip", (await page.locator("#tip .name").textContent()).length > 4000);
    check("it is short in the picture", (await frame.locator("div").textContent()).length < 200);
    await page.fill("#search", "");
  },

  async printing(page) {
    await page.emulateMedia({ media: "print" });
    const pdf = await page.pdf({ format: "A4" });
    check("it can be printed", pdf.length > 20000, pdf.length);
    await page.emulateMedia({ media: "screen" });
  },
};

const measure = async (page, load) => {
  const at = await page.evaluate(() => [...document.querySelectorAll('#flame g.frame[aria-level="4"]')].sort((a, b) => b.dataset.value - a.dataset.value)[0]?.dataset.at ?? "0");
  const zooms = [];
  for (let i = 0; i < 5; i++) {
    zooms.push(await milliseconds(page, `document.querySelector('#flame g.frame[data-at="${at}"]').dispatchEvent(new MouseEvent("click", { bubbles: true }))`));
    zooms.push(await milliseconds(page, 'document.querySelector("#zoom-out").click()'));
  }
  zooms.sort((a, b) => a - b);
  const [least] = zooms, median = zooms[Math.floor(zooms.length / 2)], worst = zooms[zooms.length - 1];
  console.log(`loaded in ${load.toFixed(0)} ms; a zoom takes ${median.toFixed(0)} ms (median of ${zooms.length}, ${least.toFixed(0)} to ${worst.toFixed(0)} ms)`);
  // Whatever else runs on the machine only adds: the least is what the page takes.
  if (times) {
    check("it loads fast enough", load <= MOST_LOAD_MS, `${load} ms`);
    check("it zooms fast enough", least <= MOST_ZOOM_MS, `${least} ms`);
  }
};

const shoot = async (browser) => {
  for (const width of [1600, 400])
    for (const colorScheme of ["light", "dark"]) {
      const page = await browser.newPage({ viewport: { width, height: 900 }, colorScheme });
      await page.goto(pathToFileURL(resolve(file)).href);
      await page.waitForSelector("html[data-ready]");
      await page.screenshot({ path: join(shots, `page-${width}-${colorScheme}.png`), fullPage: true });
      await page.close();
    }
};

const browser = await chromium.launch({ executablePath: process.env.CHROMIUM || "/usr/bin/chromium", args: ["--no-sandbox", "--disable-dev-shm-usage"] });
try {
  const context = await browser.newContext({ viewport: { width: 1400, height: 900 }, offline: true });
  const page = await context.newPage();
  page.setDefaultTimeout(20000);
  page.on("console", (message) => { if (["error", "warning"].includes(message.type())) check("the console is empty", false, message.text()); });
  page.on("pageerror", (error) => check("no script fails", false, error.stack));
  page.on("request", (request) => { if (!request.url().startsWith("file:") && !request.url().startsWith("blob:")) check("nothing is loaded", false, request.url()); });
  let load = Infinity;
  for (let i = 0; i < (times ? 4 : 1); i++) {
    const before = performance.now();
    await page.goto(pathToFileURL(resolve(file)).href);
    await page.waitForSelector("html[data-ready]");
    load = Math.min(load, performance.now() - before);
  }
  await measure(page, load);
  for (const [name, run] of Object.entries(sections)) {
    const so_far = failures;
    try {
      await run(page);
    } catch (error) {
      check(`${name} could be tested`, false, error.stack);
    }
    console.log(`${failures > so_far ? "failed" : "passed"}: ${name}`);
  }
  if (shots) await shoot(browser);
} finally {
  await browser.close();
}
console.log(`${checks} checks, ${failures} failed`);
process.exit(failures ? 1 : 0);
