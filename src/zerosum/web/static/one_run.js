// One run: samples over time with one slider that moves grid, curves and verdict together; curves with what to want of each.

import { Chart } from "./charts.js";
import { withToken } from "./connection.js";
import { count, element, number, svg } from "./dom.js";
import { age, fetched, stateOf } from "./watch.js";

const COLOURS = { converged: "--g", improving: "--g", plateaued: "--d", "too early to say": "--faint" };

export class OneRun {
  constructor(place, id) {
    this.place = place;
    this.id = id;
    this.seen = 0;
    this.charts = {};
    this.at = null; // samples seen at which the slider stands; null is the newest
    this.build();
  }

  build() {
    const parts = (this.parts = {});
    const make = (name, tag, attributes = {}, ...children) => (parts[name] = element(tag, attributes, ...children));
    this.place.replaceChildren(
      make("title", "h2"), make("state", "p", { role: "status", "aria-live": "polite" }), make("summary", "p", { class: "faint" }),
      element("div", { class: "two" },
        element("section", { class: "run-grid", "aria-label": "Samples over time" },
          make("picture", "img", { alt: "Samples of the averaged generator", hidden: true, id: "grid" }), make("classes", "div", { class: "class-names" }),
          element("label", { for: "moment" }, "Over time: ", make("when", "output", { id: "when-text" })),
          make("slider", "input", { type: "range", id: "moment", min: 0, max: 0, step: 1, value: 0, oninput: (event) => this.choose(Number(event.target.value)) }),
          element("div", { class: "row" }, make("play", "button", { type: "button", id: "lapse", "aria-pressed": "false", onclick: () => this.lapse() }, "Play the time-lapse"),
            make("save", "a", { download: "grid.png", id: "save-grid" }, "Save this grid"), element("a", { href: withToken(`/api/runs/${this.id}/timelapse.gif`), id: "save-gif" }, "Save the time-lapse (GIF)"),
            element("a", { href: withToken(`/api/runs/${this.id}/timelapse.mp4`), id: "save-mp4" }, "(MP4)")),
          element("h3", {}, "Verdict over time"), make("band", "div", { class: "band", id: "band" })),
        element("section", { "aria-label": "Verdict" }, make("verdict", "div", { class: "verdict" }),
          make("distance", "div", { class: "chart" }), element("p", { class: "faint", id: "distance-words" }))),
      element("h2", {}, "Curves"), make("noprob", "p", { class: "faint" }), make("curves", "div", { class: "curves" }),
      element("h2", {}, "Scores"), make("scores", "div", { class: "scroll" }),
      element("h2", {}, "Nearest training images"),
      element("div", { class: "row" }, element("button", { type: "button", id: "nearest", onclick: () => this.nearest() }, "Find them (reads the data; takes seconds)")), make("nearest", "div", { role: "status" }),
      element("h2", {}, "Next"), make("commands", "pre", { tabindex: 0 }),
      element("h2", {}, "This run"), make("about", "div", { class: "scroll" }), make("options", "details"),
      make("stopping", "section", { hidden: true }));
    this.distance = new Chart(element("div"), [["distance", "g"]], { x: "samples seen", height: 200, level: { value: 0, label: "real samples" }, zero: true, onpick: (s) => this.chooseSamples(s) });
    parts.distance.append(element("h3", {}, "Distance to held-out real samples"), this.distance.place);
    fetched("/api/runs").then((found) => found.may_stop && this.stopping()).catch(() => {});
  }

  async refresh() {
    const found = await fetched(`/api/runs/${this.id}?seen=${this.seen}`);
    if (found.same) return this.head(found.line);
    this.seen = found.revision;
    this.run = found;
    this.head(found);
    this.show(found);
  }

  head(line) {
    this.parts.title.textContent = line.name;
    const of = line.horizon ? ` of ${count(line.horizon)}` : "";
    this.parts.state.replaceChildren(stateOf(line), ` ${count(line.samples)}${of} samples seen; last change ${age(line.age)} ago.`);
  }

  show(run) {
    const { parts } = this;
    parts.summary.textContent = run.summary + (run.complaints.length ? " " + run.complaints.join(" ") : "");
    const last = run.grids.length - 1, follow = this.at === null || Number(parts.slider.value) === Number(parts.slider.max);
    parts.slider.max = Math.max(0, last);
    parts.slider.disabled = last < 1;
    if (follow) parts.slider.value = Math.max(0, last);
    parts.classes.replaceChildren(...(run.rows_of_classes.length ? ["Rows from above: " + run.rows_of_classes.join(", ")] : []));
    this.verdict(run.judged);
    this.distance.replace(run.distance.columns);
    this.place.querySelector("#distance-words").textContent = run.distance.meaning + " " + run.distance.healthy;
    parts.noprob.textContent = run.no_probability || "";
    for (const curve of run.curves) this.curve(curve);
    this.tables(run);
    this.choose(Number(parts.slider.value), follow);
  }

  curve(curve) {
    if (!this.charts[curve.title]) {
      const place = element("div");
      const chart = new Chart(place, curve.series, { x: "samples seen", height: 190, log: curve.log, level: curve.level && { value: curve.level[0], label: curve.level[1] }, onpick: (s) => this.chooseSamples(s) });
      this.charts[curve.title] = chart;
      this.parts.curves.append(element("figure", { class: "view chart" }, element("h3", {}, curve.title), place, element("p", {}, curve.meaning), element("p", { class: "faint" }, curve.healthy)));
    }
    const data = curve.log ? curve.columns.map((column, i) => (i ? column.map((v) => (v > 0 ? v : null)) : column)) : curve.columns;
    this.charts[curve.title].replace(data);
  }

  verdict(judged) {
    const since = judged.since ? ` since ${count(judged.since)} samples` : "";
    const { verdict, band } = this.parts;
    verdict.classList.toggle("trouble", judged.trouble);
    verdict.replaceChildren(element("p", {}, element("strong", {}, judged.state[0].toUpperCase() + judged.state.slice(1)), `${since} (confidence: ${judged.confidence})`),
      element("p", {}, judged.meaning), element("ul", {}, ...judged.evidence.map((sentence) => element("li", {}, sentence))), element("p", {}, judged.advice));
    const rows = judged.history, end = rows.length ? rows[rows.length - 1].samples || 1 : 1, drawing = svg("svg", { viewBox: "0 0 1000 24", preserveAspectRatio: "none", role: "img",
      "aria-label": "Verdict over time: " + rows.filter((row, i) => i === 0 || row.state !== rows[i - 1].state).map((row) => `${row.state} from ${count(row.samples)} samples`).join("; ") });
    rows.forEach((row, i) => {
      const x = (1000 * row.samples) / end, next = i + 1 < rows.length ? (1000 * rows[i + 1].samples) / end : 1000;
      const part = svg("rect", { x, y: 0, width: Math.max(2, next - x), height: 24 });
      part.style.fill = `var(${COLOURS[row.state] || "--step"})`;
      part.append(svg("title", {}, `${row.state} at ${count(row.samples)} samples`));
      drawing.append(part);
    });
    this.needle = svg("rect", { x: 998, y: 0, width: 3, height: 24 });
    this.needle.style.fill = "var(--ink)";
    drawing.append(this.needle);
    band.replaceChildren(drawing);
    this.end = end;
  }

  // The slider: grid, curves and verdict move together.
  choose(i, follow = false) {
    const { parts, run } = this, row = run.grids[i];
    if (!row) return void (parts.when.textContent = "there is no grid yet");
    this.at = follow && i === run.grids.length - 1 ? null : row.samples;
    const src = withToken(`/api/runs/${this.id}/grid/${row.round}.png`);
    if (parts.picture.getAttribute("src") !== src) parts.picture.src = src;
    parts.picture.hidden = false;
    parts.save.href = src;
    const then = [...run.judged.history].reverse().find((check) => check.samples <= row.samples);
    parts.when.textContent = `${count(row.samples)} samples seen${then ? `; ${then.state}, distance ${number(then.distance, 2)}` : ""}`;
    for (const chart of [...Object.values(this.charts), this.distance]) chart.mark(row.samples);
    this.needle?.setAttribute("x", Math.min(997, (1000 * row.samples) / (this.end || 1)));
  }

  chooseSamples(samples) {
    const near = this.run.grids.reduce((best, row, i) => (Math.abs(row.samples - samples) < Math.abs(this.run.grids[best].samples - samples) ? i : best), 0);
    this.parts.slider.value = near;
    this.choose(near);
  }

  lapse() {
    const { play, slider } = this.parts;
    if (this.playing) { clearInterval(this.playing); this.playing = null; play.textContent = "Play the time-lapse"; play.setAttribute("aria-pressed", "false"); return; }
    let i = 0;
    play.textContent = "Stop the time-lapse";
    play.setAttribute("aria-pressed", "true");
    this.playing = setInterval(() => {
      slider.value = i;
      this.choose(i);
      if (++i > Number(slider.max)) this.lapse();
    }, 250);
  }

  tables(run) {
    const { scores, commands, about, options } = this.parts;
    const names = ["measure", "value", "95 % interval", "reference score", "better", "samples"];
    scores.replaceChildren(run.scores.length ? element("table", {}, element("tr", {}, ...names.map((name) => element("th", { scope: "col" }, name))),
      ...run.scores.map((s) => element("tr", { title: s.note }, ...[s.name, s.value, s.interval, s.floor, s.direction, s.n].map((text) => element("td", {}, text)))))
      : element("p", { class: "faint" }, "Nothing is scored yet; zerosum evaluate computes every measure."));
    commands.textContent = run.commands.join("\n") || "zerosum diagnose " + run.path;
    about.replaceChildren(element("table", {}, ...run.about.map(([name, text]) => element("tr", {}, element("th", { scope: "row" }, name), element("td", {}, text)))));
    if (!options.childElementCount) options.append(element("summary", {}, `All ${run.options.length} options`), element("table", {}, ...run.options.map(([name, text]) => element("tr", {}, element("td", {}, name), element("td", {}, text)))));
  }

  async nearest() {
    const place = this.parts.nearest;
    place.textContent = "Looking for the nearest training images …";
    const answer = await fetch(withToken(`/api/runs/${this.id}/nearest.png`));
    if (!answer.ok) return void (place.textContent = await answer.text());
    const uri = URL.createObjectURL(await answer.blob());
    place.replaceChildren(element("p", {}, "First of each row: a sample. Behind it: the five training images nearest to it, by the distance of pixels. A sample that equals one was memorised."), element("img", { src: uri, alt: "Samples, each with its five nearest training images" }));
  }

  stopping() {
    const { stopping } = this.parts;
    const token = element("input", { type: "text", id: "stop-token", autocomplete: "off" }), said = element("p", { role: "status" });
    const stop = async () => {
      const answer = await fetch(withToken(`/api/runs/${this.id}/stop`), { method: "POST", headers: { "x-stop-token": token.value } });
      said.textContent = answer.ok ? "The run finishes its step, saves and ends." : await answer.text();
    };
    stopping.replaceChildren(element("h2", {}, "Stop the run"), element("div", { class: "row" }, element("label", { for: "stop-token" }, "Token, as printed by zerosum watch"), token,
      element("button", { type: "button", class: "danger", id: "stop", onclick: stop }, "Stop cleanly")), said);
    stopping.hidden = false;
  }
}
