// SPDX-License-Identifier: GPL-2.0-or-later
// A small picture of figures over time, one above the other.
import { scaleLinear, area, curveStepAfter, stack, axisBottom, select as pick, max } from "d3";
import { el, svg, onWidth, showTip, hideTip } from "./dom.js";
import * as format from "./format.js";

const HEIGHT = 92, BELOW = 22;

/** layers: {name, colour, values by bucket}; what of the time is not chosen is paler. */
export class Course {
  constructor(host, selection, title, text) {
    this.selection = selection;
    this.title = title;
    this.text = text;
    this.legend = el("ul", { class: "legend" });
    this.picture = el("div", { class: "course" });
    host.append(el("h3", {}, title), this.legend, this.picture);
    onWidth(this.picture, (width) => { if (width !== this.width && this.layers) this.draw(this.layers); });
  }

  draw(layers) {
    const { recording } = this.selection, starts = recording.bucketStarts;
    this.layers = layers;
    this.legend.replaceChildren(...layers.map(({ name, colour }) => {
      const mark = el("span", { class: "mark" });
      mark.style.background = colour;
      return el("li", {}, mark, format.shorten(name, 40));
    }));
    this.width = this.picture.clientWidth;
    if (this.width < 60 || !starts.length) return;
    const highest = max(starts, (_, i) => layers.reduce((sum, { values }) => sum + values[i], 0)) || 0;
    const end = recording.bucketEnds[starts.length - 1] || 1;
    const x = scaleLinear([0, end], [14, this.width - 16]), y = scaleLinear([0, highest || 1], [HEIGHT, 14]);
    const at = (j) => x(j === starts.length ? end : starts[j]);
    const picture = svg("svg", { width: this.width, height: HEIGHT + BELOW, viewBox: `0 0 ${this.width} ${HEIGHT + BELOW}`, role: "img", "aria-label": `${this.title} over time: at most ${this.text(highest)}` });
    const keyed = [...starts, 0].map((_, i) => Object.fromEntries(layers.map(({ values }, k) => [k, values[Math.min(i, starts.length - 1)]])));
    const shape = area().curve(curveStepAfter).x((_, j) => at(j)).y0((d) => y(d[0])).y1((d) => y(d[1]));
    stack().keys(layers.map((_, k) => k))(keyed).forEach((series, k) => picture.append(svg("path", { d: shape(series), fill: layers[k].colour, class: "area" })));
    picture.append(svg("text", { x: 14, y: 10 }, `at most ${this.text(highest)}`));
    const axis = svg("g", { class: "axis", transform: `translate(0 ${HEIGHT})` });
    pick(axis).call(axisBottom(x).ticks(Math.max(2, this.width / 110)).tickFormat((ns) => `${ns / 1e9} s`));
    picture.append(axis);
    this.shade(picture, x, end);
    picture.addEventListener("mousemove", (event) => this.tell(event, picture, x));
    picture.addEventListener("mouseleave", hideTip);
    this.picture.replaceChildren(picture);
  }

  shade(picture, x, end) {
    if (!this.selection.range) return;
    const [from, to] = this.selection.span;
    for (const [a, b] of [[0, from], [to, end]])
      if (b > a) picture.append(svg("rect", { class: "outside", x: x(a), y: 0, width: x(b) - x(a), height: HEIGHT }));
  }

  tell(event, picture, x) {
    const { recording } = this.selection, ns = x.invert(event.clientX - picture.getBoundingClientRect().left);
    const bucket = recording.bucketEnds.findIndex((end) => ns < end);
    if (bucket < 0) return hideTip();
    const values = this.layers.map(({ name, values: of }) => [name, of[bucket]]).filter(([, value]) => value > 0).sort((a, b) => b[1] - a[1]);
    return showTip(event, [`${format.clock(recording.bucketStarts[bucket])} to ${format.clock(recording.bucketEnds[bucket])}: ${this.text(values.reduce((sum, [, value]) => sum + value, 0))}`,
      ...values.slice(0, 10).map(([name, value]) => `${format.shorten(name, 50)}: ${this.text(value)}`)]);
  }
}
