import { describe, expect, it } from "vitest";
import raw from "../../../tests/tasktypes/writing_cases.json?raw";
import { changesOf, editScript, type Changes } from "./edits";
import { keyOf } from "./limits";
import { blocks, characters, findings, readingGrade, sentences, words, type Block, type Rule, type Tables } from "./writing";

interface Cases {
  fingerprint: string;
  tables: Tables;
  rules: Rule[];
  texts: { text: string; words: number; characters: number; blocks: Block[]; sentences: string[]; grade: number | null; findings: { rule: number; message: string; found: string[] }[] }[];
  edits: { before: string; after: string; script: [string, string][]; changes: Changes }[];
}
const cases = JSON.parse(raw) as Cases;

describe("what the server counts", () => {
  it.each(cases.texts.map((each, at) => [at, each] as const))("is counted alike here: text %i", (_, each) => {
    expect(words(each.text)).toBe(each.words);
    expect(characters(each.text)).toBe(each.characters);
    expect(blocks(each.text)).toEqual(each.blocks);
    expect(each.blocks.flatMap((block) => sentences(block.text))).toEqual(each.sentences);
    expect(readingGrade(each.text)).toBe(each.grade);
  });
  it.each(cases.texts.map((each, at) => [at, each] as const))("breaks the same rules: text %i", (_, each) => {
    expect(findings(each.text, cases.rules, cases.tables).map(({ rule, message, found }) => ({ rule, message, found }))).toEqual(each.findings);
  });
});

describe("what the server takes for a change", () => {
  it.each(cases.edits.map((each, at) => [at, each] as const))("is the same here: pair %i", (_, each) => {
    const script = editScript(each.before, each.after);
    expect(script.map(({ op, text }) => [op, text])).toEqual(each.script);
    expect(changesOf(script)).toEqual(each.changes);
  });
  it("gives up on texts without anything in common, within a second", () => {
    const text = (seed: number) => Array.from({ length: 40_000 }, (_, at) => `w${(at * seed) % 3_001}`).join(" ");
    const [before, after] = [text(7), text(13)];
    const script = editScript(before, after);
    expect(script.filter((each) => each.op !== "insert").map((each) => each.text).join("")).toBe(before);
    expect(script.filter((each) => each.op !== "delete").map((each) => each.text).join("")).toBe(after);
  });
});

describe("a prompt's fingerprint", () => {
  it("is the same here", () => {
    expect(keyOf([{ role: "user", content: "Wie schön 🙂" }])).toBe(cases.fingerprint);
  });
});
