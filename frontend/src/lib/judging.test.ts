import { describe, expect, it } from "vitest";
import lintCases from "../../../tests/tasktypes/rubric_lint.json?raw";
import { aligned, sourceRange, tokensOf, toPoints, toUnits } from "../parts/quoting";
import { allScored, problemsOf as ratingProblems, weightedScore, type Criterion, type RatingData } from "./rating";
import { blank, moved, problemsOf as rubricProblems, signed, type RubricData } from "./rubric";
import { hints, similarity } from "./rubriclint";
import { askedCount, emptySteps, isAddress, outcomeOf, problemsOf as stepsProblems, type StepsData } from "./steps";

/** What a selection of rendered words quotes from the source. */
function quoted(rendered: string, source: string, words: string): string | null {
  const [seen, behind] = [tokensOf(rendered), tokensOf(source)];
  const at = rendered.indexOf(words);
  const inside = seen.map((token, index) => (token.end > at && token.start < at + words.length ? index : -1)).filter((index) => index >= 0);
  const range = sourceRange(aligned(seen, behind), behind, source.length, inside[0]!, inside.at(-1)!);
  return range ? source.slice(...range) : null;
}

describe("quoting", () => {
  it("finds rendered words behind their markup", () => {
    expect(quoted("The Moon pulls more strongly here.", "The Moon pulls **more strongly** here.", "more strongly")).toBe("more strongly");
    expect(quoted("The Moon pulls more strongly here.", "The Moon pulls **more strongly** here.", "pulls more")).toBe("pulls **more");
  });

  it("grows to whole words", () => {
    expect(quoted("gravity pulls", "gravity pulls", "avi")).toBe("gravity");
  });

  it("takes a whole formula where rendering leaves nothing of its source", () => {
    expect(quoted("so ½ holds", "so $\\frac{1}{2}$ holds", "½")).toBe("$\\frac{1}{2}$");
  });

  it("tells two places of the same words apart", () => {
    const source = "It is no. *It is no.*";
    const rendered = "It is no. It is no.";
    const [seen, behind] = [tokensOf(rendered), tokensOf(source)];
    const range = sourceRange(aligned(seen, behind), behind, source.length, 4, 7)!;
    expect(range[0]).toBe(11);
  });

  it("counts code points as the server does", () => {
    const text = "a🌊b";
    expect(toPoints(text, text.indexOf("b"))).toBe(2);
    expect(toUnits(text, 2)).toBe(3);
  });
});

const criterion = (part: Partial<Criterion>): Criterion => ({ key: "k", title: "K", description: "", kind: "likert", points: 5, weight: 1, anchors: {}, required: true, allow_na: false, evidence: "optional", comment: "optional", ...part });
const criteria = [criterion({ key: "right", weight: 3 }), criterion({ key: "false", kind: "check", weight: -2, evidence: "required_if_yes" }), criterion({ key: "form", kind: "scale", weight: 1, allow_na: true })];

describe("a rating", () => {
  const data: RatingData = {
    prompt: [],
    context: null,
    responses: [{ label: "A", messages: [] }],
    reference: null,
    config: { question: "?", criteria, reference: "beside", overall: "none", overall_points: 7, comment_max_chars: 100 },
  };
  const rating = (marks: Record<string, object>) => ({ scores: { A: marks }, overall: {}, comment: "", reference_opened: false });

  it("is weighed as on the server", () => {
    expect(weightedScore(criteria, { right: { value: 5 }, false: { value: 1 }, form: { value: 100 } })).toBeCloseTo(0.5);
    expect(weightedScore(criteria, { right: { value: 5 }, form: { na: true } })).toBe(1);
    expect(weightedScore([criteria[1]!], { false: { value: 1 } })).toBe(0);
    expect(weightedScore(criteria)).toBeNull();
  });

  it("asks for each score, and for a quote where a check is met", () => {
    expect(ratingProblems(data, rating({ right: { value: 3 }, false: { value: 1 }, form: { na: true } }))).toEqual(["Quote what supports your score: “K” of A."]);
    expect(ratingProblems(data, rating({ right: { value: 3 }, false: { value: 0 } }))).toEqual(["Score “K” of A."]);
    expect(allScored(data, rating({ right: { value: 3 }, false: { value: 0 }, form: { na: true } }))).toBe(true);
  });
});

describe("hints on a criterion", () => {
  const cases = JSON.parse(lintCases) as { statement: string; others: string[]; codes: string[] }[];
  it.each(cases)("are those of the server: $statement", ({ statement, others, codes }) => {
    expect(hints(statement, others).map((hint) => hint.code)).toEqual(codes);
  });

  it("are about likeness of letters", () => {
    expect(similarity("Names the valve", "names the VALVE.")).toBe(1);
    expect(similarity("Names the valve", "Quite different")).toBeLessThan(0.3);
  });
});

describe("a rubric", () => {
  const data = (mode: "author" | "validate"): RubricData => ({
    prompt: [],
    context: null,
    responses: [],
    draft: [{ id: "c1", statement: "Closes the main valve", kind: "must", points: 5, rationale: "", fine: [] }],
    config: { mode, question: "?", criteria_min: 1, criteria_max: 3, points_max: 10, points_total: null, rationale: "none", hints: "warn" },
  });
  const empty = { criteria: null, verdicts: {}, missing: [], comment: "" };

  it("gives new criteria ids that no other one has", () => {
    expect(blank([{ ...data("author").draft[0]!, id: "c2" }]).id).toBe("c3");
    expect(signed(4, "penalty")).toBe(-4);
    expect(moved(["a", "b", "c"], 0, 2)).toEqual(["b", "c", "a"]);
  });

  it("stands as drafted until it is changed", () => {
    expect(rubricProblems(data("author"), empty)).toEqual([]);
    expect(rubricProblems(data("author"), { ...empty, criteria: [] })).toEqual(["Write at least 1 criteria; there are 0."]);
  });

  it("is validated question by question", () => {
    const yes = { self_contained: true, checkable: true, correct: true, important: true };
    expect(rubricProblems(data("validate"), { ...empty, verdicts: { c1: { ...yes, decision: "mend", proposal: "Closes the main valve" } } })).toEqual(["Criterion 1: write how it should read."]);
    expect(rubricProblems(data("validate"), { ...empty, verdicts: { c1: { ...yes, decision: "keep" } } })).toEqual([]);
  });
});

describe("step marks", () => {
  const data: StepsData = {
    prompt: [],
    steps: ["a", "b", "c"].map((text) => ({ html: text, text })),
    sources: [],
    final_answer: null,
    reference: null,
    prose: false,
    config: { question: "?", mode: "first_wrong", verdicts: ["correct", "wrong"], categories: [], category: "none", correction: "optional", comment: "optional", evidence: "none", ask_final: true },
  };

  it("end with the first wrong step, and forget corrections of right ones", () => {
    const answer = { ...emptySteps(), marks: { 0: { verdict: "correct" as const, correction: "x" }, 1: { verdict: "wrong" as const }, 2: { verdict: "correct" as const } } };
    expect(askedCount(data, answer)).toBe(2);
    expect(Object.keys(outcomeOf(data, answer).marks)).toEqual(["0", "1"]);
    expect(outcomeOf(data, answer).marks[0]?.correction).toBe("");
    expect(stepsProblems(data, answer)).toEqual(["Say whether the final answer is right."]);
  });

  it("take web addresses only", () => {
    expect(isAddress("https://example.org/a")).toBe(true);
    expect(isAddress("javascript:alert(1)")).toBe(false);
  });
});
