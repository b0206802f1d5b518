/** Code tasks: the data of the view, the answer, and what an answer still lacks (the rules of the server's `check`). */
import { countedLength } from "./comparison";
import type { Rendered } from "./view";

export type Mode = "write" | "compare" | "review";
export type Cause = "root" | "symptom" | "unclear";
export type Severity = "minor" | "major" | "critical";
export const SEVERITIES: Severity[] = ["minor", "major", "critical"];
export const CAUSES: [Cause, string][] = [
  ["root", "Mends the root cause"],
  ["symptom", "Treats a symptom"],
  ["unclear", "Unclear"],
];
export const TIE = "tie";
export const SOLUTION = "solution";
const PATH = /^(?!\/)(?:(?!\.{1,2}(?:\/|$))[A-Za-z0-9_][A-Za-z0-9_.+-]{0,99}(?:\/(?!$)|$)){1,8}$/;
const FILES_MAX = 40;

export interface Choice {
  key: string;
  title: string;
}
export interface Criterion extends Choice {
  help: string;
  required: boolean;
}
export interface CodeTest {
  name: string;
  stdin: string;
  arguments: string[];
  expected: string | null;
  command: string[];
  files: Record<string, string>;
}
export interface CodePatch {
  label: string;
  diff: string;
  files: Record<string, string>;
}
export interface CodeData {
  problem: Rendered;
  language: string;
  entry: string;
  files: Record<string, string>;
  patches: CodePatch[];
  tests: CodeTest[];
  hidden_tests: number;
  config: {
    mode: Mode;
    question: string;
    run_required: boolean;
    criteria: Criterion[];
    ask_cause: boolean;
    allow_ties: boolean;
    scale_strength: boolean;
    categories: Choice[];
    verdicts: Choice[];
    explanation_min_chars: number;
  };
  limits: { file_characters: number; explanation_characters: number; mark_characters: number };
}

export interface LineMark {
  path: string;
  line: number;
  line_end: number;
  severity: Severity | null;
  category: string;
  comment: string;
  suggestion: string;
}
export interface Tested {
  passed: number;
  of: number;
  hidden_passed: number;
  hidden_of: number;
}
export interface CodeAnswer {
  files: Record<string, string>;
  preferred: string | null;
  strength: number | null;
  ratings: Record<string, Record<string, number>>;
  causes: Record<string, Cause>;
  marks: LineMark[];
  no_defects: boolean;
  verdict: string | null;
  explanation: string;
  run: string | null;
  tested?: Record<string, Tested>;
}

export interface CaseResult {
  name: string;
  outcome: "passed" | "failed" | "error" | "timeout" | "not_run";
  message: string;
  stdout: string;
  stderr: string;
  seconds: number;
}
export interface CodeRun {
  id: string;
  state: "waiting" | "done" | "refused";
  refused?: string;
  subjects?: Record<string, { cases: CaseResult[]; passed: number; of: number }>;
}

export function emptyAnswer(): CodeAnswer {
  return {
    files: {},
    preferred: null,
    strength: null,
    ratings: {},
    causes: {},
    marks: [],
    no_defects: false,
    verdict: null,
    explanation: "",
    run: null,
  };
}

/** All files as the answer leaves them. */
export function written(data: CodeData, answer: CodeAnswer): Record<string, string> {
  return { ...data.files, ...answer.files };
}

/** The files that a review marks: after the patch where there is one. */
export function reviewed(data: CodeData): Record<string, string> {
  return data.patches[0]?.files ?? data.files;
}

/** The written files with one changed; a file that is as it was in the task is left out. */
export function withFile(data: CodeData, files: Record<string, string>, path: string, text: string): Record<string, string> {
  const { [path]: _, ...rest } = files;
  return data.files[path] === text ? rest : { ...rest, [path]: text };
}

/** Why a new file cannot have this name; empty when it can. */
export function badPath(path: string, taken: string[]): string {
  if (!PATH.test(path)) return "Use a relative path of letters, digits, _ - . and +.";
  if (taken.includes(path)) return "There is a file of this name.";
  if (taken.some((other) => other.startsWith(`${path}/`) || path.startsWith(`${other}/`))) return "That would be a file and a folder at once.";
  return taken.length >= FILES_MAX ? `There can be ${FILES_MAX} files.` : "";
}

export function linesOf(text: string): number {
  return text === "" ? 1 : text.split("\n").length - (text.endsWith("\n") ? 1 : 0);
}

/** Where the choice stands on the scale of seven: 1 the first much better, 4 the same, 7 the second much better. */
export function pointOf(answer: CodeAnswer, labels: string[]): number | null {
  if (answer.preferred === TIE) return 4;
  const side = labels.indexOf(answer.preferred ?? "");
  if (side < 0) return null;
  const strength = answer.strength ?? 2;
  return side === 0 ? 4 - strength : 4 + strength;
}

export function choiceAt(point: number, labels: string[], scale: boolean): Pick<CodeAnswer, "preferred" | "strength"> {
  if (point === 4) return { preferred: TIE, strength: scale ? 0 : null };
  return { preferred: labels[point < 4 ? 0 : 1]!, strength: scale ? Math.abs(point - 4) : null };
}

/** What the answer lacks. `runs`: whether code can be run at this desk; practice and tests have no sandbox. */
export function problemsOf(data: CodeData, answer: CodeAnswer, runs: boolean): string[] {
  const { config } = data;
  const found = { write: () => writing(data, answer, runs), compare: () => comparing(data, answer), review: () => reviewing(data, answer) }[config.mode]();
  const missing = config.explanation_min_chars - countedLength(answer.explanation);
  if (missing > 0) found.push(`Say why in at least ${config.explanation_min_chars} characters (${countedLength(answer.explanation)} so far).`);
  return found;
}

function writing(data: CodeData, answer: CodeAnswer, runs: boolean): string[] {
  if (!Object.values(answer.files).some((text) => text.trim())) return ["Write the code first."];
  const tests = data.tests.length + data.hidden_tests > 0;
  return runs && tests && data.config.run_required && !answer.run ? ["Run the tests on the code as it stands."] : [];
}

function comparing(data: CodeData, answer: CodeAnswer): string[] {
  const labels = data.patches.map((patch) => patch.label);
  const found: string[] = [];
  if (answer.preferred === null) found.push("Say which patch is better.");
  const without = labels.filter((label) => !answer.causes[label]);
  if (data.config.ask_cause && without.length) found.push(`Say whether it mends the cause or a symptom: ${without.join(", ")}.`);
  for (const criterion of data.config.criteria) {
    const given = answer.ratings[criterion.key] ?? {};
    const absent = labels.filter((label) => given[label] === undefined);
    if (absent.length && (criterion.required || absent.length < labels.length)) found.push(`${criterion.title}: rate ${absent.join(", ")}.`);
  }
  return found;
}

function reviewing(data: CodeData, answer: CodeAnswer): string[] {
  const found: string[] = [];
  if (!answer.marks.length && !answer.no_defects) found.push("Mark the defects on their lines, or say that there are none.");
  if (answer.marks.length && answer.no_defects) found.push("There are marks, and “no defects” is ticked. Take one of them back.");
  for (const mark of answer.marks) {
    const where = `${mark.path}:${mark.line}`;
    if (!mark.severity) found.push(`${where}: say how severe it is.`);
    if (data.config.categories.length && !mark.category) found.push(`${where}: choose what kind of defect it is.`);
    if (!mark.comment.trim()) found.push(`${where}: say what is wrong.`);
  }
  if (data.config.verdicts.length && !answer.verdict) found.push("Give your verdict.");
  return found;
}

export function lineWords(mark: Pick<LineMark, "line" | "line_end">): string {
  return mark.line === mark.line_end ? `line ${mark.line}` : `lines ${mark.line} to ${mark.line_end}`;
}
