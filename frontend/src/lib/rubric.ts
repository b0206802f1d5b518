/** A rubric while it is written or judged, and what it still lacks. Pure; the server checks again. */
import { hints, plain, wordCount, WORDS_MIN } from "./rubriclint";
import type { Wish } from "./rating";
import type { Rendered, RenderedMessage } from "./view";

export type CriterionKind = "must" | "should" | "penalty";
export type Decision = "keep" | "mend" | "drop";
export const QUESTIONS = ["self_contained", "checkable", "correct", "important"] as const;
export type Question = (typeof QUESTIONS)[number];

export interface Criterion {
  id: string;
  statement: string;
  kind: CriterionKind;
  points: number;
  rationale: string;
  /** Codes of hints that the author looked at and keeps. */
  fine: string[];
}

export type Verdict = Partial<Record<Question, boolean | null>> & { decision?: Decision | null; proposal?: string; comment?: string };

export interface RubricConfig {
  mode: "author" | "validate";
  question: string;
  criteria_min: number;
  criteria_max: number;
  points_max: number;
  points_total: number | null;
  rationale: Wish;
  hints: "warn" | "block";
}

export interface RubricData {
  prompt: RenderedMessage[];
  context: Rendered | null;
  responses: { label: string; messages: RenderedMessage[] }[];
  draft: Criterion[];
  config: RubricConfig;
}

export interface RubricAnswer {
  /** Null until the author has changed anything. */
  criteria: Criterion[] | null;
  verdicts: Record<string, Verdict>;
  missing: string[];
  comment: string;
}

export const emptyRubric = (): RubricAnswer => ({ criteria: null, verdicts: {}, missing: [], comment: "" });

export const total = (criteria: readonly Criterion[]): number => criteria.reduce((sum, { points }) => sum + Math.max(0, points), 0);

/** A criterion that says nothing yet, with an id that no other one has. */
export function blank(criteria: readonly Criterion[]): Criterion {
  const used = new Set(criteria.map((criterion) => criterion.id));
  let number = criteria.length + 1;
  while (used.has(`c${number}`)) number++;
  return { id: `c${number}`, statement: "", kind: "must", points: 5, rationale: "", fine: [] };
}

/** Points with the sign that the kind asks for. */
export const signed = (points: number, kind: CriterionKind): number => (kind === "penalty" ? -Math.abs(points) : Math.abs(points));

export function moved<T>(list: readonly T[], from: number, to: number): T[] {
  const rest = list.filter((_, at) => at !== from);
  return [...rest.slice(0, to), list[from]!, ...rest.slice(to)];
}

export function problemsOf(data: RubricData, answer: RubricAnswer): string[] {
  return data.config.mode === "author" ? rubricProblems(answer.criteria ?? data.draft, data.config) : verdictProblems(data, answer);
}

function rubricProblems(criteria: readonly Criterion[], config: RubricConfig): string[] {
  const problems: string[] = [];
  if (criteria.length < config.criteria_min) problems.push(`Write at least ${config.criteria_min} criteria; there are ${criteria.length}.`);
  if (criteria.length > config.criteria_max) problems.push(`Keep to ${config.criteria_max} criteria; there are ${criteria.length}.`);
  criteria.forEach((_, at) => problems.push(...criterionProblems(criteria, at, config)));
  const sum = total(criteria);
  if (config.points_total !== null && sum !== config.points_total) problems.push(`The points must add up to ${config.points_total}; they are ${sum}.`);
  return problems;
}

/** What one criterion lacks, beside the others. */
export function criterionProblems(criteria: readonly Criterion[], at: number, config: RubricConfig): string[] {
  const { statement, kind, points, rationale, fine } = criteria[at]!;
  const name = `Criterion ${at + 1}`;
  if (wordCount(statement) < WORDS_MIN) return [`${name}: say what is met or not, in ${WORDS_MIN} words or more.`];
  const problems: string[] = [];
  const said = plain(statement);
  if (said && criteria.slice(0, at).some((other) => plain(other.statement) === said)) problems.push(`${name} says what another one says. Remove one of them.`);
  if (kind === "penalty" && points >= 0) problems.push(`${name} is a penalty: give it points below zero.`);
  if (kind !== "penalty" && points <= 0) problems.push(`${name}: give it points above zero, or make it a penalty.`);
  if (Math.abs(points) > config.points_max) problems.push(`${name} gives or costs at most ${config.points_max} points.`);
  if (config.rationale === "required" && !rationale.trim()) problems.push(`${name}: give a reason or a source.`);
  if (config.hints === "block") {
    const others = criteria.filter((_, place) => place !== at).map((other) => other.statement);
    problems.push(...hints(statement, others).filter((hint) => !fine.includes(hint.code)).map((hint) => `${name}: ${hint.words}`));
  }
  return problems;
}

export const QUESTION_WORDS: Record<Question, string> = { self_contained: "Self-contained", checkable: "Checkable", correct: "Correct", important: "Important" };

function verdictProblems(data: RubricData, answer: RubricAnswer): string[] {
  const problems = data.draft.flatMap((criterion, at) => verdictProblem(at + 1, criterion, answer.verdicts[criterion.id] ?? {}));
  answer.missing.forEach((statement) => {
    if (wordCount(statement) < WORDS_MIN) problems.push(`What is missing: say it in ${WORDS_MIN} words or more, or remove it.`);
  });
  return problems;
}

function verdictProblem(number: number, criterion: Criterion, verdict: Verdict): string[] {
  const problems: string[] = [];
  const open = QUESTIONS.filter((question) => typeof verdict[question] !== "boolean").map((question) => QUESTION_WORDS[question].toLowerCase());
  if (open.length) problems.push(`Criterion ${number}: say whether it is ${open.join(", ")}.`);
  if (!verdict.decision) problems.push(`Criterion ${number}: keep, mend or drop it.`);
  const proposal = (verdict.proposal ?? "").trim();
  if (verdict.decision === "mend" && (!plain(proposal) || proposal === criterion.statement.trim())) problems.push(`Criterion ${number}: write how it should read.`);
  if (verdict.decision === "drop" && !verdict.comment?.trim()) problems.push(`Criterion ${number}: say why it should go.`);
  return problems;
}
