/** What a rating asks, what it is worth so far and what it still lacks. Pure; the server checks again. */
import type { Span } from "../parts/quoting";
import type { Rendered, RenderedMessage } from "./view";

export type Evidence = "none" | "optional" | "required" | "required_if_yes";
export type Wish = "none" | "optional" | "required";

export interface Criterion {
  key: string;
  title: string;
  description: string;
  kind: "likert" | "check" | "scale";
  points: number;
  weight: number;
  anchors: Record<string, string>;
  required: boolean;
  allow_na: boolean;
  evidence: Evidence;
  comment: Wish;
}

export interface RatingData {
  prompt: RenderedMessage[];
  context: Rendered | null;
  responses: { label: string; messages: RenderedMessage[] }[];
  reference: Rendered | null;
  config: {
    question: string;
    criteria: Criterion[];
    reference: "beside" | "after";
    overall: Wish;
    overall_points: number;
    comment_max_chars: number;
  };
}

/** Drafts come back without what is empty. */
export interface Mark {
  value?: number | null;
  na?: boolean;
  quotes?: Span[];
  comment?: string;
}

export interface Rating {
  /** response -> criterion -> mark */
  scores: Record<string, Record<string, Mark>>;
  overall: Record<string, number>;
  comment: string;
  reference_opened: boolean;
}

export const emptyRating = (): Rating => ({ scores: {}, overall: {}, comment: "", reference_opened: false });

export const lowest = (criterion: Criterion): number => (criterion.kind === "check" ? 0 : 1);
export const highest = (criterion: Criterion): number => (criterion.kind === "check" ? 1 : criterion.kind === "likert" ? criterion.points : 100);

export const given = (mark: Mark | undefined): boolean => mark !== undefined && (mark.na === true || typeof mark.value === "number");

/** The weighted score of one response from 0 to 1, null where nothing that weighs was scored. As on the server. */
export function weightedScore(criteria: readonly Criterion[], marks: Record<string, Mark> = {}): number | null {
  let [total, achieved, fined] = [0, 0, 0];
  for (const criterion of criteria) {
    const value = marks[criterion.key]?.value;
    if (typeof value !== "number") continue;
    const share = (value - lowest(criterion)) / (highest(criterion) - lowest(criterion));
    achieved += criterion.weight * share;
    if (criterion.weight > 0) total += criterion.weight;
    else fined -= criterion.weight;
  }
  if (total > 0) return Math.min(1, Math.max(0, achieved / total));
  return fined > 0 ? 1 + achieved / fined : null;
}

export function needsQuote(criterion: Criterion, mark: Mark): boolean {
  if (typeof mark.value !== "number") return false;
  return criterion.evidence === "required" || (criterion.evidence === "required_if_yes" && mark.value === 1);
}

/** Responses with all that is required scored: what a reference that is held back waits for. */
export function allScored(data: RatingData, rating: Rating): boolean {
  return data.responses.every(({ label }) => data.config.criteria.every((criterion) => !criterion.required || given(rating.scores[label]?.[criterion.key])));
}

export function problemsOf(data: RatingData, rating: Rating): string[] {
  const { criteria, overall, overall_points: top } = data.config;
  const labels = data.responses.map((response) => response.label);
  const problems = labels.flatMap((label) => criteria.flatMap((criterion) => markProblems(label, criterion, rating.scores[label]?.[criterion.key])));
  const open = labels.filter((label) => rating.overall[label] === undefined);
  if (open.length && (overall === "required" || (overall === "optional" && open.length < labels.length))) problems.push(`Overall score, 1 to ${top}: ${open.join(", ")}.`);
  return problems;
}

function markProblems(label: string, criterion: Criterion, mark: Mark | undefined): string[] {
  const what = `“${criterion.title}” of ${label}`;
  if (!mark || !given(mark)) {
    if (criterion.required) return [`Score ${what}.`];
    return mark && (mark.quotes?.length || mark.comment?.trim()) ? [`${what} has a quote or a comment but no score.`] : [];
  }
  const problems: string[] = [];
  if (needsQuote(criterion, mark) && !mark.quotes?.length) problems.push(`Quote what supports your score: ${what}.`);
  if (criterion.comment === "required" && !mark.comment?.trim()) problems.push(`Say why: ${what}.`);
  return problems;
}
