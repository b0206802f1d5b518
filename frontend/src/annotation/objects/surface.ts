/**
 * Text that can be marked: blocks of text with overlapping spans drawn as `<mark>` elements, a selection by mouse or
 * touch, and a caret for the keyboard.
 *
 * Why marks of our own and not a canvas or the highlight API: marks are part of the page that a screen reader reads,
 * carry the label in words, take clicks, and stack one line per overlapping span. Positions count the characters of
 * the blocks, with one more between two blocks.
 */
import { lanes, pieces, snap, type Granularity, type Piece, type Span } from "../spans";

export interface DrawnSpan extends Span {
  colour: string;
  title: string;
  selected: boolean;
  suggestion: boolean;
}

export interface Chosen {
  start: number;
  end: number;
}

interface Options {
  label: string;
  granularity: Granularity;
  readonly: boolean;
  selectable: boolean;
  showLabels: boolean;
  /** A selection was made by mouse: true where it became a region. */
  selected(chosen: Chosen): boolean;
  clicked(id: string | null): void;
  said(words: string): void;
}

interface Mark {
  mark: HTMLElement;
  piece: Piece;
  /** The last of the marks that its piece needed. */
  last: boolean;
}

const KEY_MOVES: Record<string, [direction: "forward" | "backward" | "left" | "right", unit: string]> = {
  ArrowLeft: ["left", "character"],
  ArrowRight: ["right", "character"],
  ArrowUp: ["backward", "line"],
  ArrowDown: ["forward", "line"],
  Home: ["backward", "lineboundary"],
  End: ["forward", "lineboundary"],
};
const SAID_CHARS_MAX = 200;

export class Surface {
  readonly text: string;
  readonly #starts: number[];
  readonly #pristine: DocumentFragment[];
  readonly #caret = document.createElement("span");
  #held: Chosen | null = null;
  #drawn = "";
  #places = "[]";
  #marks: Mark[] = [];
  #lane = new Map<string, number>();
  #deepest = 0;
  #pointer = "";
  #byKey = false;

  constructor(
    readonly frame: HTMLElement,
    readonly blocks: readonly HTMLElement[],
    readonly options: Options,
  ) {
    this.#pristine = blocks.map((block) => {
      const copy = document.createDocumentFragment();
      copy.append(...block.cloneNode(true).childNodes);
      return copy;
    });
    const texts = blocks.map((block) => block.textContent);
    this.text = texts.join("\n");
    this.#starts = texts.reduce<number[]>((starts, text) => [...starts, starts.at(-1)! + text.length + 1], [0]);
    frame.tabIndex = 0;
    frame.setAttribute("role", "group");
    frame.setAttribute("aria-label", options.label);
    this.#caret.className = "anno-caret";
    this.#caret.setAttribute("aria-hidden", "true");
    this.#caret.hidden = true;
    frame.append(this.#caret);
    frame.addEventListener("pointerdown", this.#down);
    frame.addEventListener("click", this.#click);
    frame.addEventListener("focus", this.#focused);
    frame.addEventListener("blur", this.#blurred);
    document.addEventListener("pointerup", this.#up);
    document.addEventListener("selectionchange", this.#selectionChanged);
  }

  destroy(): void {
    document.removeEventListener("pointerup", this.#up);
    document.removeEventListener("selectionchange", this.#selectionChanged);
  }

  /** The selection in hand, snapped to what this text takes; kept when the focus goes to a label. */
  get chosen(): Chosen | null {
    // The browser tells of a selection a moment later: look at it now.
    this.#selectionChanged();
    const held = this.#held;
    return held && snap(this.text, held.start, held.end, this.options.granularity);
  }

  forget(): void {
    this.#held = null;
    const selection = getSelection();
    if (selection && this.#inside(selection.anchorNode)) selection.collapse(selection.focusNode, selection.focusOffset);
    this.#placeCaret();
  }

  // Drawing

  draw(spans: readonly DrawnSpan[]): void {
    const key = JSON.stringify(spans);
    if (key === this.#drawn) return;
    this.#drawn = key;
    const byId = new Map(spans.map((span) => [span.id, span]));
    const places = JSON.stringify(spans.map((span) => [span.id, span.start, span.end]));
    if (places !== this.#places) {
      this.#places = places;
      this.#cut(spans);
    }
    for (const mark of this.#marks) this.#dress(mark, byId);
  }

  /** Put marks around the covered parts of the text, anew. */
  #cut(spans: readonly DrawnSpan[]): void {
    const before = this.#nativeOffsets();
    const cut = pieces(spans);
    this.#lane = lanes(spans);
    this.#marks = [];
    this.blocks.forEach((block, at) => {
      const from = this.#starts[at]!;
      const to = this.#starts[at + 1]! - 1;
      const within = cut.filter((piece) => piece.start < to && piece.end > from);
      if (!within.length && !block.querySelector("mark.anno-span")) return;
      block.replaceChildren(this.#pristine[at]!.cloneNode(true));
      for (const piece of within.reverse()) this.#wrap(block, Math.max(piece.start, from) - from, Math.min(piece.end, to) - from, piece);
    });
    this.#deepest = Math.max(0, ...this.#lane.values());
    this.frame.style.setProperty("--lanes", String(this.#deepest));
    if (before) this.#restore(before);
  }

  #wrap(block: HTMLElement, start: number, end: number, piece: Piece): void {
    const parts = textParts(block, start, end);
    parts.forEach(({ node, from, to }, index) => {
      const mark = document.createElement("mark");
      const middle = from > 0 ? node.splitText(from) : node;
      if (to - from < middle.data.length) middle.splitText(to - from);
      middle.replaceWith(mark);
      mark.append(middle);
      mark.className = "anno-span";
      mark.dataset.ids = piece.ids.join(" ");
      this.#marks.push({ mark, piece, last: index === parts.length - 1 });
    });
  }

  #dress({ mark, piece, last }: Mark, byId: Map<string, DrawnSpan>): void {
    const covering = piece.ids.map((id) => byId.get(id)!);
    mark.toggleAttribute("data-selected", covering.some((span) => span.selected));
    mark.toggleAttribute("data-suggestion", covering.every((span) => span.suggestion));
    mark.style.setProperty("--colour", (covering.find((span) => span.selected) ?? covering.at(-1)!).colour);
    mark.style.backgroundImage = covering.map((span) => (span.suggestion ? `repeating-linear-gradient(90deg, ${span.colour} 0 5px, transparent 5px 9px)` : `linear-gradient(${span.colour}, ${span.colour})`)).join(", ");
    mark.style.backgroundPosition = covering.map((span) => `0 calc(100% - ${(this.#deepest - this.#lane.get(span.id)!) * 4}px)`).join(", ");
    mark.title = covering.map((span) => span.title || "no label").join(" · ");
    const ending = covering.filter((span) => span.end === piece.end && span.title);
    if (last && ending.length && this.options.showLabels) mark.dataset.label = ending.map((span) => span.title).join(" · ");
    else delete mark.dataset.label;
  }

  reveal(id: string): void {
    const mark = this.frame.querySelector(`mark[data-ids~="${CSS.escape(id)}"]`);
    mark?.scrollIntoView({ block: "nearest", inline: "nearest" });
  }

  /** Where the pieces of a span stand on the screen. */
  boxes(id: string): DOMRect[] {
    return [...this.frame.querySelectorAll(`mark[data-ids~="${CSS.escape(id)}"]`)].flatMap((mark) => [...mark.getClientRects()]);
  }

  // Positions

  #inside(node: Node | null): boolean {
    return node !== null && this.blocks.some((block) => block.contains(node));
  }

  #offset(node: Node, offset: number): number | null {
    const at = this.blocks.findIndex((block) => block.contains(node));
    if (at < 0) return this.#offsetOutside(node, offset);
    const range = document.createRange();
    range.selectNodeContents(this.blocks[at]!);
    range.setEnd(node, offset);
    return this.#starts[at]! + range.toString().length;
  }

  /** A selection may end between blocks, beside a speaker's name: take the end of the block before. */
  #offsetOutside(node: Node, offset: number): number | null {
    if (!this.frame.contains(node)) return null;
    const range = document.createRange();
    range.setStart(this.frame, 0);
    range.setEnd(node, offset);
    let at = -1;
    this.blocks.forEach((block, index) => {
      if (range.comparePoint(block, 0) <= 0) at = index;
    });
    return at < 0 ? 0 : this.#starts[at + 1]! - 1;
  }

  #nativeOffsets(): { anchor: number; focus: number } | null {
    const selection = getSelection();
    if (!selection?.anchorNode || !selection.focusNode || !this.#inside(selection.anchorNode)) return null;
    const anchor = this.#offset(selection.anchorNode, selection.anchorOffset);
    const focus = this.#offset(selection.focusNode, selection.focusOffset);
    return anchor === null || focus === null ? null : { anchor, focus };
  }

  #point(offset: number): [Node, number] {
    const found = this.blocks.findIndex((_, at) => offset < this.#starts[at + 1]!);
    const at = found < 0 ? this.blocks.length - 1 : found;
    let rest = offset - this.#starts[at]!;
    const walker = document.createTreeWalker(this.blocks[at]!, NodeFilter.SHOW_TEXT);
    let node = walker.nextNode() as Text | null;
    while (node && rest > node.data.length) {
      rest -= node.data.length;
      node = walker.nextNode() as Text | null;
    }
    return node ? [node, rest] : [this.blocks[at]!, 0];
  }

  #restore({ anchor, focus }: { anchor: number; focus: number }): void {
    const [from, to] = [this.#point(anchor), this.#point(focus)];
    getSelection()?.setBaseAndExtent(from[0], from[1], to[0], to[1]);
    this.#placeCaret();
  }

  // Mouse and touch

  #down = (event: PointerEvent): void => {
    this.#byKey = false;
    this.#caret.hidden = true;
    this.#pointer = event.pointerType;
    this.#held = null;
  };

  #up = (event: PointerEvent): void => {
    if (!this.#pointer || event.pointerType === "touch") return;
    this.#pointer = "";
    // The browser settles the selection after the event.
    setTimeout(() => {
      this.#selectionChanged();
      const chosen = this.chosen;
      if (chosen && this.options.selected(chosen)) this.forget();
    });
  };

  #click = (event: MouseEvent): void => {
    if (this.chosen) return;
    const mark = (event.target as Element).closest<HTMLElement>("mark[data-ids]");
    const ids = mark?.dataset.ids?.split(" ") ?? [];
    if (!ids.length) return this.options.clicked(null);
    const now = ids.findIndex((id) => this.#isSelected(id));
    this.options.clicked(ids[now < 0 ? ids.length - 1 : (now + ids.length - 1) % ids.length]!);
  };

  #isSelected(id: string): boolean {
    return (JSON.parse(this.#drawn || "[]") as DrawnSpan[]).some((span) => span.id === id && span.selected);
  }

  #selectionChanged = (): void => {
    if (!this.options.selectable || this.options.readonly) return;
    const selection = getSelection();
    if (!selection || selection.isCollapsed || selection.rangeCount === 0) {
      // A tap on a label takes the native selection away: what was chosen is kept until the text is touched again.
      if (selection && this.#inside(selection.anchorNode) && document.activeElement === this.frame) this.#held = null;
      return;
    }
    const range = selection.getRangeAt(0);
    if (!this.#inside(range.startContainer) && !this.#inside(range.endContainer)) return;
    const start = this.#offset(range.startContainer, range.startOffset);
    const end = this.#offset(range.endContainer, range.endOffset);
    if (start !== null && end !== null && end > start) this.#held = { start, end };
  };

  // Keyboard

  #focused = (): void => {
    if (!this.frame.matches(":focus-visible")) return;
    this.#byKey = true;
    if (!this.#nativeOffsets()) this.#restore({ anchor: 0, focus: 0 });
    this.#placeCaret();
  };

  #blurred = (): void => {
    this.#caret.hidden = true;
  };

  /** Arrows move the caret, with Shift they select, with Ctrl by words. */
  key(event: KeyboardEvent): boolean {
    if (event.key === "Escape" && this.#held) return this.forget(), true;
    const move = KEY_MOVES[event.key];
    if (!move || event.altKey || document.activeElement !== this.frame) return false;
    this.#byKey = true;
    const selection = getSelection()!;
    if (!this.#inside(selection.focusNode)) this.#restore({ anchor: 0, focus: 0 });
    const before = this.#nativeOffsets();
    const byWord = (event.ctrlKey || event.metaKey) && move[1] === "character";
    selection.modify(event.shiftKey ? "extend" : "move", move[0], byWord ? "word" : move[1]);
    if (!this.#inside(selection.focusNode)) this.#stay(before);
    this.#selectionChanged();
    if (selection.isCollapsed) this.#held = null;
    this.#placeCaret();
    if (event.shiftKey && this.chosen) this.options.said(this.text.slice(this.chosen.start, this.chosen.end).slice(0, SAID_CHARS_MAX));
    return true;
  }

  /** The caret left the text (for a speaker's name, say): go on to the next block, or stay. */
  #stay(before: { anchor: number; focus: number } | null): void {
    const selection = getSelection()!;
    const offset = selection.focusNode ? this.#offsetOutside(selection.focusNode, selection.focusOffset) : null;
    if (before === null) return;
    const forward = offset !== null && offset >= before.focus;
    const focus = offset === null ? before.focus : forward ? Math.min(this.text.length, Math.max(offset + 1, before.focus + 1)) : Math.max(0, Math.min(offset, before.focus - 1));
    const extends_ = !selection.isCollapsed;
    this.#restore({ anchor: extends_ ? before.anchor : focus, focus });
  }

  #placeCaret(): void {
    const selection = getSelection();
    const show = this.#byKey && document.activeElement === this.frame && this.#inside(selection?.focusNode ?? null);
    this.#caret.hidden = !show;
    if (!show || !selection?.focusNode) return;
    const range = document.createRange();
    range.setStart(selection.focusNode, selection.focusOffset);
    const box = range.getClientRects()[0] ?? this.#boxBeside(selection.focusNode, selection.focusOffset);
    if (!box) return;
    const frame = this.frame.getBoundingClientRect();
    Object.assign(this.#caret.style, {
      left: `${box.left - frame.left + this.frame.scrollLeft}px`,
      top: `${box.top - frame.top + this.frame.scrollTop}px`,
      height: `${box.height}px`,
    });
    this.#caret.scrollIntoView({ block: "nearest", inline: "nearest" });
  }

  #boxBeside(node: Node, offset: number): DOMRect | undefined {
    const range = document.createRange();
    range.selectNodeContents(node.nodeType === Node.TEXT_NODE ? node.parentNode! : (node.childNodes[offset] ?? node));
    return range.getClientRects()[0];
  }
}

/** The text nodes between two positions of a block, with the part of each that lies between. */
function textParts(block: HTMLElement, start: number, end: number): { node: Text; from: number; to: number }[] {
  const found: { node: Text; from: number; to: number }[] = [];
  const walker = document.createTreeWalker(block, NodeFilter.SHOW_TEXT);
  let at = 0;
  for (let node = walker.nextNode() as Text | null; node && at < end; node = walker.nextNode() as Text | null) {
    const [from, to] = [Math.max(0, start - at), Math.min(node.data.length, end - at)];
    at += node.data.length;
    // Blank text between a table's cells or a list's items takes no mark.
    if (to > from && (node.data.slice(from, to).trim() || !/^(TABLE|TBODY|THEAD|TR|UL|OL|DL)$/.test(node.parentElement!.tagName))) found.push({ node, from, to });
  }
  return found;
}
