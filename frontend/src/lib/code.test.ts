import { describe, expect, it } from "vitest";
import { badPath, choiceAt, emptyAnswer, linesOf, pointOf, problemsOf, withFile, type CodeData } from "./code";

const data: CodeData = {
  problem: { html: "", text: "" },
  language: "python",
  entry: "main.py",
  files: { "main.py": "start" },
  patches: [],
  tests: [{ name: "t", stdin: "", arguments: [], expected: "1", command: [], files: {} }],
  hidden_tests: 0,
  config: {
    mode: "write",
    question: "",
    run_required: true,
    criteria: [],
    ask_cause: true,
    allow_ties: true,
    scale_strength: true,
    categories: [{ key: "crash", title: "Crash" }],
    verdicts: [{ key: "approve", title: "Approve" }],
    explanation_min_chars: 0,
  },
  limits: { file_characters: 10, explanation_characters: 10, mark_characters: 10 },
};
const patches = ["A", "B"].map((label) => ({ label, diff: "", files: {} }));

describe("what a code answer lacks", () => {
  it("is a run of the code, where code can be run", () => {
    const answer = { ...emptyAnswer(), files: { "main.py": "print(1)" } };
    expect(problemsOf(data, emptyAnswer(), true)).toEqual(["Write the code first."]);
    expect(problemsOf(data, answer, true)).toEqual(["Run the tests on the code as it stands."]);
    expect(problemsOf(data, answer, false)).toEqual([]);
    expect(problemsOf(data, { ...answer, run: "run_1" }, true)).toEqual([]);
  });
  it("is a choice and the cause of each patch", () => {
    const compared = { ...data, patches, config: { ...data.config, mode: "compare" as const } };
    expect(problemsOf(compared, emptyAnswer(), true)).toHaveLength(2);
    expect(problemsOf(compared, { ...emptyAnswer(), preferred: "A", strength: 1, causes: { A: "root", B: "unclear" } }, true)).toEqual([]);
  });
  it("is all of a mark, and a verdict", () => {
    const review = { ...data, config: { ...data.config, mode: "review" as const } };
    const mark = { path: "main.py", line: 1, line_end: 1, severity: null, category: "", comment: "", suggestion: "" };
    expect(problemsOf(review, { ...emptyAnswer(), marks: [mark] }, true)).toHaveLength(4);
    expect(problemsOf(review, { ...emptyAnswer(), no_defects: true, verdict: "approve" }, true)).toEqual([]);
  });
});

describe("files", () => {
  it("that are as they were are not part of the answer", () => {
    expect(withFile(data, {}, "main.py", "new")).toEqual({ "main.py": "new" });
    expect(withFile(data, { "main.py": "new" }, "main.py", "start")).toEqual({});
  });
  it("have names that lead nowhere else", () => {
    for (const path of ["../a", "/a", "a//b", "a/", "", "./a", ".a"]) expect(badPath(path, [])).toContain("relative");
    expect(badPath("a/b.py", ["a"])).toContain("file and a folder");
    expect(badPath("a.py", ["a.py"])).toContain("of this name");
    expect(badPath("parts/a.py", ["main.py"])).toBe("");
  });
  it("have as many lines as people count", () => {
    expect([linesOf(""), linesOf("a"), linesOf("a\n"), linesOf("a\nb")]).toEqual([1, 1, 1, 2]);
  });
});

describe("the scale", () => {
  it("turns a point into a choice and back", () => {
    for (const point of [1, 2, 3, 4, 5, 6, 7]) expect(pointOf({ ...emptyAnswer(), ...choiceAt(point, ["A", "B"], true) }, ["A", "B"])).toBe(point);
    expect(choiceAt(6, ["A", "B"], false)).toEqual({ preferred: "B", strength: null });
    expect(pointOf(emptyAnswer(), ["A", "B"])).toBeNull();
  });
});
