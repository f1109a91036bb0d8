// The lab: what the controls do, and where descriptions and frames are shown.

import { Connection } from "./connection.js";
import { Chart } from "./charts.js";
import { byId, count, element, number } from "./dom.js";
import { separated } from "./frame.js";
import { Images } from "./images.js";
import { Model } from "./model.js";
import { control, labelOf, Options, setValue, valueOf } from "./options.js";
import { Pad } from "./pad.js";
import { Stage } from "./stage.js";
import { Takeaway } from "./takeaway.js";
import { Tour } from "./tour.js";
import { withToken } from "./connection.js";

const LOG4 = { value: -Math.log(4), label: "-log 4" };

class Lab {
  constructor(about) {
    this.about = about;
    this.state = null;
    this.frames = {};
    this.started = false;
    this.model = new Model(byId("model"));
    this.stage = new Stage(this);
    this.options = new Options(byId("options"), about.options, (name, value, input) => this.change(name, value, input));
    this.pad = new Pad(byId("pad"));
    this.charts = {
      jsd: new Chart(byId("chart-jsd"), [["A", "g"], ["B", "step", [6, 3]]], { zero: true, onpick: (t) => this.seek(t) }),
      v: new Chart(byId("chart-v"), [["V", "d"], ["V at D*", "faint", [4, 3]]], { level: LOG4, onpick: (t) => this.seek(t) }),
      loss: new Chart(byId("chart-loss"), [["D", "d"], ["G", "g"]], { onpick: (t) => this.seek(t) }),
    };
    this.connection = new Connection("/api/lab", {
      onframes: (buffer) => this.arrived(buffer),
      onmessage: (message) => this.told(message),
      onstatus: (open) => this.status(open),
    });
    this.images = new Images(this);
    this.takeaway = new Takeaway(this);
    this.tour = new Tour(this);
    this.fill();
    this.wire();
  }

  // -- commands ----------------------------------------------------------------------------------------------------------

  async do(command) {
    try {
      const reply = await this.connection.send(command);
      if (byId("message").dataset.kind === "error") this.say("");
      return reply;
    } catch (error) {
      this.say(error.message, "error");
      return null;
    }
  }

  say(text, kind = "") {
    const place = byId("message");
    place.textContent = text;
    place.hidden = !text;
    place.dataset.kind = kind;
  }

  async change(name, value, input) {
    await this.do({ do: "change", options: { [name]: value }, game: "both" });
    if (this.state && input) setTimeout(() => this.state && this.options.show(this.state.games.a.options, this.state.games.a.defaults), 150);
  }

  async begin(setup, more = {}) {
    this.clear();
    await this.do({ do: "begin", setup, ...more });
  }

  seek(t) {
    const head = Number(byId("when").max);
    this.wanted = Math.max(0, Math.min(head, Math.round(t)));
    if (this.seeking) return;
    this.seeking = true;
    const go = async () => {
      // Only the newest place is asked for: a slider that is dragged asks for more than can be computed.
      while (this.wanted !== null) {
        const t = this.wanted;
        this.wanted = null;
        await this.do({ do: "seek", t });
      }
      this.seeking = false;
    };
    go();
  }

  wire() {
    const on = (id, handler, event = "click") => byId(id).addEventListener(event, handler);
    on("play", () => this.do({ do: this.state?.playing ? "pause" : "play" }));
    on("slow", () => this.do(this.state?.playing && this.state?.slow ? { do: "pause" } : { do: "play", slow: true }));
    on("one", () => this.do({ do: "step" }));
    on("only-d", () => this.do({ do: "step", only: "d" }));
    on("only-g", () => this.do({ do: "step", only: "g" }));
    on("restart", () => { this.clear(); this.do({ do: "restart" }); });
    on("when", (event) => this.seek(Number(event.target.value)), "input");
    on("now", () => this.do({ do: "seek", t: null }));
    on("line", async (event) => { await this.do({ do: "line", line: Number(event.target.value) }); this.reload(); }, "change");
    on("data", (event) => this.chooseData(event.target.value), "change");
    on("start", (event) => this.begin({ data: this.state.games.a.setup.data }, { trained: Number(event.target.value) }), "change");
    on("seed", (event) => { this.clear(); this.change("seed", Number(event.target.value), event.target); }, "change");
    on("length", (event) => { this.clear(); this.do({ do: "change", options: {}, steps: Number(event.target.value), game: "both" }); }, "change");
    on("pad-use", () => (this.pad.points.length ? this.begin({ data: this.pad.name() }) : this.say("Draw a line on the pad first.", "error")));
    on("pad-clear", () => this.pad.clear());
    on("compare", () => this.compare());
    on("compare-off", async () => { await this.do({ do: "compare", off: true }); this.stage.forget("b"); this.reload(); });
    on("compare-option", () => this.compareControl(), "change");
    document.addEventListener("keydown", (event) => this.key(event));
    document.addEventListener("visibilitychange", () => this.do({ do: "hide", hidden: document.hidden }));
    window.addEventListener("hashchange", () => this.fromLink());
  }

  key(event) {
    if (event.target.closest("input, select, textarea, dialog, canvas, button, summary") || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === " ") { event.preventDefault(); byId("play").click(); }
    else if (event.key === "ArrowRight") byId("one").click();
    else if (event.key === "ArrowLeft" && this.frames.a) this.seek(this.frames.a.t - 1);
  }

  chooseData(name) {
    byId("drawing").hidden = name !== "draw";
    if (name === "draw") this.pad.draw();
    else this.begin({ data: name });
  }

  compareControl() {
    const name = byId("compare-option").value, about = this.about.options[name];
    const made = control(name, about, "compare-value", () => {});
    // A choice is offered that differs from the first game's; a number is there to be changed.
    const present = this.state ? this.state.games.a.options[name] : "";
    setValue(made, about.choices.find((word) => word !== present) ?? present);
    byId("compare-slot").replaceChildren(made);
  }

  async compare() {
    const name = byId("compare-option").value;
    this.clear();
    await this.do({ do: "compare", options: { [name]: valueOf(byId("compare-value"), this.about.options[name]) } });
  }

  fill() {
    const groups = { plane: "in the plane", line: "on a line", images: "images" };
    byId("data").append(...Object.entries(groups).map(([kind, title]) =>
      element("optgroup", { label: title }, ...this.about.data[kind].map((name) => element("option", { value: name }, name)))),
      element("optgroup", { label: "your own" }, element("option", { value: "draw" }, "draw by hand …")));
    for (const [name, row] of Object.entries(this.about.scenarios)) {
      byId("scenarios").append(element("div", { class: "scenario" },
        element("button", { type: "button", id: "scenario-" + name, title: row.text, onclick: () => { this.clear(); this.do({ do: "scenario", name }); } }, row.title),
        element("button", { type: "button", id: "cure-" + name, class: "cure", hidden: true, onclick: () => this.do({ do: "scenario", name, cure: true }) }, "Cure: " + row.cure)));
    }
    const names = ["game.value", "game.penalty", "game.gamma", "game.k", "game.g_steps", "d.lr", "g.lr", "prior.kind", "net.width", "batch"];
    byId("compare-option").append(...names.map((name) => element("option", { value: name }, labelOf(name))));
    this.compareControl();
  }

  // -- news --------------------------------------------------------------------------------------------------------------

  status(open) {
    if (!open) return this.say("The lab does not answer. Its program has ended, or is being started again; this page tries again every second.", "error");
    if (byId("message").dataset.kind === "error") this.say("");
    this.fromLink();
  }

  fromLink() {
    const text = decodeURIComponent(window.location.hash.slice(1));
    if (!text || text === this.written) return;
    this.written = text;
    try {
      this.begin(JSON.parse(text));
    } catch {
      this.say("The link's setup cannot be read: copy the whole link.", "error");
    }
  }

  told(message) {
    if (message.curves) return this.curves(message.curves);
    if (!message.state) return;
    const state = (this.state = message.state), a = state.games.a;
    const heads = Math.max(...Object.values(state.games).map((game) => game.head));
    const play = byId("play");
    play.textContent = state.playing && !state.slow ? "Pause" : "Play";
    play.setAttribute("aria-pressed", String(state.playing && !state.slow));
    byId("slow").setAttribute("aria-pressed", String(state.playing && state.slow));
    byId("when").max = heads;
    if (state.at === null) byId("when").value = heads;
    else if (document.activeElement !== byId("when")) byId("when").value = state.at;
    byId("when-text").textContent = state.at === null ? "the present" : `step ${count(state.at)} of ${count(heads)}`;
    byId("now").disabled = state.at === null;
    byId("line-label").hidden = a.lines.length < 2;
    byId("line").replaceChildren(...a.lines.map((name, i) => element("option", { value: i, selected: i === a.line }, name)));
    byId("speed").textContent = state.playing && !state.slow && state.rate ? `${number(state.rate, 0)} a second` : "";
    this.options.show(a.options, a.defaults);
    this.showSetup(a, state);
    this.stage.told(state);
    this.model.light(state.phase >= 0 ? state.phases[state.phase].part : "");
    byId("phase-text").textContent = state.phase >= 0 ? state.phases[state.phase].text : "";
    const broken = Object.values(state.games).map((game) => game.broken).filter(Boolean)[0];
    if (broken || byId("message").dataset.kind !== "error") this.say(broken || state.message || "");
    this.takeaway.told(state);
    const key = JSON.stringify([a.line, a.lines.length, Object.keys(state.games), a.setup.data]);
    if (key !== this.key_) { this.key_ = key; this.reload(); }
  }

  showSetup(a, state) {
    const known = [...byId("data").options].map((option) => option.value);
    if (document.activeElement !== byId("data")) byId("data").value = known.includes(a.setup.data || "ring8") ? a.setup.data || "ring8" : "draw";
    setValue(byId("seed"), a.options.seed);
    setValue(byId("length"), a.setup.steps || 1000);
    for (const name of Object.keys(this.about.scenarios)) byId("cure-" + name).hidden = state.scenario !== name;
    byId("compare-off").hidden = !state.games.b;
    // The whole setup is in the address, as far as a setup can say it.
    const link = JSON.stringify(a.setup);
    if (link !== this.written && this.started) {
      this.written = link;
      history.replaceState(null, "", window.location.pathname + window.location.search + "#" + encodeURIComponent(link));
    }
    if (!this.started) this.compareControl();
    this.started = true;
  }

  async reload() {
    const curves = await this.connection.send({ ask: "curves" }).catch(() => null);
    if (curves) this.curves(curves);
  }

  clear() {
    for (const chart of Object.values(this.charts)) chart.replace(chart.data.map(() => []));
  }

  curves(games) {
    const { a, b } = games;
    if (!a) return;
    this.charts.loss.replace([a.t, a.loss_d, a.loss_g]);
    this.charts.v.replace([a.measured.map((row) => row[0]), a.measured.map((row) => row[2]), a.measured.map((row) => row[3])]);
    const steps = [...new Set([...a.measured, ...(b ? b.measured : [])].map((row) => row[0]))].sort((x, y) => x - y);
    const of = (game) => { const at = new Map((game?.measured || []).map((row) => [row[0], row[1]])); return steps.map((t) => at.get(t) ?? null); };
    this.charts.jsd.replace([steps, of(a), of(b)]);
  }

  // The lab sends the next frame when this one is drawn.
  arrived(buffer) {
    requestAnimationFrame(() => {
      try {
        this.shown(separated(buffer));
      } finally {
        this.connection.tell({ do: "seen" });
      }
    });
  }

  shown(frames) {
    for (const frame of frames) this.frames[frame.game] = frame;
    const { a, b } = this.frames, two = frames.length > 1;
    this.stage.shown(frames);
    if (!frames.some((frame) => frame.game === "a")) return;
    this.model.show(a);
    byId("step").textContent = count(a.t);
    this.stage.words(a);
    this.numbers(a, two ? b : null);
    const s = a.statistics;
    if (a.t > 0 && s.loss_d !== undefined) this.charts.loss.add(a.t, [s.loss_d, s.loss_g]);
    if (a.V !== null && a.V !== undefined) this.charts.v.add(a.t, [a.V, a.V_star]);
    if (a.jsd !== undefined) this.charts.jsd.add(a.t, [a.jsd, two ? b.jsd : null]);
    this.images.shown();
  }

  numbers(a, b) {
    const rows = [["JSD, nats", (f) => number(f.jsd)], ["V(D, G), nats", (f) => (f.V === null || f.V === undefined ? "no probability" : number(f.V))],
      ["V(D*, G), nats", (f) => number(f.V_star)], ["modes", (f) => (f.modes === undefined ? "–" : `${f.modes} of ${f.modes_of}`)],
      ["loss of D", (f) => number(f.statistics.loss_d)], ["loss of G", (f) => number(f.statistics.loss_g)],
      ["D(x)", (f) => number(f.statistics.D_real)], ["D(G(z))", (f) => number(f.statistics.D_fake)]];
    // What this game has not is not shown: images have no exact JSD, and a relativistic D gives no probability.
    for (const [id, value] of [["chart-jsd", a.jsd], ["chart-v", a.V]]) byId(id).parentElement.hidden = value === null || value === undefined;
    byId("numbers").replaceChildren(...rows.filter(([, of]) => of(a) !== "–").map(([name, of]) =>
      element("div", {}, element("dt", {}, name), element("dd", {}, of(a) + (b ? ` | ${of(b)}` : "")))));
  }
}

const about = await (await fetch(withToken("/api/options"))).json();
window.lab = new Lab(about);
