/** The text of a page under a box. */
import type { Point, Size } from "./geometry";

/** A run of text on one line; `x`, `y` is its top left corner. */
export interface Run extends Point, Size {
  text: string;
}

/**
 * The text within a box, line by line from the top.
 *
 * A run counts when the middle of its height is in the box; of a run that is only partly in it, the letters whose
 * middle is, taking letters as equally wide (a page does not say more).
 */
export function textWithin(runs: readonly Run[], box: Point & Size): string {
  const cut = runs.flatMap((run) => {
    const middle = run.y + run.height / 2;
    if (middle < box.y || middle > box.y + box.height || !run.width) return [];
    const letters = [...run.text];
    const wide = run.width / letters.length;
    const text = letters.filter((_, at) => {
      const x = run.x + (at + 0.5) * wide;
      return x >= box.x && x <= box.x + box.width;
    });
    return text.length ? [{ ...run, text: text.join("") }] : [];
  });
  return linesOf(cut).map((line) => line.map((run) => run.text).join(" ").replace(/\s+/g, " ").trim()).filter(Boolean).join("\n");
}

/** Runs that stand beside each other, in order of reading. */
function linesOf(runs: readonly Run[]): Run[][] {
  const lines: Run[][] = [];
  for (const run of [...runs].sort((a, b) => a.y - b.y || a.x - b.x)) {
    const line = lines.at(-1);
    const first = line?.[0];
    if (first && run.y + run.height / 2 < first.y + first.height) line.push(run);
    else lines.push([run]);
  }
  return lines.map((line) => line.sort((a, b) => a.x - b.x));
}

/** The upright frame around several. */
export function around(frames: readonly (Point & Size)[]): (Point & Size) | null {
  if (!frames.length) return null;
  const [left, top] = [Math.min(...frames.map((each) => each.x)), Math.min(...frames.map((each) => each.y))];
  const right = Math.max(...frames.map((each) => each.x + each.width));
  const bottom = Math.max(...frames.map((each) => each.y + each.height));
  return { x: left, y: top, width: right - left, height: bottom - top };
}
