import { describe, expect, it } from "vitest";
import { choose, deepest, emptyAnswer, pathTo, placeOf, prefer, problemsOf, promptsAfter, rate, turnsTo, type Answer, type Config, type Data, type Node } from "./conversation";
import { blocksOf, eventOf } from "./generate";

const config: Config = { judge: "scale", labels: "conversation", goal: "", ask_failed: false, ask_winner: true, marks: "optional", severity_required: false, technique_required: false, categories: [{ key: "hate", title: "Hate", help: "", group: "harm" }], techniques: [], notes_min_chars: 0 };
const data: Data = { brief: { html: "", text: "" }, harm: null, persona: null, system_prompt: null, opening: [], models: 2, min_turns: 2, max_turns: 5, config };

const user = (id: string, parent: string | null = null): Node => ({ id, parent, role: "user", text: id });
const reply = (id: string, parent: string, label: string, more: Partial<Node> = {}): Node => ({ id, parent, role: "assistant", text: id, label, generation: `gen_${id}`, ...more });
const talk = (): Answer => ({ ...emptyAnswer(data), nodes: [user("u1"), reply("a1", "u1", "A"), reply("b1", "u1", "B", { chosen: true }), user("u2", "b1"), reply("a2", "u2", "A"), reply("b2", "u2", "B"), user("u3", "b1")] });

describe("the tree of a conversation", () => {
  it("leads from the first message to any other", () => {
    expect(pathTo(talk(), "b2").map((node) => node.id)).toEqual(["u1", "b1", "u2", "b2"]);
    expect(turnsTo(talk(), "b2")).toBe(2);
    expect(pathTo(talk(), null)).toEqual([]);
  });

  it("knows its branches", () => {
    expect(promptsAfter(talk(), "b1").map((node) => node.id)).toEqual(["u2", "u3"]);
    expect(deepest(talk(), "u1")).toBe("u3");
  });

  it("goes on from the reply that the scale prefers", () => {
    const nodes = prefer(talk(), user("u2", "b1"), 6);
    expect(nodes.find((node) => node.id === "b2")?.chosen).toBe(true);
    expect(nodes.find((node) => node.id === "u2")?.preference).toBe(6);
    expect(prefer(talk(), user("u1"), 4).find((node) => node.id === "b1")?.chosen).toBe(true);
  });

  it("has one chosen reply in a turn", () => {
    const nodes = choose(talk(), talk().nodes[1]!);
    expect(nodes.filter((node) => node.parent === "u1" && node.chosen).map((node) => node.id)).toEqual(["a1"]);
  });

  it("chooses the best once all are rated", () => {
    let answer = { ...talk(), nodes: rate(talk(), talk().nodes[4]!, 3) };
    expect(answer.nodes.some((node) => node.parent === "u2" && node.chosen)).toBe(false);
    answer = { ...answer, nodes: rate(answer, answer.nodes[5]!, 5) };
    expect(answer.nodes.find((node) => node.id === "b2")?.chosen).toBe(true);
  });

  it("says what is missing, as the server does", () => {
    expect(problemsOf(data, emptyAnswer(data))).toEqual(["2 more turns to go.", "Say which model was better overall."]);
    const answer = { ...talk(), nodes: talk().nodes.slice(0, 6) };
    expect(problemsOf(data, answer)).toEqual(["Say which reply is better: in message 1.", "Say which reply is better: in message 2.", "Say which model was better overall."]);
  });

  it("finds quoted words in code points", () => {
    expect(placeOf("🙂 words", "words")).toBe(2);
    expect(placeOf("words", "other")).toBeNull();
    expect(placeOf("words", "")).toBeNull();
  });
});

describe("events of a stream", () => {
  it("come in blocks that may be cut anywhere", () => {
    const [blocks, rest] = blocksOf('event: start\ndata: {"generation":"g"}\n\ndata: {"text":"a"}\n\ndata: {"te');
    expect(blocks.map(eventOf)).toEqual([{ name: "start", data: { generation: "g" } }, { name: "", data: { text: "a" } }]);
    expect(rest).toBe('data: {"te');
  });

  it("without data are none", () => {
    expect(eventOf(": ping")).toBeNull();
  });
});
