// What can be taken away: the game as a command, as Python, as a link; the teaching figure; the export.

import { withToken } from "./connection.js";
import { byId, element } from "./dom.js";

export class Takeaway {
  constructor(lab) {
    this.lab = lab;
    this.shown = "command";
    byId("copy-command").addEventListener("click", () => this.copy("command"));
    byId("copy-python").addEventListener("click", () => this.copy("python"));
    byId("copy-url").addEventListener("click", () => this.put(window.location.href, "The link"));
    byId("figure").addEventListener("click", () => this.figure());
    byId("export").addEventListener("click", () => this.export());
  }

  told(state) {
    this.game = state.games.a;
    const text = this.game[this.shown];
    if (byId("recipe").textContent !== text) byId("recipe").textContent = text;
  }

  copy(what) {
    this.shown = what;
    byId("recipe").textContent = this.game[what];
    this.put(this.game[what], { command: "The command line", python: "The Python code" }[what]);
  }

  async put(text, name) {
    try {
      await navigator.clipboard.writeText(text);
      byId("job").textContent = `${name} is in the clipboard.`;
    } catch {
      byId("job").textContent = `${name} could not be put into the clipboard: select it and copy it by hand.`;
    }
  }

  async figure() {
    byId("job").textContent = "Drawing the teaching figure from the running game …";
    byId("figure").disabled = true;
    const found = await this.lab.do({ ask: "figure" });
    byId("figure").disabled = false;
    byId("job").textContent = found ? "The teaching figure of this game:" : "";
    if (!found) return;
    const uri = "data:image/png;base64," + found.png;
    byId("figure-place").replaceChildren(
      element("img", { src: uri, alt: found.alt }),
      element("p", {}, element("a", { href: withToken("/api/figure.png"), download: "lesson.png" }, "Save the figure")));
  }

  async export() {
    byId("export").disabled = true;
    byId("job").textContent = "Exporting …";
    const started = await this.lab.do({ ask: "export" });
    byId("export").disabled = false;
    if (!started) return void (byId("job").textContent = "");
    byId("job").replaceChildren(`The session is one file of ${(started.bytes / 1e6).toFixed(1)} MB: `,
      element("a", { href: withToken("/api/export.html"), download: "zerosum-lab.html", id: "export-link" }, "save it"));
    byId("export-link").click();
  }
}
