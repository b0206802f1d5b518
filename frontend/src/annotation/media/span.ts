/** Stretches of time on a line: what is on show, ticks, marks that are moved. Units are the caller's: seconds or frames. */
import { clamp } from "./geometry";

export interface Span {
  start: number;
  end: number;
}

/** The window on show, kept within [0, length] and not narrower than `least`. */
export function windowAt(start: number, width: number, length: number, least: number): Span {
  const wide = clamp(width, Math.min(least, length), length);
  const from = clamp(start, 0, length - wide);
  return { start: from, end: from + wide };
}

/** The window zoomed by a factor, the value at `about` staying where it is on screen. */
export function zoomed(window: Span, factor: number, about: number, length: number, least: number): Span {
  const width = window.end - window.start;
  const wide = clamp(width / factor, Math.min(least, length), length);
  const part = width ? (about - window.start) / width : 0;
  return windowAt(about - part * wide, wide, length, least);
}

/** The window moved just so far that a value is in it, with a tenth to spare. */
export function showing(window: Span, value: number, length: number): Span {
  const width = window.end - window.start;
  if (value >= window.start && value <= window.end) return window;
  const spare = width / 10;
  return windowAt(value < window.start ? value - spare : value - width + spare, width, length, 0);
}

export type Edge = "start" | "end" | "both";

/** A stretch after its start, its end or the whole of it was taken by `by`; ends that meet change places. */
export function pulled(span: Span, edge: Edge, by: number, length: number, least = 0): Span {
  if (edge === "both") {
    const width = span.end - span.start;
    const start = clamp(span.start + by, 0, Math.max(length - width, 0));
    return { start, end: start + width };
  }
  const start = edge === "start" ? clamp(span.start + by, 0, length) : span.start;
  const end = edge === "end" ? clamp(span.end + by, 0, length) : span.end;
  if (edge === "start" && end - start < least) return { start: Math.max(end - least, 0), end };
  if (edge === "end" && end - start < least) return { start, end: Math.min(start + least, length) };
  return { start, end };
}

/** Lanes for stretches so that none lies over another: the first free lane in order of start. */
export function lanesOf(spans: readonly Span[]): number[] {
  const ends: number[] = [];
  const lanes = new Array<number>(spans.length).fill(0);
  for (const at of spans.map((_, index) => index).sort((a, b) => spans[a]!.start - spans[b]!.start || a - b)) {
    const span = spans[at]!;
    let lane = ends.findIndex((end) => end <= span.start);
    if (lane < 0) lane = ends.push(0) - 1;
    ends[lane] = Math.max(span.end, span.start + Number.EPSILON);
    lanes[at] = lane;
  }
  return lanes;
}

const STEPS_SECONDS = [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200];

/** Round values in a window, at most `most` of them. `whole` for frames: 1, 2, 5, 10 ... */
export function ticksOf(window: Span, most: number, whole = false): number[] {
  const wanted = (window.end - window.start) / Math.max(most, 1);
  const step = whole ? wholeStep(wanted) : (STEPS_SECONDS.find((each) => each >= wanted) ?? Math.ceil(wanted / 3600) * 3600);
  const ticks: number[] = [];
  for (let at = Math.ceil(window.start / step - 1e-9); at * step <= window.end + 1e-9 && ticks.length <= most; at++) ticks.push(at * step + 0);
  return ticks;
}

function wholeStep(wanted: number): number {
  const power = 10 ** Math.max(Math.floor(Math.log10(Math.max(wanted, 1))), 0);
  return [1, 2, 5, 10].map((each) => each * power).find((each) => each >= wanted) ?? power * 10;
}

/** Seconds as a clock: 1:02.5, or 1:02:03.25 for hours; as many decimals as asked. */
export function clock(seconds: number, decimals = 1): string {
  const scale = 10 ** decimals;
  const rounded = Math.round(Math.max(seconds, 0) * scale) / scale;
  const [hours, minutes] = [Math.floor(rounded / 3600), Math.floor(rounded / 60) % 60];
  const rest = (rounded % 60).toFixed(decimals).padStart(decimals ? decimals + 3 : 2, "0");
  return hours ? `${hours}:${String(minutes).padStart(2, "0")}:${rest}` : `${minutes}:${rest}`;
}
