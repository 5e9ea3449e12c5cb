// SPDX-License-Identifier: GPL-2.0-or-later
// One colour for one thing, on the whole page. All are readable on light and on dark.

const TASK_COLOURS = ["#4e79a7", "#f28e2b", "#59a14f", "#b07aa1", "#76b7b2", "#e15759", "#c9a227", "#9c755f", "#d37295", "#6b8ecf"];
const OTHER = "#8d949e";

const CLASS_COLOURS = {
  run_queue: "#e15759", lock: "#b07aa1", sleep: "#9aa5b1", disk: "#9c755f", file_system: "#c9a227", pipe: "#76b7b2",
  child: "#59a14f", socket: "#4e79a7", poll: "#7fa8d1", page_fault: "#f28e2b", idle: "#c3c8ce",
};

const KIND_HUES = { python: [213, 62], native: [32, 78], interpreter: [268, 24], kernel: [358, 52], subtask: [140, 42], none: [215, 8] };

export const classColour = (name) => CLASS_COLOURS[name] || OTHER;

/** The tasks that use most have a colour of their own. */
export const taskColours = (rows) => {
  const ranked = [...rows].sort((a, b) => (b.named - a.named) || b.cpu - a.cpu);
  const colours = new Map(ranked.slice(0, TASK_COLOURS.length).map((row, i) => [row.key, TASK_COLOURS[i]]));
  return (task) => colours.get(task) || OTHER;
};

const isDark = () => {
  const { theme } = document.documentElement.dataset;
  return theme ? theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
};

const spread = (name) => {
  let hash = 7;
  for (let i = 0; i < name.length && i < 40; i++) hash = (hash * 31 + name.charCodeAt(i)) % 997;
  return hash / 997;
};

/** Frames of a kind differ a little, so that neighbours can be told apart. */
export const frameColour = (kind, name) => {
  const [hue, saturation] = KIND_HUES[kind], shade = spread(name);
  return isDark()
    ? `hsl(${(hue + shade * 12).toFixed(0)} ${(saturation * 0.72).toFixed(0)}% ${(27 + shade * 9).toFixed(0)}%)`
    : `hsl(${(hue + shade * 12).toFixed(0)} ${saturation}% ${(74 + shade * 9).toFixed(0)}%)`;
};

export const hitColour = () => (isDark() ? "#a02aa0" : "#f08bf0");
