// SPDX-License-Identifier: GPL-2.0-or-later
// Tables that sort, filter and grow.
import { el, announce } from "./dom.js";

const STEP = 12;

const compare = (one, other) => {
  if (one === other) return 0;
  if (one === null || one === undefined) return 1; // what is not known comes last
  if (other === null || other === undefined) return -1;
  if (typeof one === "string") return -one.localeCompare(other);
  return other - one;
};

/**
 * columns: {name, title, value(row), text(row) or node(row), number, hint, wide}; sort: a column's name, null: as rows come.
 * options: caption, filter(row) → text that is searched, choose(row), chosen(row), empty, key(row), step
 */
export class Table {
  constructor(host, columns, options) {
    this.columns = columns;
    this.options = options;
    this.sort = options.sort;
    this.descending = true;
    this.rows = [];
    this.term = "";
    this.shown = options.step || STEP;
    this.body = el("tbody");
    this.headRow = el("tr");
    this.more = el("p", { class: "more" });
    this.input = options.filter && el("input", {
      type: "search", placeholder: options.filterHint || "filter", "aria-label": `Filter: ${options.caption}`,
      oninput: (event) => { this.term = event.target.value.toLowerCase(); this.draw(true); },
    });
    this.element = el("div", { class: "table" },
      this.input && el("div", { class: "filter" }, this.input),
      el("div", { class: "scroll", tabindex: "0", role: "group", "aria-label": options.caption },
        el("table", {}, el("caption", { class: "unseen" }, options.caption),
          el("thead", {}, this.headRow), this.body)),
      this.more);
    host.append(this.element);
  }

  set(rows) { this.rows = rows; this.draw(false); }

  sortBy(column) {
    this.descending = this.sort === column.name ? !this.descending : true;
    this.sort = column.name;
    this.draw(false);
    announce(`sorted by ${column.title}, ${this.descending ? "descending" : "ascending"}`);
    this.headRow.querySelector(`[data-column="${column.name}"] button`)?.focus();
  }

  visible() {
    const column = this.columns.find(({ name }) => name === this.sort);
    const sign = this.descending ? 1 : -1;
    const { filter } = this.options;
    const rows = this.rows.filter((row) => !this.term || filter(row).toLowerCase().includes(this.term));
    if (!column) return rows; // as they come
    return rows.map((row) => [column.value(row), row])
      .sort(([one], [other]) => (one === null || other === null ? 1 : sign) * compare(one, other))
      .map(([, row]) => row);
  }

  draw(say) {
    const columns = this.columns.filter((column) => !column.when || column.when(this.rows));
    const rows = this.visible(), shown = rows.slice(0, this.shown);
    this.headRow.replaceChildren(...columns.map((column) => this.head(column)));
    this.body.replaceChildren(...shown.map((row) => this.row(row, columns)));
    if (!shown.length)
      this.body.append(el("tr", {}, el("td", { colspan: columns.length, class: "empty" },
        this.term ? "nothing fits the filter" : this.options.empty || "nothing")));
    this.drawMore(rows.length, shown.length);
    if (say) announce(`${rows.length} rows`);
  }

  head(column) {
    const sorted = column.name === this.sort;
    const arrow = el("span", { class: "arrow", "aria-hidden": "true" }, sorted ? (this.descending ? "▾" : "▴") : "");
    const order = sorted ? (this.descending ? "descending" : "ascending") : "none";
    return el("th", {
      scope: "col", "aria-sort": order, "data-column": column.name, class: column.number ? "number" : "", title: column.hint,
    }, el("button", { type: "button", onclick: () => this.sortBy(column) }, column.number ? [arrow, column.title] : [column.title, arrow]));
  }

  row(row, columns) {
    const { choose, chosen, key } = this.options;
    const isChosen = chosen ? chosen(row) : false;
    const cells = columns.map((column, i) => {
      const value = column.value(row);
      let content = column.node ? column.node(row) : column.text ? column.text(row) : String(value ?? "–");
      if (choose && i === 0)
        content = el("button", { type: "button", class: "pick", "aria-pressed": String(isChosen) }, content);
      return el(i ? "td" : "th", {
        scope: i ? null : "row", class: `${column.number ? "number" : ""} ${column.wide ? "wide" : ""}`.trim(),
        "data-column": column.name, "data-value": typeof value === "number" ? value : null,
        title: column.title_of ? column.title_of(row) : null,
      }, content);
    });
    return el("tr", {
      class: `${choose ? "choosable" : ""} ${isChosen ? "chosen" : ""}`.trim(),
      "data-key": key ? key(row) : null,
      onclick: choose ? () => choose(row) : null,
    }, ...cells);
  }

  drawMore(all, shown) {
    const step = this.options.step || STEP;
    const button = (text, number) => el("button", {
      type: "button", class: "quiet", onclick: () => { this.shown = number; this.draw(true); },
    }, text);
    this.more.replaceChildren();
    if (all > shown) {
      const next = Math.min(all - shown, Math.max(50, shown * 3));
      this.more.append(`${shown} of ${all} rows `, button(`show ${next} more`, shown + next));
    } else if (shown > step) {
      this.more.append(`${shown} rows `, button("show fewer", step));
    }
  }
}

/** A figure with a bar of its part of the largest. */
export const barCell = (text, value, largest, kind = "") => el("span", { class: "barred" },
  el("span", { class: "figure" }, text), meter(value, largest, kind));

const meter = (value, largest, kind) => {
  const part = largest > 0 ? Math.max(0, Math.min(1, value / largest)) : 0;
  const bar = el("span", { class: `bar ${kind}`, "aria-hidden": "true" });
  bar.style.setProperty("--part", `${(part * 100).toFixed(1)}%`);
  return bar;
};
