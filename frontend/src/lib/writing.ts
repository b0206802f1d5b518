/**
 * Words, characters, sentences and style rules of a written text, counted as the server counts them: the mirror of
 * `preceptor/tasktypes/writing/{counting,style}.py`. Both run the table tests/tasktypes/writing_cases.json.
 */

const BLANK = "\\t\\n\\v\\f\\r \\x85\\xa0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000\\ufeff";
const IDEOGRAPH = "\\u3040-\\u30ff\\u3400-\\u4dbf\\u4e00-\\u9fff\\uf900-\\ufaff\\u{20000}-\\u{2fa1f}";
const ALNUM = "\\p{L}\\p{N}";
const BLANKS = new RegExp(`[${BLANK}]+`, "gu");
const TOKEN = new RegExp(`[${IDEOGRAPH}]|[^${IDEOGRAPH}${BLANK}]+`, "gu");
const HAS_ALNUM = new RegExp(`[${ALNUM}]`, "u");
const ABBREVIATIONS = new Set(["e.g", "i.e", "etc", "vs", "cf", "dr", "mr", "mrs", "ms", "prof", "st", "no", "fig", "approx", "z.b", "d.h", "bzw"]);

/** What between two changes keeps them apart. */
export const BREAKS = new RegExp(`[^${BLANK}]|\\n`, "u");
export const PIECE = new RegExp(`[${IDEOGRAPH}]|(?:(?![${IDEOGRAPH}])[${ALNUM}])+|[${BLANK}]+|[^${BLANK}]`, "gu");

/** Without blanks at the ends, every run of blanks as one space. */
export function collapsed(text: string): string {
  return text.replace(BLANKS, " ").replace(/^ | $/g, "");
}

/** Code points, a run of blanks counted as one and none at the ends. */
export function characters(text: string): number {
  const flat = collapsed(text);
  return flat.length - (flat.match(/[\ud800-\udbff][\udc00-\udfff]/g)?.length ?? 0);
}

/** Runs without blanks that hold a letter or a digit; each ideograph by itself. */
export function wordList(text: string): string[] {
  return (text.match(TOKEN) ?? []).filter((token) => HAS_ALNUM.test(token));
}

export function words(text: string): number {
  return wordList(text).length;
}

// Prose

export interface Block {
  kind: "heading" | "item" | "quote" | "paragraph";
  text: string;
}

const FENCE = /^ {0,3}(`{3,}|~{3,})/;
const DISPLAY_MATH = /\$\$[\s\S]*?\$\$|\\\[[\s\S]*?\\\]/g;
const IMAGE_OR_LINK = /!?\[([^\[\]\n]*)\]\([^()\n]*\)/g;
const HEADING = /^ {0,3}#{1,6}(?:[ \t]+|$)/;
const ITEM = /^[ \t]*(?:[-*+]|[0-9]{1,9}[.)])[ \t]+/;
const QUOTE = /^ {0,3}>[ \t]?/;
const RULE = /^ {0,3}(?:(?:\*[ \t]*){3,}|(?:-[ \t]*){3,}|(?:_[ \t]*){3,}|=+[ \t]*)$/;
const CLOSING_HASHES = /[ \t]+#+[ \t]*$/;

/** The text with fenced code blocks emptied. */
export function withoutCode(text: string): string {
  let fence = "";
  return text
    .split("\n")
    .map((line) => {
      const found = FENCE.exec(line);
      if (fence) {
        if (found && found[1]![0] === fence[0] && found[1]!.length >= fence.length && !/[^ \t\r]/.test(line.slice(found[0].length))) fence = "";
        return "";
      }
      if (!found) return line;
      fence = found[1]!;
      return "";
    })
    .join("\n");
}

/** The prose of a Markdown text, block by block. Code, display formulas and tables are no prose. */
export function blocks(text: string): Block[] {
  const plain = withoutCode(text).replace(DISPLAY_MATH, " ").replace(IMAGE_OR_LINK, "$1");
  const found: Block[] = [];
  let kind: Block["kind"] = "paragraph";
  let lines: string[] = [];
  const close = () => {
    const joined = collapsed(lines.join(" "));
    if (joined) found.push({ kind, text: joined });
    lines = [];
    kind = "paragraph";
  };
  for (const line of plain.split("\n")) {
    const mark = (pattern: RegExp) => pattern.exec(line)?.[0].length;
    let length: number | undefined;
    if (!collapsed(line) || RULE.test(line) || /^[ \t]*\|/.test(line)) close();
    else if ((length = mark(HEADING)) !== undefined) {
      close();
      found.push({ kind: "heading", text: collapsed(line.slice(length).replace(CLOSING_HASHES, "")) });
    } else if ((length = mark(ITEM)) !== undefined) {
      close();
      kind = "item";
      lines.push(line.slice(length));
    } else if ((length = mark(QUOTE)) !== undefined) {
      if (kind !== "quote") {
        close();
        kind = "quote";
      }
      lines.push(line.slice(length));
    } else lines.push(line);
  }
  close();
  return found.filter((block) => block.text);
}

// Sentences

const END = new RegExp(`[.!?…]+["'”’»)\\]*_]*(?=[${BLANK}]|$)|[。！？]+[”’」』）]*`, "gu");
const LAST_WORD = new RegExp(`[^${BLANK}(\\["'“‘«]*$`, "u");

/** Sentences of one block, none without a word. An abbreviation or an initial does not end one. */
export function sentences(block: string): string[] {
  const pieces: string[] = [];
  let start = 0;
  for (const end of block.matchAll(END)) {
    if (end[0] === "." && abbreviates(block.slice(start, end.index))) continue;
    pieces.push(block.slice(start, end.index + end[0].length));
    start = end.index + end[0].length;
  }
  pieces.push(block.slice(start));
  return pieces.filter((piece) => words(piece)).map(collapsed);
}

function abbreviates(before: string): boolean {
  const word = (LAST_WORD.exec(before)?.[0] ?? "").toLowerCase();
  return ABBREVIATIONS.has(word) || (/^[a-z]$/.test(word) && word !== "i");
}

// Reading grade

/** Syllables of an English word by its groups of vowels; at least one. */
export function syllables(word: string): number {
  const letters = word.toLowerCase().replace(/[^a-z]/g, "");
  let groups = letters.match(/[aeiouy]+/g)?.length ?? 0;
  if (groups > 1 && /(?:[^laeiouy]e|[^laeiouysxz]es|[^aeiouytd]ed)$/.test(letters)) groups -= 1;
  return Math.max(1, groups);
}

/** Flesch-Kincaid grade level of an English text, one decimal; null without a sentence. */
export function readingGrade(text: string): number | null {
  const found = blocks(text).filter((block) => block.kind !== "heading").flatMap((block) => sentences(block.text));
  const all = found.flatMap(wordList);
  if (!all.length) return null;
  const spoken = all.reduce((sum, word) => sum + syllables(word), 0);
  const grade = 0.39 * (all.length / found.length) + 11.8 * (spoken / all.length) - 15.59;
  return Math.floor(grade * 10 + 0.5) / 10;
}

// Rules

export interface Rule {
  kind:
    | "forbidden_phrases"
    | "required_phrases"
    | "sentence_words_max"
    | "paragraph_words_max"
    | "reading_grade_max"
    | "reading_grade_min"
    | "markup_required"
    | "markup_forbidden"
    | "language"
    | "no_first_person";
  severity: "block" | "warn";
  message: string;
  phrases: string[];
  place: "anywhere" | "start" | "end";
  limit?: number | null;
  element?: string | null;
  language?: string | null;
}

/** Word lists that the server sends along, so that they stand in one place. */
export interface Tables {
  first_person?: string[];
  languages?: Record<string, string>;
  common_words?: Record<string, string[]>;
  scripts?: Record<string, string>;
}

export interface Finding {
  rule: number;
  kind: Rule["kind"];
  severity: Rule["severity"];
  message: string;
  found: string[];
}

const FOUND_MAX = 5;
const FOUND_CHARACTERS_MAX = 120;
const JUDGED_WORDS_MIN = 20;
const LEAD_MIN = 1.5;
const ELEMENT_WORDS: Record<string, string> = { heading: "a heading", list: "a list", table: "a table", code: "a code block", link: "a link", image: "an image", bold: "bold text", emoji: "an emoji" };

interface Reading {
  text: string;
  blocks: Block[];
  straight: string;
  lower: string;
}
type Broken = [message: string, found: readonly string[]] | null;

/** Every rule that the text breaks, in the order of the rules. An empty text breaks none. */
export function findings(text: string, rules: readonly Rule[], tables: Tables = {}): Finding[] {
  if (!rules.length || !collapsed(text)) return [];
  const read = reading(text);
  return rules.flatMap((rule, at) => {
    const broken = brokenBy(read, rule, tables);
    if (!broken) return [];
    const found = broken[1].slice(0, FOUND_MAX).map(short);
    return [{ rule: at, kind: rule.kind, severity: rule.severity, message: rule.message || broken[0], found }];
  });
}

function reading(text: string): Reading {
  const found = blocks(text);
  const straight = found.map((block) => block.text).join("\n").replaceAll("’", "'");
  return { text, blocks: found, straight, lower: straight.toLowerCase() };
}

function short(text: string): string {
  const points = [...collapsed(text)];
  return points.length <= FOUND_CHARACTERS_MAX ? points.join("") : points.slice(0, FOUND_CHARACTERS_MAX - 1).join("") + "…";
}

function quoted(phrases: readonly string[]): string {
  const shown = phrases.slice(0, FOUND_MAX).map((phrase) => `“${short(phrase)}”`).join(", ");
  return phrases.length <= FOUND_MAX ? shown : `${shown} and ${phrases.length - FOUND_MAX} more`;
}

function brokenBy(read: Reading, rule: Rule, tables: Tables): Broken {
  switch (rule.kind) {
    case "forbidden_phrases": {
      const found = rule.phrases.filter((phrase) => hasPhrase(read, phrase, rule.place));
      const where = { anywhere: "", start: " at the start", end: " at the end" }[rule.place];
      return found.length ? [`Leave out${where}: ${quoted(found)}.`, found] : null;
    }
    case "required_phrases": {
      const missing = rule.phrases.filter((phrase) => !hasPhrase(read, phrase, rule.place));
      const where = { anywhere: "Use", start: "Begin with", end: "End with" }[rule.place];
      return missing.length ? [`${where}: ${quoted(missing)}.`, []] : null;
    }
    case "markup_required":
    case "markup_forbidden":
      return markup(read, rule);
    case "language":
      return language(read, rule.language ?? "", tables);
    case "no_first_person": {
      const said = (tables.first_person ?? []).filter((word) => [word, word.slice(0, 1).toUpperCase() + word.slice(1)].some((form) => contains(read.straight, form)));
      return said.length ? [`Do not write in the first person: ${quoted(said)}.`, said] : null;
    }
    default:
      return measured(read, rule);
  }
}

function longest(pieces: readonly string[]): [string, number] {
  let best: [string, number] = ["", 0];
  for (const piece of pieces) {
    const number = words(piece);
    if (number > best[1]) best = [piece, number];
  }
  return best;
}

function measured(read: Reading, rule: Rule): Broken {
  const limit = rule.limit ?? 0;
  if (rule.kind === "sentence_words_max" || rule.kind === "paragraph_words_max") {
    const sentence = rule.kind === "sentence_words_max";
    const [worst, length] = longest(read.blocks.flatMap((block) => (sentence ? sentences(block.text) : [block.text])));
    const advice = sentence ? "Split it." : "Divide it.";
    return length > limit ? [`A ${sentence ? "sentence" : "paragraph"} has ${length} words; at most ${limit} are wanted. ${advice}`, [worst]] : null;
  }
  const grade = readingGrade(read.text);
  if (grade === null) return null;
  const shown = grade.toFixed(1);
  if (rule.kind === "reading_grade_max" && grade > limit) return [`The reading grade is ${shown}; at most ${limit} is wanted. Use shorter sentences and words.`, []];
  if (rule.kind === "reading_grade_min" && grade < limit) return [`The reading grade is ${shown}; at least ${limit} is wanted.`, []];
  return null;
}

function hasPhrase(read: Reading, phrase: string, place: Rule["place"]): boolean {
  const wanted = collapsed(phrase).replaceAll("’", "'").toLowerCase();
  if (place === "start") {
    const bare = read.lower.replace(/^[*_"“'‘ \n]+/, "");
    return bare.startsWith(wanted) && !joined(lastOf(wanted), firstOf(bare.slice(wanted.length)));
  }
  if (place === "end") {
    const [bare, ending] = [read.lower, wanted].map((text) => text.replace(/[*_"”'’.!? \n]+$/, "")) as [string, string];
    return Boolean(ending) && bare.endsWith(ending) && !joined(lastOf(bare.slice(0, bare.length - ending.length)), firstOf(ending));
  }
  return contains(read.lower, wanted);
}

/** Whether it stands there as whole words. */
function contains(text: string, wanted: string): boolean {
  if (!wanted) return false;
  for (let at = text.indexOf(wanted); at >= 0; at = text.indexOf(wanted, at + 1)) {
    if (!joined(lastOf(text.slice(Math.max(0, at - 2), at)), firstOf(wanted)) && !joined(lastOf(wanted), firstOf(text.slice(at + wanted.length, at + wanted.length + 2)))) return true;
  }
  return false;
}

const firstOf = (text: string): string => (text ? String.fromCodePoint(text.codePointAt(0)!) : "");
const lastOf = (text: string): string => [...text.slice(-2)].at(-1) ?? "";
const joined = (left: string, right: string): boolean => HAS_ALNUM.test(left) && HAS_ALNUM.test(right);

const MARKUP: Record<string, RegExp> = {
  table: /^ {0,3}\|?[ \t]*:?-+:?[ \t]*(?:\|[ \t]*:?-+:?[ \t]*)+\|?[ \t]*$/m,
  link: /(?:^|[^!])\[[^\[\]\n]+\]\([^()\n]+\)/,
  image: /!\[[^\[\]\n]*\]\([^()\n]+\)/,
  bold: /\*\*[^*\n]+\*\*|__[^_\n]+__/,
  emoji: /[\u2600-\u27bf\u{1f300}-\u{1faff}]/u,
};

function hasElement(read: Reading, element: string): boolean {
  if (element === "heading") return read.blocks.some((block) => block.kind === "heading");
  if (element === "list") return read.blocks.some((block) => block.kind === "item");
  if (element === "code") return /^ {0,3}(?:`{3,}|~{3,})/m.test(read.text);
  return MARKUP[element]?.test(withoutCode(read.text)) ?? false;
}

function markup(read: Reading, rule: Rule): Broken {
  const has = hasElement(read, rule.element ?? "");
  const name = ELEMENT_WORDS[rule.element ?? ""] ?? "";
  if (rule.kind === "markup_required") return has ? null : [`Use ${name}.`, []];
  return has ? [`Do not use ${name}.`, []] : null;
}

function count(text: string, pattern: RegExp): number {
  return text.match(pattern)?.length ?? 0;
}

function language(read: Reading, wanted: string, tables: Tables): Broken {
  const said = wordList(read.lower);
  const name = tables.languages?.[wanted];
  if (said.length < JUDGED_WORDS_MIN || !name) return null;
  const script = tables.scripts?.[wanted] ?? "a-z\\u00df-\\u024f";
  if (count(read.lower, new RegExp(`[${script}]`, "gu")) * 2 < count(read.lower, new RegExp(`[${ALNUM}]`, "gu"))) return [`This does not look like ${name}.`, []];
  const lists = tables.common_words ?? {};
  if (!lists[wanted]) return null;
  const bare = said.map((word) => word.replace(/^[.,;:!?*_"“”'()]+|[.,;:!?*_"“”'()]+$/g, ""));
  const heard = Object.entries(lists).map(([code, known]): [string, number] => {
    const listed = new Set(known);
    return [code, bare.filter((word) => listed.has(word)).length];
  });
  const own = heard.find(([code]) => code === wanted)![1];
  const likeliest = heard.reduce((best, each) => (each[1] > best[1] ? each : best));
  return likeliest[0] !== wanted && likeliest[1] > own * LEAD_MIN ? [`This looks like ${tables.languages![likeliest[0]]}, not ${name}.`, []] : null;
}
