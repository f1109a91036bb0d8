// A frame on a canvas: p_data black, p_g and G green, D blue, the gradient orange. Every function draws from a frame and a scene alone.

import { colour } from "./dom.js";
import { drawImages } from "./tiles.js";

export const LAYERS = {
  plane: [
    ["reals", "real samples", "--ink", true],
    ["samples", "generated samples", "--g", true],
    ["D", "D's field", "--d", true],
    ["D_star", "D* over D", "--d", false],
    ["p_data", "p_data", "--ink", true],
    ["p_g", "p_g (estimate)", "--g", false],
    ["lattice", "G's warped grid", "--g", false],
    ["pull", "gradient on generated samples", "--step", false],
  ],
  line: [
    ["p_data", "p_data", "--ink", true],
    ["p_g", "p_g", "--g", true],
    ["D", "D", "--d", true],
    ["D_star", "D* over D", "--d", true],
    ["reals", "real samples", "--ink", false],
    ["samples", "generated samples", "--g", false],
    ["lattice", "z to G(z)", "--g", true],
    ["pull", "gradient on G(z)", "--step", false],
  ],
  images: [["opinion", "D's opinion of each sample", "--d", true]],
};

function rgb(text) {
  const hex = text.replace("#", "");
  const full = hex.length === 3 ? [...hex].map((c) => c + c).join("") : hex;
  return [0, 2, 4].map((i) => parseInt(full.slice(i, i + 2), 16));
}

export function sized(canvas, ratio) {
  const width = Math.max(200, Math.round(canvas.clientWidth * Math.min(2, window.devicePixelRatio || 1)));
  const height = Math.round(width * ratio);
  if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, { width, height });
  const context = canvas.getContext("2d");
  context.setTransform(1, 0, 0, 1, 0, 0);
  context.clearRect(0, 0, width, height);
  return context;
}

export function draw(canvas, scene, frame, layers) {
  ({ plane: drawPlane, line: drawLine, images: drawImages })[scene.kind](canvas, scene, frame, layers);
}

// -- the plane ---------------------------------------------------------------------------------------------------------

function window2d(scene, width, height) {
  const [x0, x1, y0, y1] = scene.bounds;
  return { x: (x) => ((x - x0) / (x1 - x0)) * width, y: (y) => height - ((y - y0) / (y1 - y0)) * height };
}

export function ratioOf(scene) {
  if (scene.kind === "line") return 0.72;
  const [x0, x1, y0, y1] = scene.bounds;
  return Math.min(1.4, Math.max(0.4, (y1 - y0) / (x1 - x0)));
}

function heat(context, values, ramp, width, height) {
  const [rows, columns] = values.shape;
  const small = new OffscreenCanvas(columns, rows);
  const inside = small.getContext("2d");
  const image = inside.createImageData(columns, rows);
  for (let j = 0; j < rows; j++) {
    for (let i = 0; i < columns; i++) {
      const value = values[(rows - 1 - j) * columns + i];
      const at = 4 * (j * columns + i);
      if (value === 255) continue;
      const [r, g, b, a] = ramp(value / 254);
      image.data[at] = r; image.data[at + 1] = g; image.data[at + 2] = b; image.data[at + 3] = a;
    }
  }
  inside.putImageData(image, 0, 0);
  context.imageSmoothingEnabled = true;
  context.imageSmoothingQuality = "high";
  context.drawImage(small, 0, 0, width, height);
}

function contour(context, values, level, width, height) {
  // Marching squares: each cell whose corners differ about the level gets a piece of the line.
  const [rows, columns] = values.shape;
  const at = (i, j) => values[j * columns + i];
  const X = (i) => ((i + 0.5) / columns) * width, Y = (j) => height - ((j + 0.5) / rows) * height;
  context.beginPath();
  for (let j = 0; j < rows - 1; j++) {
    for (let i = 0; i < columns - 1; i++) {
      const corners = [at(i, j), at(i + 1, j), at(i + 1, j + 1), at(i, j + 1)];
      if (corners.includes(255)) continue;
      const places = [[i, j], [i + 1, j], [i + 1, j + 1], [i, j + 1]];
      const ends = [];
      for (let k = 0; k < 4; k++) {
        const a = corners[k], b = corners[(k + 1) % 4];
        if ((a < level) === (b < level)) continue;
        const u = (level - a) / (b - a), [p, q] = [places[k], places[(k + 1) % 4]];
        ends.push([X(p[0] + u * (q[0] - p[0])), Y(p[1] + u * (q[1] - p[1]))]);
      }
      for (let k = 0; k + 1 < ends.length; k += 2) {
        context.moveTo(...ends[k]);
        context.lineTo(...ends[k + 1]);
      }
    }
  }
  context.stroke();
}

function dots(context, points, place, paint, size, alpha) {
  context.fillStyle = paint;
  context.globalAlpha = alpha;
  for (let i = 0; i < points.length; i += 2) {
    context.fillRect(place.x(points[i]) - size / 2, place.y(points[i + 1]) - size / 2, size, size);
  }
  context.globalAlpha = 1;
}

function arrow(context, x, y, dx, dy, head) {
  const long = Math.hypot(dx, dy);
  if (!(long > 1)) return;
  const [ux, uy] = [dx / long, dy / long], [ex, ey] = [x + dx, y + dy];
  context.moveTo(x, y);
  context.lineTo(ex, ey);
  context.moveTo(ex - head * (ux + 0.6 * uy), ey - head * (uy - 0.6 * ux));
  context.lineTo(ex, ey);
  context.lineTo(ex - head * (ux - 0.6 * uy), ey - head * (uy + 0.6 * ux));
}

function usual(sizes) {
  const sorted = [...sizes].sort((a, b) => a - b);
  return sorted[Math.floor(0.75 * (sorted.length - 1))] || 0;
}

function drawPlane(canvas, scene, frame, layers) {
  const context = sized(canvas, ratioOf(scene));
  const { width, height } = canvas, scale = width / 500, place = window2d(scene, width, height);
  const { arrays } = frame, [d, g, ink, sand] = ["--d", "--g", "--ink", "--sand"].map((name) => rgb(colour(name)));
  const field = (value) => {
    const [from, share] = value > 0.5 ? [d, 2 * value - 1] : [sand, 1 - 2 * value];
    return [...from, 225 * Math.abs(share) ** 0.7];
  };
  if (layers.has("D") && arrays.D) heat(context, arrays.D, field, width, height);
  else if (layers.has("D_star") && arrays.D_star) heat(context, arrays.D_star, field, width, height);
  if (layers.has("p_g") && arrays.p_g) heat(context, arrays.p_g, (v) => [...g, 235 * v], width, height);
  if (layers.has("D_star") && arrays.D_star) {
    for (const [level, line, dash] of [[63, 1.2, [5, 4]], [127, 2.4, []], [190, 1.2, [5, 4]]]) {
      context.strokeStyle = colour("--d-text");
      context.lineWidth = line * scale;
      context.setLineDash(dash.map((x) => x * scale));
      contour(context, arrays.D_star, level + 0.5, width, height);
    }
  }
  if (layers.has("p_data") && scene.arrays.p_data) {
    context.strokeStyle = colour("--ink");
    context.lineWidth = 1.3 * scale;
    context.setLineDash([1.5 * scale, 3 * scale]);
    for (const level of [60.5, 170.5]) contour(context, scene.arrays.p_data, level, width, height);
  }
  context.setLineDash([]);
  if (layers.has("reals")) dots(context, scene.arrays.reals, place, `rgb(${ink})`, 2.6 * scale, 0.4);
  if (layers.has("lattice") && arrays.lattice) {
    const [lines, along] = arrays.lattice.shape;
    context.strokeStyle = colour("--g");
    context.lineWidth = 1.1 * scale;
    context.globalAlpha = 0.85;
    context.beginPath();
    for (let i = 0; i < lines; i++) {
      for (let j = 0; j < along; j++) {
        const at = 2 * (i * along + j);
        context[j ? "lineTo" : "moveTo"](place.x(arrays.lattice[at]), place.y(arrays.lattice[at + 1]));
      }
    }
    context.stroke();
    context.globalAlpha = 1;
  }
  if (layers.has("samples")) {
    dots(context, arrays.samples, place, colour("--paper"), 4.6 * scale, 0.5);
    dots(context, arrays.samples, place, colour("--g"), 3.4 * scale, 0.85);
  }
  if (layers.has("pull")) {
    const sizes = [];
    for (let i = 0; i < arrays.pull.length; i += 2) sizes.push(Math.hypot(arrays.pull[i], arrays.pull[i + 1]));
    const unit = (0.07 * width) / (usual(sizes) || 1), perY = height / (scene.bounds[3] - scene.bounds[2]);
    const perX = width / (scene.bounds[1] - scene.bounds[0]);
    context.strokeStyle = colour("--step");
    context.lineWidth = 1.5 * scale;
    context.beginPath();
    for (let i = 0; i < arrays.pull.length; i += 2) {
      const k = unit * Math.min(1, (1.6 * (usual(sizes) || 1)) / (sizes[i / 2] || 1));
      const [x, y] = [place.x(arrays.samples[i]), place.y(arrays.samples[i + 1])];
      arrow(context, x, y, k * arrays.pull[i], -k * arrays.pull[i + 1] * (perY / perX), 4.5 * scale);
    }
    context.stroke();
  }
}

// -- the line ----------------------------------------------------------------------------------------------------------

function curve(context, xs, ys, X, Y) {
  context.beginPath();
  for (let i = 0; i < xs.length; i++) context[i ? "lineTo" : "moveTo"](X(xs[i]), Y(ys[i]));
}

function drawLine(canvas, scene, frame, layers) {
  const context = sized(canvas, ratioOf(scene)), { width, height } = canvas, scale = width / 560;
  const { arrays } = frame, { x, p_data: p } = scene.arrays, [low, high] = scene.bounds;
  const left = 34 * scale, right = width - 34 * scale, top = 12 * scale, base = 0.66 * height, foot = height - 16 * scale;
  const tallest = Math.max(...p), most = 1.15 * Math.min(1.8 * tallest, Math.max(tallest, ...arrays.p_g));
  const X = (v) => left + ((v - low) / (high - low)) * (right - left), Y = (v) => base - (Math.min(v, most) / most) * (base - top);
  const P = (v) => base - v * (base - top) * 0.97;
  context.font = `${12 * scale}px system-ui, sans-serif`;
  context.strokeStyle = colour("--rule");
  context.lineWidth = scale;
  context.beginPath();
  for (const v of [0, 0.5, 1]) { context.moveTo(left, P(v)); context.lineTo(right, P(v)); }
  context.stroke();
  context.fillStyle = colour("--d-text");
  [["0", 0], ["1/2", 0.5], ["1", 1]].forEach(([text, v]) => context.fillText(text, right + 5 * scale, P(v) + 4 * scale));
  context.fillStyle = colour("--faint");
  context.fillText("0", left - 14 * scale, base + 4 * scale);
  context.fillText((most / 1.15).toFixed(2), 2 * scale, Y(most / 1.15) + 4 * scale);
  if (layers.has("p_g")) {
    curve(context, x, arrays.p_g, X, Y);
    context.strokeStyle = colour("--g");
    context.lineWidth = 2.4 * scale;
    context.stroke();
    context.lineTo(X(x[x.length - 1]), base); context.lineTo(X(x[0]), base);
    context.globalAlpha = 0.13; context.fillStyle = colour("--g"); context.fill(); context.globalAlpha = 1;
  }
  if (layers.has("p_data")) {
    curve(context, x, p, X, Y);
    context.strokeStyle = colour("--ink"); context.lineWidth = 2.2 * scale; context.setLineDash([2 * scale, 3 * scale]);
    context.stroke();
  }
  context.setLineDash([]);
  if (layers.has("D_star") && arrays.D_star) {
    curve(context, x, arrays.D_star, X, P);
    context.strokeStyle = colour("--d"); context.lineWidth = 5 * scale; context.globalAlpha = 0.35; context.stroke(); context.globalAlpha = 1;
  }
  if (layers.has("D")) {
    curve(context, x, arrays.D, X, P);
    context.strokeStyle = colour("--d"); context.lineWidth = 2.3 * scale; context.setLineDash([7 * scale, 4 * scale]); context.stroke();
    context.setLineDash([]);
  }
  const rug = (values, paint, from, to) => {
    context.strokeStyle = paint; context.lineWidth = 0.8 * scale; context.globalAlpha = 0.35; context.beginPath();
    for (const v of values) { context.moveTo(X(v), from); context.lineTo(X(v), to); }
    context.stroke(); context.globalAlpha = 1;
  };
  if (layers.has("reals")) rug(scene.arrays.reals, colour("--ink"), base + 1, base + 9 * scale);
  if (layers.has("samples")) rug(arrays.samples, colour("--g"), base + 9 * scale, base + 18 * scale);
  if (layers.has("lattice") && arrays.z) drawMap(context, arrays, X, { left, right, base: base + 20 * scale, foot, scale });
  if (layers.has("pull") && arrays.pull) {
    const unit = usual(arrays.pull.map(Math.abs)) || 1;
    context.strokeStyle = colour("--step"); context.lineWidth = 2 * scale; context.beginPath();
    arrays.Gz.forEach((v, i) => {
      const long = 0.06 * (right - left) * Math.max(-1.5, Math.min(1.5, arrays.pull[i] / unit));
      arrow(context, X(v), base - (8 + 9 * (i % 2)) * scale, long, 0, 5 * scale);
    });
    context.stroke();
  }
}

function drawMap(context, arrays, X, { left, right, base, foot, scale }) {
  const n = arrays.z.length, inset = 0.14 * (right - left), falls = arrays.Gz[n - 1] < arrays.Gz[0];
  context.strokeStyle = colour("--faint"); context.lineWidth = scale; context.beginPath();
  context.moveTo(left, base); context.lineTo(right, base); context.moveTo(left + inset, foot); context.lineTo(right - inset, foot);
  context.stroke();
  context.strokeStyle = colour("--g"); context.lineWidth = 1.2 * scale; context.beginPath();
  arrays.z.forEach((_, i) => {
    const share = falls ? 1 - i / (n - 1) : i / (n - 1), from = left + inset + share * (right - left - 2 * inset), to = X(arrays.Gz[i]);
    if (to >= left && to <= right) arrow(context, from, foot, to - from, base - foot, 5 * scale);
  });
  context.stroke();
  context.fillStyle = colour("--faint");
  context.fillText("x", left - 14 * scale, base + 4 * scale);
  context.fillText("z", left + inset - 16 * scale, foot + 4 * scale);
}
