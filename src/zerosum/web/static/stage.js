// The pictures of the games, their layers, and the sentences below them.

import { byId, element, number } from "./dom.js";
import { decoded } from "./frame.js";
import { draw, LAYERS } from "./paint.js";

export class Stage {
  constructor(lab) {
    this.lab = lab;
    this.canvases = {};
    this.scenes = {};
    this.last = {};
    this.on = {};
    for (const [kind, rows] of Object.entries(LAYERS)) this.on[kind] = new Set(rows.filter((row) => row[3]).map((row) => row[0]));
    new ResizeObserver(() => this.redraw()).observe(byId("views"));
    window.matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.redraw());
  }

  kind() {
    return this.scenes.a?.kind;
  }

  // The scene of a game travels with its description, as base64: it changes only with the data.
  told(state) {
    for (const [name, game] of Object.entries(state.games)) {
      if (this.scenes[name]?.key === game.scene_key) continue;
      this.fetch(name, game.scene_key);
    }
    for (const name of Object.keys(this.canvases)) if (!state.games[name]) this.forget(name);
  }

  async fetch(name, key) {
    if (this.asked === name + key) return;
    this.asked = name + key;
    const reply = await this.lab.connection.send({ ask: "scene", game: name }).catch(() => null);
    this.asked = null;
    if (!reply) return;
    const bytes = Uint8Array.from(atob(reply.scene), (c) => c.charCodeAt(0));
    this.scenes[name] = { ...decoded(bytes.buffer), key };
    this.place(name);
    if (name === "a") this.layers();
    this.redraw();
    this.lab.images.told(this.scenes.a);
  }

  place(name) {
    if (this.canvases[name]) return;
    const canvas = element("canvas", { id: "view-" + name, role: "img", "aria-label": "The game" });
    const caption = element("figcaption", {});
    this.canvases[name] = { canvas, caption };
    byId("views").append(element("figure", { class: "view", id: "figure-" + name }, caption, canvas));
  }

  forget(name) {
    byId("figure-" + name)?.remove();
    delete this.canvases[name];
    delete this.scenes[name];
    delete this.last[name];
  }

  layers() {
    const kind = this.kind();
    byId("layers").replaceChildren(...LAYERS[kind].map(([name, title, paint]) => {
      const box = element("input", { type: "checkbox", id: "layer-" + name, checked: this.on[kind].has(name), onchange: (event) => {
        this.on[kind][event.target.checked ? "add" : "delete"](name);
        this.redraw();
      } });
      const swatch = element("span", { class: "swatch", "aria-hidden": "true" });
      swatch.style.background = `var(${paint})`;
      return element("label", {}, box, swatch, title);
    }));
    const scene = this.scenes.a;
    byId("caption").textContent = {
      plane: `p_g is a kernel estimate from ${scene.samples?.toLocaleString("en")} samples, bandwidth ${number(scene.bandwidth)}; so are D* and the JSD. ` +
        `As many real samples have a JSD of ${number(scene.floor)}: no generator can be expected below that. Blue: D says real. Sand: D says generated.`,
      line: "p_g, D*, V and the JSD are exact: by change of variables from G's own weights.",
      images: "Each bar is D's opinion of the image above it: full is real, empty is generated. The noise is the same in every frame.",
    }[scene.kind];
  }

  // Only these layers, of whatever kind the game is.
  only(names) {
    for (const [kind, rows] of Object.entries(LAYERS)) this.on[kind] = new Set(rows.map((row) => row[0]).filter((name) => names.includes(name) || kind === "images"));
    if (this.kind()) this.layers();
    this.redraw();
  }

  shown(frames) {
    for (const frame of frames) this.last[frame.game] = frame;
    this.redraw(frames.map((frame) => frame.game));
  }

  redraw(names = Object.keys(this.canvases)) {
    for (const name of names) {
      const scene = this.scenes[name], frame = this.last[name], place = this.canvases[name];
      if (!scene || !frame || !place || scene.kind !== frame.kind) continue;
      draw(place.canvas, scene, frame, this.on[scene.kind]);
      place.canvas.classList.toggle("pixelated", scene.kind === "images");
      const title = this.canvases.b ? { a: "Game A", b: "Game B, with the changed option" }[name] : "";
      if (place.caption.textContent !== title) place.caption.textContent = title;
      place.caption.hidden = !title;
      place.canvas.setAttribute("aria-label", this.spoken(frame));
    }
  }

  spoken(frame) {
    const parts = [`Step ${frame.t}.`];
    if (frame.jsd !== undefined) parts.push(`JSD ${number(frame.jsd)} nats.`);
    if (frame.modes !== undefined) parts.push(`${frame.modes} of ${frame.modes_of} modes reached.`);
    return parts.join(" ");
  }

  words(frame) {
    const { modes, text, advice, trouble } = frame.words;
    const set = (id, words) => { if (byId(id).textContent !== (words || "")) byId(id).textContent = words || ""; };
    set("modes", modes);
    set("verdict", text);
    set("advice", trouble ? advice : "");
    document.querySelector(".verdict").classList.toggle("trouble", Boolean(trouble));
  }
}
