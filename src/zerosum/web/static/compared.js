// Up to six runs: curves over one another, the options that differ, and grids side by side at equal samples.

import { Chart } from "./charts.js";
import { withToken } from "./connection.js";
import { count, element } from "./dom.js";
import { fetched, stateOf } from "./watch.js";

const COLOURS = ["--d", "--step", "--g", "--ink", "--sand", "--faint"];
const DASHES = [[], [6, 3], [2, 2], [8, 3, 2, 3], [], [4, 4]];

export class Compared {
  constructor(place, ids) {
    this.place = place;
    this.ids = ids;
    this.runs = {};
    this.charts = {};
    this.parts = { grids: element("div", { class: "side-by-side", id: "grids" }), curves: element("div", { class: "curves" }), options: element("div", { class: "scroll", id: "differing" }), when: element("output") };
    this.slider = element("input", { type: "range", id: "equal", min: 0, max: 1000, value: 1000, oninput: () => this.grids() });
    place.replaceChildren(element("h2", {}, `${ids.length} runs compared`), element("label", { for: "equal" }, "Grids at equal samples: ", this.parts.when), this.slider, this.parts.grids,
      element("h2", {}, "Options that differ"), this.parts.options, element("h2", {}, "Curves"), this.parts.curves);
  }

  async refresh() {
    let changed = false;
    for (const id of this.ids) {
      const found = await fetched(`/api/runs/${id}?seen=${this.runs[id]?.revision || 0}`);
      if (found.same) continue;
      this.runs[id] = found;
      changed = true;
    }
    if (!changed) return;
    this.grids();
    this.options();
    this.overlay("Distance to held-out real samples", (run) => run.distance.columns, "0 is as close as real samples are to one another.");
    const titles = [...new Set(Object.values(this.runs).flatMap((run) => run.curves.map((curve) => curve.title)))];
    for (const title of titles) {
      const any = Object.values(this.runs).flatMap((run) => run.curves).find((curve) => curve.title === title);
      any.series.slice(0, 2).forEach((series, k) => {
        if (k && any.series.length > 2) return;
        const name = any.series.length > 1 && any.series.length < 3 ? `${title}: ${series[0]}` : title;
        this.overlay(name, (run) => { const curve = run.curves.find((c) => c.title === title); return curve ? [curve.columns[0], curve.columns[k + 1]] : [[], []]; }, any.healthy, any.log);
      });
    }
  }

  overlay(title, of, words, log = false) {
    const columns = this.ids.map((id) => of(this.runs[id]));
    const xs = [...new Set(columns.flatMap(([x]) => x))].sort((a, b) => a - b);
    const data = [xs, ...columns.map(([x, y]) => { const at = new Map(x.map((v, i) => [v, y[i]])); return xs.map((v) => { const value = at.get(v); return value === undefined || (log && !(value > 0)) ? null : value; }); })];
    if (!this.charts[title]) {
      const place = element("div");
      this.charts[title] = new Chart(place, this.ids.map((id, i) => [this.runs[id].name, COLOURS[i], DASHES[i]]), { x: "samples seen", height: 200, log });
      this.parts.curves.append(element("figure", { class: "view chart" }, element("h3", {}, title), place, element("p", { class: "faint" }, words)));
    }
    this.charts[title].replace(data);
  }

  grids() {
    const most = Math.min(...this.ids.map((id) => Math.max(1, ...this.runs[id].grids.map((row) => row.samples))));
    const samples = (most * Number(this.slider.value)) / 1000;
    this.parts.when.textContent = `${count(samples)} samples seen`;
    this.parts.grids.replaceChildren(...this.ids.map((id) => {
      const run = this.runs[id], near = run.grids.reduce((best, row) => (!best || Math.abs(row.samples - samples) < Math.abs(best.samples - samples) ? row : best), null);
      const picture = near ? element("img", { src: withToken(`/api/runs/${id}/grid/${near.round}.png`), alt: `Samples of ${run.name}` }) : "no grid";
      return element("figure", {}, element("figcaption", {}, element("a", { href: "#run=" + id }, run.name), " ", stateOf(run), near ? ` ${count(near.samples)} samples` : ""), picture);
    }));
  }

  options() {
    const tables = this.ids.map((id) => new Map([["data", this.runs[id].data], ...this.runs[id].options]));
    const names = [...new Set(tables.flatMap((table) => [...table.keys()]))].filter((name) => new Set(tables.map((table) => table.get(name))).size > 1);
    this.parts.options.replaceChildren(names.length ? element("table", {}, element("tr", {}, element("th", { scope: "col" }, "option"), ...this.ids.map((id) => element("th", { scope: "col" }, this.runs[id].name))),
      ...names.map((name) => element("tr", {}, element("td", {}, name), ...tables.map((table) => element("td", {}, table.get(name) ?? "–"))))) : element("p", {}, "All options are the same."));
  }
}
