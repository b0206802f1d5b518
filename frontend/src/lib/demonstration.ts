/** What a demonstration asks and what is still missing: the mirror of `tasktypes/demonstration/completeness.py`. */
import { counted, lengthProblems, orderProblems, type LengthLimits, type Turn } from "./limits";
import type { Rendered, RenderedMessage } from "./view";
import { collapsed, findings, type Finding, type Rule, type Tables } from "./writing";

export interface DemonstrationConfig extends LengthLimits {
  mode: "answer" | "conversation" | "edit";
  instruction: string;
  turns_min: number;
  turns_max: number;
  allow_system: boolean;
  sources_min: number;
  sources_quote: boolean;
  allow_unchanged: boolean;
  note: "off" | "optional" | "required";
  rules: Rule[];
}

export interface DemonstrationData {
  prompt: RenderedMessage[];
  brief: Rendered | null;
  draft: string | null;
  config: DemonstrationConfig;
  tables: Tables;
}

export interface Source {
  url: string;
  title: string;
  quote: string;
}

export interface DemonstrationAnswer {
  text: string;
  turns: Turn[];
  sources: Source[];
  note: string;
}

const ADDRESS = /^https?:\/\/[^\s"'<>\\]+\.[^\s"'<>\\]+$/i;

/** An empty answer; a draft to correct is where the correction starts. */
export const emptyAnswer = (data: DemonstrationData | null): DemonstrationAnswer => ({ text: data?.draft ?? "", turns: [], sources: [], note: "" });

/** What limits and rules hold for: how to name it, and the text. */
export function textsOf(answer: DemonstrationAnswer, config: DemonstrationConfig): [name: string, text: string, turn: number][] {
  if (config.mode !== "conversation") return [["", answer.text, -1]];
  return answer.turns.flatMap((turn, at): [string, string, number][] => (turn.role === "assistant" ? [[`Turn ${at + 1}: `, turn.content, at]] : []));
}

export interface NamedFinding extends Finding {
  name: string;
  turn: number;
}

export function findingsOf(data: DemonstrationData, answer: DemonstrationAnswer): NamedFinding[] {
  return textsOf(answer, data.config).flatMap(([name, text, turn]) => findings(text, data.config.rules, data.tables).map((found) => ({ ...found, name, turn })));
}

export function problemsOf(data: DemonstrationData, answer: DemonstrationAnswer, found = findingsOf(data, answer)): string[] {
  const { config } = data;
  const problems = config.mode === "conversation" ? turnProblems(data, answer) : textProblems(data, answer);
  for (const [name, text, turn] of textsOf(answer, config)) {
    if (!collapsed(text)) continue;
    problems.push(...lengthProblems(text, config).map((message) => name + message));
    problems.push(...found.filter((each) => each.turn === turn && each.severity === "block").map((each) => name + each.message));
  }
  problems.push(...sourceProblems(answer.sources, config));
  if (config.note === "required" && !collapsed(answer.note)) problems.push("Leave a remark for the reviewers.");
  if (config.note === "off" && answer.note) problems.push("This project takes no remarks. Remove it.");
  return problems;
}

function textProblems({ config, draft }: DemonstrationData, answer: DemonstrationAnswer): string[] {
  const problems = answer.turns.length ? ["This project wants one text, not a conversation. Remove the turns."] : [];
  if (!collapsed(answer.text)) problems.push(config.mode === "answer" ? "Write the answer." : "The text is empty. Restore the draft.");
  else if (config.mode === "edit" && !config.allow_unchanged && answer.text === (draft ?? "")) problems.push("Nothing is changed yet. Correct the draft.");
  return problems;
}

function turnProblems({ config, prompt }: DemonstrationData, { turns }: DemonstrationAnswer): string[] {
  const problems: string[] = [];
  if (turns.length < config.turns_min) problems.push(`Write at least ${counted(config.turns_min, "turn")}; ${turns.length} so far.`);
  if (turns.length > config.turns_max) problems.push(`Write at most ${counted(config.turns_max, "turn")}; ${turns.length} so far.`);
  turns.forEach((turn, at) => {
    if (!collapsed(turn.content)) problems.push(`Turn ${at + 1} is empty. Fill it or remove it.`);
  });
  const before = prompt.map((message) => message.role);
  return [...problems, ...orderProblems(turns, before, config.allow_system, "assistant")];
}

function sourceProblems(sources: readonly Source[], config: DemonstrationConfig): string[] {
  const problems: string[] = [];
  if (sources.length < config.sources_min) problems.push(`Give at least ${counted(config.sources_min, "source")}; ${sources.length} so far.`);
  sources.forEach((source, at) => {
    const name = `Source ${at + 1}: `;
    if (!ADDRESS.test(source.url)) problems.push(`${name}give its full address, with https://.`);
    if (!collapsed(source.title)) problems.push(`${name}say what it is.`);
    if (config.sources_quote && !collapsed(source.quote)) problems.push(`${name}quote the words that support the answer.`);
  });
  return problems;
}
