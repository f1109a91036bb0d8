// Images on a canvas: a grid of samples, with D's opinion as a bar under each.

import { colour } from "./dom.js";

export function picture(array, at, shape) {
  const [channels, rows, columns] = shape, image = new ImageData(columns, rows);
  for (let i = 0; i < rows * columns; i++) {
    for (let c = 0; c < 3; c++) image.data[4 * i + c] = array[at + (channels > 1 ? c : 0) * rows * columns + i];
    image.data[4 * i + 3] = channels === 4 ? array[at + 3 * rows * columns + i] : 255;
  }
  return image;
}

export function drawImages(canvas, scene, frame, layers) {
  const { rows, columns, arrays } = frame, [channels, h, w] = scene.shape, gap = 3, bar = 3, margin = frame.classes ? 14 : gap;
  const label = frame.classes ? scene.classes : [];
  Object.assign(canvas, { width: margin + columns * (w + gap), height: gap + rows * (h + gap + bar) });
  const context = canvas.getContext("2d");
  context.imageSmoothingEnabled = false;
  context.font = "10px system-ui, sans-serif";
  for (let i = 0; i < rows * columns; i++) {
    const x = margin + (i % columns) * (w + gap), y = gap + Math.floor(i / columns) * (h + gap + bar);
    context.putImageData(picture(arrays.tiles, i * channels * h * w, scene.shape), x, y);
    if (layers.has("opinion")) {
      context.fillStyle = colour("--rule"); context.fillRect(x, y + h + 1, w, bar - 1);
      context.fillStyle = colour("--d"); context.fillRect(x, y + h + 1, (w * arrays.opinion[i]) / 254, bar - 1);
    }
    if (i % columns === 0 && label.length) {
      context.fillStyle = colour("--ink");
      context.fillText(label[Math.floor(i / columns) % label.length].slice(0, 2), 3, y + h / 2 + 4);
    }
  }
}
