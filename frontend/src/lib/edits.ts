/**
 * What somebody changed in a text: an edit script by words, and how much it is. The mirror of
 * `preceptor/tasktypes/writing/edits.py`, step by step, so that a writer sees what a release will hold.
 */
import { BREAKS, PIECE, words } from "./writing";

export type Op = "keep" | "delete" | "insert";
export interface Edit {
  op: Op;
  text: string;
}
export interface Changes {
  words_deleted: number;
  words_inserted: number;
  share: number;
  places: number;
}

const STEPS_MAX = 1_000;

/** How `before` became `after`; a deletion stands before its replacement. */
export function editScript(before: string, after: string): Edit[] {
  const script: Edit[] = [];
  let [kept, removed, added] = ["", "", ""];
  // Blanks alone between two changed words are part of the change, as people see it.
  const add = (op: Op, text: string) => {
    if (op !== "keep") {
      if (kept && (removed || added)) [removed, added] = [removed + kept, added + kept];
      else if (kept) script.push({ op: "keep", text: kept });
      kept = "";
      if (op === "delete") removed += text;
      else added += text;
      return;
    }
    kept += text;
    if (!(removed || added) || !BREAKS.test(kept)) return;
    if (removed) script.push({ op: "delete", text: removed });
    if (added) script.push({ op: "insert", text: added });
    [removed, added] = ["", ""];
  };
  let gone: string[] = [];
  let come: string[] = [];
  for (const { op, text } of myers(lines(before), lines(after))) {
    if (op === "keep") {
      byWords(gone, come, add);
      [gone, come] = [[], []];
      add(op, text);
    } else (op === "delete" ? gone : come).push(text);
  }
  byWords(gone, come, add);
  add("keep", "\n");
  if (kept.length > 1) script.push({ op: "keep", text: kept.slice(0, -1) });
  return script;
}

/** Sums over a script; `share` is of all characters of both texts. */
export function changesOf(script: readonly Edit[]): Changes {
  const size = { keep: 0, delete: 0, insert: 0 };
  const counted = { keep: 0, delete: 0, insert: 0 };
  let places = 0;
  let last: Op = "keep";
  for (const { op, text } of script) {
    size[op] += pointsOf(text);
    if (op !== "keep") {
      counted[op] += words(text);
      if (last === "keep") places += 1;
    }
    last = op;
  }
  const changed = size.delete + size.insert;
  const total = 2 * size.keep + changed;
  return { words_deleted: counted.delete, words_inserted: counted.insert, share: total ? changed / total : 0, places };
}

function pointsOf(text: string): number {
  return text.length - (text.match(/[\ud800-\udbff][\udc00-\udfff]/g)?.length ?? 0);
}

const lines = (text: string): string[] => text.match(/[^\n]*\n|[^\n]+/g) ?? [];
const pieces = (text: string): string[] => text.match(PIECE) ?? [];

function byWords(gone: readonly string[], come: readonly string[], add: (op: Op, text: string) => void): void {
  if (!gone.length || !come.length) {
    for (const line of gone) add("delete", line);
    for (const line of come) add("insert", line);
    return;
  }
  // Within a run of changes all deletions, then all insertions: what people call one change.
  let waiting: string[] = [];
  const flush = () => {
    for (const text of waiting) add("insert", text);
    waiting = [];
  };
  for (const { op, text } of myers(pieces(gone.join("")), pieces(come.join("")))) {
    if (op === "insert") {
      waiting.push(text);
      continue;
    }
    if (op === "keep") flush();
    add(op, text);
  }
  flush();
}

/** Shortest script between two sequences, equal ends set aside first. */
function myers(a: readonly string[], b: readonly string[]): Edit[] {
  let [start, stopA, stopB] = [0, a.length, b.length];
  while (start < stopA && start < stopB && a[start] === b[start]) start += 1;
  while (stopA > start && stopB > start && a[stopA - 1] === b[stopB - 1]) [stopA, stopB] = [stopA - 1, stopB - 1];
  const keep = (text: string): Edit => ({ op: "keep", text });
  return [...a.slice(0, start).map(keep), ...middle(a.slice(start, stopA), b.slice(start, stopB)), ...a.slice(stopA).map(keep)];
}

function middle(a: readonly string[], b: readonly string[]): Edit[] {
  const trace = a.length && b.length ? forward(a, b) : null;
  if (trace) return walkBack(a, b, trace);
  return [...a.map((text): Edit => ({ op: "delete", text })), ...b.map((text): Edit => ({ op: "insert", text }))];
}

/** Furthest reach on each diagonal before 0, 1, 2, … changes (diagonal k at index k + steps + 1); null where it takes too many. */
function forward(a: readonly string[], b: readonly string[]): Int32Array[] | null {
  const most = Math.min(a.length + b.length, STEPS_MAX);
  const middleAt = most + 1;
  const reach = new Int32Array(2 * most + 3).fill(-1);
  reach[middleAt + 1] = 0;
  const trace: Int32Array[] = [];
  for (let steps = 0; steps <= most; steps++) {
    trace.push(reach.slice(middleAt - steps - 1, middleAt + steps + 2));
    for (let k = -steps; k <= steps; k += 2) {
      const down = k === -steps || (k !== steps && reach[middleAt + k - 1]! < reach[middleAt + k + 1]!);
      let x = down ? reach[middleAt + k + 1]! : reach[middleAt + k - 1]! + 1;
      let y = x - k;
      while (x < a.length && y < b.length && a[x] === b[y]) [x, y] = [x + 1, y + 1];
      reach[middleAt + k] = x;
      if (x >= a.length && y >= b.length) return trace;
    }
  }
  return null;
}

function walkBack(a: readonly string[], b: readonly string[], trace: readonly Int32Array[]): Edit[] {
  let [x, y] = [a.length, b.length];
  const backwards: Edit[] = [];
  for (let steps = trace.length - 1; steps >= 0; steps--) {
    const at = (k: number): number => trace[steps]![k + steps + 1] ?? -1;
    const k = x - y;
    const down = k === -steps || (k !== steps && at(k - 1) < at(k + 1));
    const lastK = down ? k + 1 : k - 1;
    const lastX = steps ? at(lastK) : 0;
    const lastY = steps ? lastX - lastK : 0;
    while (x > lastX && y > lastY) {
      [x, y] = [x - 1, y - 1];
      backwards.push({ op: "keep", text: a[x]! });
    }
    if (!steps) continue;
    if (down) backwards.push({ op: "insert", text: b[--y]! });
    else backwards.push({ op: "delete", text: a[--x]! });
  }
  return backwards.reverse();
}
