// Curves over the steps, by uPlot. A chart keeps its points sorted by step; looking back moves its cursor.

import { colour } from "./dom.js";

const REDRAWN = 200; // milliseconds between two drawings of a chart that grows
const STROKES = { d: "--d", g: "--g", ink: "--ink", faint: "--faint", step: "--step" };

export class Chart {
  // series: [label, colour, dash] each; level: {value, label}, a thin line; log: a logarithmic axis; x: the name of the x axis.
  constructor(place, series, { level = null, log = false, x = "step", height = 130, zero = false, onpick = null } = {}) {
    this.place = place;
    this.series = series;
    this.options = { level, log, x, height, zero, onpick };
    this.data = [[], ...series.map(() => [])];
    this.build();
    new ResizeObserver(() => this.plot.setSize({ width: Math.max(160, place.clientWidth), height })).observe(place);
    window.matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.build());
  }

  build() {
    const { level, log, x, height, zero, onpick } = this.options;
    const axis = { stroke: colour("--faint"), grid: { stroke: colour("--rule"), width: 1 }, ticks: { show: false }, font: "11px system-ui", size: 46 };
    const compact = (_, values) => values.map((v) => (v === null ? "" : Math.abs(v) >= 1e5 ? v.toExponential(0) : String(+v.toPrecision(4))));
    this.plot?.destroy();
    this.place.replaceChildren();
    this.plot = new uPlot({
      width: Math.max(160, this.place.clientWidth || 300), height,
      scales: { x: { time: false }, y: log ? { distr: 3 } : { range: (u, low, high) => range(low, high, level, zero) } },
      axes: [{ ...axis, size: 24, values: (_, values) => values.map((v) => v.toLocaleString("en", { notation: "compact" })) }, { ...axis, values: compact }],
      legend: { live: true },
      cursor: { y: false, points: { size: 5 } },
      series: [{ label: x, value: (_, v) => (v === null ? "–" : v.toLocaleString("en")) },
        ...this.series.map(([label, name, dash]) => ({ label, stroke: colour(STROKES[name] || name), width: 1.8, dash: dash || [], spanGaps: true,
          points: { show: false }, value: (_, v) => (v === null || v === undefined ? "–" : +v.toPrecision(4)) }))],
      hooks: { draw: [(u) => level !== null && drawLevel(u, level)], ready: [(u) => onpick && u.over.addEventListener("click", () => onpick(u.posToVal(u.cursor.left, "x")))] },
    }, this.data, this.place);
    const canvas = this.place.querySelector("canvas");
    canvas.setAttribute("role", "img");
    canvas.setAttribute("aria-label", this.series.map(([label]) => label).join(", ") + " over " + (x === "step" ? "the steps" : x));
  }

  replace(data) {
    this.data = data;
    this.plot.setData(this.data);
  }

  // Adds or replaces the point at step t.
  add(t, values) {
    const xs = this.data[0];
    let at = xs.length;
    while (at > 0 && xs[at - 1] > t) at--;
    if (at > 0 && xs[at - 1] === t) values.forEach((v, i) => (this.data[i + 1][at - 1] = v));
    else {
      xs.splice(at, 0, t);
      values.forEach((v, i) => this.data[i + 1].splice(at, 0, v));
    }
    if (xs.length > 2400) this.data = this.data.map((column) => column.filter((_, i) => i % 2 === 0 || i > 2300));
    // A curve need not move as often as a picture.
    this.later ??= setTimeout(() => { this.later = null; this.plot.setData(this.data); }, REDRAWN);
  }

  mark(t) {
    const left = t === null ? -10 : this.plot.valToPos(t, "x");
    this.plot.setCursor({ left, top: 0 });
  }
}

function range(low, high, level, zero) {
  if (low === null || low === undefined) return [0, 1];
  if (level !== null) [low, high] = [Math.min(low, level.value), Math.max(high, level.value)];
  if (zero) low = Math.min(0, low);
  const room = 0.06 * (high - low || 1);
  return [zero && low === 0 ? 0 : low - room, high + room];
}

function drawLevel(u, level) {
  const y = Math.round(u.valToPos(level.value, "y", true)), { left, width } = u.bbox, context = u.ctx;
  context.save();
  context.strokeStyle = context.fillStyle = colour("--faint");
  context.setLineDash([3, 3]);
  context.beginPath();
  context.moveTo(left, y);
  context.lineTo(left + width, y);
  context.stroke();
  context.font = `${10 * devicePixelRatio}px system-ui`;
  context.textAlign = "right";
  context.fillText(level.label, left + width - 2, y - 3);
  context.restore();
}
