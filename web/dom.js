// SPDX-License-Identifier: GPL-2.0-or-later
// Elements. Text of the recording becomes text nodes and attribute values here, never markup.

const SVG = "http://www.w3.org/2000/svg";

const fill = (element, attributes, children) => {
  for (const [name, value] of Object.entries(attributes)) {
    if (value === undefined || value === null || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (name === "value") element.value = value;
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.flat().filter((child) => child !== null && child !== undefined));
  return element;
};

export const el = (tag, attributes = {}, ...children) =>
  fill(document.createElement(tag), attributes, children);

export const svg = (tag, attributes = {}, ...children) =>
  fill(document.createElementNS(SVG, tag), attributes, children);

export const byId = (id) => document.getElementById(id);

/** When an element is laid out anew: what is drawn in it has its width. */
export const onWidth = (element, changed) =>
  new ResizeObserver(() => requestAnimationFrame(() => changed(element.clientWidth))).observe(element);

let saying = 0;

/** For screen readers: once things have come to rest. */
export const announce = (text) => {
  clearTimeout(saying);
  saying = setTimeout(() => { byId("announce").textContent = text; }, 150);
};

/** options: [value, text, group] each; those of a group stand together, null: none. */
export const select = (label, options, value, onchange, attributes = {}) => {
  const list = el("select", { onchange: (event) => onchange(event.target.value), ...attributes }), groups = new Map();
  for (const [name, text, group] of options) {
    if (group && !groups.has(group)) list.append(groups.set(group, el("optgroup", { label: group })).get(group));
    (groups.get(group) || list).append(el("option", { value: name }, text));
  }
  list.value = value;
  return el("label", { class: "control" }, el("span", {}, label), list);
};

export const checkbox = (label, value, onchange, attributes = {}) => {
  const box = el("input", { type: "checkbox", onchange: (event) => onchange(event.target.checked), ...attributes });
  box.checked = value;
  return el("label", { class: "control tick" }, box, el("span", {}, label));
};

/** Buttons of which one is pressed. */
export const choice = (label, options, value, onchange) => {
  const group = el("div", { class: "choice", role: "group", "aria-label": label });
  const buttons = options.map(([name, text]) => el("button", {
    type: "button",
    "data-choice": name,
    onclick: () => { press(name); onchange(name); },
  }, text));
  const press = (chosen) => buttons.forEach((button) =>
    button.setAttribute("aria-pressed", String(button.dataset.choice === chosen)));
  press(value);
  group.append(...buttons);
  return group;
};

/** A button that shows a metric by function; the stacks listen. */
export const showInStacks = (metric, text) => el("button", {
  type: "button", class: "quiet", onclick: () => document.dispatchEvent(new CustomEvent("showmetric", { detail: metric })),
}, text);

const tip = el("div", { id: "tip", role: "tooltip", hidden: true });

/** lines: texts; the first is the name. */
export const showTip = (event, lines) => {
  if (!tip.isConnected) document.body.append(tip);
  tip.replaceChildren(...lines.map((line, i) => el("div", { class: i ? "" : "name" }, line)));
  tip.hidden = false;
  const margin = 14, { offsetWidth: width, offsetHeight: height } = tip;
  const left = event.clientX + margin + width > window.innerWidth
    ? Math.max(4, event.clientX - margin - width) : event.clientX + margin;
  const top = event.clientY + margin + height > window.innerHeight
    ? Math.max(4, event.clientY - margin - height) : event.clientY + margin;
  tip.style.left = `${left}px`;
  tip.style.top = `${top}px`;
};

export const hideTip = () => { tip.hidden = true; };
