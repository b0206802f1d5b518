/**
 * What is said about a criterion's wording while it is written: a hint each, never a verdict.
 *
 * The same rules as src/preceptor/tasktypes/rubric/lint.py; tests/tasktypes/rubric_lint.json tests both.
 */

export const SIMILAR_FROM = 0.72;
export const WORDS_MIN = 3;

export interface Hint {
  code: "leans" | "vague" | "several" | "open" | "similar";
  words: string;
}

const LEANS =
  /\b(?:see|as|mentioned|listed|described|stated|said|noted|given|shown)\s+(?:above|below|before|earlier|previously)\b|\b(?:above|previous|preceding|following|other|earlier|next)[\s-]+(?:criterion|criteria|item|items|point|points|rule|rules)\b|\b(?:criterion|criteria|item|rule)\s*(?:no\.?\s*)?#?\d+\b|\bsame as\b|\bthe aforementioned\b|\bditto\b/i;
const VAGUE =
  /\b(?:appropriate(?:ly)?|adequate(?:ly)?|sufficient(?:ly)?|reasonabl[ey]|properly|good|nice(?:ly)?|well[\s-]written|high[\s-]quality|somewhat|fairly|generally|usually|maybe|perhaps|possibly|probably|various|etc|and so on|if possible|as needed|as appropriate|as (?:much|far|well) as possible|to some extent|tries to|attempts to)\b/i;
const SEVERAL = /\band\/or\b|\bas well as\b|\band also\b|;|\band\b/i;
const BETWEEN = /\b(?:between|both)\b[^.;]{1,60}?\band\b/gi;
const QUOTED = /"[^"]*"|“[^”]*”|`[^`]*`|\$[^$]*\$/g;
const SENTENCE_END = /[.!?]\s+[A-Z]/;
const OPEN = /^\s*(?:how|what|why|which|when|where|who|whose|to what extent)\b/i;

/** Everything that stands out in a statement, beside the other statements of its rubric. */
export function hints(statement: string, others: readonly string[] = []): Hint[] {
  const bare = statement.replace(QUOTED, " ");
  const found: Hint[] = [];
  const leaning = LEANS.exec(bare);
  if (leaning) found.push({ code: "leans", words: `Not self-contained: “${leaning[0]}” points elsewhere. Say here what is meant.` });
  if (OPEN.test(bare)) found.push({ code: "open", words: "Not checkable: say it as a statement that is met or not." });
  const vague = VAGUE.exec(bare);
  if (vague) found.push({ code: "vague", words: `Not checkable: people will read “${vague[0]}” differently. Say what shows it.` });
  const several = severalThings(bare);
  if (several) found.push({ code: "several", words: `More than one thing (“${several}”)? Make two criteria of it.` });
  const close = others.find((other) => other.trim() && similarity(statement, other) >= SIMILAR_FROM && similarity(statement, other) < 1);
  if (close !== undefined) found.push({ code: "similar", words: `Close to “${short(close)}”. Keep one of them or make the difference plain.` });
  return found;
}

function severalThings(bare: string): string | null {
  if (SENTENCE_END.test(bare)) return ". ";
  return SEVERAL.exec(bare.replace(BETWEEN, " "))?.[0] ?? null;
}

/** Letters and digits in lower case, one blank between words: what two statements are compared by. */
export const plain = (statement: string): string => statement.toLowerCase().replace(/[^a-z0-9]+/g, " ").trim();

export const wordCount = (statement: string): number => statement.match(/\S+/g)?.length ?? 0;

/** Dice's coefficient of letter trigrams, 0 nothing in common to 1 the same but for case and punctuation. */
export function similarity(one: string, other: string): number {
  const [a, b] = [plain(one), plain(other)];
  if (a === b) return 1;
  const [first, second] = [trigrams(a), trigrams(b)];
  let [common, total] = [0, 0];
  for (const [gram, count] of first) {
    common += Math.min(count, second.get(gram) ?? 0);
    total += count;
  }
  for (const count of second.values()) total += count;
  return total ? (2 * common) / total : 0;
}

function trigrams(text: string): Map<string, number> {
  const padded = `  ${text}  `;
  const counts = new Map<string, number>();
  for (let at = 0; at + 3 <= padded.length; at++) {
    const gram = padded.slice(at, at + 3);
    counts.set(gram, (counts.get(gram) ?? 0) + 1);
  }
  return counts;
}

const short = (statement: string, most = 60): string => ([...statement].length <= most ? statement : `${[...statement].slice(0, most - 1).join("")}…`);
