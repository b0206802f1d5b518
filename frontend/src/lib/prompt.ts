/** What prompt writing asks and what is still missing: the mirror of `tasktypes/prompt/completeness.py`. */
import { counted, keyOf, lengthProblems, orderProblems, type LengthLimits, type Turn } from "./limits";
import type { Rendered } from "./view";
import { characters, collapsed, findings, type Finding, type Rule, type Tables } from "./writing";

export type Asked = "off" | "optional" | "required";

export interface PromptConfig extends LengthLimits {
  instruction: string;
  system: Asked;
  user_turns_max: number;
  rules: Rule[];
  difficulties: string[];
  tags: string[];
  free_tags: boolean;
  tags_min: number;
  reference: Asked;
  grading: Asked;
  why_fails: Asked;
  runs: number;
  fails_min: number;
  models: number;
  warn_likeness: number;
  refuse_likeness: number;
}

export interface PromptData {
  topic: string;
  difficulty: string;
  brief: Rendered | null;
  constraints: string[];
  examples: Rendered[];
  must_fail: boolean;
  fails_because: Rendered | null;
  config: PromptConfig;
  tables: Tables;
}

export interface Run {
  /** What the server recorded; the text must be the one that it gave. */
  generation: string | null;
  /** The model's blind name. */
  shown_as: string;
  source?: string | null;
  prompt_key: string;
  text: string;
  verdict: "" | "fail" | "ok";
  reason: string;
}

export interface PromptAnswer {
  messages: Turn[];
  difficulty: string;
  tags: string[];
  reference: string;
  grading: string;
  why_fails: string;
  constraints_met: number[];
  runs: Run[];
  runs_waived: boolean;
}

export const REASON_CHARACTERS_MIN = 10;

export const emptyAnswer = (): PromptAnswer => ({ messages: [{ role: "user", content: "" }], difficulty: "", tags: [], reference: "", grading: "", why_fails: "", constraints_met: [], runs: [], runs_waived: false });

/** What the user says: the text that limits, rules and likeness are about. */
export function askedText(answer: PromptAnswer): string {
  return answer.messages.filter((turn) => turn.role === "user").map((turn) => turn.content).join("\n\n");
}

export function findingsOf(data: PromptData, answer: PromptAnswer): Finding[] {
  return findings(askedText(answer), data.config.rules, data.tables);
}

/** Runs of the prompt as it now stands. */
export function currentRuns(answer: PromptAnswer): Run[] {
  const key = keyOf(answer.messages);
  return answer.runs.filter((run) => run.prompt_key === key);
}

export function problemsOf(data: PromptData, answer: PromptAnswer, found = findingsOf(data, answer)): string[] {
  const { config } = data;
  const problems = messageProblems(answer, config);
  const text = askedText(answer);
  if (collapsed(text)) problems.push(...lengthProblems(text, config), ...found.filter((each) => each.severity === "block").map((each) => each.message));
  const met = data.constraints.filter((_, at) => answer.constraints_met.includes(at)).length;
  if (met < data.constraints.length) problems.push(`Tick off each constraint of the brief: ${met} of ${data.constraints.length} so far.`);
  return [...problems, ...claimProblems(answer, config), ...noteProblems(data, answer), ...runProblems(answer, config)];
}

function messageProblems({ messages }: PromptAnswer, config: PromptConfig): string[] {
  const problems: string[] = [];
  const users = messages.filter((turn) => turn.role === "user").length;
  if (!users) problems.push("Write the prompt.");
  messages.forEach((turn, at) => {
    if (!collapsed(turn.content)) problems.push(users === 1 && turn.role === "user" ? "The prompt is empty. Write it." : `Turn ${at + 1} is empty. Fill it or remove it.`);
  });
  if (users > config.user_turns_max) problems.push(`The user speaks at most ${counted(config.user_turns_max, "time")} here; ${users} so far.`);
  if (config.system === "required" && !messages.some((turn) => turn.role === "system")) problems.push("Add a system message.");
  if (users) problems.push(...orderProblems(messages, [], config.system !== "off", "user"));
  return problems;
}

function claimProblems(answer: PromptAnswer, config: PromptConfig): string[] {
  const problems: string[] = [];
  if (config.difficulties.length && !config.difficulties.includes(answer.difficulty)) problems.push(`Say how hard it is: ${config.difficulties.join(", ")}.`);
  if (!config.difficulties.length && answer.difficulty) problems.push("This project does not ask for a difficulty. Leave it out.");
  const unknown = answer.tags.find((tag) => !config.tags.includes(tag));
  if (unknown !== undefined && !config.free_tags) problems.push(`Choose tags from the list; “${unknown}” is not in it.`);
  if (new Set(answer.tags).size < config.tags_min) problems.push(`Give at least ${counted(config.tags_min, "tag")}.`);
  return problems;
}

/** Whether a note has to be written for this task. */
export function noteRequired(data: PromptData, name: "reference" | "grading" | "why_fails"): boolean {
  const asked = data.config[name];
  return asked === "required" || (name === "why_fails" && data.must_fail && asked !== "off");
}

function noteProblems(data: PromptData, answer: PromptAnswer): string[] {
  const words = { reference: "Write a reference answer.", grading: "Write how to tell a right answer from a wrong one.", why_fails: "Say why a model fails at it." };
  return (["reference", "grading", "why_fails"] as const).filter((name) => noteRequired(data, name) && !collapsed(answer[name])).map((name) => words[name]);
}

function runProblems(answer: PromptAnswer, config: PromptConfig): string[] {
  const problems: string[] = [];
  answer.runs.forEach((run, at) => {
    if (run.verdict === "fail" && characters(run.reason) < REASON_CHARACTERS_MIN) problems.push(`Run ${at + 1}: say in what it fails.`);
  });
  if (!config.runs || answer.runs_waived) return problems;
  const judged = currentRuns(answer).filter((run) => run.verdict);
  if (judged.length < config.runs) problems.push(`Run the prompt as it now stands and judge ${counted(config.runs, "answer")}; ${judged.length} so far.`);
  const fails = judged.filter((run) => run.verdict === "fail").length;
  if (judged.length >= config.runs && fails < config.fails_min) problems.push(`The model must fail in at least ${config.fails_min} of ${counted(config.runs, "run")}; it failed in ${fails}. Make it harder.`);
  return problems;
}
