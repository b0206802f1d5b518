import { describe, expect, it } from "vitest";
import { replaces, taken } from "./suggestion";

const empty = { ranks: {}, strength: null, both_bad: false, justification: "" };
const suggestion = { ranks: { A: 1, B: 2 }, strength: 2, both_bad: false, justification: "" };

describe("taking over a suggestion", () => {
  it("fills an empty answer without asking", () => {
    expect(replaces(empty, suggestion)).toBe(false);
    expect(taken(empty, suggestion)).toEqual(suggestion);
  });

  it("leaves a reason that the person has written", () => {
    const written = { ...empty, justification: "A adds up." };
    expect(replaces(written, suggestion)).toBe(false);
    expect(taken(written, suggestion).justification).toBe("A adds up.");
  });

  it("asks before it replaces a choice, and not where the choice is the same", () => {
    expect(replaces({ ...empty, ranks: { A: 2, B: 1 } }, suggestion)).toBe(true);
    expect(replaces({ ...empty, ranks: { B: 2, A: 1 } }, suggestion)).toBe(false);
    expect(replaces({ ...empty, both_bad: true }, suggestion)).toBe(true);
  });

  it("takes over what the suggestion leaves empty on purpose", () => {
    expect(taken({ ...empty, strength: 3 }, { ...suggestion, strength: null }).strength).toBeNull();
    expect(replaces({ result: [{ id: "a" }] }, { result: [{ id: "b" }] })).toBe(true);
    expect(replaces({ result: [] }, { result: [{ id: "b" }] })).toBe(false);
  });
});
