// SPDX-License-Identifier: GPL-2.0-or-later
// Numbers and names for people.

const significant = (value, digits = 3) => {
  if (value === 0) return "0";
  const magnitude = Math.floor(Math.log10(Math.abs(Number(value.toPrecision(digits)))));
  return value.toFixed(Math.max(0, digits - 1 - magnitude));
};

const scaled = (value, units) => {
  for (const [size, unit] of units)
    if (Math.abs(value) >= size * 0.9995) return `${significant(value / size)} ${unit}`;
  const [size, unit] = units[units.length - 1];
  return `${significant(value / size)} ${unit}`;
};

export const time = (ns) => {
  if (Math.abs(ns) >= 1e12) return `${Math.round(ns / 1e9).toLocaleString("en-US")} s`;
  return ns ? scaled(ns, [[1e9, "s"], [1e6, "ms"], [1e3, "µs"], [1, "ns"]]) : "0 s";
};

export const bytes = (value) =>
  value ? scaled(value, [[1e12, "TB"], [1e9, "GB"], [1e6, "MB"], [1e3, "kB"], [1, "B"]]) : "0 B";

export const count = (value) =>
  value && Math.abs(value) < 10 && value !== Math.round(value)
    ? significant(value, 2) : Math.round(value).toLocaleString("en-US");

export const percent = (part, whole) => {
  if (!(whole > 0)) return "–";
  const value = part / whole * 100;
  if (value === 0) return "0 %";
  return value < 0.05 ? "< 0.1 %" : `${value.toFixed(1)} %`;
};

export const rate = (value) => `${bytes(value)}/s`;

export const clock = (ns) => `${(ns / 1e9).toFixed(ns % 1e9 ? 1 : 0)} s`;

/** What stands between the outermost < and > of a C++ name says least when there is too much. */
const withoutArguments = (name) => {
  let depth = 0, short = "";
  for (let i = 0; i < name.length; i++) {
    const letter = name[i];
    const operator = /operator\s*[<>=-]*$/.test(name.slice(Math.max(0, i - 10), i));
    if (letter === "<" && !operator && i > 0 && !depth++) short += "<…>";
    else if (letter === ">" && !operator && depth) depth--;
    else if (!depth) short += letter;
  }
  return depth ? name : short;
};

export const shorten = (name, most = 80) => {
  if (name.length <= most) return name;
  const plain = name.startsWith("<") ? name : withoutArguments(name);
  if (plain.length <= most) return plain;
  const head = Math.ceil((most - 1) * 0.4);
  return `${plain.slice(0, head)}…${plain.slice(plain.length - (most - 1 - head))}`;
};

export const baseName = (path) => {
  const slash = path.lastIndexOf("/");
  return slash >= 0 && slash + 1 < path.length ? path.slice(slash + 1) : path;
};

/** The end of a path tells more than its middle. */
export const shortenPath = (path, most = 60) => {
  if (path.length <= most) return path;
  const tail = path.slice(path.length - (most - 12));
  const slash = tail.indexOf("/");
  return `${path.slice(0, 10)}…${slash >= 0 && slash < 20 ? tail.slice(slash) : tail}`;
};

export const plural = (number, one, many = `${one}s`) =>
  `${count(number)} ${number === 1 ? one : many}`;
