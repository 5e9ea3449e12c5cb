// SPDX-License-Identifier: GPL-2.0-or-later
import { el, showTip, hideTip } from "./dom.js";

/** Horizontal bars: {name, title, value, text, parts: [{value, words, colour}]}, the first is the longest. */
export const drawBars = (host, rows, label) => {
  const most = Math.max(0, ...rows.map((row) => row.value));
  host.replaceChildren(el("ul", { class: "bars", "aria-label": label }, rows.map((row) => {
    const bar = el("span", { class: "track", "aria-hidden": "true" });
    for (const part of row.parts) {
      const piece = el("span", { class: "piece" });
      piece.style.width = `${most > 0 ? part.value / most * 100 : 0}%`;
      if (part.colour) piece.style.background = part.colour;
      piece.addEventListener("mousemove", (event) => showTip(event, [row.title || row.name, part.words]));
      piece.addEventListener("mouseleave", hideTip);
      bar.append(piece);
    }
    return el("li", {}, el("span", { class: "of", title: row.title }, row.name), bar, el("span", { class: "figure" }, row.text));
  })));
  if (!rows.length) host.replaceChildren(el("p", { class: "empty" }, "nothing in what is chosen"));
};
