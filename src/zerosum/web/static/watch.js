// The watch: a list of runs, one run, or several compared; which of them is in the address behind the #. Asked for again twice a second.

import { withToken } from "./connection.js";
import { byId, count, element, number } from "./dom.js";
import { Compared } from "./compared.js";
import { OneRun } from "./one_run.js";

const APART = 500, MOST = 6;

export async function fetched(path) {
  const answer = await fetch(withToken(path));
  if (!answer.ok) throw new Error(await answer.text());
  return answer.json();
}

export function age(seconds) {
  if (seconds === null) return "–";
  if (seconds < 90) return `${Math.round(seconds)} s`;
  if (seconds < 5400) return `${Math.round(seconds / 60)} min`;
  return seconds < 129600 ? `${Math.round(seconds / 3600)} h` : `${Math.round(seconds / 86400)} days`;
}

export function stateOf(line) {
  const kind = line.state.name === "live" ? "live" : line.state.trouble ? "bad" : "";
  return element("span", { class: "state " + kind }, line.state.words);
}

class List {
  constructor(place) {
    this.place = place;
    this.chosen = new Set();
    this.body = element("tbody");
    this.button = element("button", { type: "button", id: "compare-runs", disabled: true, onclick: () => (location.hash = "compare=" + [...this.chosen].join(",")) }, "Compare the chosen runs");
    const head = ["compare", "preview", "run", "state", "data", "samples seen", "verdict", "last change"].map((name) => element("th", { scope: "col" }, name));
    place.replaceChildren(element("h2", {}, "Runs"), element("div", { class: "row" }, this.button, element("span", { class: "faint" }, `up to ${MOST}`)),
      element("div", { class: "scroll" }, element("table", { class: "runs" }, element("thead", {}, element("tr", {}, ...head)), this.body)));
    this.seen = "";
  }

  async refresh() {
    const found = await fetched("/api/runs");
    byId("places").textContent = found.places.join(", ");
    const seen = JSON.stringify(found.runs.map((line) => [line.id, line.revision, line.state.name, line.age === null ? null : age(line.age)]));
    if (seen === this.seen || this.body.contains(document.activeElement)) return;
    this.seen = seen;
    this.body.replaceChildren(...found.runs.map((line) => this.row(line)));
    if (!found.runs.length) this.body.append(element("tr", {}, element("td", { colspan: 8 }, "No runs here yet. They appear as soon as a training begins: zerosum train mnist --minutes 5")));
  }

  row(line) {
    const box = element("input", { type: "checkbox", "aria-label": "compare " + line.name, checked: this.chosen.has(line.id), onchange: (event) => {
      if (event.target.checked && this.chosen.size >= MOST) return void (event.target.checked = false);
      this.chosen[event.target.checked ? "add" : "delete"](line.id);
      this.button.disabled = this.chosen.size < 2;
    } });
    const picture = line.preview === null ? "" : element("img", { src: withToken(`/api/runs/${line.id}/grid/${line.preview}.png`), alt: "", loading: "lazy" });
    const of = line.horizon ? ` of ${count(line.horizon)}` : "";
    return element("tr", {}, element("td", {}, box), element("td", {}, picture), element("td", {}, element("a", { href: "#run=" + line.id }, line.name)),
      element("td", {}, stateOf(line)), element("td", {}, line.data || "–"), element("td", { class: "number" }, count(line.samples) + of),
      element("td", {}, line.verdict || "–"), element("td", {}, age(line.age)));
  }
}

let view = null, shownHash = null;

function chosenView() {
  const [kind, value] = location.hash.slice(1).split("=");
  const ids = (value || "").split(",").filter((id) => /^[0-9a-f]{12}$/.test(id)).slice(0, MOST);
  if (kind === "run" && ids.length) return new OneRun(byId("main"), ids[0]);
  if (kind === "compare" && ids.length > 1) return new Compared(byId("main"), ids);
  return new List(byId("main"));
}

async function refresh() {
  if (location.hash !== shownHash) {
    shownHash = location.hash;
    view = chosenView();
  }
  try {
    if (!document.hidden) await view.refresh();
    byId("message").hidden = true;
  } catch (error) {
    byId("message").textContent = error instanceof TypeError ? "The page's program does not answer. Runs go on without it; start zerosum watch again." : error.message;
    byId("message").hidden = false;
  }
  setTimeout(refresh, APART);
}

window.addEventListener("hashchange", () => byId("main").focus());
refresh();
window.watch = { get view() { return view; } };
export { number };
