/** The tree of a conversation and what is still missing from it. Pure; the server checks again. */
import type { Rendered, RenderedMessage } from "./view";

export interface Mark {
  category: string;
  severity?: number | null;
  technique?: string | null;
  /** Where the quoted words begin, in Unicode code points. */
  start?: number | null;
  quote?: string;
  comment?: string;
}

export interface Node {
  id: string;
  parent?: string | null;
  role: "user" | "assistant";
  text: string;
  label?: string | null;
  generation?: string | null;
  cut?: boolean;
  chosen?: boolean;
  rating?: number | null;
  marks?: Mark[];
  preference?: number | null;
  /** Known to those who own the data. */
  source?: string | null;
}

export interface Verdict {
  failed?: boolean | null;
  harm?: string | null;
  winner?: string | null;
}

export interface Answer {
  models: number;
  labels: "conversation" | "turn";
  nodes: Node[];
  verdict: Verdict;
  notes: string;
}

export interface Category {
  key: string;
  title: string;
  help: string;
  group: "harm" | "error";
}

export interface Config {
  judge: "scale" | "choose" | "rate" | "none";
  labels: "conversation" | "turn";
  goal: string;
  ask_failed: boolean;
  ask_winner: boolean;
  marks: "off" | "optional" | "when_failed";
  severity_required: boolean;
  technique_required: boolean;
  categories: Category[];
  techniques: { key: string; title: string }[];
  notes_min_chars: number;
}

export interface Data {
  brief: Rendered;
  harm: string | null;
  persona: string | null;
  system_prompt: string | null;
  opening: RenderedMessage[];
  models: number;
  min_turns: number;
  max_turns: number;
  config: Config;
}

export const NAMES = "ABCD";
export const SEVERITIES = ["slight", "moderate", "serious", "severe"];
export const MIDDLE = 4;

export const emptyAnswer = (data: Data | null): Answer => ({
  models: data?.models ?? 1,
  labels: data?.config.labels ?? "conversation",
  nodes: [],
  verdict: {},
  notes: "",
});

export const labelsOf = (data: Data): string[] => [...NAMES].slice(0, data.models);

export function nodeOf(answer: Answer, id: string | null | undefined): Node | undefined {
  return id ? answer.nodes.find((node) => node.id === id) : undefined;
}

/** Messages of the person after a message (null: the opening), in the order they were written. */
export function promptsAfter(answer: Answer, id: string | null): Node[] {
  return answer.nodes.filter((node) => node.role === "user" && (node.parent ?? null) === id);
}

export function repliesTo(answer: Answer, prompt: string): Node[] {
  const found = answer.nodes.filter((node) => node.role === "assistant" && node.parent === prompt);
  return found.sort((a, b) => (a.label ?? "").localeCompare(b.label ?? ""));
}

/** From the first message to this one. */
export function pathTo(answer: Answer, id: string | null): Node[] {
  const path: Node[] = [];
  for (let at = nodeOf(answer, id); at && path.length <= answer.nodes.length; at = nodeOf(answer, at.parent)) path.unshift(at);
  return path;
}

export const turnsTo = (answer: Answer, id: string | null): number => pathTo(answer, id).filter((node) => node.role === "user").length;

/** The last message of the person further down from here, along chosen replies first, newest first. */
export function deepest(answer: Answer, prompt: string): string {
  const replies = repliesTo(answer, prompt);
  for (const reply of [...replies.filter((each) => each.chosen), ...replies.filter((each) => !each.chosen)]) {
    const next = promptsAfter(answer, reply.id).at(-1);
    if (next) return deepest(answer, next.id);
  }
  return prompt;
}

/** The reply from which the conversation goes on, if one is chosen. */
export function chosenReply(answer: Answer, prompt: string | null): Node | undefined {
  return prompt ? repliesTo(answer, prompt).find((reply) => reply.chosen) : undefined;
}

/** Changed nodes in place of those of the same id. */
export function withNodes(answer: Answer, changed: Node[]): Node[] {
  const byId = new Map(changed.map((node) => [node.id, node]));
  const known = new Set(answer.nodes.map((node) => node.id));
  return [...answer.nodes.map((node) => byId.get(node.id) ?? node), ...changed.filter((node) => !known.has(node.id))];
}

/** The nodes after one reply of a turn is chosen to go on from. */
export function choose(answer: Answer, reply: Node): Node[] {
  const turn = repliesTo(answer, reply.parent!);
  return withNodes(answer, turn.map((each) => ({ ...each, chosen: each.id === reply.id })));
}

/** The nodes after a point of the scale; the better reply is the one to go on from. */
export function prefer(answer: Answer, prompt: Node, point: number): Node[] {
  const replies = repliesTo(answer, prompt.id);
  const better = point < MIDDLE ? replies[0] : point > MIDDLE ? replies[1] : (replies.find((each) => each.chosen) ?? replies[0]);
  return withNodes(answer, [{ ...prompt, preference: point }, ...replies.map((each) => ({ ...each, chosen: each === better }))]);
}

/** The nodes after a rating; once all are rated, the best one is chosen (of equals the one chosen before). */
export function rate(answer: Answer, reply: Node, rating: number): Node[] {
  const turn = repliesTo(answer, reply.parent!).map((each) => (each.id === reply.id ? { ...each, rating } : each));
  if (turn.some((each) => !each.rating)) return withNodes(answer, turn);
  const best = Math.max(...turn.map((each) => each.rating!));
  const winner = turn.find((each) => each.chosen && each.rating === best) ?? turn.find((each) => each.rating === best)!;
  return withNodes(answer, turn.map((each) => ({ ...each, chosen: each.id === winner.id })));
}

/** Where words stand in a text, in code points; null where they do not stand there as they are. */
export function placeOf(text: string, words: string): number | null {
  const at = words ? text.indexOf(words) : -1;
  return at < 0 ? null : [...text.slice(0, at)].length;
}

export function countedLength(text: string): number {
  return [...text.trim().replace(/\s+/g, " ")].length;
}

export function problemsOf(data: Data, answer: Answer): string[] {
  const marks = answer.nodes.flatMap((node) => node.marks ?? []);
  return [...lengthProblems(data, answer), ...judgmentProblems(data, answer), ...marks.flatMap((mark) => markProblems(data, mark)), ...verdictProblems(data, answer, marks.length)];
}

function lengthProblems(data: Data, answer: Answer): string[] {
  const longest = Math.max(0, ...answer.nodes.filter((node) => node.role === "assistant").map((node) => turnsTo(answer, node.id)));
  const missing = data.min_turns - longest;
  return missing > 0 ? [`${missing} more turn${missing === 1 ? "" : "s"} to go.`] : [];
}

function judgmentProblems({ config, models }: Data, answer: Answer): string[] {
  if (config.judge === "none" || models < 2) return [];
  const prompts = answer.nodes.filter((node) => node.role === "user");
  return prompts.flatMap((prompt, index) => {
    const replies = repliesTo(answer, prompt.id);
    if (replies.length < 2) return [];
    const where = prompts.length > 1 ? `in message ${index + 1}` : "which reply is better";
    if (config.judge === "scale") return prompt.preference ? [] : [`Say which reply is better: ${where}.`];
    if (config.judge === "choose") return replies.some((reply) => reply.chosen) ? [] : [`Choose the best reply: ${where}.`];
    return replies.every((reply) => reply.rating) ? [] : [`Rate every reply: ${where}.`];
  });
}

function markProblems({ config }: Data, mark: Mark): string[] {
  const title = config.categories.find((each) => each.key === mark.category)?.title ?? mark.category;
  const problems: string[] = [];
  if (config.severity_required && !mark.severity) problems.push(`How severe is “${title}”?`);
  if (config.technique_required && !mark.technique) problems.push(`Which technique brought about “${title}”?`);
  return problems;
}

function verdictProblems({ config, models }: Data, { verdict, notes }: Answer, marks: number): string[] {
  const problems: string[] = [];
  if (config.ask_failed && verdict.failed == null) problems.push("Say whether the model failed.");
  if (verdict.failed && config.marks === "when_failed" && !marks) problems.push("Mark at least one reply that failed (m).");
  if (config.ask_winner && models > 1 && !verdict.winner) problems.push("Say which model was better overall.");
  const missing = config.notes_min_chars - countedLength(notes);
  if (missing > 0) problems.push(`Closing remark: ${missing} more character${missing === 1 ? "" : "s"}.`);
  return problems;
}
