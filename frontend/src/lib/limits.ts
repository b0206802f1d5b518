/** Length limits and the order of turns: the mirror of `preceptor/tasktypes/writing/{limits,turns}.py`. */
import { characters, words } from "./writing";

export interface LengthLimits {
  words_min: number | null;
  words_max: number | null;
  characters_min: number | null;
  characters_max: number | null;
}

export type Speaker = "system" | "user" | "assistant";
export interface Turn {
  role: Speaker;
  content: string;
}

/** "1 word", "1,200 words". */
export function counted(number: number, what: string): string {
  return `${number.toLocaleString("en")} ${what}${number === 1 ? "" : "s"}`;
}

/** A sentence for each limit that is not kept. */
export function lengthProblems(text: string, limits: LengthLimits): string[] {
  const measured: [string, number, number | null, number | null][] = [
    ["word", words(text), limits.words_min, limits.words_max],
    ["character", characters(text), limits.characters_min, limits.characters_max],
  ];
  return measured.flatMap(([what, number, least, most]) => [
    ...(least !== null && number < least ? [`Write at least ${counted(least, what)}; ${number.toLocaleString("en")} so far.`] : []),
    ...(most !== null && number > most ? [`Write at most ${counted(most, what)}; ${number.toLocaleString("en")} so far.`] : []),
  ]);
}

/** A system message first if at all, then user and assistant in turn, `lastWord` at the end. */
export function orderProblems(turns: readonly Turn[], before: readonly string[], allowSystem: boolean, lastWord: Speaker): string[] {
  const found: string[] = [];
  let last = before.at(-1);
  turns.forEach((turn, at) => {
    const name = `Turn ${at + 1}: `;
    if (turn.role === "system") {
      if (!allowSystem) found.push(`${name}this project takes no system message. Remove it.`);
      else if (at > 0 || before.length) found.push(`${name}a system message stands first or not at all.`);
      return;
    }
    if (turn.role === last) found.push(`${name}two turns of the ${last} in a row. Put the ${last === "user" ? "assistant" : "user"} between them.`);
    else if (turn.role === "assistant" && last !== "user" && last !== "assistant") found.push(`${name}the user speaks first.`);
    last = turn.role;
  });
  if (turns.length && turns.at(-1)!.role !== lastWord) found.push(`The ${lastWord} has the last word. Add its turn.`);
  return found;
}

/** Short fingerprint of a conversation, the same on the server: FNV-1a over its UTF-8, and its length in bytes. */
export function keyOf(turns: readonly Turn[]): string {
  const bytes = new TextEncoder().encode(turns.map((turn) => `${turn.role}\x1f${turn.content}`).join("\x1e"));
  let hashed = 0x811c9dc5;
  for (const byte of bytes) hashed = Math.imul(hashed ^ byte, 0x01000193) >>> 0;
  return `${hashed.toString(16).padStart(8, "0")}-${bytes.length.toString(16)}`;
}
