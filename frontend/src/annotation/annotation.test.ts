import { describe, expect, it } from "vitest";
import { wellFormed } from "./config/wellformed";
import { pressed } from "./controls/choices";
import { isoOf, written } from "./dates";
import { isKey } from "./keys";
import { columnsOf, moved, stepped, UNSORTED } from "./ranking";
import { Session } from "./session";
import { lanes, pieces, snap } from "./spans";
import { aboutRegion, catalogueOf } from "./store";
import type { AnnotationAnswer, AnnotationData, Option, ResultEntry, Tag, When } from "./types";

const options = (...values: string[]): Option[] => values.map((value) => ({ value, title: value }));
const tag = (name: string, more: Partial<Tag> = {}): Tag => ({ tag: name, line: 1, attrs: {}, ...more });
const view = (children: Tag[], attrs: Record<string, unknown> = {}, when?: When): Tag => tag("View", { attrs, children, ...(when ? { when } : {}) });
const text = tag("Text", { name: "text", content: { text: "Ada met Charles in London." } });
const labels = (attrs: Record<string, unknown> = {}): Tag => tag("Labels", { name: "label", to: ["text"], type: "labels", attrs, options: options("PER", "LOC") });
const choices = (name: string, attrs: Record<string, unknown> = {}, values = ["yes", "no"]): Tag => tag("Choices", { name, to: ["text"], type: "choices", attrs, options: options(...values) });
const control = (name: string, type: string, attrs: Record<string, unknown> = {}, own: Option[] = []): Tag => tag(name, { name: type, to: ["text"], type, attrs, options: own });

function data(children: Tag[], suggestions: ResultEntry[] = [], attrs: Record<string, unknown> = {}): AnnotationData {
  return { tree: view(children, attrs), css: "", suggestions: suggestions.length ? [{ model: "m", score: null, result: suggestions }] : [] };
}

const begin = (children: Tag[], draft: AnnotationAnswer | null = null): Session => new Session(data(children), draft);
const mark = (session: Session, start: number, end: number, label = "PER") =>
  session.add({ object: "text", value: { start, end, text: "" }, pen: { control: "label", labels: [label], labelling: "label" } })!;
const span = (id: string, start: number, end: number): ResultEntry => ({ id, from_name: "label", to_name: "text", type: "labels", value: { start, end, text: "Ada", labels: ["PER"] }, origin: "manual" });

describe("results", () => {
  it("come back as they were given", () => {
    const result: ResultEntry[] = [
      { ...span("a", 0, 3), score: 0.5, meta: { text: ["sure"] } },
      span("b", 8, 15),
      { id: "a", from_name: "kind", to_name: "text", type: "choices", value: { start: 0, end: 3, text: "Ada", choices: ["yes"] }, origin: "manual" },
      { id: "c", from_name: "again", to_name: "text", type: "choices", value: { choices: ["no"] }, origin: "manual" },
      { type: "relation", from_id: "a", to_id: "b", direction: "right", labels: ["knows"] },
    ];
    const relations = tag("Relations", { name: "relations", type: "relation", options: options("knows") });
    const session = begin([labels(), text, choices("kind", { perRegion: true }), choices("again"), relations], { result });
    const sorted = (list: ResultEntry[]): string[] => list.map((entry) => JSON.stringify(Object.entries(entry).sort())).sort();
    expect(sorted(session.answer.result)).toEqual(sorted(result));
  });

  it("give a shape and its label one id", () => {
    const image = tag("Image", { name: "image", content: { pages: ["a.png"] } });
    const rectangle = tag("Rectangle", { name: "box", to: ["image"], type: "rectangle" });
    const named = tag("Labels", { name: "label", to: ["image"], type: "labels", options: options("cat") });
    const session = begin([image, rectangle, named]);
    session.take("label", "cat");
    const pen = session.pen("image", "rectangle")!;
    session.add({ object: "image", value: { x: 1, y: 2, width: 3, height: 4, rotation: 0 }, pen, beside: { original_width: 10 } });
    const [shape, label] = session.answer.result;
    expect([shape!.type, label!.type]).toEqual(["rectangle", "labels"]);
    expect(shape!.id).toBe(label!.id);
    expect(label!.value).toEqual({ x: 1, y: 2, width: 3, height: 4, rotation: 0, labels: ["cat"] });
    expect(shape!.original_width).toBe(10);
    expect(begin([image, rectangle, named], session.answer).answer).toEqual(session.answer);
  });

  it("of a video box carry their labels inside", () => {
    const video = tag("Video", { name: "video", content: { url: "a.mp4" } });
    const box = tag("VideoRectangle", { name: "box", to: ["video"], type: "videorectangle" });
    const named = tag("Labels", { name: "label", to: ["video"], type: "labels", options: options("car") });
    const result: ResultEntry[] = [{ id: "v", from_name: "box", to_name: "video", type: "videorectangle", value: { sequence: [], labels: ["car"] }, origin: "manual" }];
    const session = begin([video, box, named], { result });
    expect(session.titleOf(session.regions[0]!)).toBe("car");
    expect(session.answer.result).toEqual(result);
  });
});

describe("undo", () => {
  it("takes back and does again, one deed at a time", () => {
    const session = begin([labels(), text]);
    mark(session, 0, 3);
    mark(session, 8, 15);
    session.undo();
    expect(session.regions.length).toBe(1);
    session.redo();
    expect(session.regions.length).toBe(2);
  });

  it("takes back a whole drag and a whole run of typing at once", () => {
    const session = begin([labels(), text, control("TextArea", "textarea")]);
    const region = mark(session, 0, 3);
    for (const end of [4, 5, 6]) session.change(region.id, { start: 0, end }, { live: true });
    session.change(region.id, { start: 0, end: 7 });
    session.undo();
    expect(session.region(region.id)!.value.end).toBe(3);
    for (const words of ["a", "ab", "abc"]) session.setAnswer("textarea", [words], {}, "type 0");
    session.undo();
    expect(session.answerOf("textarea")).toBeUndefined();
    expect(session.regions.length).toBe(1);
  });

  it("brings a deleted region back with its relation and its answers", () => {
    const session = begin([labels(), text, choices("kind", { perRegion: true }), tag("Relations", { name: "r", type: "relation" })]);
    const [a, b] = [mark(session, 0, 3), mark(session, 8, 15)];
    session.setAnswer("kind", ["yes"], { region: a.id });
    session.startRelation(a.id);
    session.select(b.id);
    const before = session.answer;
    session.remove(a.id);
    expect(session.answer.result.map((entry) => entry.type)).toEqual(["labels"]);
    session.undo();
    expect(session.answer).toEqual(before);
  });
});

describe("regions", () => {
  it("cannot be changed or deleted while locked", () => {
    const session = begin([labels(), text]);
    const region = mark(session, 0, 3);
    session.lock(region.id);
    session.change(region.id, { start: 0, end: 9 });
    session.relabel(region.id, "label", "LOC");
    session.remove(region.id);
    expect(session.answer.result).toEqual([{ ...span(region.id, 0, 3), value: { start: 0, end: 3, text: "", labels: ["PER"] } }]);
  });

  it("take no more labels than a label allows", () => {
    const few = { ...labels(), options: [{ value: "PER", title: "Person", maxUsages: 1 }] };
    const session = begin([few, text]);
    let refused = "";
    session.addEventListener("refused", (event) => (refused = (event as CustomEvent<string>).detail));
    mark(session, 0, 3);
    expect(mark(session, 8, 15)).toBeNull();
    expect(refused).toContain("once");
  });

  it("keep at least one label where several may stand", () => {
    const session = begin([labels({ choice: "multiple" }), text]);
    const region = mark(session, 0, 3);
    session.relabel(region.id, "label", "LOC");
    session.relabel(region.id, "label", "PER");
    session.relabel(region.id, "label", "LOC");
    expect(session.region(region.id)!.labels).toEqual({ label: ["LOC"] });
  });

  it("of a reader stay as they are", () => {
    const session = new Session(data([labels(), text]), { result: [span("a", 0, 3)] }, { readonly: true });
    expect(session.add({ object: "text", value: {}, pen: { control: "label", labels: ["PER"], labelling: "label" } })).toBeNull();
    session.remove("a");
    session.setAnswer("label", "x");
    expect(session.answer.result.length).toBe(1);
  });
});

describe("suggestions", () => {
  const suggested = [{ ...span("p", 0, 3), score: 0.9 }, span("q", 8, 15)];

  it("begin the work, marked as such until they are kept or changed", () => {
    const session = new Session(data([labels(), text], suggested), null);
    expect(session.suggestions.map((region) => region.id)).toEqual(["p", "q"]);
    session.accept("p");
    session.relabel("q", "label", "LOC");
    expect(session.suggestions).toEqual([]);
    expect(session.answer.result.map((entry) => [entry.id, entry.origin])).toEqual([["p", "prediction"], ["q", "prediction-changed"]]);
  });

  it("do not come back over a draft", () => {
    expect(new Session(data([labels(), text], suggested), { result: [] }).regions).toEqual([]);
  });
});

describe("conditions", () => {
  const why = view([control("TextArea", "textarea", { required: true })], {}, { kind: "choice-selected", tag: "again", choices: ["no"] });

  it("ask only where the choice was made, and keep no answer that they hide", () => {
    const session = begin([text, choices("again", { required: true }), why]);
    expect(session.problems.length).toBe(1);
    session.setAnswer("again", ["no"]);
    expect(session.problems).toEqual(["“Textarea” needs an answer."]);
    session.setAnswer("textarea", ["too dear"]);
    expect(session.answer.result.map((entry) => entry.type)).toEqual(["choices", "textarea"]);
    session.setAnswer("again", ["yes"]);
    expect(session.problems).toEqual([]);
    expect(session.answer.result.map((entry) => entry.type)).toEqual(["choices"]);
  });

  it("on regions ask for each region with the label", () => {
    const kind = { ...choices("kind", { perRegion: true, required: true }), when: { kind: "region-selected", labels: ["PER"] } satisfies When };
    const session = begin([labels(), text, kind]);
    const person = mark(session, 0, 3);
    mark(session, 19, 25, "LOC");
    expect(session.problems).toEqual(["“Kind” of PER needs an answer."]);
    session.setAnswer("kind", ["yes"], { region: person.id });
    expect(session.problems).toEqual([]);
  });
});

describe("what is still missing", () => {
  it("is nothing where nothing is required and something is said", () => {
    const session = begin([text, choices("again")]);
    expect(session.problems).toEqual(["Nothing is marked or answered yet."]);
    session.setAnswer("again", ["yes"]);
    expect(session.problems).toEqual([]);
    expect(new Session(data([text, choices("again")], [], { allowEmpty: true }), null).problems).toEqual([]);
  });

  it("is something to mark where only regions owe answers", () => {
    const session = begin([labels(), text, choices("kind", { perRegion: true, required: true })]);
    expect(session.problems).toEqual(["Nothing is marked or answered yet."]);
  });

  it("is counted for each item", () => {
    const table = tag("Table", { name: "text", content: { head: ["a"], rows: [["1"], ["2"], ["3"]] } });
    const session = begin([table, choices("again", { perItem: true, required: true })]);
    session.setAnswer("again", ["yes"], { item: 1 });
    expect(session.problems).toEqual(["“Again” of row 1 needs an answer.", "“Again” of row 3 needs an answer."]);
    expect(session.answer.result[0]!.item_index).toBe(1);
  });

  it.each([
    [{ min: 2 }, 1],
    [{ max: 2 }, 3],
    [{ step: 0.5 }, 0.7],
  ])("is a number inside %o, unlike %d", (attrs, value) => {
    const session = begin([text, control("Number", "number", attrs)]);
    session.setAnswer("number", value);
    expect(session.problems.length).toBe(1);
  });

  it("uses the config's own words", () => {
    expect(begin([text, choices("again", { required: true, requiredMessage: "Please choose." })]).problems).toEqual(["Please choose."]);
  });
});

describe("keys", () => {
  it("go to labels first, then to short lists of choices, and spare those that the config names", () => {
    const own = { ...labels(), options: [{ value: "PER", title: "PER", hotkey: "2" }, { value: "LOC", title: "LOC" }] };
    const catalogue = catalogueOf(view([own, text, choices("again")]));
    expect(catalogue.labels.get("label")!.map((label) => label.hotkey)).toEqual(["2", "1"]);
    expect([...catalogue.choiceKeys.get("again")!.values()]).toEqual(["3", "4"]);
  });

  it.each([
    ["a", { key: "a" }, true],
    ["shift+a", { key: "A", shiftKey: true }, true],
    ["a", { key: "A", shiftKey: true }, false],
    ["ctrl+1", { key: "1", ctrlKey: true }, true],
    ["1", { key: "1", ctrlKey: true }, false],
    ["?", { key: "?", shiftKey: true }, true],
  ])("%s is pressed by %o: %s", (named, event, expected) => {
    expect(isKey({ ctrlKey: false, shiftKey: false, altKey: false, metaKey: false, ...event }, named)).toBe(expected);
  });
});

describe("choices", () => {
  const single = catalogueOf(view([choices("a")])).controls.get("a")!;
  const several = catalogueOf(view([choices("a", { choice: "multiple" })])).controls.get("a")!;
  const nested = catalogueOf(view([choices("a", { choice: "multiple", allowNested: true })])).controls.get("a")!;

  it("replace, gather, or keep whole paths", () => {
    expect(pressed(single, ["yes"], ["no"])).toEqual(["no"]);
    expect(pressed(single, ["yes"], ["yes"])).toEqual([]);
    expect(pressed(several, ["yes"], ["no"])).toEqual(["yes", "no"]);
    expect(pressed(nested, [["a", "b"]], ["a", "c"])).toEqual([["a", "b"], ["a", "c"]]);
  });
});

describe("spans", () => {
  const overlapping = [{ id: "a", start: 0, end: 10 }, { id: "b", start: 5, end: 15 }, { id: "c", start: 20, end: 22 }];

  it("are cut where others begin and end", () => {
    expect(pieces(overlapping).map((piece) => [piece.start, piece.end, piece.ids])).toEqual([
      [0, 5, ["a"]],
      [5, 10, ["a", "b"]],
      [10, 15, ["b"]],
      [20, 22, ["c"]],
    ]);
  });

  it("that overlap have lines of their own", () => {
    const lane = lanes(overlapping);
    expect(lane.get("a")).not.toBe(lane.get("b"));
    expect(lane.get("c")).toBe(0);
  });

  it.each([
    ["symbol", 1, 6, "da me"],
    ["word", 1, 6, "Ada met"],
    ["sentence", 1, 6, "Ada met Charles."],
    ["paragraph", 1, 6, "Ada met Charles. They talked."],
  ] as const)("snap to a %s", (granularity, start, end, expected) => {
    const words = "Ada met Charles. They talked.\nIt rained.";
    const found = snap(words, start, end, granularity)!;
    expect(words.slice(found.start, found.end)).toBe(expected);
  });

  it("of blanks are none", () => {
    expect(snap("a   b", 1, 4, "symbol")).toBeNull();
  });
});

describe("ranking", () => {
  it("holds every item once, whatever was stored", () => {
    expect(columnsOf({ best: ["b", "b", "gone"] }, [UNSORTED, "best"], UNSORTED, ["a", "b"])).toEqual({ _: ["a"], best: ["b"] });
    expect(columnsOf(undefined, ["order"], "order", ["a", "b"])).toEqual({ order: ["a", "b"] });
  });

  it("moves within a column and to the next", () => {
    const columns = { _: ["a", "b"], best: ["c"] };
    expect(stepped(columns, "b", "up")).toEqual({ _: ["b", "a"], best: ["c"] });
    expect(stepped(columns, "a", "right")).toEqual({ _: ["b"], best: ["c", "a"] });
    expect(stepped(columns, "a", "left")).toBe(columns);
    expect(moved(columns, "c", "_", 1)).toEqual({ _: ["a", "c", "b"], best: [] });
  });
});

describe("the panel", () => {
  it("takes the parts that speak about a region alone", () => {
    expect(aboutRegion(view([tag("Header"), choices("kind", { perRegion: true })]))).toBe(true);
    expect(aboutRegion(view([text, choices("kind", { perRegion: true })]))).toBe(false);
    expect(aboutRegion(view([choices("a"), choices("kind", { perRegion: true })]))).toBe(false);
  });
});

describe("a config", () => {
  it.each([
    [true, '<View><!-- a > b --><Text name="t" value="$t &amp; more"/></View>'],
    [true, "<View>\n  <Style>.a > .b { color: red }</Style>\n</View>\n"],
    [false, "<View><Text></View>"],
    [false, '<View><Text name="a" name="b"/></View>'],
    [false, '<View value="a & b"/>'],
    [false, "<View/><View/>"],
    [false, "<View"],
    [false, ""],
  ])("is XML: %s, %s", (expected, xml) => {
    expect(wellFormed(xml)).toBe(expected);
  });
});

describe("dates", () => {
  it("written by the form are no problem, others are", () => {
    const session = begin([text, control("DateTime", "datetime", { format: "%Y-%m-%d" })]);
    session.setAnswer("datetime", "2026-03-01");
    expect(session.problems).toEqual([]);
    session.setAnswer("datetime", "1 March");
    expect(session.problems).toEqual(["“Datetime”: written as %Y-%m-%d."]);
  });

  it.each([
    ["2026-03-01", "%d.%m.%Y", "01.03.2026"],
    ["2026-03-01T13:45", "%Y/%m/%d %H:%M", "2026/03/01 13:45"],
    ["13:45", "%H.%M", "13.45"],
    ["2026-03-01", "", "2026-03-01"],
  ])("%s by %s is %s, and back", (iso, form, expected) => {
    expect(written(iso, form)).toBe(expected);
    expect(isoOf(expected, form)).toBe(iso);
  });

  it("in a form that cannot be read stay as they are", () => {
    expect(isoOf("1st of March", "%d.%m.%Y")).toBe("1st of March");
    expect(written("2026-03-01", "%A")).toBe("2026-03-01");
  });
});
