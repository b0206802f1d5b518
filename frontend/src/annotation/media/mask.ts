/** Painting on a mask: one byte per pixel of the picture, 0 or 255. */
import type { Point, Size } from "./geometry";

export interface Rect extends Point, Size {}

/**
 * Draws a round stroke from one point to another into the mask (255, or 0 for the eraser).
 *
 * A pixel belongs to it when its centre is no further than the radius from the line. Returns the part of the
 * mask that may have changed.
 */
export function stroke(mask: Uint8Array, size: Size, from: Point, to: Point, radius: number, value: 0 | 255): Rect {
  const reach = Math.max(radius, 0.5);
  const left = Math.max(Math.floor(Math.min(from.x, to.x) - reach), 0);
  const top = Math.max(Math.floor(Math.min(from.y, to.y) - reach), 0);
  const right = Math.min(Math.ceil(Math.max(from.x, to.x) + reach), size.width);
  const bottom = Math.min(Math.ceil(Math.max(from.y, to.y) + reach), size.height);
  const [dx, dy] = [to.x - from.x, to.y - from.y];
  const length = dx * dx + dy * dy;
  for (let y = top; y < bottom; y++) {
    const py = y + 0.5 - from.y;
    for (let x = left; x < right; x++) {
      const px = x + 0.5 - from.x;
      const part = length ? Math.min(Math.max((px * dx + py * dy) / length, 0), 1) : 0;
      const [gx, gy] = [px - part * dx, py - part * dy];
      if (gx * gx + gy * gy <= reach * reach) mask[y * size.width + x] = value;
    }
  }
  return { x: left, y: top, width: Math.max(right - left, 0), height: Math.max(bottom - top, 0) };
}

/**
 * The mask as RGBA pixels of a smaller picture, in one colour: what a canvas shows.
 *
 * A shown pixel is on when the picture's pixel under its middle is; only `part` of the shown picture is made.
 */
export function tinted(mask: Uint8Array, size: Size, shown: Size, part: Rect, colour: readonly [number, number, number]): Uint8ClampedArray<ArrayBuffer> {
  const out = new Uint8ClampedArray(part.width * part.height * 4);
  const [sx, sy] = [size.width / shown.width, size.height / shown.height];
  for (let y = 0; y < part.height; y++) {
    const row = Math.min(Math.floor((part.y + y + 0.5) * sy), size.height - 1) * size.width;
    for (let x = 0; x < part.width; x++) {
      if (!mask[row + Math.min(Math.floor((part.x + x + 0.5) * sx), size.width - 1)]) continue;
      const at = (y * part.width + x) * 4;
      out[at] = colour[0];
      out[at + 1] = colour[1];
      out[at + 2] = colour[2];
      out[at + 3] = 255;
    }
  }
  return out;
}

/** The frame around all pixels that are on; null where none is. */
export function maskBounds(mask: Uint8Array, size: Size): Rect | null {
  let [left, top, right, bottom] = [size.width, size.height, -1, -1];
  for (let y = 0; y < size.height; y++) {
    const first = mask.indexOf(255, y * size.width);
    if (first < 0) break;
    // Jump over empty rows at once.
    y = Math.floor(first / size.width);
    const end = (y + 1) * size.width;
    const last = mask.lastIndexOf(255, end - 1);
    [left, right] = [Math.min(left, first - y * size.width), Math.max(right, last - y * size.width)];
    [top, bottom] = [Math.min(top, y), y];
  }
  return right < 0 ? null : { x: left, y: top, width: right - left + 1, height: bottom - top + 1 };
}
