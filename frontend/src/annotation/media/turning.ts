/** Material shown turned by quarters: how large it is then, where its places lie, and the style that turns it. */
import type { Point, Size } from "./geometry";

/** Quarter turns clockwise, 0 to 3. */
export const nextTurn = (turns: number): number => (turns + 1) % 4;

export const shownSize = ({ width, height }: Size, turns: number): Size => (turns % 2 ? { width: height, height: width } : { width, height });

/** Where a place of the material lies on it as it is shown, in the same unit. */
export function shownAt({ x, y }: Point, { width, height }: Size, turns: number): Point {
  const [sx, sy] = [[x, y], [height - y, x], [width - x, height - y], [y, width - x]][turns]! as [number, number];
  return { x: sx, y: sy };
}

/** Lays `inner`, which holds the material as it is, turned into `outer`, which has the size that is seen. */
export function layTurned(outer: HTMLElement, inner: HTMLElement, { width, height }: Size, turns: number): void {
  const shown = shownSize({ width, height }, turns);
  outer.style.width = `${shown.width}px`;
  outer.style.height = `${shown.height}px`;
  inner.style.width = `${width}px`;
  inner.style.height = `${height}px`;
  const shift = ["0px, 0px", `${shown.width}px, 0px`, `${shown.width}px, ${shown.height}px`, `0px, ${shown.height}px`][turns]!;
  inner.style.transform = turns ? `translate(${shift}) rotate(${turns * 90}deg)` : "";
}
