// The panel of options: every one of them, from the config's own list; the ones a learner needs first are open.

import { element } from "./dom.js";

export const GROUPS = [
  ["Game", true, ["game.value", "game.k", "game.g_steps", "game.penalty", "game.gamma"]],
  ["Learning rates and optimisers", true, ["d.lr", "g.lr", "d.optimiser", "g.optimiser", "batch"]],
  ["Layers and units", true, ["net.depth", "net.depth_g", "net.width", "net.activation", "net.activation_g", "net.octaves"]],
  ["Noise z", true, ["prior.kind", "prior.dim"]],
  ["More of the game", false, ["game.gamma_end", "game.order", "game.smoothing", "game.fakes", "game.augment", "average", "warmup"]],
  ["More of the optimisers", false, ["d.lr_end", "g.lr_end", "d.beta1", "g.beta1", "d.beta2", "g.beta2", "d.equalised", "g.equalised"]],
  ["More of the networks", false, ["net.kind", "net.classes", "net.slope", "net.dropout", "net.norm", "net.hidden", "net.refine", "net.elastic"]],
];

const LABELS = {
  "game.value": "loss (value function)", "game.k": "steps of D (k)", "game.g_steps": "steps of G", "game.penalty": "gradient penalty",
  "game.gamma": "weight of the penalty", "d.lr": "learning rate of D", "g.lr": "learning rate of G", "d.optimiser": "optimiser of D",
  "g.optimiser": "optimiser of G", batch: "batch size", "net.depth": "hidden layers of D", "net.depth_g": "hidden layers of G (0: as D)",
  "net.width": "units in a layer", "net.activation": "activation", "net.activation_g": "activation of G", "net.octaves": "Fourier features of D",
  "prior.kind": "distribution of z", "prior.dim": "coordinates of z", "net.classes": "class labels", average: "half-life of the EMA of G",
};

export function labelOf(name) {
  return LABELS[name] || name.replace(/_/g, " ").replace(".", ": ");
}

export function control(name, about, id, onchange) {
  if (about.choices.length) {
    return element("select", { id, onchange }, ...about.choices.map((word) => element("option", { value: word }, word.replace(/_/g, " "))));
  }
  if (about.kind === "bool") return element("input", { id, type: "checkbox", onchange });
  const whole = about.kind === "int";
  return element("input", { id, type: "text", inputmode: whole ? "numeric" : "decimal", autocomplete: "off", onchange });
}

export function valueOf(input, about) {
  if (input.type === "checkbox") return input.checked;
  const text = input.value.trim();
  if (about.choices.length) return text;
  if (about.optional && (text === "" || text.toLowerCase() === "none")) return null;
  if (about.kind === "str") return text;
  const value = Number(text);
  return text === "" || Number.isNaN(value) ? text : value;
}

export function setValue(input, value) {
  if (document.activeElement === input && input.tagName === "INPUT" && input.type !== "checkbox") return;
  if (input.type === "checkbox") input.checked = value;
  else input.value = value === null ? "none" : String(value);
}

export class Options {
  constructor(place, about, onchange) {
    this.inputs = {};
    this.about = about;
    for (const [title, open, names] of GROUPS) {
      const rows = names.filter((name) => about[name]).map((name) => {
        const id = "option-" + name.replace(/[._]/g, "-");
        const input = control(name, about[name], id, () => onchange(name, valueOf(input, about[name]), input));
        input.setAttribute("aria-describedby", id + "-help");
        this.inputs[name] = input;
        const help = element("span", { id: id + "-help", hidden: true }, about[name].help);
        return element("div", { class: "option", title: about[name].help }, element("label", { for: id }, labelOf(name)), input, help);
      });
      if (open) place.append(element("fieldset", { class: "options" }, element("legend", {}, title), ...rows));
      else place.append(element("details", {}, element("summary", {}, title), ...rows));
    }
  }

  show(values, defaults) {
    for (const [name, input] of Object.entries(this.inputs)) {
      setValue(input, values[name]);
      input.closest(".option").classList.toggle("changed", values[name] !== defaults[name]);
    }
  }
}
