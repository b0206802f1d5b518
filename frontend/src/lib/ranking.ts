/** Rankings with ties as ordered groups of labels, and the 7-point scale of a pair. Pure. */

export type Ranks = Record<string, number>;
/** Best group first; labels of one group are tied. */
export type Groups = string[][];

/** Standard competition ranks: groups [A], [B, C], [D] are 1, 2, 2, 4. */
export function ranksOf(groups: Groups): Ranks {
  const ranks: Ranks = {};
  let place = 1;
  for (const group of groups) {
    for (const label of group) ranks[label] = place;
    place += group.length;
  }
  return ranks;
}

export function groupsOf(ranks: Ranks): Groups {
  const places = [...new Set(Object.values(ranks))].sort((a, b) => a - b);
  return places.map((place) => Object.keys(ranks).filter((label) => ranks[label] === place).sort());
}

const without = (groups: Groups, label: string): Groups =>
  groups.map((group) => group.filter((other) => other !== label)).filter((group) => group.length > 0);

/** Put a label on its own before the group at `index` (counted after it has been taken out). */
export function insertAt(groups: Groups, label: string, index: number): Groups {
  const rest = without(groups, label);
  const at = Math.max(0, Math.min(rest.length, index));
  return [...rest.slice(0, at), [label], ...rest.slice(at)];
}

/** Tie a label with another, ranked one; with one that has no rank yet, both take the last place together. */
export function tieWith(groups: Groups, label: string, other: string): Groups {
  if (label === other) return groups;
  const rest = without(groups, label);
  if (!rest.some((group) => group.includes(other))) return [...rest, [label, other].sort()];
  return rest.map((group) => (group.includes(other) ? [...group, label].sort() : group));
}

/**
 * Give a label the rank that a person typed; equal ranks tie. Where ties are not allowed, whoever held the rank
 * takes the label's old one, or none. Ranks stay as typed until `settled`.
 */
export function typedRank(ranks: Ranks, label: string, place: number, allowTies: boolean): Ranks {
  const next: Ranks = { ...ranks, [label]: place };
  const holder = Object.keys(ranks).find((other) => other !== label && ranks[other] === place);
  if (holder && !allowTies) {
    if (ranks[label] === undefined) delete next[holder];
    else next[holder] = ranks[label];
  }
  return next;
}

/** Typed ranks as standard competition ranks: 1, 3, 3 becomes 1, 2, 2. */
export function settled(ranks: Ranks): Ranks {
  return ranksOf(groupsOf(ranks));
}

/** One step towards the front (-1) or the back (+1): out of a tie first, then past the neighbouring group. */
export function moveBy(groups: Groups, label: string, step: -1 | 1): Groups {
  const at = groups.findIndex((group) => group.includes(label));
  if (at < 0) return [...groups, [label]];
  const rest = without(groups, label);
  if (groups[at]!.length > 1) return insertAt(groups, label, step < 0 ? at : at + 1);
  const to = at + step;
  return to < 0 || to > rest.length ? groups : insertAt(groups, label, to);
}

export function unrank(groups: Groups, label: string): Groups {
  return without(groups, label);
}

export interface PairChoice {
  ranks: Ranks;
  /** 0 the same, 1 slightly, 2 clearly, 3 much. */
  strength: number;
}

/** The scale of a pair: 1 "first much better" ... 4 "the same" ... 7 "second much better". */
export function choiceOf(point: number, first: string, second: string): PairChoice {
  const strength = Math.abs(point - 4);
  if (point === 4) return { ranks: { [first]: 1, [second]: 1 }, strength };
  return { ranks: point < 4 ? { [first]: 1, [second]: 2 } : { [first]: 2, [second]: 1 }, strength };
}

export function pointOf(choice: { ranks: Ranks; strength: number | null }, first: string, second: string): number | null {
  const [a, b] = [choice.ranks[first], choice.ranks[second]];
  if (a === undefined || b === undefined) return null;
  if (a === b) return 4;
  const strength = choice.strength ?? 2;
  return a < b ? 4 - strength : 4 + strength;
}
