// SPDX-License-Identifier: GPL-2.0-or-later
// Who recorded what and when, how good it is, what it cost, what is missing.
import { el, byId } from "./dom.js";
import * as format from "./format.js";
import { OFFCPU, IO, ALONE, BY_FILE } from "./recording.js";

const HARMLESS = new Set(["samples", "samples_not_wanted", "epochs_on_demand", "late_stacks"]);

const startWords = (meta) => {
  const ns = Number(meta.start_wall_ns);
  if (!(ns > 0)) return "start not known";
  return new Date(ns / 1e6).toLocaleString(undefined, { dateStyle: "medium", timeStyle: "medium" });
};

const seconds = (value) => `${value >= 100 ? value.toFixed(0) : value.toFixed(1)} s`;

const trust = (recording) => {
  const [python, named] = recording.python;
  const lost = recording.counters.filter(([, value, loss]) => loss && value > 0);
  const words = lost.length
    ? `${format.plural(recording.samples, "sample")} of the CPU; some were lost, see below. `
    : `All ${format.count(recording.samples)} samples of the CPU arrived. `;
  if (!python) return `${words}None was in Python.`;
  return `${words}Of ${format.count(python)} in Python, ${format.percent(named, python)} have all their frames and names.`;
};

const cost = ({ overhead, meta }) => {
  const cpus = Number(meta.cpus) || 0;
  const node = cpus ? ` (${(overhead.cpu_percent / cpus).toFixed(2)} % of the node)` : "";
  const programs = overhead.programs_percent === null ? ""
    : `; its programs in the kernel ${overhead.programs_percent.toFixed(2)} %`;
  return `The recorder used ${overhead.cpu_percent.toFixed(2)} % of one CPU${node} and ` +
    `${format.bytes(overhead.max_rss_bytes)} of memory${programs}.`;
};

const missing = (recording) => {
  const list = [];
  if (!recording.complete)
    list.push(["bad", `INCOMPLETE: the recorder was cut off before it could finish. This is what it had written of the first ${seconds(recording.end / 1e9)}.`]);
  for (const [, value, loss, meaning] of recording.counters)
    if (loss && value > 0) list.push(["bad", `${format.count(value)} ${meaning}`]);
  for (const [, number, ok, meaning] of recording.endings)
    if (!ok && number > 0) list.push(["", `${format.plural(number, "sample")}: ${meaning}`]);
  for (const [name, value, loss, meaning] of recording.counters)
    if (!loss && value > 0 && !HARMLESS.has(name)) list.push(["", `${format.count(value)} ${meaning}`]);
  if (!recording.recorded[OFFCPU])
    list.push(["", "Waiting was not recorded (source offcpu): what threads waited for is not known."]);
  if (!recording.recorded[IO])
    list.push(["", "Operations on files were not recorded (source io)."]);
  const { folded } = recording;
  if (folded.processes)
    list.push(["", `To keep this page small, the ${format.count(folded.processes)} smallest of ${format.count(recording.processesRecorded)} processes are shown together, one row for each task.`]);
  if (folded.files)
    list.push(["", `To keep this page small, the ${format.count(folded.files)} least used files are shown together, one row for each mount.`]);
  if (folded.stacks)
    list.push(["", `To keep this page small, ${format.count(folded.stacks)} frames of rare stacks are shown as “(other)”.`]);
  if (recording.recorded[IO] && recording.sampleFiles < BY_FILE)
    list.push(["", recording.sampleFiles === ALONE ? "To keep this page small, stacks of file operations are not known by file." : "To keep this page small, stacks of file operations are known by mount and dataset, not by file."]);
  if (folded.quanta)
    list.push(["", `To keep this page small, ${format.plural(folded.quanta, "quantum", "quanta")} of small processes, or that were short, are not shown one by one but by their task.`]);
  if (folded.names)
    list.push(["", `To keep this page small, the middle of ${format.plural(folded.names, "very long name")} was left out.`]);
  return list;
};

/** Whom the kernel killed for want of memory: nobody should have to look for that. */
const killed = ({ shortages, epochs, processes }) => {
  const OOM_KILL = 1, named = [];
  let number = 0;
  for (let i = 0; i < shortages.count; i++) {
    if (shortages.keys[1][i] !== OOM_KILL) continue;
    const epoch = epochs[shortages.keys[0][i]], { pid } = processes[epoch.process];
    number += shortages.values[0][i];
    named.push(pid ? `${format.shorten(epoch.task, 40)} (${pid})` : format.shorten(epoch.task, 40));
  }
  if (!number) return null;
  const names = named.slice(0, 3).join(", ") + (named.length > 3 ? " …" : "");
  return `The kernel killed ${format.plural(number, "process", "processes")} for want of memory: ${names}. See Memory.`;
};

export const drawHead = (recording) => {
  const { meta } = recording;
  document.title = `${meta.node || "?"}, ${startWords(meta)}: pipescope`;
  const facts = [
    ["Start", startWords(meta)], ["Length", seconds(recording.end / 1e9)],
    ["CPUs", meta.cpus || "?"], ["Kernel", meta.kernel || "?"],
    ["Recorded", `${meta.sources || "cpu"} at ${meta.hz || "?"} Hz`],
  ];
  const notes = missing(recording), kills = killed(recording);
  byId("head").replaceChildren(
    el("div", { class: "title" },
      el("h1", {}, el("span", { class: "brand" }, "pipescope"), " ", meta.node || "(unknown node)"),
      themeButton()),
    el("dl", { class: "facts" }, facts.map(([name, value]) => el("div", {}, el("dt", {}, name), el("dd", {}, value)))),
    el("div", { class: "words" },
      kills ? el("p", { id: "killed", class: "bad" }, kills) : null,
      el("p", { id: "trust" }, trust(recording)), el("p", { id: "cost" }, cost(recording)),
      notes.length ? el("ul", { id: "missing" }, notes.map(([kind, text]) => el("li", { class: kind }, text))) : null));
};

const themeButton = () => {
  const root = document.documentElement;
  const isDark = () => (root.dataset.theme || (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light")) === "dark";
  const button = el("button", {
    type: "button", id: "theme", class: "quiet",
    onclick: () => {
      root.dataset.theme = isDark() ? "light" : "dark";
      name();
      document.dispatchEvent(new Event("themechange"));
    },
  });
  const name = () => { button.textContent = isDark() ? "Light" : "Dark"; button.title = "Change the colours"; };
  name();
  return button;
};

/** All counters, for those who ask. */
export const drawQuality = (recording) => {
  const row = (name, value, meaning, kind) => el("tr", { class: kind },
    el("th", { scope: "row" }, el("code", {}, name)), el("td", { class: "number", "data-value": value }, format.count(value)), el("td", {}, meaning));
  const table = (caption, rows) => el("div", { class: "scroll" }, el("table", {}, el("caption", {}, caption),
    el("thead", {}, el("tr", {}, el("th", { scope: "col" }, "name"), el("th", { scope: "col", class: "number" }, "number"), el("th", { scope: "col" }, "meaning"))),
    el("tbody", {}, rows)));
  const endings = recording.endings.filter(([, number]) => number).sort((a, b) => b[1] - a[1]);
  const counters = recording.counters.filter(([, value]) => value).sort((a, b) => b[2] - a[2] || HARMLESS.has(a[0]) - HARMLESS.has(b[0]) || b[1] - a[1]);
  byId("quality").replaceChildren(
    el("h2", { id: "quality-title" }, "How far this can be trusted"),
    el("details", {}, el("summary", {}, "How stacks ended, and every counter"),
      table("How the stacks of the CPU's samples ended", endings.map(([name, number, ok, meaning]) => row(name, number, meaning, ok ? "" : "imperfect"))),
      table("Counters above 0", counters.map(([name, value, loss, meaning]) => row(name, value, meaning, loss ? "bad" : "")))));
  byId("foot").replaceChildren(el("p", {}, `Made by pipescope ${recording.version}. Drawn with d3 (ISC) and d3-flame-graph (Apache-2.0), whose licences are in this file. `,
    "What was counted is exact; functions, lines and stacks are estimates from samples."));
};
