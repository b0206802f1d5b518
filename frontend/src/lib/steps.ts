/** What step marks ask and what they still lack. Pure; the server checks again. */
import type { Span } from "../parts/quoting";
import type { Rendered, RenderedMessage } from "./view";
import type { Wish } from "./rating";

export type Verdict = "correct" | "neutral" | "unsupported" | "wrong";

export interface StepsConfig {
  question: string;
  mode: "all" | "first_wrong";
  verdicts: Verdict[];
  categories: { key: string; title: string }[];
  category: Wish;
  correction: Wish;
  comment: Wish;
  evidence: "none" | "optional" | "wrong" | "every";
  ask_final: boolean;
}

export interface StepsData {
  prompt: RenderedMessage[];
  steps: Rendered[];
  sources: { id: string; title: string; body: Rendered; url: string | null }[];
  final_answer: Rendered | null;
  reference: Rendered | null;
  prose: boolean;
  config: StepsConfig;
}

/** Drafts come back without what is empty. */
export interface StepMark {
  verdict?: Verdict | null;
  category?: string | null;
  correction?: string;
  comment?: string;
  quotes?: Span[];
  urls?: string[];
}

export interface StepsAnswer {
  marks: Record<string, StepMark>;
  final_correct: boolean | null;
  comment: string;
}

export const emptySteps = (): StepsAnswer => ({ marks: {}, final_correct: null, comment: "" });

export const isFault = (mark: StepMark | undefined): boolean => mark?.verdict === "wrong" || mark?.verdict === "unsupported";

export function firstWrong(data: StepsData, answer: StepsAnswer): number | null {
  const at = data.steps.findIndex((_, step) => answer.marks[step]?.verdict === "wrong");
  return at < 0 ? null : at;
}

/** How many steps a mark is asked for, from the first on. */
export function askedCount(data: StepsData, answer: StepsAnswer): number {
  const wrong = data.config.mode === "first_wrong" ? firstWrong(data, answer) : null;
  return wrong === null ? data.steps.length : wrong + 1;
}

/** The answer as it is given: without marks beyond the first wrong step, and without corrections of steps that are right. */
export function outcomeOf(data: StepsData, answer: StepsAnswer): StepsAnswer {
  const count = askedCount(data, answer);
  const marks = Object.entries(answer.marks)
    .filter(([at, mark]) => Number(at) < count && Object.values(mark).some((part) => (Array.isArray(part) ? part.length : part)))
    .map(([at, mark]) => [at, isFault(mark) ? mark : { ...mark, category: null, correction: "" }] as const);
  return { ...answer, marks: Object.fromEntries(marks), final_correct: data.config.ask_final ? answer.final_correct : null };
}

export function needsEvidence(config: StepsConfig, mark: StepMark): boolean {
  if (config.evidence === "every") return mark.verdict === "correct" || mark.verdict === "wrong";
  return config.evidence === "wrong" && mark.verdict === "wrong";
}

export const isAddress = (url: string): boolean => /^https?:\/\/[^\s"'<>\\]{3,2040}$/.test(url);

export function problemsOf(data: StepsData, answer: StepsAnswer): string[] {
  const { config } = data;
  const problems = data.steps.slice(0, askedCount(data, answer)).flatMap((_, at) => stepProblems(`Step ${at + 1}`, answer.marks[at] ?? {}, config));
  if (config.ask_final && typeof answer.final_correct !== "boolean") problems.push("Say whether the final answer is right.");
  return problems;
}

function stepProblems(name: string, mark: StepMark, config: StepsConfig): string[] {
  if (!mark.verdict) return [`Mark ${name.toLowerCase()}.`];
  const wrong = mark.verdict === "wrong";
  const problems: string[] = [];
  if (wrong && config.category === "required" && !mark.category) problems.push(`${name}: choose the kind of error.`);
  if (wrong && config.correction === "required" && !mark.correction?.trim()) problems.push(`${name}: write how it should read.`);
  if (wrong && config.comment === "required" && !mark.comment?.trim()) problems.push(`${name}: say what is wrong.`);
  if (needsEvidence(config, mark) && !mark.quotes?.length && !mark.urls?.length) problems.push(`${name}: quote a source or give a web address.`);
  return problems;
}
