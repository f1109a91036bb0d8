// Frames: one binary message, the numbers as JSON in front and the arrays behind (web/frames.py).

const TYPES = { f4: Float32Array, u1: Uint8Array, u2: Uint16Array, i4: Int32Array };

export function decoded(buffer, start = 0) {
  const length = new DataView(buffer).getUint32(start, true);
  const head = JSON.parse(new TextDecoder().decode(new Uint8Array(buffer, start + 4, length)));
  const arrays = {};
  for (const [name, row] of Object.entries(head.arrays)) {
    const size = row.shape.reduce((a, b) => a * b, 1);
    arrays[name] = new TYPES[row.type](buffer, start + 4 + length + row.at, size);
    arrays[name].shape = row.shape;
  }
  head.arrays = arrays;
  return head;
}

export function separated(buffer) {
  const view = new DataView(buffer);
  const frames = [];
  let at = 8;
  for (let i = 0; i < view.getUint32(0, true); i++) {
    frames.push(decoded(buffer, at + 8));
    at += 8 + view.getUint32(at, true);
  }
  return frames;
}
