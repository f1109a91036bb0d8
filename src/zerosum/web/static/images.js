// Images in the lab: one image by its z and class, sliders for z's first coordinates, and a walk between two draws of z.

import { byId, element, number } from "./dom.js";
import { picture } from "./tiles.js";

const SLIDERS = 8;

function bytes(text) {
  return Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
}

export class Images {
  constructor(lab) {
    this.lab = lab;
    this.draw = 0;
    this.z = null;
    byId("new-z").addEventListener("click", () => { this.draw++; this.z = null; this.ask(); });
    byId("digit").addEventListener("change", () => this.ask());
    byId("walk").addEventListener("click", () => this.walk());
    this.sliders = [...Array(SLIDERS).keys()].map((i) => element("input", { type: "range", id: "z-" + i, min: -3, max: 3, step: 0.05, value: 0, oninput: () => this.moved() }));
    byId("z-sliders").append(...this.sliders.map((input, i) => element("div", {}, element("label", { for: "z-" + i }, `z${i + 1}`), input)));
  }

  told(scene) {
    byId("images").hidden = scene?.kind !== "images";
    if (scene?.kind !== "images") return;
    this.scene = scene;
    if (byId("digit").options.length !== scene.classes.length) {
      byId("digit").replaceChildren(...scene.classes.map((name, i) => element("option", { value: i }, name)));
    }
    this.z = null;
    this.ask();
  }

  // A new frame: the same z through the present G, unless one is already being computed.
  shown() {
    if (this.scene && !byId("images").hidden && !this.busy && performance.now() - (this.at || 0) > 1000) this.ask();
  }

  moved() {
    this.z = this.sliders.map((input) => Number(input.value));
    this.ask();
  }

  async ask() {
    if (this.busy) return void (this.again = true);
    this.busy = true;
    const found = await this.lab.connection.send({ ask: "image", z: this.z || [], draw: this.draw, y: Number(byId("digit").value || 0) }).catch(() => null);
    this.busy = false;
    this.at = performance.now();
    if (found) this.show(found);
    if (this.again) { this.again = false; this.ask(); }
  }

  show(found) {
    const shape = found.shape.slice(1), context = byId("single").getContext("2d");
    const small = new OffscreenCanvas(shape[2], shape[1]);
    small.getContext("2d").putImageData(picture(bytes(found.image), 0, shape), 0, 0);
    context.imageSmoothingEnabled = false;
    context.drawImage(small, 0, 0, byId("single").width, byId("single").height);
    byId("single-opinion").textContent = `D's opinion: ${number(found.opinion, 2)} (1: real, 0: generated)`;
    if (!this.z) this.sliders.forEach((input, i) => (input.value = found.z[i] ?? 0));
  }

  async walk() {
    const found = await this.lab.do({ ask: "walk", draw: this.draw, to: this.draw + 1000 + Math.floor(Math.random() * 1000), y: Number(byId("digit").value || 0) });
    if (!found) return;
    const [n, , rows, columns] = found.shape, shape = found.shape.slice(1), canvas = byId("walk-view");
    Object.assign(canvas, { width: n * columns, height: rows });
    const each = shape[0] * rows * columns, data = bytes(found.images);
    for (let i = 0; i < n; i++) canvas.getContext("2d").putImageData(picture(data, i * each, shape), i * columns, 0);
  }
}
