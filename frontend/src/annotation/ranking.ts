/** The moves of a Ranker: items in one list or in buckets. Pure. */

/** Items by column, in order. Without buckets there is one column. */
export type Columns = Record<string, string[]>;

/** The column of items that lie in no bucket. */
export const UNSORTED = "_";

/** Columns as they stand: what is stored, with every item that it leaves out where new items lie. */
export function columnsOf(stored: unknown, names: readonly string[], rest: string, ids: readonly string[]): Columns {
  const given = (typeof stored === "object" && stored !== null && !Array.isArray(stored) ? stored : Array.isArray(stored) ? { [names[0]!]: stored } : {}) as Columns;
  const known = new Set(ids);
  const seen = new Set<string>();
  const take = (list: unknown): string[] =>
    (Array.isArray(list) ? list.map(String) : []).filter((id) => known.has(id) && !seen.has(id) && seen.add(id));
  const columns = Object.fromEntries(names.map((name) => [name, take(given[name])]));
  columns[rest] = [...(columns[rest] ?? []), ...ids.filter((id) => !seen.has(id))];
  return columns;
}

/** Put an item at a place of a column; places past the end are the end. */
export function moved(columns: Columns, id: string, column: string, at: number): Columns {
  const without = Object.fromEntries(Object.entries(columns).map(([name, ids]) => [name, ids.filter((each) => each !== id)]));
  const target = [...(without[column] ?? [])];
  target.splice(Math.max(0, Math.min(at, target.length)), 0, id);
  return { ...without, [column]: target };
}

export function placeOf(columns: Columns, id: string): { column: string; at: number } | null {
  for (const [column, ids] of Object.entries(columns)) if (ids.includes(id)) return { column, at: ids.indexOf(id) };
  return null;
}

/** One step up or down in its column, or to the end of the next column. */
export function stepped(columns: Columns, id: string, step: "up" | "down" | "left" | "right"): Columns {
  const place = placeOf(columns, id);
  if (!place) return columns;
  if (step === "up") return moved(columns, id, place.column, place.at - 1);
  if (step === "down") return moved(columns, id, place.column, place.at + 1);
  const names = Object.keys(columns);
  const next = names[names.indexOf(place.column) + (step === "left" ? -1 : 1)];
  return next === undefined ? columns : moved(columns, id, next, columns[next]!.length);
}
