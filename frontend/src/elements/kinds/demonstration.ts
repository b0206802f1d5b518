/**
 * `<preceptor-demonstration>`: write the ideal answer or a whole conversation, or correct a model's draft.
 *
 * Properties `data`, `draft`, `readonly`; or a `<script type="application/json">` child {data, draft, readonly}.
 */
import { html, nothing, type TemplateResult } from "lit";
import { live } from "lit/directives/live.js";
import { unsafeHTML } from "lit/directives/unsafe-html.js";
import { emptyAnswer, findingsOf, problemsOf, type DemonstrationAnswer, type DemonstrationData, type NamedFinding, type Source } from "../../lib/demonstration";
import { adopt, icon, kbd, typingIn } from "../../lib/dom";
import { changesOf, editScript } from "../../lib/edits";
import { KindElement } from "../../lib/kind";
import type { Turn } from "../../lib/limits";
import { PREVIEW_URL, renderMarkdown } from "../../lib/preview";
import type { Shortcut } from "../../lib/view";
import { CHANGES_SHORTCUTS, EDITOR_SHORTCUTS, percent, type PreceptorMarkdownEditor } from "../../parts/markdown-editor";
import "../../parts/turns-editor";
import type { PreceptorTurns } from "../../parts/turns-editor";
import css from "../../styles/parts/writing.css?inline";

type Drawer = "" | "sources" | "note";

/** Beyond this much material stands beside the text instead of above it. */
const SIDE_CHARACTERS = 900;
const SOURCES_MAX = 30;
let instances = 0;

export class PreceptorDemonstration extends KindElement<DemonstrationData, DemonstrationAnswer> {
  static override properties = {
    ...KindElement.properties,
    drawer: { state: true },
    rendered: { state: true },
    tracking: { state: true },
  };
  declare protected drawer: Drawer;
  /** HTML of the answer's text, for readers. */
  declare protected rendered: string | null;
  declare protected tracking: boolean;
  readonly #uid = `dem${++instances}`;
  #known: { answer: DemonstrationAnswer; found: NamedFinding[]; problems: string[] } | null = null;

  constructor() {
    super();
    this.drawer = "";
    this.rendered = null;
    this.tracking = true;
    adopt(css);
    this.addEventListener("keydown", this.#hurry, { capture: true });
  }

  /** What was typed last belongs to what Ctrl-Enter submits. */
  #hurry = (event: KeyboardEvent): void => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) this.querySelectorAll<PreceptorMarkdownEditor>("preceptor-markdown-editor").forEach((each) => each.flush());
  };

  protected emptyAnswer(data: DemonstrationData | null): DemonstrationAnswer {
    return emptyAnswer(data);
  }

  protected problemsOf(data: DemonstrationData, answer: DemonstrationAnswer): string[] {
    return this.#judge(data, answer).problems;
  }

  /** Rules and problems of an answer, worked out once: the desk asks often. */
  #judge(data: DemonstrationData, answer: DemonstrationAnswer): { found: NamedFinding[]; problems: string[] } {
    if (this.#known?.answer !== answer) {
      const found = findingsOf(data, answer);
      this.#known = { answer, found, problems: problemsOf(data, answer, found) };
    }
    return this.#known;
  }

  override get shortcuts(): Shortcut[] {
    const mode = this.data?.config.mode;
    const turns = [{ keys: "Alt Enter", words: "Add the next turn" }, { keys: "Alt Shift ↑↓", words: "Move the turn" }];
    return [
      { keys: "e", words: "Write" },
      ...(mode === "conversation" ? turns : []),
      { keys: "s", words: "Sources" },
      { keys: "n", words: "Remark" },
      ...(mode === "edit" ? CHANGES_SHORTCUTS : []),
      ...EDITOR_SHORTCUTS,
    ];
  }

  protected override pressed(event: KeyboardEvent): void {
    if (event.defaultPrevented || typingIn(event) || event.ctrlKey || event.metaKey || event.altKey || !this.checkVisibility()) return;
    const run = { e: () => this.#editor?.focus(), s: () => this.#open("sources"), n: () => this.#open("note") }[event.key];
    if (!run) return;
    event.preventDefault();
    run();
  }

  get #editor(): PreceptorMarkdownEditor | PreceptorTurns | null {
    return this.querySelector("preceptor-turns, .wr-editor preceptor-markdown-editor");
  }

  #open(drawer: Drawer): void {
    if (drawer === "note" && this.data!.config.note === "off") return;
    this.drawer = this.drawer === drawer ? "" : drawer;
    if (!this.drawer) return;
    if (drawer === "sources" && !this.answer.sources.length) this.#addSource();
    void this.updateComplete.then(() => this.querySelector<HTMLElement>(".wr-drawer input, .wr-drawer textarea, .wr-drawer preceptor-markdown-editor")?.focus());
  }

  #addSource(): void {
    if (this.answer.sources.length < SOURCES_MAX) this.change({ sources: [...this.answer.sources, { url: "", title: "", quote: "" }] });
    void this.updateComplete.then(() => [...this.querySelectorAll<HTMLElement>(".wr-source")].at(-1)?.querySelector("input")?.focus());
  }

  #source(at: number, part: Partial<Source>): void {
    this.change({ sources: this.answer.sources.map((source, place) => (place === at ? { ...source, ...part } : source)) });
  }

  #showFinding(finding: NamedFinding): void {
    const words = finding.found[0] ?? "";
    const editor = this.#editor;
    if (editor?.localName === "preceptor-turns") (editor as PreceptorTurns).show(finding.turn, words);
    else (editor as PreceptorMarkdownEditor | null)?.show(words);
  }

  protected override updated(): void {
    if (this.readonly && this.rendered === null && this.data && this.data.config.mode !== "conversation" && this.only !== "material") {
      this.rendered = "";
      void renderMarkdown(this.answer.text, this.desk?.urls.preview ?? PREVIEW_URL).then((reply) => "html" in reply && (this.rendered = reply.html));
    }
  }

  protected override render(): TemplateResult | typeof nothing {
    const { data } = this;
    if (!data) return nothing;
    const length = data.prompt.reduce((sum, message) => sum + message.text.length, data.brief?.text.length ?? 0);
    return html`<div class="wr" ?data-fill=${this.fill} data-layout=${length > SIDE_CHARACTERS ? "side" : "top"}>
      ${this.only === "answer" ? nothing : this.#renderMaterial(data)} ${this.only === "material" ? nothing : this.readonly ? this.#renderRead(data) : this.#renderWork(data)}
    </div>`;
  }

  #renderMaterial(data: DemonstrationData): TemplateResult | typeof nothing {
    if (!data.prompt.length && !data.brief) return nothing;
    const many = data.prompt.length > 1;
    return html`<section class="wr-material panel" aria-label="What to write about">
      <div class="wr-scroll" tabindex="0" role="region" aria-label="Material">
        ${data.brief ? html`<div class="eyebrow">Brief</div><div class="reading">${unsafeHTML(data.brief.html)}</div>` : nothing}
        ${data.prompt.length ? html`<div class="eyebrow ${data.brief ? "mt-3" : ""}">${many ? "Conversation so far" : "Prompt"}</div>` : nothing}
        ${data.prompt.map((message) => html`<div class="wr-message" data-role=${message.role}>${many || message.role !== "user" ? html`<span class="eyebrow font-sans">${message.role}</span>` : nothing}<div class="reading">${unsafeHTML(message.html)}</div></div>`)}
      </div>
    </section>`;
  }

  #renderWork(data: DemonstrationData): TemplateResult {
    const { config } = data;
    const { found } = this.#judge(data, this.answer);
    return html`<section class="wr-work" aria-labelledby="${this.#uid}-title">
      <h2 class="wr-title" id="${this.#uid}-title">${config.instruction}${this.#limitWords(config) ? html`<span class="wr-limits num">${this.#limitWords(config)}</span>` : nothing}</h2>
      <div class="wr-editor">${config.mode === "conversation" ? this.#renderTurns(data) : this.#renderEditor(data)}</div>
      ${found.length ? this.#renderFindings(found) : nothing}
      ${this.#renderDrawer(data)}
    </section>`;
  }

  #limitWords({ words_min, words_max, characters_min, characters_max, mode }: DemonstrationData["config"]): string {
    const range = (low: number | null, high: number | null, what: string) => (low !== null && high !== null ? `${low}–${high} ${what}` : low !== null ? `at least ${low} ${what}` : high !== null ? `at most ${high} ${what}` : "");
    const parts = [range(words_min, words_max, "words"), range(characters_min, characters_max, "characters")].filter(Boolean);
    return parts.length ? parts.join(", ") + (mode === "conversation" ? " each" : "") : "";
  }

  #renderEditor(data: DemonstrationData): TemplateResult {
    return html`<preceptor-markdown-editor .value=${this.answer.text} .baseline=${data.draft} .label=${data.config.instruction} .previewUrl=${this.desk?.urls.preview ?? PREVIEW_URL}
      placeholder="Write here, in Markdown" ?readonly=${this.readonly} @text-changed=${(event: CustomEvent<{ text: string }>) => this.change({ text: event.detail.text })}></preceptor-markdown-editor>`;
  }

  #renderTurns(data: DemonstrationData): TemplateResult {
    return html`<preceptor-turns .turns=${this.answer.turns} .earlier=${data.prompt.map((message) => message.role)} ?system=${data.config.allow_system} .most=${data.config.turns_max}
      .previewUrl=${this.desk?.urls.preview ?? PREVIEW_URL} @turns-changed=${(event: CustomEvent<{ turns: Turn[] }>) => this.change({ turns: event.detail.turns })}></preceptor-turns>`;
  }

  #renderFindings(found: readonly NamedFinding[]): TemplateResult {
    return html`<ul class="wr-findings" aria-label="Style">
      ${found.map((finding) => html`<li data-severity=${finding.severity}>${finding.severity === "block" ? icon("circle-alert", "Must be mended") : icon("triangle-alert", "Advice")}<span>${finding.name}${finding.message}</span>
        ${finding.found.length ? html`<button type="button" class="btn btn-quiet btn-xs" aria-label="Show where: ${finding.message}" @click=${() => this.#showFinding(finding)}>Show</button>` : nothing}</li>`)}
    </ul>`;
  }

  #renderDrawer({ config }: DemonstrationData): TemplateResult {
    const given = this.answer.sources.length;
    const tab = (drawer: Drawer, words: TemplateResult | string, key: string) => html`<button type="button" class="chip" aria-expanded=${this.drawer === drawer} aria-controls="${this.#uid}-drawer" aria-keyshortcuts=${key} aria-current=${this.drawer === drawer} @click=${() => this.#open(drawer)}>${words}<span class="max-md:hidden">${kbd(key)}</span></button>`;
    return html`<div class="wr-drawers">
      ${tab("sources", html`${icon("link")}Sources <span class="num">${config.sources_min ? `${given} of ${config.sources_min}` : given || ""}</span>`, "s")}
      ${config.note === "off" ? nothing : tab("note", html`${icon("message-square")}Remark${this.answer.note ? html`<span class="sr-only"> (written)</span>${icon("check", undefined, "text-action")}` : nothing}`, "n")}
    </div>
    <div class="wr-drawer" id="${this.#uid}-drawer" ?hidden=${!this.drawer}>${this.drawer === "sources" ? this.#renderSources(config.sources_quote) : this.drawer === "note" ? this.#renderNote() : nothing}</div>`;
  }

  #renderSources(quote: boolean): TemplateResult {
    return html`${this.answer.sources.map((source, at) => html`<fieldset class="wr-source"><legend class="sr-only">Source ${at + 1}</legend>
        <span class="num text-sm text-muted">${at + 1}</span>
        <input class="input input-sm" type="url" inputmode="url" maxlength="2048" placeholder="https://" aria-label="Address of source ${at + 1}" .value=${live(source.url)} @input=${(event: Event) => this.#source(at, { url: valueOf(event) })}>
        <input class="input input-sm" maxlength="500" placeholder="What it is" aria-label="Title of source ${at + 1}" .value=${live(source.title)} @input=${(event: Event) => this.#source(at, { title: valueOf(event) })}>
        <textarea class="textarea textarea-sm" rows="1" maxlength="10000" placeholder=${quote ? "The words that support the answer" : "Quote (optional)"} aria-label="Quote of source ${at + 1}" .value=${live(source.quote)} @input=${(event: Event) => this.#source(at, { quote: valueOf(event) })}></textarea>
        <button type="button" class="btn btn-quiet btn-sm btn-square" aria-label="Remove source ${at + 1}" @click=${() => this.change({ sources: this.answer.sources.filter((_, place) => place !== at) })}>${icon("trash-2")}</button>
      </fieldset>`)}
      <button type="button" class="btn btn-plain btn-sm justify-self-start" ?disabled=${this.answer.sources.length >= SOURCES_MAX} @click=${() => this.#addSource()}>${icon("plus")}Add a source</button>`;
  }

  #renderNote(): TemplateResult {
    return html`<label class="text-sm font-medium" for="${this.#uid}-note">For reviewers and the client; never part of the data</label>
      <textarea id="${this.#uid}-note" class="textarea" rows="3" maxlength="20000" .value=${live(this.answer.note)} @input=${(event: Event) => this.change({ note: valueOf(event) })} @keydown=${(event: KeyboardEvent) => event.key === "Escape" && (event.target as HTMLElement).blur()}></textarea>`;
  }

  // For readers: the judgment at full fidelity

  #renderRead(data: DemonstrationData): TemplateResult {
    const { answer } = this;
    const { found } = this.#judge(data, answer);
    return html`<section class="wr-work wr-read" aria-label="What was written">
      <div class="wr-read-scroll" tabindex="0" role="region" aria-label="What was written">
        ${data.config.mode === "conversation" ? html`<preceptor-turns readonly .turns=${answer.turns} .previewUrl=${this.desk?.urls.preview ?? PREVIEW_URL}></preceptor-turns>` : data.config.mode === "edit" ? this.#renderCorrected(data.draft ?? "") : this.#renderText()}
        ${answer.sources.length ? html`<h3 class="eyebrow mt-4">Sources</h3><ol class="wr-sources-read">${answer.sources.map(sourceRead)}</ol>` : nothing}
        ${answer.note ? html`<h3 class="eyebrow mt-4">Remark</h3><p class="whitespace-pre-wrap">${answer.note}</p>` : nothing}
      </div>
      ${found.length ? this.#renderFindings(found.map((each) => ({ ...each, found: [] }))) : nothing}
    </section>`;
  }

  #renderText(): TemplateResult {
    return this.rendered ? html`<div class="reading">${unsafeHTML(this.rendered)}</div>` : html`<div class="reading whitespace-pre-wrap">${this.answer.text}</div>`;
  }

  #renderCorrected(draft: string): TemplateResult {
    const script = editScript(draft, this.answer.text);
    const sums = changesOf(script);
    return html`<div class="flex flex-wrap items-center gap-x-4 gap-y-1 mb-2 text-sm num">
        <span>${sums.places ? `${sums.words_inserted} words added, ${sums.words_deleted} removed · ${percent(sums.share)} changed` : "The draft was left as it is."}</span>
        <label class="flex items-center gap-2"><input type="checkbox" class="checkbox checkbox-sm checkbox-primary" .checked=${live(this.tracking)} @change=${(event: Event) => (this.tracking = (event.target as HTMLInputElement).checked)}>Show changes</label>
      </div>
      ${this.tracking && sums.places ? html`<div class="reading tracked whitespace-pre-wrap">${script.map(({ op, text }) => (op === "keep" ? text : op === "insert" ? html`<ins>${text}</ins>` : html`<del>${text}</del>`))}</div>` : this.#renderText()}`;
  }
}

function valueOf(event: Event): string {
  return (event.target as HTMLInputElement | HTMLTextAreaElement).value;
}

function sourceRead(source: Source): TemplateResult {
  const web = /^https?:\/\//i.test(source.url);
  return html`<li>${web ? html`<a href=${source.url} target="_blank" rel="noopener noreferrer nofollow">${source.title || source.url}</a>` : html`${source.title} ${source.url}`}${source.quote ? html`<blockquote>${source.quote}</blockquote>` : nothing}</li>`;
}

if (!customElements.get("preceptor-demonstration")) customElements.define("preceptor-demonstration", PreceptorDemonstration);
