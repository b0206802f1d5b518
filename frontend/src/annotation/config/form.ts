/**
 * A labeling config as a form: one card for each thing that is shown or asked. Cards are read from the XML and every
 * change is made in the XML, so that what the form does not know stays as it was written.
 */

import { wellFormed } from "./wellformed";

export type FieldKind =
  | "text" | "hypertext" | "image" | "audio" | "video" | "paragraphs" | "chat" | "table" | "pdf"
  | "heading" | "choice" | "choices" | "menu" | "rating" | "number" | "date" | "write" | "tree" | "mark" | "boxes"
  | "other";

interface KindWords {
  tag: string;
  words: string;
  group: "show" | "ask" | "mark";
  attrs?: Record<string, string>;
  /** Name of the option tags inside. */
  option?: string;
  options?: string[];
}

/** What can be added by clicking, in the order of the menu. */
export const KINDS: Record<Exclude<FieldKind, "other">, KindWords> = {
  text: { tag: "Text", words: "Text to read", group: "show", attrs: { value: "$text" } },
  hypertext: { tag: "HyperText", words: "Web page", group: "show", attrs: { value: "$html" } },
  image: { tag: "Image", words: "Picture", group: "show", attrs: { value: "$image" } },
  audio: { tag: "Audio", words: "Sound", group: "show", attrs: { value: "$audio" } },
  video: { tag: "Video", words: "Film", group: "show", attrs: { value: "$video" } },
  pdf: { tag: "Pdf", words: "PDF document", group: "show", attrs: { value: "$pdf" } },
  paragraphs: { tag: "Paragraphs", words: "Dialogue with speakers", group: "show", attrs: { value: "$dialogue", layout: "dialogue" } },
  chat: { tag: "Chat", words: "Chat messages", group: "show", attrs: { value: "$messages" } },
  table: { tag: "Table", words: "Table", group: "show", attrs: { value: "$table" } },
  heading: { tag: "Header", words: "Heading", group: "show", attrs: { value: "A heading" } },
  choice: { tag: "Choices", words: "One choice", group: "ask", attrs: { choice: "single" }, option: "Choice", options: ["Yes", "No"] },
  choices: { tag: "Choices", words: "Several choices", group: "ask", attrs: { choice: "multiple" }, option: "Choice", options: ["First", "Second"] },
  menu: { tag: "Choices", words: "Menu", group: "ask", attrs: { choice: "single", layout: "select" }, option: "Choice", options: ["First", "Second"] },
  rating: { tag: "Rating", words: "Stars", group: "ask", attrs: { maxRating: "5" } },
  number: { tag: "Number", words: "Number", group: "ask" },
  date: { tag: "DateTime", words: "Date", group: "ask", attrs: { only: "date" } },
  write: { tag: "TextArea", words: "Written answer", group: "ask", attrs: { rows: "3", maxSubmissions: "1" } },
  tree: { tag: "Taxonomy", words: "Tree of choices", group: "ask", option: "Choice", options: ["Animals", "  Cats", "  Dogs", "Plants"] },
  mark: { tag: "Labels", words: "Mark passages", group: "mark", option: "Label", options: ["Important", "Wrong"] },
  boxes: { tag: "RectangleLabels", words: "Boxes in a picture", group: "mark", option: "Label", options: ["Object"] },
};

export interface Card {
  /** Place among the cards. */
  at: number;
  kind: FieldKind;
  /** The tag as written, for parts that the form cannot change. */
  tag: string;
  name: string;
  title: string;
  help: string;
  /** One option a line; nested ones are indented by two spaces. */
  options: string[];
  required: boolean;
  /** Attributes of the tag by lower-case name. */
  attrs: Record<string, string>;
  /** Lines of the config that the card covers, from 1. */
  lines: [number, number];
}

const OBJECTS = new Set(["Text", "HyperText", "Image", "Audio", "Video", "Pdf", "Paragraphs", "Chat", "Table", "List", "TimeSeries", "Markdown"]);
const HELP_SIZE = 5;
const SPARE = new Set(["#text", "#comment"]);

/** Attribute by name without regard to case. */
const get = (element: Element, name: string): string | null => [...element.attributes].find((each) => each.name.toLowerCase() === name.toLowerCase())?.value ?? null;

function put(element: Element, name: string, value: string | null): void {
  const own = [...element.attributes].find((each) => each.name.toLowerCase() === name.toLowerCase())?.name ?? name;
  if (value === null || value === "") element.removeAttribute(own);
  else element.setAttribute(own, value);
}

/** The config's document; null where it is no XML or does not begin with a View. */
export function parsed(xml: string): Document | null {
  if (xml.trim() && !wellFormed(xml)) return null;
  const document_ = new DOMParser().parseFromString(xml.trim() || "<View></View>", "application/xml");
  return document_.querySelector("parsererror") || document_.documentElement.tagName.toLowerCase() !== "view" ? null : document_;
}

interface Group {
  elements: Element[];
  main: Element;
  title: Element | null;
  help: Element | null;
}

const isHeader = (element: Element | undefined): boolean => element?.tagName === "Header";
const headerText = (element: Element): string => get(element, "value") ?? element.textContent ?? "";

/** Children of the View as groups: a question with the headers that stand before it, or one thing by itself. */
function groupsOf(document_: Document): Group[] {
  const groups: Group[] = [];
  const elements = [...document_.documentElement.children];
  for (let at = 0; at < elements.length; at++) {
    const headers: Element[] = [];
    let next = at;
    while (isHeader(elements[next]) && headers.length < 2) headers.push(elements[next++]!);
    const main = elements[next];
    const help = headers[1] && Number(get(headers[1], "size")) === HELP_SIZE ? headers[1] : null;
    const asks = main && !isHeader(main) && !OBJECTS.has(main.tagName) && kindOf(main) !== "other";
    if (asks && headers.length && (headers.length === 1 || help)) {
      groups.push({ elements: [...headers, main], main, title: headers[0]!, help });
      at = next;
    } else groups.push({ elements: [elements[at]!], main: elements[at]!, title: null, help: null });
  }
  return groups;
}

function kindOf(element: Element): FieldKind {
  const tag = element.tagName;
  if (tag === "Choices") {
    if (get(element, "perRegion") === "true" || element.querySelector("Choice Choice")) return "other";
    return get(element, "choice") === "multiple" ? "choices" : get(element, "layout") === "select" ? "menu" : "choice";
  }
  if (tag === "DateTime" && get(element, "only") !== "date") return "other";
  if (["HyperTextLabels", "ParagraphLabels"].includes(tag)) return "mark";
  const simple = Object.entries(KINDS).find(([kind, words]) => words.tag === tag && !["choice", "choices", "menu"].includes(kind));
  return (simple?.[0] as FieldKind | undefined) ?? "other";
}

/** The config as cards; null where it cannot be read. */
export function cardsOf(xml: string): Card[] | null {
  const document_ = parsed(xml);
  if (!document_) return null;
  const lines = linesOf(document_);
  return groupsOf(document_).map((group, at) => cardOf(group, at, lines));
}

function cardOf({ main, title, help, elements }: Group, at: number, lines: Map<Element, [number, number]>): Card {
  return {
    at,
    kind: kindOf(main),
    tag: main.tagName,
    name: get(main, "name") ?? "",
    title: isHeader(main) ? headerText(main) : title ? headerText(title) : "",
    help: help ? headerText(help) : "",
    options: optionLines(main, 0),
    required: get(main, "required") === "true",
    attrs: Object.fromEntries([...main.attributes].map((each) => [each.name.toLowerCase(), each.value])),
    lines: [lines.get(elements[0]!)?.[0] ?? 0, lines.get(main)?.[1] ?? 0],
  };
}

function optionLines(element: Element, depth: number): string[] {
  return [...element.children].filter((child) => /^(Choice|Label)$/.test(child.tagName)).flatMap((child) => [`${"  ".repeat(depth)}${get(child, "value") ?? ""}`, ...optionLines(child, depth + 1)]);
}

// Changes: each takes the XML and gives it back changed

function changed(xml: string, change: (document_: Document, groups: Group[]) => void): string {
  const document_ = parsed(xml);
  if (!document_) return xml;
  change(document_, groupsOf(document_));
  return written(document_);
}

/** Put a new thing at the end; a question about the first material that fits. */
export function added(xml: string, kind: Exclude<FieldKind, "other">): string {
  return changed(xml, (document_) => {
    const words = KINDS[kind];
    const root = document_.documentElement;
    const target = targetOf(document_, kind);
    const element = document_.createElement(kind === "mark" ? markTag(target) : words.tag);
    if (words.tag !== "Header") put(element, "name", freshName(document_, words.group === "show" ? (words.attrs?.value?.slice(1) ?? kind) : kind));
    if (words.group === "show" && words.tag !== "Header") put(element, "value", `$${get(element, "name")}`);
    for (const [name, value] of Object.entries(words.attrs ?? {})) if (name !== "value" || words.tag === "Header") put(element, name, value);
    if (words.group !== "show") put(element, "toName", target ? get(target, "name") : null);
    if (words.options) setOptions(document_, element, words.option!, words.options);
    if (words.group === "ask") root.append(header(document_, words.words, 4));
    root.append(element);
  });
}

function targetOf(document_: Document, kind: FieldKind): Element | null {
  const objects = [...document_.querySelectorAll([...OBJECTS].join(","))];
  const fits = (element: Element): boolean => (kind === "boxes" ? ["Image", "Pdf"].includes(element.tagName) : kind !== "mark" || ["Text", "HyperText", "Paragraphs", "Audio"].includes(element.tagName));
  return objects.find(fits) ?? objects[0] ?? null;
}

const markTag = (target: Element | null): string => ({ HyperText: "HyperTextLabels", Paragraphs: "ParagraphLabels" })[target?.tagName ?? ""] ?? "Labels";

function freshName(document_: Document, base: string): string {
  const taken = new Set([...document_.querySelectorAll("[name]")].map((each) => each.getAttribute("name")));
  let name = base;
  for (let count = 2; taken.has(name); count++) name = `${base}_${count}`;
  return name;
}

function header(document_: Document, text: string, size: number): Element {
  const element = document_.createElement("Header");
  put(element, "value", text);
  put(element, "size", String(size));
  return element;
}

export function removed(xml: string, at: number): string {
  return changed(xml, (_, groups) => groups[at]?.elements.forEach((element) => element.remove()));
}

/** Move a card to another place. */
export function movedTo(xml: string, at: number, to: number): string {
  return changed(xml, (document_, groups) => {
    const group = groups[at];
    const rest = groups.filter((each) => each !== group);
    if (!group || to < 0 || to > rest.length) return;
    const before = rest[to]?.elements[0] ?? null;
    for (const element of group.elements) document_.documentElement.insertBefore(element, before);
  });
}

export function withTitle(xml: string, at: number, title: string): string {
  return changed(xml, (document_, groups) => {
    const group = groups[at];
    if (!group) return;
    if (isHeader(group.main)) return put(group.main, "value", title || " ");
    if (group.title && title) put(group.title, "value", title);
    else if (group.title) group.title.remove(), group.help?.remove();
    else if (title) group.main.before(header(document_, title, 4));
  });
}

export function withHelp(xml: string, at: number, help: string): string {
  return changed(xml, (document_, groups) => {
    const group = groups[at];
    if (!group || isHeader(group.main)) return;
    if (group.help && help) put(group.help, "value", help);
    else if (group.help) group.help.remove();
    else if (help) {
      if (!group.title) group.main.before(header(document_, KINDS[kindOf(group.main) as "choice"]?.words ?? group.main.tagName, 4));
      group.main.before(header(document_, help, HELP_SIZE));
    }
  });
}

/** Set or take away (null) a parameter. A new name is followed by everything that points at the old one. */
export function withAttr(xml: string, at: number, name: string, value: string | null): string {
  return changed(xml, (document_, groups) => {
    const main = groups[at]?.main;
    if (!main) return;
    const before = get(main, name);
    put(main, name, value);
    if (name !== "name" || !before || !value) return;
    for (const element of document_.querySelectorAll("*")) {
      for (const key of ["toName", "whenTagName"]) {
        const points = get(element, key)?.split(",").map((each) => each.trim());
        if (points?.includes(before)) put(element, key, points.map((each) => (each === before ? value : each)).join(","));
      }
    }
  });
}

/** Set the options, one a line. Options that stay keep their further parameters, such as colours and keys. */
export function withOptions(xml: string, at: number, lines: readonly string[]): string {
  return changed(xml, (document_, groups) => {
    const main = groups[at]?.main;
    const option = main && (/Labels$/.test(main.tagName) ? "Label" : "Choice");
    if (main && option) setOptions(document_, main, option, lines);
  });
}

function setOptions(document_: Document, owner: Element, tag: string, lines: readonly string[]): void {
  const before = new Map([...owner.querySelectorAll(tag)].map((each) => [get(each, "value"), each.cloneNode(false) as Element]));
  for (const old of [...owner.children]) if (old.tagName === tag) old.remove();
  const above: Element[] = [owner];
  for (const line of lines) {
    const value = line.trim();
    if (!value) continue;
    const depth = tag === "Choice" && owner.tagName === "Taxonomy" ? Math.min(Math.floor((line.length - line.trimStart().length) / 2), above.length - 1) : 0;
    const element = before.get(value) ?? document_.createElement(tag);
    before.delete(value);
    put(element, "value", value);
    above.length = depth + 1;
    above[depth]!.append(element);
    above.push(element);
  }
}

// Writing: two spaces a level, one tag a line, comments kept

export function written(document_: Document): string {
  return `${linesFor(document_.documentElement, 0).join("\n")}\n`;
}

function linesFor(element: Element, depth: number): string[] {
  const pad = "  ".repeat(depth);
  const attrs = [...element.attributes].map((each) => ` ${each.name}="${escaped(each.value)}"`).join("");
  const inner = [...element.childNodes].flatMap((node) => innerLines(node, depth + 1));
  if (!inner.length) return [`${pad}<${element.tagName}${attrs}/>`];
  const onlyText = element.childElementCount === 0 && inner.length === 1 && ![...element.childNodes].some((node) => node.nodeName === "#comment");
  if (onlyText) return [`${pad}<${element.tagName}${attrs}>${inner[0]!.trim()}</${element.tagName}>`];
  return [`${pad}<${element.tagName}${attrs}>`, ...inner, `${pad}</${element.tagName}>`];
}

function innerLines(node: ChildNode, depth: number): string[] {
  const pad = "  ".repeat(depth);
  if (node instanceof Element) return linesFor(node, depth);
  if (!SPARE.has(node.nodeName) && node.nodeName !== "#cdata-section") return [];
  const text = node.textContent ?? "";
  if (!text.trim()) return [];
  return node.nodeName === "#comment" ? `${pad}<!--${text}-->`.split("\n") : text.trim().split("\n").map((line) => `${pad}${escaped(line.trim())}`);
}

function escaped(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&quot;").replaceAll("\n", "&#10;");
}

/** Lines of every child of the View, as `written` puts them. */
function linesOf(document_: Document): Map<Element, [number, number]> {
  const lines = new Map<Element, [number, number]>();
  let line = 2;
  for (const node of document_.documentElement.childNodes) {
    const count = innerLines(node, 1).length;
    if (node instanceof Element) lines.set(node, [line, line + count - 1]);
    line += count;
  }
  return lines;
}
