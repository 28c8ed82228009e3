// What part of the canvas is seen: screen = world * k + (x, y).
const MIN = 0.1;
const MAX = 2.5;
const clamp = (k) => Math.min(MAX, Math.max(MIN, k));

export const initial = { x: 40, y: 40, k: 1 };
export const toWorld = (view, sx, sy) => [(sx - view.x) / view.k, (sy - view.y) / view.k];
export const toScreen = (view, x, y) => [x * view.k + view.x, y * view.k + view.y];
export const pan = (view, dx, dy) => ({ ...view, x: view.x + dx, y: view.y + dy });

/// Zooms so that the point under (sx, sy) stays there.
export function zoomAt(view, factor, sx, sy) {
  const k = clamp(view.k * factor);
  const [x, y] = toWorld(view, sx, sy);
  return { k, x: sx - x * k, y: sy - y * k };
}

export function fit(box, width, height, margin = Math.min(60, width / 18), most = 1.2) {
  if (!box || !width || !height) return initial;
  const k = clamp(Math.min(most, (width - 2 * margin) / box.width, (height - 2 * margin) / box.height));
  return { k, x: width / 2 - (box.x + box.width / 2) * k, y: height / 2 - (box.y + box.height / 2) * k };
}

/// Moves as little as shows the box.
export function reveal(view, box, width, height, margin = 40) {
  const [left, top] = toScreen(view, box.x, box.y);
  const [right, bottom] = toScreen(view, box.x + box.width, box.y + box.height);
  const shift = (low, high, room) => (low < margin ? margin - low : high > room - margin ? Math.max(room - margin - high, margin - low) : 0);
  return pan(view, shift(left, right, width), shift(top, bottom, height));
}
