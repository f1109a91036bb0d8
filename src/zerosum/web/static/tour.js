// The guided tour: eight steps along the argument of Goodfellow et al. 2014 and of three texts that explain it. Each sets the lab up.

import { byId } from "./dom.js";

const SOURCE = "Goodfellow et al. 2014, arXiv 1406.2661";
export const STEPS = [
  { title: "1. Data and noise", at: "#views", layers: ["reals", "p_data", "lattice", "samples"], setup: { data: "blobs" }, paused: true,
    text: "The black points are real samples x of a distribution p_data that nobody can write down. All that you can draw yourself is noise z. A generator G turns each z into a point G(z): the green points. Their distribution is p_g. The green grid shows where G takes a grid of z.",
    source: SOURCE + ", section 3" },
  { title: "2. Two players", at: "#model", layers: ["D", "reals", "samples"], setup: { data: "blobs" }, paused: true, slow: true,
    text: "The discriminator D looks at a point and says how probable it is that the point is real: blue is real, sand is generated. Watch one step of Algorithm 1 in slow motion: the parts light up in turn.",
    source: SOURCE + ", Algorithm 1" },
  { title: "3. The game", at: "#chart-loss", layers: ["D", "reals", "samples", "pull"], setup: { data: "blobs" },
    text: "D learns to tell the two apart, G learns to be taken for real. Both play over the same number, V(D, G) = E log D(x) + E log(1 - D(G(z))): D maximises it, G minimises it. The orange arrows show where D's gradient moves each sample.",
    source: SOURCE + ", equation 1" },
  { title: "4. k: who moves how often", at: "#option-game-k", layers: ["D", "reals", "samples"], setup: { data: "ring8", options: { "game.k": 1 } },
    text: "In each step D is updated k times and G once. D must stay near its best answer to G, or G learns from wrong advice. Change the steps of D and of G on the left, and watch the modes.",
    source: SOURCE + ", Algorithm 1 and section 6" },
  { title: "5. The optimal discriminator", at: "#views", layers: ["p_data", "p_g", "D", "D_star", "lattice"], setup: { data: "bimodal" },
    text: "For a fixed G the best D is known: D*(x) = p_data / (p_data + p_g). In one dimension p_g is exact, so the page can draw D* (broad and pale) below D (dashed). Where they agree, D has nothing left to learn from this G.",
    source: SOURCE + ", Proposition 1" },
  { title: "6. JSD", at: "#chart-jsd", layers: ["p_data", "p_g", "D", "D_star"], setup: { data: "bimodal" },
    text: "With D* the game's value is V = -log 4 + 2 JSD(p_data, p_g). So whoever plays G against a good D minimises the Jensen-Shannon divergence, which is 0 exactly where p_g = p_data. The curve shows it, in nats.",
    source: SOURCE + ", Theorem 1" },
  { title: "7. Convergence", at: "#chart-v", layers: ["D", "reals", "samples", "D_star"], setup: { data: "ring8" },
    text: "At the end D can only guess: D = 1/2 everywhere, and V = -log 4 = -1.386. The proof assumes that D is optimal in each step and that p_g itself is moved. Networks keep neither assumption, so convergence is a matter of good options: here a penalty on D's gradient, and rates that decay.",
    source: SOURCE + ", Proposition 2; Mescheder et al. 2018, arXiv 1801.04406" },
  { title: "8. What goes wrong", at: "#scenarios", layers: ["D", "reals", "samples"], scenario: "neglected",
    text: "G may collapse to a few modes, its gradient may vanish, the players may circle, D may memorise. Each is one click on the left, and its cure a second one. This is mode collapse: G takes 25 steps for each one of D. Then press its cure.",
    source: SOURCE + ", section 6" },
];

export class Tour {
  constructor(lab) {
    this.lab = lab;
    this.at = 0;
    byId("tour-start").addEventListener("click", () => this.go(0));
    byId("tour-next").addEventListener("click", () => (this.at + 1 < STEPS.length ? this.go(this.at + 1) : this.end()));
    byId("tour-back").addEventListener("click", () => this.go(Math.max(0, this.at - 1)));
    byId("tour-end").addEventListener("click", () => this.end());
    byId("tour").addEventListener("close", () => this.end());
    byId("tour").addEventListener("keydown", (event) => event.key === "Escape" && this.end());
  }

  async go(at) {
    this.at = at;
    const step = STEPS[at];
    byId("tour-title").textContent = step.title;
    byId("tour-text").textContent = step.text;
    byId("tour-source").textContent = step.source;
    byId("tour-place").textContent = `${at + 1} of ${STEPS.length}`;
    byId("tour-back").disabled = at === 0;
    byId("tour-next").textContent = at + 1 < STEPS.length ? "Next" : "Finish";
    if (!byId("tour").open) byId("tour").show();
    byId("tour-next").focus();
    this.light(step.at);
    this.lab.clear();
    if (step.scenario) await this.lab.do({ do: "scenario", name: step.scenario });
    else await this.lab.begin(step.setup, { play: !step.paused });
    if (step.slow) await this.lab.do({ do: "play", slow: true });
    this.lab.stage.only(step.layers);
  }

  light(selector) {
    document.querySelectorAll(".lit-up").forEach((lit) => lit.classList.remove("lit-up"));
    const lit = selector && document.querySelector(selector);
    if (!lit) return;
    lit.classList.add("lit-up");
    lit.scrollIntoView({ block: "nearest" });
  }

  end() {
    if (byId("tour").open) byId("tour").close();
    this.light(null);
  }
}
