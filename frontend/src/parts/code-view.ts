/**
 * `<preceptor-code-view>`: code to read, to write, or as a change (one column or two), with marks on lines.
 *
 * Emits `text-changed` {text} and, where `marking`, `lines-chosen` {line, line_end}. Tab indents while writing; Esc and
 * then Tab leaves, which its label says. Lives in a shadow root, where a strict content policy allows its styles.
 */
import { defaultKeymap, history, historyKeymap, indentWithTab } from "@codemirror/commands";
import { bracketMatching, HighlightStyle, indentOnInput, indentUnit, syntaxHighlighting, type LanguageSupport } from "@codemirror/language";
import { MergeView, unifiedMergeView } from "@codemirror/merge";
import { Compartment, EditorState, RangeSet, StateEffect, StateField, type Extension } from "@codemirror/state";
import { Decoration, drawSelection, EditorView, gutterLineClass, GutterMarker, highlightActiveLine, highlightActiveLineGutter, highlightSpecialChars, keymap, lineNumbers, type DecorationSet } from "@codemirror/view";
import { tags } from "@lezer/highlight";
import { LitElement, type PropertyValues } from "lit";

export interface ShownMark {
  line: number;
  line_end: number;
  tone: string;
}
export type Layout = "plain" | "unified" | "split";

const LANGUAGES: Record<string, () => Promise<LanguageSupport>> = {
  python: () => import("@codemirror/lang-python").then((found) => found.python()),
  javascript: () => import("@codemirror/lang-javascript").then((found) => found.javascript()),
  json: () => import("@codemirror/lang-json").then((found) => found.json()),
  markdown: () => import("@codemirror/lang-markdown").then((found) => found.markdown()),
  xml: () => import("@codemirror/lang-xml").then((found) => found.xml()),
};
const BY_ENDING: Record<string, string> = { py: "python", js: "javascript", mjs: "javascript", ts: "javascript", json: "json", md: "markdown", xml: "xml", html: "xml", svg: "xml" };
const SMALL_COLLAPSE = { margin: 4, minSize: 8 };

const colours = HighlightStyle.define([
  { tag: [tags.keyword, tags.operatorKeyword, tags.modifier], color: "var(--p-brand-ink)", fontWeight: "600" },
  { tag: [tags.string, tags.special(tags.string), tags.regexp], color: "var(--p-action-ink)" },
  { tag: [tags.number, tags.bool, tags.null, tags.atom], color: "var(--p-attention-ink)" },
  { tag: [tags.comment, tags.docString], color: "var(--p-muted)", fontStyle: "italic" },
  { tag: [tags.function(tags.variableName), tags.function(tags.definition(tags.variableName)), tags.definition(tags.className)], fontWeight: "600" },
  { tag: tags.invalid, color: "var(--p-harm-ink)" },
]);

const theme = EditorView.theme({
  "&": { height: "100%", backgroundColor: "var(--color-base-100)", color: "var(--color-base-content)", fontSize: "0.8438rem" },
  "&.cm-focused": { outline: "2px solid var(--color-primary)", outlineOffset: "-2px" },
  ".cm-scroller": { fontFamily: "var(--font-mono, 'JetBrains Mono Variable', monospace)", lineHeight: "1.5", overflow: "auto", fontVariantLigatures: "none" },
  ".cm-content": { caretColor: "var(--color-base-content)", padding: "0.4rem 0" },
  ".cm-cursor": { borderLeftColor: "var(--color-base-content)" },
  ".cm-gutters": { backgroundColor: "var(--color-base-200)", color: "var(--p-muted)", borderRight: "1px solid var(--p-line)" },
  ".cm-activeLine": { backgroundColor: "color-mix(in oklab, var(--p-brand-soft) 55%, transparent)" },
  ".cm-activeLineGutter": { backgroundColor: "var(--p-brand-soft)", color: "var(--p-brand-ink)" },
  "&.cm-focused > .cm-scroller > .cm-selectionLayer .cm-selectionBackground, .cm-selectionBackground": { backgroundColor: "color-mix(in oklab, var(--color-primary) 28%, transparent)" },
  ".cm-matchingBracket": { backgroundColor: "var(--p-action-soft)", outline: "1px solid var(--color-primary)" },
  "&.cm-merge-a .cm-changedLine, .cm-deletedChunk": { backgroundColor: "var(--p-harm-soft)" },
  "&.cm-merge-b .cm-changedLine, .cm-inlineChangedLine, .cm-insertedLine": { backgroundColor: "var(--p-action-soft)" },
  "&.cm-merge-a .cm-changedText, .cm-deletedChunk .cm-deletedText": { background: "none", boxShadow: "inset 0 -2px 0 var(--color-error)" },
  "&.cm-merge-b .cm-changedText, .cm-insertedLine .cm-changedText": { background: "none", boxShadow: "inset 0 -2px 0 var(--color-primary)" },
  "&.cm-merge-a .cm-changedLineGutter, .cm-deletedLineGutter": { background: "var(--color-error)" },
  "&.cm-merge-b .cm-changedLineGutter": { background: "var(--color-primary)" },
  ".cm-collapsedLines": { background: "var(--color-base-300) !important", color: "var(--p-muted) !important" },
  ".cm-mark-minor": { backgroundColor: "var(--p-brand-soft)" },
  ".cm-mark-major": { backgroundColor: "var(--p-attention-soft)" },
  ".cm-mark-critical": { backgroundColor: "var(--p-harm-soft)" },
  ".cm-mark-open": { backgroundColor: "var(--color-base-300)" },
  ".cm-lineNumbers .cm-gutterElement.cm-marked": { color: "var(--p-harm-ink)", fontWeight: "700", borderRight: "3px solid var(--color-error)" },
  "&[data-marking] .cm-lineNumbers .cm-gutterElement": { cursor: "pointer" },
});

const HOST_CSS = `
:host { display: block; min-height: 0; min-width: 0; }
.host { height: 100%; }
.cm-mergeView { height: 100%; overflow: auto; background: var(--color-base-100); }
.cm-mergeViewEditor { min-width: 0; }
.cm-mergeViewEditor + .cm-mergeViewEditor { border-inline-start: 1px solid var(--p-line); }
.cm-mergeView .cm-editor, .cm-mergeView .cm-scroller { height: auto !important; overflow: visible !important; }
.cm-mergeView .cm-scroller { overflow-x: auto !important; }
.cm-collapsedLines::before, .cm-collapsedLines::after { content: "⋯" !important; }
`;

/**
 * Text typed over a selection is put in by us: the browser would give it the style of what stood there as an inline
 * attribute, which the content policy refuses.
 */
const plainReplacing = EditorView.domEventHandlers({
  beforeinput: (event, view) => {
    if (event.inputType !== "insertText" || event.data === null || view.composing || view.state.selection.main.empty) return false;
    view.dispatch(view.state.replaceSelection(event.data), { userEvent: "input.type", scrollIntoView: true });
    event.preventDefault();
    return true;
  },
});

class MarkedLine extends GutterMarker {
  override elementClass = "cm-marked";
}
const marked = new MarkedLine();
const setMarks = StateEffect.define<ShownMark[]>();

function markDecorations(state: EditorState, marks: readonly ShownMark[]): { lines: DecorationSet; gutter: RangeSet<GutterMarker> } {
  const tones = new Map<number, string>();
  for (const mark of marks) for (let line = mark.line; line <= Math.min(mark.line_end, state.doc.lines); line++) tones.set(line, mark.tone);
  const starts = [...tones].sort(([a], [b]) => a - b).map(([line, tone]) => [state.doc.line(line).from, tone] as const);
  return {
    lines: Decoration.set(starts.map(([at, tone]) => Decoration.line({ class: `cm-mark-${tone}` }).range(at))),
    gutter: RangeSet.of(starts.map(([at]) => marked.range(at))),
  };
}

const markField = StateField.define<ReturnType<typeof markDecorations>>({
  create: (state) => markDecorations(state, []),
  update: (value, change) => {
    for (const effect of change.effects) if (effect.is(setMarks)) return markDecorations(change.state, effect.value);
    return value;
  },
  provide: (field) => [EditorView.decorations.from(field, (value) => value.lines), gutterLineClass.from(field, (value) => value.gutter)],
});

export class PreceptorCodeView extends LitElement {
  static override properties = {
    text: { attribute: false },
    original: { attribute: false },
    path: {},
    language: {},
    label: {},
    layout: {},
    writable: { type: Boolean },
    marking: { type: Boolean },
    marks: { attribute: false },
  };
  declare text: string;
  /** What a change is shown against; null shows the text alone. */
  declare original: string | null;
  declare path: string;
  declare language: string;
  declare label: string;
  declare layout: Layout;
  declare writable: boolean;
  /** Lines can be chosen: by the numbers, or with the key m. */
  declare marking: boolean;
  declare marks: ShownMark[];

  #view: EditorView | null = null;
  #merge: MergeView | null = null;
  #languages = new Compartment();
  #from: number | null = null;

  constructor() {
    super();
    this.text = "";
    this.original = null;
    this.path = "";
    this.language = "";
    this.label = "Code";
    this.layout = "plain";
    this.writable = false;
    this.marking = false;
    this.marks = [];
  }

  protected override createRenderRoot(): ShadowRoot {
    const root = this.attachShadow({ mode: "open", delegatesFocus: true });
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(HOST_CSS);
    root.adoptedStyleSheets = [sheet];
    const host = document.createElement("div");
    host.className = "host";
    root.append(host);
    return root;
  }

  override focus(): void {
    this.#view?.focus();
  }

  /** Put the cursor on a line and bring it into view. */
  goTo(line: number): void {
    if (!this.#view) return;
    const at = this.#view.state.doc.line(Math.max(1, Math.min(line, this.#view.state.doc.lines))).from;
    this.#view.dispatch({ selection: { anchor: at }, effects: EditorView.scrollIntoView(at, { y: "center" }) });
    this.#view.focus();
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.#close();
  }

  override connectedCallback(): void {
    super.connectedCallback();
    if (this.hasUpdated) this.#open();
  }

  #close(): void {
    this.#merge?.destroy();
    if (!this.#merge) this.#view?.destroy();
    this.#merge = this.#view = null;
  }

  protected override updated(changed: PropertyValues<this>): void {
    const anew = ["original", "layout", "path", "language", "writable", "marking", "label"].some((name) => changed.has(name as keyof PreceptorCodeView));
    if (!this.#view || anew) this.#open();
    else if (changed.has("text") && this.text !== this.#view.state.doc.toString()) this.#replace();
    if (this.#view && (anew || changed.has("marks") || changed.has("text"))) this.#view.dispatch({ effects: setMarks.of(this.marks) });
  }

  #replace(): void {
    this.#view!.dispatch({ changes: { from: 0, to: this.#view!.state.doc.length, insert: this.text } });
  }

  #open(): void {
    this.#close();
    const [root, parent] = [this.shadowRoot!, this.shadowRoot!.querySelector(".host")!];
    const original = this.original;
    if (this.layout === "split" && original !== null) {
      this.#merge = new MergeView({
        root,
        parent,
        a: { doc: original, extensions: this.#extensions(`${this.label}, before`, false) },
        b: { doc: this.text, extensions: this.#extensions(`${this.label}, after`, true) },
        collapseUnchanged: SMALL_COLLAPSE,
        gutter: true,
      });
      this.#view = this.#merge.b;
    } else {
      const unified = this.layout !== "plain" && original !== null ? [unifiedMergeView({ original, mergeControls: false, collapseUnchanged: SMALL_COLLAPSE })] : [];
      this.#view = new EditorView({ root, parent, state: EditorState.create({ doc: this.text, extensions: [this.#extensions(this.label, true), unified] }) });
    }
    this.#view.dispatch({ effects: setMarks.of(this.marks) });
    void this.#highlight();
  }

  async #highlight(): Promise<void> {
    const ending = this.path.split(".").pop() ?? "";
    const load = LANGUAGES[BY_ENDING[ending] ?? this.language];
    if (!load) return;
    const support = await load();
    for (const view of [this.#merge?.a, this.#view]) view?.dispatch({ effects: this.#languages.reconfigure(support) });
  }

  #extensions(label: string, main: boolean): Extension {
    const writable = this.writable && main;
    const hint = writable ? "; Escape and then Tab leaves the editor" : this.marking && main ? "; m marks the line or the selected lines" : "";
    return [
      lineNumbers({ domEventHandlers: main && this.marking ? this.#gutterEvents() : {} }),
      highlightActiveLineGutter(),
      highlightActiveLine(),
      highlightSpecialChars(),
      drawSelection(),
      bracketMatching(),
      this.#languages.of([]),
      syntaxHighlighting(colours),
      theme,
      main ? markField : [],
      writable ? [] : EditorView.lineWrapping,
      EditorView.editorAttributes.of(main && this.marking ? { "data-marking": "" } : {}),
      EditorView.contentAttributes.of({ "aria-label": label + hint, "aria-readonly": String(!writable), tabindex: "0", autocapitalize: "off", spellcheck: "false" }),
      EditorState.readOnly.of(!writable),
      writable ? [history(), plainReplacing, indentOnInput(), indentUnit.of("    "), EditorState.tabSize.of(4), keymap.of([indentWithTab, ...historyKeymap, ...defaultKeymap]), EditorView.updateListener.of(this.#typed)] : keymap.of(main && this.marking ? [...this.#markKeys(), ...defaultKeymap] : defaultKeymap),
    ];
  }

  readonly #typed = (update: { docChanged: boolean; state: EditorState }): void => {
    const text = update.state.doc.toString();
    if (!update.docChanged || text === this.text) return;
    this.text = text;
    this.dispatchEvent(new CustomEvent("text-changed", { detail: { text }, bubbles: true, composed: true }));
  };

  #markKeys() {
    const choose = (view: EditorView): boolean => {
      const { from, to } = view.state.selection.main;
      const [first, last] = [view.state.doc.lineAt(from), view.state.doc.lineAt(to)];
      this.#chosen(first.number, to > from && last.from === to ? last.number - 1 : last.number);
      return true;
    };
    return [{ key: "m", run: choose }, { key: "Enter", run: choose }];
  }

  #gutterEvents(): Record<string, (view: EditorView, line: { from: number }, event: Event) => boolean> {
    const number = (view: EditorView, line: { from: number }) => view.state.doc.lineAt(line.from).number;
    return {
      mousedown: (view, line, event) => {
        const at = number(view, line);
        if ((event as MouseEvent).shiftKey && this.#from !== null) this.#chosen(Math.min(this.#from, at), Math.max(this.#from, at));
        else this.#from = at;
        return true;
      },
      mouseup: (view, line, event) => {
        const at = number(view, line);
        if (!(event as MouseEvent).shiftKey && this.#from !== null) this.#chosen(Math.min(this.#from, at), Math.max(this.#from, at));
        return true;
      },
    };
  }

  #chosen(line: number, line_end: number): void {
    this.dispatchEvent(new CustomEvent("lines-chosen", { detail: { line, line_end }, bubbles: true, composed: true }));
  }
}

if (!customElements.get("preceptor-code-view")) customElements.define("preceptor-code-view", PreceptorCodeView);
