// The exported session: the same pictures from moments that are in the file.

import { Chart } from "./charts.js";
import { byId, count, element, number } from "./dom.js";
import { separated } from "./frame.js";
import { draw, LAYERS } from "./paint.js";

function restored(frame) {
  for (const [name, [low, step]] of Object.entries(frame.levels)) {
    const shape = frame.arrays[name].shape;
    frame.arrays[name] = Float32Array.from(frame.arrays[name], (v) => low + step * v);
    frame.arrays[name].shape = shape;
  }
  return frame;
}

async function unpacked() {
  const bytes = Uint8Array.from(atob(byId("session").textContent.trim()), (c) => c.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
  return separated(await new Response(stream).arrayBuffer()).map(restored);
}

async function start() {
  const [scene, ...frames] = await unpacked();
  const layers = new Set(LAYERS[scene.kind].filter((row) => row[3]).map((row) => row[0])), slider = byId("when");
  let timer = null;
  const onpick = (t) => { slider.value = frames.reduce((best, frame, i) => (Math.abs(frame.t - t) < Math.abs(frames[best].t - t) ? i : best), 0); show(); };
  const charts = {
    jsd: new Chart(byId("chart-jsd"), [["JSD", "g"]], { zero: true, onpick }),
    v: new Chart(byId("chart-v"), [["V", "d"], ["V at D*", "faint", [4, 3]]], { level: { value: -Math.log(4), label: "-log 4" }, onpick }),
    loss: new Chart(byId("chart-loss"), [["D", "d"], ["G", "g"]], { onpick }),
  };
  const rows = frames.filter((frame) => frame.jsd !== undefined);
  charts.jsd.replace([rows.map((f) => f.t), rows.map((f) => f.jsd)]);
  charts.v.replace([rows.map((f) => f.t), rows.map((f) => f.V), rows.map((f) => f.V_star)]);
  charts.loss.replace([scene.curves.t, scene.curves.loss_d, scene.curves.loss_g]);
  function show() {
    const frame = frames[Number(slider.value)], { words, statistics } = frame;
    draw(byId("view"), scene, frame, layers);
    byId("view").classList.toggle("pixelated", scene.kind === "images");
    byId("step").textContent = count(frame.t);
    slider.setAttribute("aria-valuetext", `step ${frame.t}`);
    byId("modes").textContent = words.modes || "";
    byId("verdict").textContent = words.text || "";
    const numbers = [["JSD, nats", frame.jsd], ["V(D, G), nats", frame.V], ["loss of D", statistics.loss_d], ["loss of G", statistics.loss_g]];
    byId("numbers").replaceChildren(...numbers.map(([name, value]) => element("div", {}, element("dt", {}, name), element("dd", {}, number(value)))));
    for (const chart of Object.values(charts)) chart.mark(frame.t);
  }
  function play() {
    const playing = timer !== null;
    clearInterval(timer);
    timer = playing ? null : setInterval(() => { slider.value = (Number(slider.value) + 1) % frames.length; show(); }, 80);
    byId("play").textContent = playing ? "Play" : "Pause";
    byId("play").setAttribute("aria-pressed", String(!playing));
  }
  byId("layers").append(...LAYERS[scene.kind].map(([name, title]) => element("label", {}, element("input", { type: "checkbox", id: "layer-" + name, checked: layers.has(name),
    onchange: (event) => { layers[event.target.checked ? "add" : "delete"](name); show(); } }), title)));
  slider.max = frames.length - 1;
  slider.value = frames.length - 1;
  slider.addEventListener("input", show);
  byId("play").addEventListener("click", play);
  new ResizeObserver(show).observe(byId("view").parentElement);
  show();
}

start();
