/**
 * `<preceptor-markdown-editor>`: writes Markdown with toolbar, live preview, find, spelling, and tracked changes.
 *
 * Emits `text-changed` {text} at every change (long texts: when the typing pauses; `flush` hurries it), and
 * `tracked` {tracked} where there is a `baseline`. Tab moves lines in lists and code; Esc and then Tab leaves the
 * editor, which its label says. Ctrl-Enter is left to the page.
 */
import { defaultKeymap, history, historyKeymap, indentLess, indentMore } from "@codemirror/commands";
import { indentUnit } from "@codemirror/language";
import { highlightSelectionMatches, openSearchPanel, search, searchKeymap } from "@codemirror/search";
import { Compartment, EditorState, Prec, type Extension, type Text } from "@codemirror/state";
import { drawSelection, dropCursor, EditorView, keymap, placeholder, type KeyBinding } from "@codemirror/view";
import { html, LitElement, nothing, type PropertyValues, type TemplateResult } from "lit";
import { unsafeHTML } from "lit/directives/unsafe-html.js";
import { adopt, icon, memory } from "../lib/dom";
import { htmlToMarkdown } from "../lib/html-to-markdown";
import { Preview, PREVIEW_URL } from "../lib/preview";
import type { Shortcut } from "../lib/view";
import { characters, words } from "../lib/writing";
import css from "../styles/parts/markdown-editor.css?inline";
import { fence, heading, link, list, table, wrap } from "./markdown-commands";
import { markdownLook } from "./markdown-language";
import { neighbour, revert, track, trackedChanges, type Change, type Tracked } from "./tracked-changes";

type Pane = "none" | "preview" | "changes";
interface Tool {
  name: string;
  key: string;
  shown: string;
  icon: () => TemplateResult;
  run: (view: EditorView) => boolean;
}

/** Ctrl-Enter submits the task, Alt-Enter and Alt-Shift-arrows are about turns; Ctrl-I is italic. */
const LEFT_TO_THE_PAGE = new Set(["Mod-Enter", "Mod-i", "Alt-Enter", "Shift-Alt-ArrowUp", "Shift-Alt-ArrowDown"]);
/** Texts up to here are reported at every key; longer ones when the typing pauses. */
const SMALL = 20_000;
const PAUSE_MS = 250;
const SPLIT_MIN_PX = 620;

const TOOLS: Tool[] = [
  { name: "Heading", key: "Mod-Shift-h", shown: "Ctrl Shift H", icon: () => icon("heading"), run: heading },
  { name: "Bold", key: "Mod-b", shown: "Ctrl B", icon: () => icon("bold"), run: wrap("**") },
  { name: "Italic", key: "Mod-i", shown: "Ctrl I", icon: () => icon("italic"), run: wrap("_") },
  { name: "Code", key: "Mod-e", shown: "Ctrl E", icon: () => icon("code"), run: fence("`", "```", "```") },
  { name: "Formula", key: "Mod-Shift-e", shown: "Ctrl Shift E", icon: () => icon("sigma"), run: fence("$", "$$", "$$") },
  { name: "List", key: "Mod-Shift-8", shown: "Ctrl Shift 8", icon: () => icon("list"), run: list(false) },
  { name: "Numbered list", key: "Mod-Shift-7", shown: "Ctrl Shift 7", icon: () => icon("list-ordered"), run: list(true) },
  { name: "Link", key: "Mod-Shift-k", shown: "Ctrl Shift K", icon: () => icon("link"), run: link },
  { name: "Table", key: "Mod-Shift-9", shown: "Ctrl Shift 9", icon: () => icon("table"), run: table },
];

/** For the shortcut sheet of elements that write. */
export const EDITOR_SHORTCUTS: Shortcut[] = [
  ...TOOLS.map(({ name, shown }) => ({ keys: shown, words: name })),
  { keys: "Ctrl F", words: "Find in the text" },
  { keys: "Alt P", words: "Preview" },
  { keys: "Esc, Tab", words: "Leave the editor" },
];
export const CHANGES_SHORTCUTS: Shortcut[] = [
  { keys: "F8", words: "Next change (Shift: the one before)" },
  { keys: "Alt R", words: "Take the change at the cursor back" },
];

export class PreceptorMarkdownEditor extends LitElement {
  static override properties = {
    value: { attribute: false },
    label: {},
    placeholder: {},
    readonly: { type: Boolean },
    baseline: { attribute: false },
    previewUrl: { attribute: false },
    compact: { type: Boolean, reflect: true },
    pane: { state: true },
    counts: { state: true },
    tracked: { state: true },
    wide: { state: true },
  };
  declare value: string;
  declare label: string;
  declare placeholder: string;
  declare readonly: boolean;
  /** The text that changes are shown against; null shows none. */
  declare baseline: string | null;
  declare previewUrl: string;
  /** For short fields: without heading and table tools, as high as its text. */
  declare compact: boolean;
  declare protected pane: Pane;
  declare protected counts: { words: number; characters: number };
  declare protected tracked: Tracked | null;
  declare protected wide: boolean;

  #view: EditorView | null = null;
  #preview: Preview | null = null;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #resize: ResizeObserver | null = null;
  #measured = false;
  #focusWanted = false;
  #trackedOf: Text | null = null;
  readonly #editable = new Compartment();
  readonly #tracking = new Compartment();
  readonly #named = new Compartment();

  constructor() {
    super();
    this.value = "";
    this.label = "Text";
    this.placeholder = "";
    this.readonly = false;
    this.baseline = null;
    this.previewUrl = PREVIEW_URL;
    this.compact = false;
    this.pane = "none";
    this.counts = { words: 0, characters: 0 };
    this.tracked = null;
    // Until it is measured: what is hidden cannot be focused.
    this.wide = true;
    adopt(css);
  }

  protected override createRenderRoot(): HTMLElement {
    return this;
  }

  override connectedCallback(): void {
    super.connectedCallback();
    const kept = memory.get(this.compact ? "" : "editor-pane");
    if (!this.compact) this.pane = this.baseline !== null ? "changes" : kept === "none" ? "none" : "preview";
    this.#resize = new ResizeObserver(([entry]) => {
      const wide = entry!.contentRect.width >= SPLIT_MIN_PX;
      // Without room for both the text comes first.
      if (!wide && (this.wide || !this.#measured)) this.pane = "none";
      this.#measured = true;
      this.wide = wide;
    });
    this.#resize.observe(this);
    // Taken out of the page and put back, as lists do when they reorder.
    if (this.hasUpdated && !this.#view) this.#start();
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.flush();
    this.#resize?.disconnect();
    this.#preview?.stop();
    this.#view?.destroy();
    this.#view = null;
  }

  /** Report what was typed last now. */
  flush(): void {
    if (this.#timer === undefined) return;
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#report();
  }

  /** Also before the editor stands: nothing that is typed meanwhile gets lost. */
  override focus(): void {
    this.#focusWanted = this.#view === null;
    this.#view?.focus();
  }

  /** Put the cursor on the first place where the words stand. */
  show(found: string): void {
    const view = this.#view;
    if (!view) return;
    const text = view.state.doc.toString();
    const bare = found.replace(/…$/, "");
    const at = text.toLowerCase().indexOf(bare.toLowerCase());
    // Line ends of the text are spaces in what was found.
    const spaced = at < 0 ? text.replace(/\s/g, " ").toLowerCase().indexOf(bare.toLowerCase()) : at;
    this.#toWrite();
    if (spaced >= 0) view.dispatch({ selection: { anchor: spaced, head: spaced + bare.length }, scrollIntoView: true });
    view.focus();
  }

  protected override firstUpdated(): void {
    this.#preview = new Preview(() => this.requestUpdate(), this.previewUrl);
    this.#start();
  }

  #start(): void {
    const host = this.querySelector<HTMLElement>(".mde-area")!;
    // In a shadow root the editor brings its styles as constructed sheets, which a strict content policy allows.
    const root = host.shadowRoot ?? host.attachShadow({ mode: "open" });
    const help = document.createElement("p");
    help.id = "help";
    help.hidden = true;
    help.textContent = "Markdown. Press Escape and then Tab to leave the editor.";
    root.replaceChildren(help);
    this.#view = new EditorView({ root, parent: root, state: EditorState.create({ doc: this.value, extensions: this.#extensions() }) });
    this.#count();
    if (this.#focusWanted) this.focus();
  }

  #extensions(): Extension {
    return [
      Prec.high(keymap.of(this.#keys())),
      history(),
      drawSelection(),
      dropCursor(),
      search({ top: true }),
      highlightSelectionMatches({ minSelectionLength: 3 }),
      EditorView.lineWrapping,
      EditorState.tabSize.of(4),
      indentUnit.of("  "),
      markdownLook(),
      keymap.of([...defaultKeymap.filter((binding) => !LEFT_TO_THE_PAGE.has(binding.key ?? "")), ...historyKeymap, ...searchKeymap]),
      placeholder(this.placeholder),
      this.#named.of(this.#nameExtension()),
      EditorView.contentAttributes.of({ "aria-describedby": "help", spellcheck: "true", autocorrect: "on", autocapitalize: "sentences", "aria-multiline": "true" }),
      EditorView.domEventHandlers({ paste: (event, view) => this.#paste(event, view), blur: () => this.flush() }),
      EditorView.updateListener.of((update) => update.docChanged && this.#typed(update.state.doc.length)),
      this.#editable.of(this.#readonlyExtension()),
      this.#tracking.of(this.#trackingExtension()),
    ];
  }

  #nameExtension(): Extension {
    return EditorView.contentAttributes.of({ "aria-label": this.label });
  }

  #readonlyExtension(): Extension {
    return [EditorState.readOnly.of(this.readonly), EditorView.editable.of(!this.readonly)];
  }

  #trackingExtension(): Extension {
    if (this.baseline === null) return [];
    return trackedChanges(this.baseline, (tracked) => this.#nowTracked(tracked));
  }

  #nowTracked(tracked: Tracked): void {
    this.#trackedOf = this.#view?.state.doc ?? null;
    this.tracked = tracked;
    this.dispatchEvent(new CustomEvent("tracked", { detail: { tracked } }));
  }

  /** The changes of the text as it now stands: a key may come before the last letter was compared. */
  #changes(view: EditorView): readonly Change[] {
    if (this.baseline === null) return [];
    if (this.#trackedOf !== view.state.doc) this.#nowTracked(track(this.baseline, view.state.doc.toString()));
    return this.tracked?.changes ?? [];
  }

  #keys(): KeyBinding[] {
    return [
      ...TOOLS.map(({ key, run }) => ({ key, run, preventDefault: true })),
      { key: "Tab", run: (view) => movesLines(view) && indentMore(view), shift: (view) => movesLines(view) && indentLess(view) },
      { key: "Alt-p", run: () => (this.#show(this.pane === "preview" ? "none" : "preview"), true) },
      { key: "F8", run: (view) => this.#toChange(view, 1), shift: (view) => this.#toChange(view, -1) },
      { key: "Alt-r", run: (view) => this.#revertHere(view) },
    ];
  }

  protected override updated(changed: PropertyValues<this>): void {
    const view = this.#view;
    if (!view) return;
    if (changed.has("value") && this.#timer === undefined && view.state.doc.toString() !== this.value) {
      view.dispatch({ changes: { from: 0, to: view.state.doc.length, insert: this.value } });
      this.flush();
    }
    if (changed.has("label") && changed.get("label") !== undefined) view.dispatch({ effects: this.#named.reconfigure(this.#nameExtension()) });
    if (changed.has("readonly") && changed.get("readonly") !== undefined) view.dispatch({ effects: this.#editable.reconfigure(this.#readonlyExtension()) });
    if (changed.has("baseline") && changed.get("baseline") !== undefined) view.dispatch({ effects: this.#tracking.reconfigure(this.#trackingExtension()) });
    if (this.pane === "preview") this.#preview?.want(view.state.doc.toString());
  }

  #typed(length: number): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (length <= SMALL) this.#report();
    else this.#timer = setTimeout(() => this.flush(), PAUSE_MS);
  }

  #report(): void {
    const text = this.#view!.state.doc.toString();
    this.#count();
    if (text === this.value) return;
    this.value = text;
    this.dispatchEvent(new CustomEvent("text-changed", { detail: { text } }));
  }

  #count(): void {
    const text = this.#view!.state.doc.toString();
    this.counts = { words: words(text), characters: characters(text) };
  }

  #paste(event: ClipboardEvent, view: EditorView): boolean {
    const source = event.clipboardData?.getData("text/html");
    if (!source || view.state.readOnly || inCode(view)) return false;
    const text = htmlToMarkdown(source);
    if (text === null || !text) return false;
    event.preventDefault();
    view.dispatch(view.state.replaceSelection(text), { userEvent: "input.paste", scrollIntoView: true });
    return true;
  }

  #show(pane: Pane): void {
    this.pane = pane;
    if (!this.compact && this.baseline === null) memory.set("editor-pane", pane);
  }

  /** On narrow screens a pane stands before the text: give the text back. */
  #toWrite(): void {
    if (!this.wide && this.pane !== "none") this.#show("none");
  }

  #toChange(view: EditorView, step: 1 | -1): boolean {
    const change = neighbour(this.#changes(view), view.state.selection.main.from, step);
    if (!change) return false;
    view.dispatch({ selection: { anchor: change.from, head: change.to }, scrollIntoView: true });
    return true;
  }

  #revertHere(view: EditorView): boolean {
    const { from, to } = view.state.selection.main;
    const change = this.#changes(view).find((each) => each.from <= to && each.to >= from);
    if (change) revert(view, change);
    return change !== undefined;
  }

  #run(tool: Tool): void {
    this.#toWrite();
    tool.run(this.#view!);
    this.#view!.focus();
  }

  #toolbarKeys(event: KeyboardEvent): void {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!step) return;
    const buttons = [...this.querySelectorAll<HTMLButtonElement>(".mde-tools button")];
    const at = buttons.indexOf(event.target as HTMLButtonElement);
    buttons[(at + step + buttons.length) % buttons.length]?.focus();
    event.preventDefault();
  }

  protected override render(): TemplateResult {
    const side = this.pane !== "none";
    return html`<div class="mde" ?data-readonly=${this.readonly} data-pane=${this.pane} ?data-wide=${this.wide}>
      ${this.readonly ? nothing : this.#renderBar()}
      <div class="mde-body">
        <div class="mde-area" ?hidden=${side && !this.wide} @keydown=${this.#passOn}></div>
        ${this.pane === "preview" ? this.#renderPreview() : this.pane === "changes" ? this.#renderChanges() : nothing}
      </div>
    </div>`;
  }

  /** Escape belongs to the editor (it lets go of Tab); it must not close or leave anything around it. */
  #passOn(event: KeyboardEvent): void {
    if (event.key === "Escape") event.stopPropagation();
  }

  #renderBar(): TemplateResult {
    const tools = this.compact ? TOOLS.filter(({ name }) => !["Heading", "Table", "Numbered list"].includes(name)) : TOOLS;
    return html`<div class="mde-bar">
      <div class="mde-tools" role="toolbar" aria-label="Format" @keydown=${this.#toolbarKeys}>
        ${tools.map((tool, at) => html`<button type="button" class="mde-tool" tabindex=${at ? -1 : 0} title="${tool.name} (${tool.shown})" aria-label=${tool.name} aria-keyshortcuts=${tool.shown.replaceAll(" ", "+").replace("Ctrl", "Control")} @mousedown=${(event: Event) => event.preventDefault()} @click=${() => this.#run(tool)}>${tool.icon()}</button>`)}
        <button type="button" class="mde-tool" tabindex="-1" title="Find (Ctrl F)" aria-label="Find" @click=${() => (this.#toWrite(), openSearchPanel(this.#view!))}>${icon("search")}</button>
      </div>
      <span class="mde-counts num" aria-live="off">${this.counts.words.toLocaleString("en")} word${this.counts.words === 1 ? "" : "s"}<span class="mde-chars"> · ${this.counts.characters.toLocaleString("en")} characters</span></span>
      <div class="mde-panes" role="group" aria-label="Beside the text">
        ${this.baseline === null ? nothing : this.#renderToggle("changes", "Changes", icon("git-compare"))}
        ${this.#renderToggle("preview", "Preview", icon("eye"))}
      </div>
    </div>`;
  }

  #renderToggle(pane: Pane, words: string, sign: TemplateResult): TemplateResult {
    const on = this.pane === pane;
    return html`<button type="button" class="mde-tool mde-toggle" aria-pressed=${on} title=${pane === "preview" ? "Preview (Alt P)" : words} @click=${() => this.#show(on ? "none" : pane)}>${sign}<span>${words}</span></button>`;
  }

  #renderPreview(): TemplateResult {
    const { html: shown = "", problem = "" } = this.#preview ?? {};
    return html`<div class="mde-pane" tabindex="0" role="region" aria-label="Preview of ${this.label.toLowerCase()}">
      ${problem ? html`<p class="note" data-tone="warning">${problem}</p>` : nothing}
      ${shown ? html`<div class="reading">${unsafeHTML(shown)}</div>` : problem ? nothing : html`<p class="text-muted text-sm">What you write appears here as readers will see it.</p>`}
    </div>`;
  }

  #renderChanges(): TemplateResult {
    const { changes = [], sums } = this.tracked ?? {};
    return html`<div class="mde-pane" tabindex="0" role="region" aria-label="Changes">
      <p class="text-sm font-semibold num" role="status">${sums && changes.length ? html`${sums.words_inserted} words added, ${sums.words_deleted} removed · ${percent(sums.share)} changed` : "Nothing is changed yet."}</p>
      <ol class="mde-changes">${changes.slice(0, CHANGES_MAX).map((change) => this.#renderChange(change))}</ol>
      ${changes.length > CHANGES_MAX ? html`<p class="text-sm text-muted">and ${changes.length - CHANGES_MAX} more</p>` : nothing}
    </div>`;
  }

  #renderChange(change: Change): TemplateResult {
    const place = () => {
      this.#toWrite();
      this.#view!.dispatch({ selection: { anchor: change.from, head: change.to }, scrollIntoView: true });
      this.#view!.focus();
    };
    return html`<li>
      <button type="button" class="mde-change" @click=${place}>${change.deleted ? html`<del>${excerpt(change.deleted)}</del>` : nothing}${change.inserted ? html`<ins>${excerpt(change.inserted)}</ins>` : nothing}</button>
      ${this.readonly ? nothing : html`<button type="button" class="btn btn-quiet btn-xs" aria-label="Take back: ${excerpt(change.deleted || change.inserted)}" title="Take this change back" @click=${() => revert(this.#view!, change)}>${icon("undo-2")}<span class="max-lg:sr-only">Take back</span></button>`}
    </li>`;
  }
}

const CHANGES_MAX = 200;
const EXCERPT_MAX = 90;

/** Tab moves lines where that means something: in lists, code and selections of lines. Elsewhere it goes on to the next field. */
function movesLines(view: EditorView): boolean {
  const { from, to } = view.state.selection.main;
  const line = view.state.doc.lineAt(from);
  if (to > line.to || /^\s*(?:[-*+]|\d+[.)]) /.test(line.text)) return true;
  return inCode(view);
}

/** Whether the cursor stands in a code fence. */
function inCode(view: EditorView): boolean {
  const before = view.state.sliceDoc(0, view.state.selection.main.from);
  return (before.match(/^ {0,3}(?:```|~~~)/gm)?.length ?? 0) % 2 === 1;
}

/** 0.4 % is not 0 %. */
export function percent(share: number): string {
  const hundredths = share * 100;
  return `${hundredths > 0 && hundredths < 1 ? "under 1" : Math.round(hundredths)} %`;
}

function excerpt(text: string): string {
  const flat = text.replace(/\n/g, "¶");
  return flat.length <= EXCERPT_MAX ? flat : `${flat.slice(0, EXCERPT_MAX - 1)}…`;
}

if (!customElements.get("preceptor-markdown-editor")) customElements.define("preceptor-markdown-editor", PreceptorMarkdownEditor);
