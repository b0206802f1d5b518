/**
 * `<preceptor-labeling-config data-name="config.label_config"><textarea name="...">XML</textarea></...>`: the labeling
 * config of an annotation project, as a form or as XML, with what is wrong and a look at a task. The textarea inside
 * is the form's field and always holds the XML; it emits `change`.
 */
import { html, LitElement, nothing, type TemplateResult } from "lit";
import { live } from "lit/directives/live.js";
import type { LineNote, XmlEditor } from "../../annotation/config/editor";
import { added, cardsOf, KINDS, movedTo, removed, withAttr, withHelp, withOptions, withTitle, type Card, type FieldKind } from "../../annotation/config/form";
import { send } from "../../lib/api";
import { adopt, icon } from "../../lib/dom";
import css from "../../styles/kinds/labeling-config.css?inline";
import "./annotation";

const CHECK_URL = "/annotation/config/check";
const PAUSE_MS = 500;
const PAST_MAX = 100;

interface Finding extends LineNote {
  tag: string;
}

interface Checked {
  findings: Finding[];
  data: Record<string, unknown> | null;
  data_problems: string[];
  view: unknown;
}

type Mode = "form" | "xml";

export class PreceptorLabelingConfig extends LitElement {
  static override properties = {
    mode: { state: true },
    xml: { state: true },
    checked: { state: true },
    offline: { state: true },
    showData: { state: true },
    dragged: { state: true },
    over: { state: true },
    said: { state: true },
  };
  declare protected mode: Mode;
  declare protected xml: string;
  declare protected checked: Checked | null;
  declare protected offline: boolean;
  declare protected showData: boolean;
  declare protected dragged: number | null;
  declare protected over: number | null;
  /** What the last deed was, beside its Undo. */
  declare protected said: string;

  #field: HTMLTextAreaElement | null = null;
  #editor: XmlEditor | null = null;
  #past: string[] = [];
  #lastStep = "";
  #timer: ReturnType<typeof setTimeout> | undefined;
  #asked = 0;
  /** Data that the person wrote to try the config with; null: made up. */
  #ownData: Record<string, unknown> | null = null;
  #badData = "";

  constructor() {
    super();
    this.mode = "form";
    this.xml = "";
    this.checked = null;
    this.offline = false;
    this.showData = false;
    this.dragged = null;
    this.over = null;
    this.said = "";
  }

  protected override createRenderRoot(): HTMLElement {
    return this;
  }

  override connectedCallback(): void {
    adopt(css);
    this.#field = this.querySelector("textarea");
    if (this.#field) {
      this.#field.hidden = true;
      this.xml = this.#field.value;
    }
    this.setAttribute("role", "group");
    this.mode = cardsOf(this.xml) ? "form" : "xml";
    super.connectedCallback();
    void this.#check();
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    clearTimeout(this.#timer);
    this.#freeing.disconnect();
    this.#editor?.destroy();
    this.#editor = null;
  }

  // Changes

  /** `step`: a run of changes that undo together. */
  #set(xml: string, said = "", step = ""): void {
    if (xml === this.xml) return;
    if (!step || step !== this.#lastStep) this.#past = [...this.#past.slice(1 - PAST_MAX), this.xml];
    this.#lastStep = step;
    this.said = said;
    this.#take(xml);
  }

  #undo(): void {
    const before = this.#past.pop();
    if (before === undefined) return;
    this.#lastStep = "";
    this.said = "";
    this.#take(before);
  }

  #take(xml: string): void {
    this.xml = xml;
    if (this.#field) {
      this.#field.value = xml;
      this.#field.dispatchEvent(new Event("change", { bubbles: true }));
    }
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.#check(), PAUSE_MS);
  }

  async #check(): Promise<void> {
    const asked = ++this.#asked;
    const reply = await send<Checked>("POST", CHECK_URL, { body: { config: this.xml, ...(this.#ownData ? { data: this.#ownData } : {}) } });
    if (asked !== this.#asked) return;
    this.offline = !reply.ok;
    if (reply.ok) this.checked = reply.body;
  }

  // The XML

  protected override updated(): void {
    if (this.mode === "xml") void this.#showEditor();
    const preview = this.querySelector("preceptor-annotation");
    const view = this.checked?.view ?? null;
    if (preview && view && this.#shown !== view) {
      this.#shown = view;
      Object.assign(preview, { data: view, draft: null, fill: false });
    }
  }

  #shown: unknown = null;
  /** Fields of the preview belong to no form: the settings around it must not send or validate them. */
  #freeing = new MutationObserver(() => {
    for (const field of this.querySelectorAll("preceptor-annotation :is(input, select, textarea, button):not([form])")) field.setAttribute("form", "none");
  });

  protected override firstUpdated(): void {
    this.#freeing.observe(this.querySelector("preceptor-annotation")!, { childList: true, subtree: true });
  }

  async #showEditor(): Promise<void> {
    const host = this.querySelector<HTMLElement>("[data-editor]");
    if (!host) return;
    if (!this.#editor || !host.shadowRoot) {
      const { xmlEditor } = await import("../../annotation/config/editor");
      if (!host.isConnected || host.shadowRoot) return;
      this.#editor = xmlEditor(host, this.xml, this.#field?.matches(":disabled") ?? false, (text) => this.#set(text, "", "type"));
    }
    this.#editor.set(this.xml);
    this.#editor.mark(this.checked?.findings ?? []);
  }

  #to(mode: Mode): void {
    if (this.mode === mode) return;
    this.mode = mode;
    this.#lastStep = "";
    if (mode === "form") {
      this.#editor?.destroy();
      this.#editor = null;
    }
  }

  #go(line: number): void {
    this.#to("xml");
    void this.updateComplete.then(async () => {
      await this.#showEditor();
      this.#editor?.go(line);
    });
  }

  // Pictures of it all

  protected override render(): TemplateResult {
    const cards = cardsOf(this.xml);
    const tab = (mode: Mode, words: string, off = false): TemplateResult =>
      html`<button type="button" role="tab" aria-selected=${this.mode === mode} ?disabled=${off} @click=${() => this.#to(mode)}>${words}</button>`;
    return html`<div class="lcfg">
      <div class="lcfg-edit">
        <div class="lcfg-bar"><div class="tab-row" role="tablist" aria-label="How to edit">${tab("form", "Form", cards === null)}${tab("xml", "XML")}</div>
          <span class="text-sm text-muted" role="status">${this.said}</span>
          <button type="button" class="btn btn-quiet btn-xs" ?disabled=${!this.#past.length} @click=${() => this.#undo()}>${icon("undo-2")}Undo</button></div>
        ${this.mode === "form" && cards ? this.#renderForm(cards) : html`<div class="lcfg-xml" data-editor></div>${cards ? nothing : html`<p class="text-sm text-muted">The form opens again when the XML can be read and begins with a View.</p>`}`}
        ${this.#renderFindings(cards)}
      </div>
      <section class="lcfg-preview panel" aria-label="Preview">${this.#renderPreview()}</section>
    </div>`;
  }

  #renderFindings(cards: Card[] | null): TemplateResult | typeof nothing {
    if (this.offline) return html`<p class="note" data-tone="warning">The server cannot be reached, so the config is not checked just now.</p>`;
    const findings = this.checked?.findings ?? [];
    if (!findings.length) return this.checked ? html`<p class="lcfg-good">${icon("check")}This config can be used.</p>` : nothing;
    return html`<ul class="lcfg-findings" aria-label="What was found">${findings.map((found) => {
      const card = this.mode === "form" ? cards?.find((each) => each.lines[0] <= found.line && found.line <= each.lines[1]) : undefined;
      return html`<li data-level=${found.level}>${found.level === "error" ? icon("circle-alert", "Error") : icon("info", "Note")}
        <span>${card ? html`<b>${card.title || card.name || card.tag}</b>: ` : nothing}${found.message}</span>
        <button type="button" class="link-brand whitespace-nowrap" @click=${() => this.#go(found.line)}>line ${found.line}</button></li>`;
    })}</ul>`;
  }

  #renderPreview(): TemplateResult {
    const { checked } = this;
    const data = (): string => JSON.stringify(this.#ownData ?? checked?.data ?? {}, (_, value: unknown) => (typeof value === "string" && value.startsWith("data:") && value.length > 200 ? `${value.slice(0, 60)}…` : value), 2);
    return html`<div class="lcfg-preview-head"><h3 class="eyebrow">How a task looks</h3>
        <button type="button" class="btn btn-quiet btn-xs ml-auto" aria-expanded=${this.showData} @click=${() => (this.showData = !this.showData)}>${icon("database")}Sample data</button></div>
      ${this.showData
        ? html`<div class="lcfg-data"><textarea class="textarea font-mono text-sm" rows="8" aria-label="Sample data, JSON" .value=${data()} @change=${(event: Event) => this.#tryData((event.target as HTMLTextAreaElement).value)}></textarea>
            ${this.#badData ? html`<p class="text-sm text-harm-ink" role="alert">${this.#badData}</p>` : nothing}
            ${this.#ownData ? html`<button type="button" class="btn btn-quiet btn-xs" @click=${() => this.#tryData("")}>${icon("rotate-ccw")}Make up data again</button>` : html`<p class="text-sm text-muted">Made up. Put a task of yours here to see it.</p>`}</div>`
        : nothing}
      ${checked?.data_problems.length ? html`<ul class="lcfg-findings">${checked.data_problems.map((words) => html`<li data-level="error">${icon("circle-alert", "Error")}<span>${words}</span></li>`)}</ul>` : nothing}
      <preceptor-annotation ?hidden=${!checked?.view} @answer-changed=${(event: Event) => event.stopPropagation()} @change=${(event: Event) => event.stopPropagation()}></preceptor-annotation>
      ${checked && !checked.view && !checked.data_problems.length ? html`<p class="text-muted p-4">The preview comes back when the errors are mended.</p>` : nothing}`;
  }

  #tryData(text: string): void {
    this.#badData = "";
    try {
      const data: unknown = text.trim() ? JSON.parse(text) : null;
      if (data !== null && (typeof data !== "object" || Array.isArray(data))) throw new SyntaxError("the data of a task is an object");
      this.#ownData = data as Record<string, unknown> | null;
      void this.#check();
    } catch (error) {
      if (!(error instanceof SyntaxError)) throw error;
      this.#badData = `This is not JSON that a task can have: ${error.message}`;
    }
    this.requestUpdate();
  }

  // The form

  #renderForm(cards: Card[]): TemplateResult {
    return html`<ol class="lcfg-cards" @dragover=${this.#dragOver} @drop=${this.#drop}>${cards.map((card) => this.#renderCard(card, cards))}</ol>
      ${cards.length ? nothing : html`<p class="text-muted p-2">Nothing yet. Add what people see, then what you ask.</p>`}
      ${this.#renderMenu(cards)}`;
  }

  #renderMenu(cards: Card[]): TemplateResult {
    const groups: ["show" | "ask" | "mark", string][] = [["show", "Show"], ["ask", "Ask"], ["mark", "Mark"]];
    const add = (kind: Exclude<FieldKind, "other">): void => {
      this.#set(added(this.xml, kind), `Added: ${KINDS[kind].words}`);
      void this.updateComplete.then(() => {
        const card = this.querySelector<HTMLElement>(`[data-card="${cards.length}"]`);
        card?.scrollIntoView({ block: "nearest" });
        card?.querySelector<HTMLElement>("input, textarea, select")?.focus();
      });
    };
    return html`<div class="lcfg-add" role="group" aria-label="Add">${groups.map(
      ([group, words]) => html`<div><p class="eyebrow">${words}</p><div class="lcfg-kinds">${(Object.keys(KINDS) as Exclude<FieldKind, "other">[])
        .filter((kind) => KINDS[kind].group === group)
        .map((kind) => html`<button type="button" class="btn btn-plain btn-xs" @click=${() => add(kind)}>${icon("plus")}${KINDS[kind].words}</button>`)}</div></div>`,
    )}</div>`;
  }

  #renderCard(card: Card, cards: Card[]): TemplateResult {
    const { at } = card;
    const words = card.kind === "other" ? `Part in XML (${card.tag})` : KINDS[card.kind].words;
    const name = card.title || card.name || words;
    const tool = (label: string, shown: TemplateResult, off: boolean, run: () => void): TemplateResult =>
      html`<button type="button" class="btn btn-quiet btn-xs btn-square" aria-label=${label} title=${label} ?disabled=${off} @click=${run}>${shown}</button>`;
    const move = (to: number): void => {
      this.#set(movedTo(this.xml, at, to), "Moved");
      void this.updateComplete.then(() => this.querySelector<HTMLElement>(`[data-card="${to}"] .lcfg-card-head button:not(:disabled)`)?.focus());
    };
    return html`<li class="lcfg-card panel" data-card=${at} ?data-dragged=${this.dragged === at} ?data-over=${this.over === at && this.dragged !== at} aria-label=${name}>
      <div class="lcfg-card-head" draggable="true" @dragstart=${(event: DragEvent) => (event.dataTransfer!.setData("text/plain", name), (this.dragged = at))} @dragend=${() => (this.dragged = this.over = null)}>
        ${icon("grip-vertical")}<span class="pill" data-tone=${card.kind === "other" ? "quiet" : "busy"}>${words}</span>
        <span class="ml-auto flex">${tool(`Move ${name} up`, icon("arrow-up"), at === 0, () => move(at - 1))}${tool(`Move ${name} down`, icon("arrow-down"), at === cards.length - 1, () => move(at + 1))}
          ${tool(`Delete ${name}`, icon("trash-2"), false, () => this.#set(removed(this.xml, at), `Deleted: ${name}`))}</span>
      </div>
      ${card.kind === "other" ? html`<p class="text-sm text-muted">The form cannot show this part; it stays as it is. <button type="button" class="link-brand" @click=${() => this.#go(card.lines[0])}>Edit in XML</button></p>` : html`<div class="lcfg-fields">${this.#renderFields(card, cards)}</div>`}
    </li>`;
  }

  #renderFields(card: Card, cards: Card[]): TemplateResult {
    const { kind, at } = card;
    if (kind === "heading") return this.#input(card, "Words", "title", card.title, (value) => withTitle(this.xml, at, value));
    if (KINDS[kind as "text"].group === "show") return this.#renderMaterial(card);
    const objects = cards.filter((each) => KINDS[each.kind as "text"]?.group === "show" && each.kind !== "heading");
    return html`<div class="lcfg-line">${this.#input(card, "Question", "title", card.title, (value) => withTitle(this.xml, at, value), "What do you ask?")}
        ${this.#input(card, "Help", "help", card.help, (value) => withHelp(this.xml, at, value), "Optional")}</div>
      ${KINDS[kind as "choice"].option ? this.#renderOptions(card) : nothing}
      <div class="lcfg-line">${this.#renderLimits(card)}
        ${this.#input(card, "Name in the data", "name", card.name, (value) => withAttr(this.xml, at, "name", value.trim().replaceAll(/\s+/g, "_") || card.name))}
        ${objects.length > 1 ? this.#renderTarget(card, objects) : nothing}
        <label class="flex items-center gap-2 text-sm self-end pb-2"><input type="checkbox" class="checkbox checkbox-sm" .checked=${live(card.required)} @change=${(event: Event) => this.#set(withAttr(this.xml, at, "required", (event.target as HTMLInputElement).checked ? "true" : null))}>Must be answered</label>
      </div>`;
  }

  #renderMaterial(card: Card): TemplateResult {
    const { at } = card;
    const value = card.attrs.value ?? "";
    return html`<div class="lcfg-line">
      ${this.#input(card, "Field of your data", "value", value.replace(/^\$/, ""), (next) => withAttr(this.xml, at, "value", `$${next.trim()}`))}
      ${this.#input(card, "Name", "name", card.name, (next) => withAttr(this.xml, at, "name", next.trim().replaceAll(/\s+/g, "_") || card.name))}
      ${["text", "hypertext", "paragraphs"].includes(card.kind) ? this.#select(card, "Marks snap to", "granularity", [["", "letters"], ["word", "words"], ["sentence", "sentences"], ["paragraph", "paragraphs"]]) : nothing}
    </div>`;
  }

  #renderOptions(card: Card): TemplateResult {
    const nested = card.kind === "tree";
    const set = (event: Event): void => this.#set(withOptions(this.xml, card.at, (event.target as HTMLTextAreaElement).value.split("\n")), "", `options ${card.at}`);
    return html`<label class="lcfg-label">${/mark|boxes/.test(card.kind) ? "Labels" : "Options"} <span class="text-muted font-normal">one a line${nested ? ", two spaces before what lies below" : ""}</span>
      <textarea class="textarea" rows=${Math.min(10, Math.max(2, card.options.length))} .value=${card.options.join("\n")} @change=${set}></textarea></label>`;
  }

  #renderLimits(card: Card): TemplateResult | typeof nothing {
    const field = (words: string, attr: string): TemplateResult =>
      this.#input(card, words, attr, card.attrs[attr.toLowerCase()] ?? "", (value) => withAttr(this.xml, card.at, attr, value.trim()), "", "number");
    switch (card.kind) {
      case "number":
        return html`${field("From", "min")}${field("To", "max")}${field("In steps of", "step")}`;
      case "rating":
        return field("Stars", "maxRating");
      case "write":
        return html`${field("Lines", "rows")}${field("Answers at most", "maxSubmissions")}`;
      case "choice":
        return this.#select(card, "Layout", "layout", [["", "one below the other"], ["inline", "in one line"]]);
      default:
        return nothing;
    }
  }

  #renderTarget(card: Card, objects: Card[]): TemplateResult {
    return this.#select(card, "About", "toName", objects.map((each) => [each.name, each.name] as [string, string]));
  }

  #select(card: Card, words: string, attr: string, options: [string, string][]): TemplateResult {
    const now = card.attrs[attr.toLowerCase()] ?? "";
    const set = (event: Event): void => this.#set(withAttr(this.xml, card.at, attr, (event.target as HTMLSelectElement).value || null));
    return html`<label class="lcfg-label">${words}<select class="select" @change=${set}>${options.map(([value, title]) => html`<option value=${value} ?selected=${value === now}>${title}</option>`)}</select></label>`;
  }

  #input(card: Card, words: string, key: string, value: string, change: (value: string) => string, placeholder = "", type = "text"): TemplateResult {
    const set = (event: Event): void => this.#set(change((event.target as HTMLInputElement).value), "", `${key} ${card.at}`);
    // Enter in a field would send the whole settings form.
    const keys = (event: KeyboardEvent): void => {
      if (event.key === "Enter") event.preventDefault();
    };
    return html`<label class="lcfg-label">${words}<input class="input" type=${type} placeholder=${placeholder} .value=${live(value)} @change=${set} @keydown=${keys}></label>`;
  }

  #dragOver = (event: DragEvent): void => {
    const card = (event.target as Element).closest<HTMLElement>("[data-card]");
    if (this.dragged === null || !card) return;
    event.preventDefault();
    this.over = Number(card.dataset.card);
  };

  #drop = (event: DragEvent): void => {
    if (this.dragged === null || this.over === null) return;
    event.preventDefault();
    this.#set(movedTo(this.xml, this.dragged, this.over), "Moved");
    this.dragged = this.over = null;
  };
}

customElements.define("preceptor-labeling-config", PreceptorLabelingConfig);
