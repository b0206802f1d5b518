/** Spans over a text: cutting overlapping ones into pieces, stacking their lines, snapping a selection. Pure. */

export interface Span {
  id: string;
  start: number;
  /** Exclusive. */
  end: number;
}

/** A stretch of text covered by the same spans throughout. */
export interface Piece {
  start: number;
  end: number;
  /** Ids of the covering spans, the shortest span last. */
  ids: string[];
}

export type Granularity = "symbol" | "word" | "sentence" | "paragraph";

/** Cut the covered parts of a text at every beginning and end of a span. */
export function pieces(spans: readonly Span[]): Piece[] {
  const cuts = [...new Set(spans.flatMap((span) => [span.start, span.end]))].sort((a, b) => a - b);
  const found: Piece[] = [];
  const longestFirst = [...spans].sort((a, b) => b.end - b.start - (a.end - a.start));
  for (let at = 0; at + 1 < cuts.length; at++) {
    const [start, end] = [cuts[at]!, cuts[at + 1]!];
    const ids = longestFirst.filter((span) => span.start <= start && span.end >= end).map((span) => span.id);
    if (ids.length) found.push({ start, end, ids });
  }
  return found;
}

/** A line under the text for each span, so that no two overlapping spans share one; the earliest lie highest. */
export function lanes(spans: readonly Span[]): Map<string, number> {
  const ends: number[] = [];
  const lane = new Map<string, number>();
  for (const span of [...spans].sort((a, b) => a.start - b.start || b.end - a.end)) {
    const free = ends.findIndex((end) => end <= span.start);
    const at = free < 0 ? ends.length : free;
    ends[at] = span.end;
    lane.set(span.id, at);
  }
  return lane;
}

/** A selection without blank ends, grown to whole words, sentences or paragraphs; null where nothing is left. */
export function snap(text: string, start: number, end: number, granularity: Granularity): { start: number; end: number } | null {
  let [from, to] = start <= end ? [start, end] : [end, start];
  const trim = (): void => {
    while (from < to && /\s/.test(text[from]!)) from += 1;
    while (to > from && /\s/.test(text[to - 1]!)) to -= 1;
  };
  trim();
  if (from >= to) return null;
  if (granularity === "paragraph") {
    from = text.lastIndexOf("\n", from - 1) + 1;
    const next = text.indexOf("\n", to);
    to = next < 0 ? text.length : next;
  } else if (granularity !== "symbol") {
    [from, to] = grown(text, from, to, granularity);
  }
  trim();
  return from < to ? { start: from, end: to } : null;
}

function grown(text: string, from: number, to: number, granularity: "word" | "sentence"): [number, number] {
  const parts = new Intl.Segmenter(undefined, { granularity }).segment(text);
  const first = parts.containing(from);
  const last = parts.containing(to - 1);
  return [first?.index ?? from, last ? last.index + last.segment.length : to];
}
