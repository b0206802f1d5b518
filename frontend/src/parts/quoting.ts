/**
 * Quotes: a selection in rendered text becomes a place in the text's source, and back.
 *
 * A span counts Unicode code points of the source (Markdown), as the server does. Rendered words are matched with the
 * source's words by a diff, so markup, entities and formulas between them do not matter; a selection grows to whole
 * words, and one inside a formula to the whole formula. Quotes are painted by the CSS Custom Highlight API, which leaves
 * the text's nodes alone; a browser without it shows the list of quotes only.
 */
import { diffArrays } from "diff";

export interface Span {
  where: string;
  message: number;
  start: number;
  end: number;
  text: string;
}

export interface Token {
  text: string;
  start: number;
  end: number;
}

const TOKEN = /[\p{L}\p{N}\p{M}]+|[^\s\p{L}\p{N}\p{M}]/gu;
const DIFF_MS_MAX = 1500;
/** As on the server. */
export const QUOTE_CHARACTERS_MAX = 5_000;

export function tokensOf(text: string): Token[] {
  return [...text.matchAll(TOKEN)].map((match) => ({ text: match[0], start: match.index, end: match.index + match[0].length }));
}

/** For each rendered token the index of its source token, or -1 where the source has it not (a list number, a glyph of a formula). */
export function aligned(rendered: readonly Token[], source: readonly Token[]): number[] {
  const places = new Array<number>(rendered.length).fill(-1);
  // Texts that share nothing can take long: better no quotes than a page that stands still.
  const parts = diffArrays(rendered.map((token) => token.text), source.map((token) => token.text), { timeout: DIFF_MS_MAX });
  let [at, from] = [0, 0];
  for (const part of parts ?? []) {
    const count = part.value.length;
    if (!part.added && !part.removed) for (let step = 0; step < count; step++) places[at + step] = from + step;
    if (!part.added) at += count;
    if (!part.removed) from += count;
  }
  return places;
}

/** Source range of the rendered tokens `first` to `last`; unmatched ones at an end take in all up to the next matched one. */
export function sourceRange(places: readonly number[], source: readonly Token[], length: number, first: number, last: number): [number, number] | null {
  const inside = places.slice(first, last + 1).filter((place) => place >= 0);
  let [low, high] = [inside[0], inside.at(-1)];
  if (places[first]! < 0 || low === undefined) {
    const before = places.slice(0, first).filter((place) => place >= 0).at(-1);
    low = before === undefined ? 0 : before + 1;
  }
  if (places[last]! < 0 || high === undefined) {
    const after = places.slice(last + 1).find((place) => place >= 0);
    high = after === undefined ? source.length - 1 : after - 1;
  }
  if (low > high || !source[low] || !source[high]) return null;
  return [source[low]!.start, Math.min(length, source[high]!.end)];
}

/** Offset in code points of an offset in UTF-16 units, and back. */
export const toPoints = (text: string, units: number): number => [...text.slice(0, units)].length;
export const toUnits = (text: string, points: number): number => [...text].slice(0, points).join("").length;

interface Place extends Token {
  node: Text;
  /** Offset of the token in its node. */
  at: number;
  block: Element | null;
}

const BLOCKS = "p,li,h1,h2,h3,h4,h5,h6,td,th,pre,blockquote,dt,dd,figcaption";

/** One rendered text and its source. */
export class TextMap {
  readonly places: Place[] = [];
  readonly source: Token[];
  readonly aligned: number[];
  /** First tokens of sentences and blocks, for the keyboard. */
  readonly sentences: number[] = [];

  constructor(
    readonly container: Element,
    readonly where: string,
    readonly message: number,
    readonly text: string,
  ) {
    const walker = document.createTreeWalker(container, NodeFilter.SHOW_TEXT);
    for (let node = walker.nextNode() as Text | null; node; node = walker.nextNode() as Text | null) {
      const block = node.parentElement?.closest(BLOCKS) ?? null;
      for (const token of tokensOf(node.data)) this.places.push({ ...token, node, at: token.start, block });
    }
    this.source = tokensOf(text);
    this.aligned = aligned(this.places, this.source);
    this.places.forEach((place, index) => {
      const before = this.places[index - 1];
      if (!before || before.block !== place.block || /^[.!?…。！？]$/.test(before.text)) this.sentences.push(index);
    });
  }

  /** The span of the tokens from `first` to `last`. */
  span(first: number, last: number): Span | null {
    // Where nothing could be matched, every place would be the whole text.
    const found = this.aligned.some((place) => place >= 0) ? sourceRange(this.aligned, this.source, this.text.length, first, last) : null;
    if (!found || found[1] - found[0] > QUOTE_CHARACTERS_MAX) return null;
    const [start, end] = found;
    return { where: this.where, message: this.message, start: toPoints(this.text, start), end: toPoints(this.text, end), text: this.text.slice(start, end) };
  }

  /** The span that a selection touches in this text. */
  spanOf(range: Range): Span | null {
    // Tokens stand in document order. One is touched when its last character lies after the selection's start and its
    // first before the end.
    const first = this.#search((place) => range.comparePoint(place.node, place.at + place.text.length - 1) >= 0);
    const after = this.#search((place) => range.comparePoint(place.node, place.at) > 0 || (range.endContainer === place.node && range.endOffset <= place.at));
    return first < after ? this.span(first, after - 1) : null;
  }

  /** The first token of which this holds; it holds of all that follow. */
  #search(holds: (place: Place) => boolean): number {
    let [low, high] = [0, this.places.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (holds(this.places[middle]!)) high = middle;
      else low = middle + 1;
    }
    return low;
  }

  /** The rendered tokens of a span, first and last; null where none is visible. */
  tokens(span: Span): [number, number] | null {
    const [start, end] = [toUnits(this.text, span.start), toUnits(this.text, span.end)];
    const inside = this.aligned
      .map((place, index) => (place >= 0 && this.source[place]!.end > start && this.source[place]!.start < end ? index : -1))
      .filter((index) => index >= 0);
    return inside.length ? [inside[0]!, inside.at(-1)!] : null;
  }

  range(first: number, last: number): Range {
    const [from, to] = [this.places[first]!, this.places[last]!];
    const range = document.createRange();
    range.setStart(from.node, from.at);
    range.setEnd(to.node, to.at + to.text.length);
    return range;
  }
}

export type Paint = "quote" | "quote-active" | "quote-cursor";

/** Ranges of every element on the page, since highlights are the document's. */
const painted = new Map<Paint, Map<object, Range[]>>();

function paint(owner: object, name: Paint, ranges: Range[]): void {
  if (!("highlights" in CSS)) return;
  const owners = painted.get(name) ?? new Map<object, Range[]>();
  painted.set(name, owners);
  if (ranges.length) owners.set(owner, ranges);
  else owners.delete(owner);
  CSS.highlights.set(name, new Highlight(...[...owners.values()].flat()));
}

export interface QuoteSource {
  where: string;
  message: number;
  text: string;
}

/** Marks a rendered text as one that can be quoted: attributes for its element. */
export const quotable = (where: string, message = 0): string => `${where}\u0000${message}`;

/**
 * Quoting inside one element. Texts are the descendants with `data-quotable` (a value made by `quotable`), in their order
 * on the page; `sources` gives the Markdown behind them. `changed` is called when selection or cursor change.
 */
export class Quoting {
  #selected: Span | null = null;
  #maps = new Map<Element, TextMap>();
  #cursor: { map: TextMap; anchor: number; focus: number } | null = null;

  constructor(
    readonly root: HTMLElement,
    readonly sources: () => QuoteSource[],
    readonly changed: () => void,
  ) {}

  connect(): void {
    document.addEventListener("selectionchange", this.#selection);
  }

  disconnect(): void {
    document.removeEventListener("selectionchange", this.#selection);
    for (const name of ["quote", "quote-active", "quote-cursor"] as const) paint(this, name, []);
  }

  /**
   * What is selected by mouse or touch; null for nothing quotable. Looked at anew, since the browser tells of a selection
   * only after the next key may have come.
   */
  get selected(): Span | null {
    this.#look();
    return this.#selected;
  }

  #selection = (): void => {
    if (this.#look()) this.changed();
  };

  /** Whether the selection is another one than before. */
  #look(): boolean {
    const selection = document.getSelection();
    const range = selection?.rangeCount && !selection.isCollapsed ? selection.getRangeAt(0) : null;
    const touched = range ? this.#containers().find((each) => range.intersectsNode(each)) : undefined;
    const next = range && touched ? (this.#map(touched)?.spanOf(range) ?? null) : null;
    const before = this.#selected;
    this.#selected = next;
    return next?.start !== before?.start || next?.end !== before?.end || next?.where !== before?.where || next?.message !== before?.message;
  }

  #containers(): HTMLElement[] {
    return [...this.root.querySelectorAll<HTMLElement>("[data-quotable]")].filter((each) => each.checkVisibility());
  }

  #map(container: HTMLElement): TextMap | null {
    const [where = "", number = "0"] = (container.dataset.quotable ?? "").split("\u0000");
    const message = Number(number);
    const source = this.sources().find((each) => each.where === where && each.message === message);
    if (!source) return null;
    const known = this.#maps.get(container);
    if (known && known.where === where && known.message === message && known.text === source.text && known.places[0]?.node.isConnected !== false) return known;
    const made = new TextMap(container, where, message, source.text);
    this.#maps.set(container, made);
    return made;
  }

  /** The selection as a quote, taken: nothing stays selected. */
  take(): Span | null {
    const taken = this.selected;
    document.getSelection()?.removeAllRanges();
    this.#selected = null;
    return taken;
  }

  // Keyboard

  get quoting(): boolean {
    return this.#cursor !== null;
  }

  /** What the keyboard has marked so far. */
  get marked(): Span | null {
    if (!this.#cursor) return null;
    const { map, anchor, focus } = this.#cursor;
    return map.span(Math.min(anchor, focus), Math.max(anchor, focus));
  }

  /** Begin at the first sentence of the first visible text, or of the one given. */
  begin(where?: string): boolean {
    const maps = this.#visible();
    const map = maps.find((each) => each.where === where) ?? maps[0];
    if (!map) return false;
    this.#enter(map);
    return true;
  }

  #visible(): TextMap[] {
    return this.#containers().map((each) => this.#map(each)).filter((map) => map !== null && map.places.length > 0) as TextMap[];
  }

  #enter(map: TextMap): void {
    this.#cursor = { map, anchor: 0, focus: (map.sentences[1] ?? map.places.length) - 1 };
    this.#show();
  }

  end(): void {
    this.#cursor = null;
    paint(this, "quote-cursor", []);
    this.changed();
  }

  /** Keys while quoting. "done": Enter took `marked`; "left": Esc; null: not a key of ours. */
  key(event: KeyboardEvent): "moved" | "done" | "left" | null {
    if (!this.#cursor) return null;
    const { key, shiftKey } = event;
    if (key === "Escape") return this.end(), "left";
    if (key === "Enter") return "done";
    if (key === "Tab") return this.#nextText(shiftKey ? -1 : 1), "moved";
    const step = key === "ArrowLeft" || key === "ArrowUp" ? -1 : key === "ArrowRight" || key === "ArrowDown" ? 1 : 0;
    if (!step) return null;
    if (key === "ArrowLeft" || key === "ArrowRight") this.#byWord(step, shiftKey);
    else this.#bySentence(step, shiftKey);
    this.#show();
    return "moved";
  }

  #nextText(step: 1 | -1): void {
    const maps = this.#visible();
    const at = maps.findIndex((map) => map === this.#cursor!.map);
    this.#enter(maps[(at + step + maps.length) % maps.length]!);
  }

  /** To the next word; punctuation is passed over. Extending grows or shrinks the far end. */
  #byWord(step: number, extend: boolean): void {
    const cursor = this.#cursor!;
    const { places } = cursor.map;
    let at = extend ? cursor.focus : step > 0 ? Math.max(cursor.anchor, cursor.focus) : Math.min(cursor.anchor, cursor.focus);
    do at += step;
    while (places[at] && !/[\p{L}\p{N}]/u.test(places[at]!.text));
    if (!places[at]) return;
    cursor.focus = at;
    if (!extend) cursor.anchor = at;
  }

  #bySentence(step: number, extend: boolean): void {
    const cursor = this.#cursor!;
    const { sentences, places } = cursor.map;
    const last = (index: number): number => (sentences[index + 1] ?? places.length) - 1;
    const edge = extend ? cursor.focus : Math.min(cursor.anchor, cursor.focus);
    const now = sentences.findLastIndex((start) => start <= edge);
    const next = Math.max(0, Math.min(sentences.length - 1, now + step));
    if (!extend) [cursor.anchor, cursor.focus] = [sentences[next]!, last(next)];
    else cursor.focus = last(next) >= cursor.anchor ? last(next) : sentences[next]!;
  }

  #show(): void {
    const { map, anchor, focus } = this.#cursor!;
    const range = map.range(Math.min(anchor, focus), Math.max(anchor, focus));
    paint(this, "quote-cursor", [range]);
    const far = map.places[focus]!.node.parentElement;
    far?.scrollIntoView({ block: "nearest" });
    this.changed();
  }

  // Painting

  /** Paint quotes: `active` are those of what has the focus. */
  paint(all: readonly Span[], active: readonly Span[]): void {
    paint(this, "quote", this.#ranges(all));
    paint(this, "quote-active", this.#ranges(active));
  }

  #ranges(spans: readonly Span[]): Range[] {
    if (!spans.length) return [];
    const maps = this.#visible();
    return spans.flatMap((span) => {
      const map = maps.find((each) => each.where === span.where && each.message === span.message);
      const found = map?.tokens(span);
      return map && found ? [map.range(...found)] : [];
    });
  }

  /** Bring a quote into view. */
  reveal(span: Span): void {
    const map = this.#visible().find((each) => each.where === span.where && each.message === span.message);
    const found = map?.tokens(span);
    if (map && found) map.places[found[0]]!.node.parentElement?.scrollIntoView({ block: "center", behavior: "smooth" });
  }
}

export const sameSpan = (a: Span, b: Span): boolean => a.where === b.where && a.message === b.message && a.start === b.start && a.end === b.end;
