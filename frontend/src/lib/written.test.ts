import { describe, expect, it } from "vitest";
import raw from "../../../tests/tasktypes/written_answers.json?raw";
import * as demonstration from "./demonstration";
import * as prompt from "./prompt";

interface Case {
  kind: "demonstration" | "prompt";
  name: string;
  data: demonstration.DemonstrationData & prompt.PromptData;
  answer: demonstration.DemonstrationAnswer & prompt.PromptAnswer;
  problems: string[];
}

describe("what a written answer still lacks", () => {
  it.each((JSON.parse(raw) as Case[]).map((each) => [`${each.kind}: ${each.name}`, each] as const))("is what the server says: %s", (_, each) => {
    const problemsOf = each.kind === "prompt" ? prompt.problemsOf : demonstration.problemsOf;
    expect(problemsOf(each.data, each.answer)).toEqual(each.problems);
  });
});
