// Drawing the data by hand: points along the line that was drawn, in the window [-1.2, 1.2]^2, as a name for zerosum train.

import { colour } from "./dom.js";

const REACH = 1.2, SIGMA = 0.05, MOST = 240, APART = 0.035;

export class Pad {
  constructor(canvas) {
    this.canvas = canvas;
    this.points = [];
    this.cursor = [0, 0];
    this.down = false;
    canvas.addEventListener("pointerdown", (event) => { this.down = true; canvas.setPointerCapture(event.pointerId); this.add(this.place(event), true); });
    canvas.addEventListener("pointermove", (event) => this.down && this.add(this.place(event)));
    canvas.addEventListener("pointerup", () => (this.down = false));
    canvas.addEventListener("keydown", (event) => this.key(event));
    this.draw();
  }

  place(event) {
    const box = this.canvas.getBoundingClientRect();
    return [REACH * (2 * (event.clientX - box.left) / box.width - 1), REACH * (1 - 2 * (event.clientY - box.top) / box.height)];
  }

  key(event) {
    const move = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] }[event.key];
    if (move) this.cursor = this.cursor.map((c, i) => Math.max(-REACH, Math.min(REACH, c + 0.05 * move[i])));
    else if (event.key === " ") this.add([...this.cursor], true);
    else return;
    event.preventDefault();
    this.draw(true);
  }

  add(point, start = false) {
    const last = this.points[this.points.length - 1];
    if (last && !start) {
      // Points at even distances, so that the density along the line is even.
      const long = Math.hypot(point[0] - last[0], point[1] - last[1]);
      for (let s = APART; s <= long; s += APART) {
        if (this.points.length < MOST) this.points.push([last[0] + (s / long) * (point[0] - last[0]), last[1] + (s / long) * (point[1] - last[1])]);
      }
    } else if (this.points.length < MOST) this.points.push(point);
    this.draw();
  }

  clear() {
    this.points = [];
    this.draw();
  }

  name() {
    return `drawn:${SIGMA}@` + this.points.map((p) => p.map((c) => +c.toFixed(3)).join(",")).join(";");
  }

  draw(cursor = false) {
    const context = this.canvas.getContext("2d"), { width, height } = this.canvas;
    const X = (x) => ((x + REACH) / (2 * REACH)) * width, Y = (y) => ((REACH - y) / (2 * REACH)) * height;
    context.clearRect(0, 0, width, height);
    context.fillStyle = colour("--ink");
    for (const [x, y] of this.points) {
      context.globalAlpha = 0.6;
      context.beginPath();
      context.arc(X(x), Y(y), (SIGMA / (2 * REACH)) * width, 0, 7);
      context.fill();
    }
    context.globalAlpha = 1;
    if (cursor) {
      context.strokeStyle = colour("--step");
      context.lineWidth = 3;
      context.strokeRect(X(this.cursor[0]) - 8, Y(this.cursor[1]) - 8, 16, 16);
    }
  }
}
