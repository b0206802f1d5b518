/** The order in which regions are listed and walked. Pure. */
import type { Region } from "./types";

/** By object as in the config, then by page, then by where they begin. */
export function inOrder(regions: readonly Region[], objects: readonly string[]): Region[] {
  const place = (region: Region): number[] => [objects.indexOf(region.object), region.item ?? 0, ...beginningOf(region)];
  return [...regions].sort((a, b) => {
    const [left, right] = [place(a), place(b)];
    const at = left.findIndex((each, index) => each !== right[index]);
    return at < 0 ? 0 : left[at]! - right[at]!;
  });
}

function beginningOf({ value }: Region): number[] {
  const spans = value.globalOffsets as { start: number } | undefined;
  if (spans) return [spans.start, 0];
  const ranges = value.ranges as { start: number }[] | undefined;
  if (ranges?.[0]) return [ranges[0].start, 0];
  const start = Number(value.start);
  if (value.start !== undefined && !Number.isNaN(start)) return [start, Number(value.startOffset ?? 0)];
  return [Number(value.y ?? 0), Number(value.x ?? 0)];
}
