/** What a comparison asks and what is still missing from an answer. Pure; the server checks again. */
import type { Ranks } from "./ranking";
import type { Rendered, RenderedMessage } from "./view";

export interface Dimension {
  key: string;
  title: string;
  help?: string;
  required?: boolean;
}

export interface ComparisonConfig {
  question: string;
  dimensions: Dimension[];
  allow_ties: boolean;
  allow_both_bad: boolean;
  /** "partial": some responses may stay without a rank. */
  ranking: "full" | "partial";
  /** Whether a pair is judged on seven points (default) or only better, the same, worse. */
  scale_strength?: boolean;
  justification_min_chars: number;
  justification_max_chars?: number;
}

export interface ComparisonData {
  /** Material for the judge that the model did not see. */
  context: Rendered | null;
  prompt: RenderedMessage[];
  responses: { label: string; body: Rendered }[];
  config: ComparisonConfig;
}

export interface Answer {
  ranks: Ranks;
  strength: number | null;
  both_bad: boolean;
  /** dimension key to response label to 1..7 */
  ratings: Record<string, Record<string, number>>;
  justification: string;
}

export const emptyAnswer = (): Answer => ({ ranks: {}, strength: null, both_bad: false, ratings: {}, justification: "" });

/** Characters that count towards a minimum: code points, a run of blanks as one. */
export function countedLength(text: string): number {
  return [...text.trim().replace(/\s+/g, " ")].length;
}

export function problemsOf(data: ComparisonData, answer: Answer): string[] {
  const { config } = data;
  const problems = [...rankingProblems(data, answer), ...config.dimensions.flatMap((each) => ratingProblem(data, answer, each))];
  const missing = config.justification_min_chars - countedLength(answer.justification);
  if (missing > 0) problems.push(`Say why: ${missing} more character${missing === 1 ? "" : "s"}.`);
  return problems;
}

function rankingProblems({ config, responses }: ComparisonData, answer: Answer): string[] {
  const ranks = responses.map((response) => answer.ranks[response.label]).filter((rank) => rank !== undefined);
  // "Both are bad" alone is an answer.
  if (answer.both_bad && config.allow_both_bad && ranks.length === 0) return [];
  const problems: string[] = [];
  if (responses.length === 2) {
    if (ranks.length < 2) problems.push("Choose which is better.");
  } else if (config.ranking === "full" && ranks.length < responses.length) problems.push("Rank every response.");
  else if (ranks.length < 2) problems.push("Rank at least two responses.");
  if (!config.allow_ties && new Set(ranks).size < ranks.length) problems.push("Ties are not allowed here: decide for one.");
  return problems;
}

/** An optional dimension may be left out, but not half filled. */
function ratingProblem({ responses }: ComparisonData, answer: Answer, dimension: Dimension): string[] {
  const given = answer.ratings[dimension.key] ?? {};
  const open = responses.map((response) => response.label).filter((label) => given[label] === undefined);
  const wanted = dimension.required || open.length < responses.length;
  return wanted && open.length ? [`Rate ${dimension.title.toLowerCase()} for ${open.join(", ")}.`] : [];
}
