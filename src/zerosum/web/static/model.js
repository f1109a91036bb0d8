// The graph of the model, z -> G -> G(z) and x -> D, with one noise vector's and one real sample's numbers on it.

import { number, svg } from "./dom.js";

const BOXES = { z: [4, 20, 62, 46], G: [104, 20, 56, 46], Gz: [198, 20, 62, 46], x: [198, 118, 62, 46], D: [286, 66, 50, 52] };
const NAMES = { z: "z", G: "G", Gz: "G(z)", x: "x", D: "D" };
const EDGES = { zG: "M66 43 H104", GGz: "M160 43 H198", GzD: "M260 46 L286 78", xD: "M260 138 L286 108", back: "M311 66 V10 H132 V20" };
// Which parts light up in which phase of Algorithm 1 (web/slow_motion.py).
const LIT = {
  data: ["x"], noise: ["z", "G", "Gz", "zG", "GGz"], d_loss: ["D", "GzD", "xD"], d_update: ["D"],
  g_noise: ["z", "G", "Gz", "zG", "GGz"], g_loss: ["D", "GzD", "back"], g_update: ["G", "back"],
};

export class Model {
  constructor(root) {
    this.parts = {};
    this.values = {};
    for (const [name, d] of Object.entries(EDGES)) root.append((this.parts[name] = svg("path", { d, class: "edge" })));
    for (const [name, [x, y, width, height]] of Object.entries(BOXES)) {
      const box = svg("rect", { x, y, width, height, rx: 7, class: `box ${name}` });
      const title = svg("text", { x: x + width / 2, y: y + 16, "text-anchor": "middle" }, NAMES[name]);
      this.values[name] = svg("text", { x: x + width / 2, y: y + 32, "text-anchor": "middle", class: "value" });
      this.values[name + "2"] = svg("text", { x: x + width / 2, y: y + 44, "text-anchor": "middle", class: "value" });
      this.parts[name] = svg("g", {}, box, title, this.values[name], this.values[name + "2"]);
      root.append(this.parts[name]);
    }
    this.losses = [0, 1].map((i) => svg("text", { x: 4, y: 132 + 22 * i, class: "value" }));
    this.back = svg("text", { x: 140, y: 9, class: "value" });
    root.append(...this.losses, this.back);
  }

  show(frame) {
    const probe = frame.probe, statistics = frame.statistics || {};
    const set = (name, values) => {
      this.values[name].textContent = values[0] === undefined ? "" : number(values[0], 2);
      this.values[name + "2"].textContent = values[1] === undefined ? "" : number(values[1], 2);
    };
    if (probe) {
      set("z", probe.z); set("Gz", probe.G); set("x", probe.x);
      this.values.D.textContent = "x " + number(probe.D_real, 2);
      this.values.D2.textContent = "G " + number(probe.D_fake, 2);
    }
    if (!probe) Object.values(this.values).forEach((text) => (text.textContent = ""));
    this.losses[0].textContent = "loss of D " + number(statistics.loss_d);
    this.losses[1].textContent = "loss of G " + number(statistics.loss_g);
    this.back.textContent = "G's gradient, norm " + number(statistics.grad_g);
  }

  light(phase) {
    const lit = new Set(LIT[phase] || []);
    for (const [name, part] of Object.entries(this.parts)) part.classList.toggle("lit", lit.has(name));
  }
}
