// SPDX-License-Identifier: GPL-2.0-or-later
// The picture of a tree of stacks: drawn by d3-flame-graph, which gets no more frames than can be
// seen, whatever the size of the recording.
import { select, selection } from "d3";
import flamegraph from "d3-flame-graph";
import { showTip, hideTip } from "./dom.js";
import { shorten } from "./format.js";
import { childrenOf } from "./stackmodel.js";
import { frameColour, hitColour } from "./colours.js";

const ROW = 19;
const MOST_FRAMES = 1200;
const LEAST_PIXELS = 0.7;

/** The library moves frames by transitions, which cost more than all else in a zoom, also when they
 * take no time. Without them what is looked at stands still, too. */
const atOnce = (change) => {
  const { prototype } = selection, same = function () { return this; };
  const before = Object.getOwnPropertyDescriptors(prototype), names = ["transition", "duration", "ease", "delay"];
  for (const name of names) prototype[name] = same;
  try {
    change();
  } finally {
    for (const name of names) {
      if (before[name]) Object.defineProperty(prototype, name, before[name]);
      else delete prototype[name];
    }
  }
};

export class Flame {
  /** callbacks: label(at), say(at), tip(at) → lines, zoom(at), look(at) */
  constructor(host, callbacks) {
    this.host = host;
    this.callbacks = callbacks;
    this.hits = null;
    host.addEventListener("click", (event) => {
      const frame = event.target.closest("g.frame");
      event.stopPropagation(); // the library would zoom in what is drawn; there is more than that
      if (frame) callbacks.zoom(select(frame).datum().data.at, true);
    }, true);
    host.addEventListener("keydown", (event) => this.key(event));
    host.addEventListener("focusin", (event) => {
      const frame = event.target.closest("g.frame");
      if (frame) callbacks.look(select(frame).datum().data.at);
    });
    host.addEventListener("mouseleave", hideTip);
  }

  draw({ tree, values, focus, inverted, hits }) {
    const width = Math.max(200, this.host.clientWidth);
    Object.assign(this, { tree, values, hits, inverted, focus });
    const data = this.visible(focus, width);
    const fresh = this.drawn !== `${focus} ${inverted}`;
    this.drawn = `${focus} ${inverted}`;
    this.host.classList.toggle("icicle", inverted); // on paper its deepest frames may be missing, not its root
    if (!this.chart || this.width !== width || this.wasInverted !== inverted) this.make(width, inverted);
    atOnce(() => {
      if (this.started) this.chart.update(data);
      else select(this.host).datum(data).call(this.chart);
    });
    this.started = true;
    this.dress();
    // A deep flame graph begins at its lower end.
    if (!inverted && fresh) this.host.scrollTop = this.host.scrollHeight;
  }

  make(width, inverted) {
    this.width = width;
    this.wasInverted = inverted;
    this.started = false;
    this.host.replaceChildren();
    const tip = () => {};
    tip.show = (event, d) => showTip(event, this.callbacks.tip(d.data.at));
    tip.hide = hideTip;
    tip.destroy = hideTip;
    this.chart = flamegraph().width(width).cellHeight(ROW).transitionDuration(0).inverted(inverted)
      .resetHeightOnZoom(true).selfValue(false).minFrameSize(0).tooltip(tip)
      .setColorMapper((d) => this.colour(d.data));
  }

  colour({ at }) {
    if (this.hits && this.hits[at]) return hitColour();
    const { kind, name } = this.tree.frame[at];
    return frameColour(kind, name);
  }

  /** The way to the focus, and below it all that is at least a bit of a pixel wide. */
  visible(focus, width) {
    for (let least = this.values.total[focus] / width * LEAST_PIXELS; ; least = least * 2 || 1) {
      const budget = { left: MOST_FRAMES };
      let data = this.subtree(focus, least, budget);
      if (budget.left < 0) continue;
      for (let at = this.tree.parent[focus]; at >= 0; at = this.tree.parent[at])
        data = { at, name: this.label(at), value: this.values.total[focus], fade: true, children: [data] };
      return data;
    }
  }

  label(at) { return shorten(this.callbacks.label(at), 160); }

  subtree(at, least, budget) {
    const { total } = this.values, node = { at, name: this.label(at), value: total[at], children: [] };
    if (budget.left-- < 0) return node;
    const children = childrenOf(this.tree)[at].filter((child) => total[child] > 0 && total[child] >= least);
    children.sort((a, b) => total[b] - total[a] || a - b);
    for (const child of children) node.children.push(this.subtree(child, least, budget));
    return node;
  }

  /** What readers of the page without eyes or mouse need. */
  dress() {
    this.frames = new Map();
    const chart = this;
    const picture = select(this.host).select("svg");
    picture.attr("viewBox", `0 0 ${this.width} ${picture.attr("height")}`); // paper is narrower
    picture.attr("role", "tree").attr("aria-label", "Stacks: arrow keys move, Enter zooms, Escape zooms out");
    select(this.host).selectAll("g.frame").each(function (d) {
      const { at } = d.data;
      chart.frames.set(at, this);
      this.setAttribute("role", "treeitem");
      this.setAttribute("aria-level", d.depth + 1);
      this.setAttribute("aria-label", chart.callbacks.say(at));
      this.setAttribute("tabindex", at === chart.focus ? "0" : "-1");
      this.setAttribute("data-at", at);
      this.setAttribute("data-value", chart.values.total[at]);
      this.setAttribute("data-kind", chart.tree.frame[at].kind);
      this.classList.toggle("hit", !!(chart.hits && chart.hits[at]));
    });
  }

  focusOn(at) { this.moveTo(this.frames.get(at) || this.frames.get(this.focus)); }

  moveTo(frame) {
    if (!frame) return;
    for (const other of this.host.querySelectorAll('g.frame[tabindex="0"]')) other.setAttribute("tabindex", "-1");
    frame.setAttribute("tabindex", "0");
    frame.focus({ preventScroll: true });
    frame.scrollIntoView({ block: "nearest", inline: "nearest" });
  }

  key(event) {
    const frame = event.target.closest("g.frame");
    if (!frame) return;
    const d = select(frame).datum(), inwards = this.inverted ? "ArrowDown" : "ArrowUp", outwards = this.inverted ? "ArrowUp" : "ArrowDown";
    const siblings = d.parent ? d.parent.children : [d], place = siblings.indexOf(d);
    const to = {
      [inwards]: d.children && d.children[0], [outwards]: d.parent,
      ArrowRight: siblings[place + 1], ArrowLeft: siblings[place - 1],
    }[event.key];
    if (event.key === "Enter" || event.key === " ") this.callbacks.zoom(d.data.at, true);
    else if (event.key === "Escape" || event.key === "Home") this.callbacks.zoom(0, true);
    else if (event.key === "Backspace") this.callbacks.zoom(Math.max(0, this.tree.parent[this.focus]), true);
    else if (to) this.moveTo(this.frames.get(to.data.at));
    else if (!event.key.startsWith("Arrow")) return;
    event.preventDefault();
  }
}
