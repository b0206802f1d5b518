/**
 * `<preceptor-turns>`: writes a conversation turn by turn. One turn is open in the editor, the others show what
 * readers will see. Turns are added, removed (and brought back), reordered by keys and by drag.
 *
 * Emits `turns-changed` {turns}. With `readonly` it shows a conversation.
 */
import { html, LitElement, nothing, type PropertyValues, type TemplateResult } from "lit";
import { repeat } from "lit/directives/repeat.js";
import { unsafeHTML } from "lit/directives/unsafe-html.js";
import { adopt, icon, kbd } from "../lib/dom";
import type { Speaker, Turn } from "../lib/limits";
import { PREVIEW_URL, renderMarkdown } from "../lib/preview";
import css from "../styles/parts/turns-editor.css?inline";
import "./markdown-editor";
import type { PreceptorMarkdownEditor } from "./markdown-editor";

const NAMES: Record<Speaker, string> = { system: "System", user: "User", assistant: "Assistant" };

/** A turn with a name of its own, so that it keeps its place in the page while turns move. */
interface Kept extends Turn {
  id: number;
}

export class PreceptorTurns extends LitElement {
  static override properties = {
    turns: { attribute: false },
    earlier: { attribute: false },
    system: { type: Boolean },
    most: { attribute: false },
    readonly: { type: Boolean },
    previewUrl: { attribute: false },
    kept: { state: true },
    open: { state: true },
    removed: { state: true },
    over: { state: true },
    html: { state: true },
  };
  declare turns: Turn[];
  /** Roles of the conversation that the turns go on from. */
  declare earlier: string[];
  /** Whether a system message may stand first. */
  declare system: boolean;
  declare most: number;
  declare readonly: boolean;
  declare previewUrl: string;
  declare protected kept: Kept[];
  declare protected open: number | null;
  declare protected removed: { turn: Kept; at: number } | null;
  declare protected over: number | null;
  /** Rendered turns by their text. */
  declare protected html: ReadonlyMap<string, string>;
  #ids = 0;
  #dragged: number | null = null;
  #asked = new Set<string>();

  constructor() {
    super();
    this.turns = [];
    this.earlier = [];
    this.system = false;
    this.most = 200;
    this.readonly = false;
    this.previewUrl = PREVIEW_URL;
    this.kept = [];
    this.open = null;
    this.removed = null;
    this.over = null;
    this.html = new Map();
    adopt(css);
  }

  protected override createRenderRoot(): HTMLElement {
    return this;
  }

  protected override willUpdate(changed: PropertyValues<this>): void {
    if (!changed.has("turns")) return;
    const same = this.turns.length === this.kept.length && this.turns.every((turn, at) => turn.role === this.kept[at]!.role && turn.content === this.kept[at]!.content);
    if (!same) {
      this.kept = this.turns.map((turn) => ({ ...turn, id: ++this.#ids }));
      this.removed = null;
    }
    // A conversation begins with an open, empty turn rather than with nothing.
    if (!this.readonly && !this.hasUpdated) this.open = this.kept.at(-1)?.id ?? null;
  }

  protected override updated(): void {
    for (const turn of this.kept) if (turn.id !== this.open && turn.content.trim()) void this.#render(turn.content);
  }

  async #render(text: string): Promise<void> {
    if (this.html.has(text) || this.#asked.has(text)) return;
    this.#asked.add(text);
    const reply = await renderMarkdown(text, this.previewUrl);
    if ("html" in reply) this.html = new Map([...this.html, [text, reply.html]]);
  }

  override focus(): void {
    if (this.open === null && this.kept.length) this.#edit(this.kept.at(-1)!.id);
    else if (this.open === null) this.#add();
    else this.#editor?.focus();
  }

  /** Open a turn at the place where the words stand. */
  show(at: number, words: string): void {
    const turn = this.kept[at];
    if (!turn) return;
    this.open = turn.id;
    void this.updateComplete.then(() => this.#editor?.updateComplete).then(() => this.#editor?.show(words));
  }

  get #editor(): PreceptorMarkdownEditor | null {
    return this.querySelector("preceptor-markdown-editor");
  }

  #tell(kept: Kept[]): void {
    this.kept = kept;
    this.turns = kept.map(({ role, content }) => ({ role, content }));
    this.dispatchEvent(new CustomEvent("turns-changed", { detail: { turns: this.turns } }));
  }

  #edit(id: number): void {
    this.#editor?.flush();
    this.open = id;
    void this.updateComplete.then(() => this.#editor?.focus());
  }

  /** Whose turn it is after those that stand before `at`. */
  #next(at = this.kept.length): Speaker {
    const last = at ? this.kept[at - 1]!.role : (this.earlier.at(-1) ?? "");
    return last === "user" ? "assistant" : "user";
  }

  #add(at = this.kept.length, role: Speaker = this.#next(at)): void {
    if (this.kept.length >= this.most) return;
    this.#editor?.flush();
    const turn: Kept = { role, content: "", id: ++this.#ids };
    this.#tell(this.kept.toSpliced(at, 0, turn));
    this.#edit(turn.id);
  }

  #remove(id: number): void {
    this.#editor?.flush();
    const at = this.kept.findIndex((turn) => turn.id === id);
    this.removed = { turn: this.kept[at]!, at };
    if (this.open === id) this.open = null;
    this.#tell(this.kept.toSpliced(at, 1));
    void this.updateComplete.then(() => this.querySelector<HTMLElement>("[data-undo]")?.focus());
  }

  #restore(): void {
    if (!this.removed) return;
    const { turn, at } = this.removed;
    this.removed = null;
    this.#tell(this.kept.toSpliced(Math.min(at, this.kept.length), 0, turn));
    void this.updateComplete.then(() => this.#row(turn.id)?.focus());
  }

  #move(id: number, to: number): void {
    const at = this.kept.findIndex((turn) => turn.id === id);
    if (at < 0 || to < 0 || to >= this.kept.length || to === at) return;
    this.#editor?.flush();
    const [turn] = [this.kept[at]!];
    this.#tell(this.kept.toSpliced(at, 1).toSpliced(to, 0, turn));
    void this.updateComplete.then(() => (this.open === id ? this.#editor : this.#row(id))?.focus());
  }

  #change(id: number, part: Partial<Turn>): void {
    this.#tell(this.kept.map((turn) => (turn.id === id ? { ...turn, ...part } : turn)));
  }

  #row(id: number): HTMLElement | null {
    return this.querySelector(`[data-turn="${id}"]`);
  }

  #keys(event: KeyboardEvent, turn: Kept, at: number): void {
    const own = event.target === event.currentTarget;
    const run = event.altKey && event.key === "Enter" ? () => this.#add(at + 1)
      : event.altKey && event.shiftKey && event.key === "ArrowUp" ? () => this.#move(turn.id, at - 1)
      : event.altKey && event.shiftKey && event.key === "ArrowDown" ? () => this.#move(turn.id, at + 1)
      : own && event.key === "Enter" && !event.ctrlKey && !event.metaKey ? () => this.#edit(turn.id)
      : own && event.key === "Delete" ? () => this.#remove(turn.id)
      : own && event.key === "ArrowDown" ? () => this.#row(this.kept[at + 1]?.id ?? -1)?.focus()
      : own && event.key === "ArrowUp" ? () => this.#row(this.kept[at - 1]?.id ?? -1)?.focus()
      : null;
    if (!run) return;
    event.preventDefault();
    event.stopPropagation();
    run();
  }

  protected override render(): TemplateResult {
    if (this.readonly) return html`<ol class="turns">${this.kept.map((turn) => html`<li class="turn" data-role=${turn.role}><div class="turn-head"><span class="turn-role">${NAMES[turn.role]}</span></div>${this.#renderText(turn)}</li>`)}</ol>`;
    const next = this.#next();
    const full = this.kept.length >= this.most;
    return html`<ol class="turns" aria-label="Turns">${repeat(this.kept, (turn) => turn.id, (turn, at) => this.#renderTurn(turn, at))}</ol>
      ${this.removed ? html`<p class="note turn-undo" role="status"><span>Turn ${this.removed.at + 1} is removed.</span><button type="button" class="btn btn-quiet btn-xs" data-undo @click=${() => this.#restore()}>${icon("undo-2")}Bring it back</button></p>` : nothing}
      <div class="turn-add">
        <button type="button" class="btn btn-plain btn-sm" ?disabled=${full} @click=${() => this.#add()}>${icon("plus")}${NAMES[next]} turn <span class="max-md:hidden">${kbd("Alt ↵")}</span></button>
        <button type="button" class="btn btn-quiet btn-sm" ?disabled=${full} @click=${() => this.#add(this.kept.length, next === "user" ? "assistant" : "user")}>${icon("plus")}${NAMES[next === "user" ? "assistant" : "user"]} turn</button>
        ${this.system && !this.earlier.length && this.kept[0]?.role !== "system" ? html`<button type="button" class="btn btn-quiet btn-sm" ?disabled=${full} @click=${() => this.#add(0, "system")}>${icon("plus")}System message</button>` : nothing}
        <span class="text-sm text-muted num">${this.kept.length} turn${this.kept.length === 1 ? "" : "s"}</span>
      </div>`;
  }

  #renderTurn(turn: Kept, at: number): TemplateResult {
    const open = turn.id === this.open;
    const name = `${NAMES[turn.role].toLowerCase()} turn ${at + 1}`;
    return html`<li class="turn" data-turn=${turn.id} data-role=${turn.role} ?data-open=${open} ?data-over=${this.over === at} tabindex="0" aria-label="Turn ${at + 1}, ${NAMES[turn.role]}"
      @keydown=${(event: KeyboardEvent) => this.#keys(event, turn, at)}
      @dragover=${(event: DragEvent) => this.#dragOver(event, at)} @dragleave=${() => (this.over = null)} @drop=${(event: DragEvent) => this.#drop(event, at)}>
      <div class="turn-head" draggable="true" @dragstart=${(event: DragEvent) => this.#dragStart(event, turn.id)} @dragend=${() => ((this.#dragged = null), (this.over = null))}>
        <span class="turn-grip" title="Drag to move">${icon("grip-vertical")}</span>
        <span class="num text-sm text-muted">${at + 1}</span>
        <select class="turn-role" aria-label="Who speaks in turn ${at + 1}" .value=${turn.role} @change=${(event: Event) => this.#change(turn.id, { role: (event.target as HTMLSelectElement).value as Speaker })}>
          ${(Object.keys(NAMES) as Speaker[]).filter((role) => role !== "system" || this.system || turn.role === "system").map((role) => html`<option value=${role} ?selected=${role === turn.role}>${NAMES[role]}</option>`)}
        </select>
        <span class="turn-tools">
          ${open ? nothing : html`<button type="button" class="btn btn-quiet btn-xs" aria-label="Edit ${name}" @click=${() => this.#edit(turn.id)}>${icon("pencil")}Edit</button>`}
          <button type="button" class="btn btn-quiet btn-xs btn-square" aria-label="Move ${name} up" ?disabled=${at === 0} @click=${() => this.#move(turn.id, at - 1)}>${icon("chevron-up")}</button>
          <button type="button" class="btn btn-quiet btn-xs btn-square" aria-label="Move ${name} down" ?disabled=${at === this.kept.length - 1} @click=${() => this.#move(turn.id, at + 1)}>${icon("chevron-down")}</button>
          <button type="button" class="btn btn-quiet btn-xs btn-square" aria-label="Remove ${name}" @click=${() => this.#remove(turn.id)}>${icon("trash-2")}</button>
        </span>
      </div>
      ${open
        ? html`<div class="turn-editor"><preceptor-markdown-editor .value=${turn.content} .label=${`Turn ${at + 1}, ${NAMES[turn.role]}`} .previewUrl=${this.previewUrl} placeholder="What the ${turn.role} says" @text-changed=${(event: CustomEvent<{ text: string }>) => this.#change(turn.id, { content: event.detail.text })}></preceptor-markdown-editor></div>`
        : html`<div class="turn-text" @dblclick=${() => this.#edit(turn.id)}>${this.#renderText(turn)}</div>`}
    </li>`;
  }

  #renderText(turn: Turn): TemplateResult {
    if (!turn.content.trim()) return html`<p class="text-attention-ink text-sm px-1">Empty</p>`;
    const rendered = this.html.get(turn.content);
    return rendered === undefined ? html`<div class="reading whitespace-pre-wrap">${turn.content}</div>` : html`<div class="reading">${unsafeHTML(rendered)}</div>`;
  }

  #dragStart(event: DragEvent, id: number): void {
    this.#dragged = id;
    event.dataTransfer!.effectAllowed = "move";
    event.dataTransfer!.setData("text/plain", String(id));
  }

  #dragOver(event: DragEvent, at: number): void {
    if (this.#dragged === null) return;
    event.preventDefault();
    this.over = at;
  }

  #drop(event: DragEvent, at: number): void {
    if (this.#dragged === null) return;
    event.preventDefault();
    this.over = null;
    this.#move(this.#dragged, at);
    this.#dragged = null;
  }
}

if (!customElements.get("preceptor-turns")) customElements.define("preceptor-turns", PreceptorTurns);
