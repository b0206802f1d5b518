/**
 * `<preceptor-rating>`: score one to six responses on weighted criteria and quote what supports each score.
 *
 * One response is in front; its criteria stand beside it with the score so far. Quotes are taken by selecting text, or
 * by keys alone (`q`). See KindElement for properties and events.
 */
import { html, nothing, type PropertyValues, type TemplateResult } from "lit";
import { live } from "lit/directives/live.js";
import { repeat } from "lit/directives/repeat.js";
import { unsafeHTML } from "lit/directives/unsafe-html.js";
import { adopt, icon, kbd, typingIn } from "../../lib/dom";
import { KindElement } from "../../lib/kind";
import { allScored, emptyRating, given, highest, lowest, needsQuote, problemsOf, weightedScore, type Criterion, type Mark, type Rating, type RatingData } from "../../lib/rating";
import type { RenderedMessage, Shortcut } from "../../lib/view";
import { AtHand } from "../../parts/athand";
import { quoteBar, quoteList } from "../../parts/quotebar";
import { quotable, Quoting, sameSpan, type QuoteSource, type Span } from "../../parts/quoting";
import css from "../../styles/kinds/rating.css?inline";

adopt(css);

const QUOTES_MAX = 10;
const OPEN_MAX = 4;
let instances = 0;

export class PreceptorRating extends KindElement<RatingData, Rating> {
  static override properties = { ...KindElement.properties, shown: { state: true }, current: { state: true }, reference: { state: true } };
  /** The response in front, by label. */
  declare protected shown: string;
  /** Key of the criterion that keys and quotes speak to. */
  declare protected current: string;
  /** Whether the reference stands under the response. */
  declare protected reference: boolean;
  readonly #uid = `rate${++instances}`;
  readonly #quoting = new Quoting(this, () => this.#sources(), () => this.requestUpdate());

  readonly #atHand = new AtHand<string>(this, (key) => (this.current = key));

  constructor() {
    super();
    this.shown = "";
    this.current = "";
    this.reference = false;
  }

  override connectedCallback(): void {
    super.connectedCallback();
    this.#quoting.connect();
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.#quoting.disconnect();
  }

  protected override emptyAnswer(): Rating {
    return emptyRating();
  }

  protected override problemsOf(data: RatingData, rating: Rating): string[] {
    return problemsOf(data, rating);
  }

  override get shortcuts(): Shortcut[] {
    return [
      { keys: "A B …", words: "Go to a response" },
      { keys: "j k", words: "Next or previous criterion" },
      { keys: "1 … 9", words: "Give points" },
      { keys: "y n", words: "Yes, no" },
      { keys: "v", words: "Type a number to 100" },
      { keys: "0", words: "Not applicable" },
      { keys: "q", words: "Quote: the selection, or choose by arrow keys" },
      { keys: "m", words: "Comment" },
      { keys: "r", words: "Reference answer" },
    ];
  }

  protected override willUpdate(changed: PropertyValues): void {
    super.willUpdate(changed);
    if (!changed.has("data") || !this.data) return;
    this.shown = this.#labels[0] ?? "";
    this.current = this.data.config.criteria[0]?.key ?? "";
    this.reference = this.data.reference !== null && (this.data.config.reference === "beside" || this.answer.reference_opened || this.readonly);
  }

  protected override updated(): void {
    const marks = Object.values(this.answer.scores[this.shown] ?? {});
    this.#quoting.paint(marks.flatMap((mark) => mark.quotes ?? []), this.#mark().quotes ?? []);
  }

  get #labels(): string[] {
    return this.data?.responses.map((response) => response.label) ?? [];
  }

  get #criterion(): Criterion | undefined {
    return this.data?.config.criteria.find((criterion) => criterion.key === this.current);
  }

  #mark(label = this.shown, key = this.current): Mark {
    return this.answer.scores[label]?.[key] ?? {};
  }

  #sources(): QuoteSource[] {
    const { data } = this;
    if (!data) return [];
    const chat = (where: string, messages: RenderedMessage[]): QuoteSource[] => messages.map((message, at) => ({ where, message: at, text: message.text }));
    return [
      ...chat("prompt", data.prompt),
      ...data.responses.flatMap((response) => chat(response.label, response.messages)),
      ...(data.reference ? [{ where: "reference", message: 0, text: data.reference.text }] : []),
      ...(data.context ? [{ where: "context", message: 0, text: data.context.text }] : []),
    ];
  }

  #words(): number {
    const front = this.data!.responses.find((response) => response.label === this.shown);
    return (front?.messages ?? []).flatMap((message) => message.text.split(/\s+/).filter(Boolean)).length;
  }

  // Changes

  #set(key: string, part: Mark, label = this.shown): void {
    const marks = this.answer.scores[label] ?? {};
    const next: Mark = { value: null, na: false, quotes: [], comment: "", ...marks[key], ...part };
    this.change({ scores: { ...this.answer.scores, [label]: { ...marks, [key]: next } } });
  }

  #value(criterion: Criterion, value: number): void {
    if (value < lowest(criterion) || value > highest(criterion)) return;
    this.current = criterion.key;
    this.#set(criterion.key, { value, na: false });
  }

  #notApplicable(criterion: Criterion): void {
    if (!criterion.allow_na) return;
    this.current = criterion.key;
    this.#set(criterion.key, { na: !this.#mark(this.shown, criterion.key).na, value: null });
  }

  #attach(): void {
    const criterion = this.#criterion;
    const span = this.#quoting.quoting ? this.#quoting.marked : this.#quoting.selected;
    if (!criterion || !span || this.readonly || criterion.evidence === "none") return;
    const quotes = this.#mark().quotes ?? [];
    if (this.#quoting.quoting) this.#leaveQuoting();
    else this.#quoting.take();
    if (quotes.length < QUOTES_MAX && !quotes.some((each) => sameSpan(each, span))) this.#set(criterion.key, { quotes: [...quotes, span] });
  }

  #leaveQuoting(): void {
    this.#quoting.end();
    this.#focusCriterion();
  }

  #openReference(): void {
    const { data } = this;
    if (!data?.reference || !this.#referenceOpen) return;
    this.reference = !this.reference;
    if (data.config.reference === "after" && !this.answer.reference_opened) this.change({ reference_opened: true });
  }

  /** A reference that is held back opens once all is scored, and then stays. */
  get #referenceOpen(): boolean {
    const { data, answer } = this;
    if (!data?.reference) return false;
    return data.config.reference === "beside" || this.readonly || answer.reference_opened || allScored(data, answer);
  }

  #show(label: string): void {
    this.shown = label;
    void this.updateComplete.then(() => this.querySelector<HTMLElement>(".rate-text")?.scrollTo({ top: 0 }));
  }

  #focusCriterion(): void {
    void this.updateComplete.then(() => this.querySelector<HTMLElement>(`[data-criterion="${this.current}"]`)?.focus());
  }

  // Keys

  protected override pressed(event: KeyboardEvent): void {
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || !this.checkVisibility()) return;
    if (this.#quoting.quoting) {
      const did = this.#quoting.key(event);
      if (!did) return;
      event.preventDefault();
      if (did === "done") this.#attach();
      if (did === "left") this.#focusCriterion();
    } else if (typingIn(event)) this.#fromField(event);
    else if (this.#handle(event)) event.preventDefault();
  }

  #fromField(event: KeyboardEvent): void {
    if (event.key !== "Escape") return;
    event.preventDefault();
    this.#focusCriterion();
  }

  #handle({ key, shiftKey }: KeyboardEvent): boolean {
    const label = this.#labels.find((each) => each.toLowerCase() === key.toLowerCase());
    if (label && !shiftKey) return this.#show(label), true;
    if (key === "j" || key === "k") return this.#step(key === "j" ? 1 : -1), true;
    if (key === "r" && this.data!.reference) return this.#openReference(), true;
    const criterion = this.#criterion;
    if (!criterion) return false;
    if (key === "m" && criterion.comment !== "none") return this.#focusField("textarea");
    if (key === "q" && criterion.evidence !== "none") return this.#quote(), true;
    if (key === "0" && criterion.allow_na) return this.#notApplicable(criterion), true;
    if (criterion.kind === "check" && (key === "y" || key === "n")) return this.#value(criterion, key === "y" ? 1 : 0), true;
    if (criterion.kind === "scale" && (key === "v" || /^[1-9]$/.test(key))) return this.#focusField("input[type=number]");
    if (criterion.kind === "likert" && /^[1-9]$/.test(key)) return this.#value(criterion, Number(key)), true;
    return false;
  }

  /** False, so that a digit typed on the way lands in the field. */
  #focusField(selector: string): boolean {
    const field = this.querySelector<HTMLInputElement>(`[data-criterion="${this.current}"] ${selector}`);
    field?.focus();
    if (field?.type === "number") field.select();
    return selector === "textarea";
  }

  #step(by: number): void {
    const keys = this.data!.config.criteria.map((criterion) => criterion.key);
    const next = keys[keys.indexOf(this.current) + by];
    if (next) this.current = next;
    this.#focusCriterion();
  }

  #quoteFor(criterion: Criterion): void {
    this.current = criterion.key;
    this.#quote();
  }

  #quote(): void {
    if (this.#quoting.selected) this.#attach();
    else this.#quoting.begin(this.shown);
  }

  // Views

  protected override render(): TemplateResult | typeof nothing {
    const { data } = this;
    if (!data) return nothing;
    return html`<div class="rate" ?data-fill=${this.fill} data-only=${this.only || nothing}>
      ${this.only === "answer" ? nothing : this.#renderMaterial(data)} ${this.only === "material" ? nothing : this.#renderJudgment(data)}
    </div>`;
  }

  #renderMaterial(data: RatingData): TemplateResult {
    return html`<div class="rate-material">
      ${this.#renderPrompt(data)} ${this.only ? this.#renderTabs(data) : nothing}
      <section class="rate-read panel" aria-label="Response ${this.shown}">
        <div class="cmp-head"><span class="cmp-letter">${this.shown}</span><span class="text-xs text-muted num">${this.#words()} words</span></div>
        <div class="rate-text" tabindex="0" role="region" aria-label="Text of response ${this.shown}">
          ${repeat(data.responses.filter((response) => response.label === this.shown), (response) => response.label, (response) => this.#renderChat(response.label, response.messages))}
        </div>
        ${this.#renderReference(data)} ${this.readonly ? nothing : quoteBar(this.#quoting, `“${this.#criterion?.title ?? ""}”`, () => this.#attach())}
      </section>
    </div>`;
  }

  #renderChat(where: string, messages: RenderedMessage[]): TemplateResult[] {
    const named = messages.length > 1;
    return messages.map((message, at) => html`${named ? html`<p class="eyebrow mt-2">${message.role}</p>` : nothing}<div class="reading" data-quotable=${quotable(where, at)}>${unsafeHTML(message.html)}</div>`);
  }

  #renderPrompt(data: RatingData): TemplateResult {
    return html`<section class="rate-prompt panel" aria-label="Prompt">
      <h2 class="eyebrow">Prompt</h2>
      <div class="rate-prompt-text" tabindex="0" role="region" aria-label="Prompt text">
        ${data.context ? html`<div class="reading rate-context" data-quotable=${quotable("context")}>${unsafeHTML(data.context.html)}</div>` : nothing} ${this.#renderChat("prompt", data.prompt)}
      </div>
    </section>`;
  }

  #renderReference(data: RatingData): TemplateResult | typeof nothing {
    if (!data.reference) return nothing;
    const open = this.#referenceOpen;
    return html`<div class="rate-reference" ?data-open=${open && this.reference}>
      <button type="button" class="rate-reference-head" aria-expanded=${open && this.reference} aria-keyshortcuts="r" ?disabled=${!open} @click=${() => this.#openReference()}>
        ${icon("book-open")}<span>Reference answer</span>${open ? html`<span class="max-md:hidden">${kbd("r")}</span>` : html`<span class="text-muted font-normal">opens once all is scored</span>`}
      </button>
      ${open && this.reference ? html`<div class="rate-reference-text reading" tabindex="0" role="region" aria-label="Reference answer" data-quotable=${quotable("reference")}>${unsafeHTML(data.reference.html)}</div>` : nothing}
    </div>`;
  }

  #renderTabs(data: RatingData): TemplateResult {
    return html`<div class="rate-tabs" role="tablist" aria-label="Responses">
      ${data.responses.map(({ label }) => {
        const score = weightedScore(data.config.criteria, this.answer.scores[label]);
        const open = data.config.criteria.filter((criterion) => criterion.required && !given(this.answer.scores[label]?.[criterion.key])).length;
        return html`<button type="button" role="tab" class="rate-tab" aria-selected=${label === this.shown} aria-label="Response ${label}" @click=${() => this.#show(label)}>
          <span class="cmp-letter">${label}</span><span class="rate-score num">${score === null ? "–" : `${Math.round(100 * score)} %`}</span>
          ${open && !this.readonly ? html`<span class="text-muted text-xs num">${open} open</span>` : nothing}
        </button>`;
      })}
    </div>`;
  }

  #renderJudgment(data: RatingData): TemplateResult {
    return html`<div class="rate-judge">
      <div class="rate-head">
        <h2 class="font-semibold text-[0.9375rem]">${data.config.question}</h2>
        ${this.#renderTabs(data)}
      </div>
      <div class="rate-criteria" role="group" aria-label="Criteria of response ${this.shown}">
        ${repeat(data.config.criteria, (criterion) => `${this.shown}/${criterion.key}`, (criterion) => this.#renderCriterion(criterion))} ${this.#renderOverall(data)} ${this.#renderComment(data)}
      </div>
    </div>`;
  }

  #renderCriterion(criterion: Criterion): TemplateResult {
    const mark = this.#mark(this.shown, criterion.key);
    const current = criterion.key === this.current && !this.readonly;
    // A few criteria stay open side by side; of many only the one at hand does.
    const open = current || (!this.readonly && this.data!.config.criteria.length <= OPEN_MAX);
    return html`<section class="rate-criterion" data-criterion=${criterion.key} tabindex="-1" ?data-current=${current} aria-label="${criterion.title}, response ${this.shown}" @focusin=${() => this.#atHand.reach(criterion.key)}>
      <div class="rate-line">
        <h3 class="rate-title">${criterion.title} ${this.#renderWeight(criterion)}</h3>
        ${this.#renderControl(criterion, mark)}
      </div>
      ${criterion.description && (open || this.readonly) ? html`<p class="text-sm text-muted">${criterion.description}</p>` : nothing} ${this.#renderAnchors(criterion, mark, open)}
      ${quoteList(mark.quotes ?? [], (where) => this.#named(where), (span) => this.#reveal(span), this.readonly ? null : (at) => this.#unquote(criterion, at))}
      ${this.#renderSupport(criterion, mark, open)}
    </section>`;
  }

  #renderWeight({ weight, required }: Criterion): TemplateResult {
    const words = weight < 0 ? `costs ${-weight}` : `× ${weight}`;
    return html`<span class="rate-weight num" data-tone=${weight < 0 ? "harm" : "brand"} title="Weight">${words}</span>${required ? nothing : html`<span class="text-muted text-xs font-normal"> optional</span>`}`;
  }

  #renderControl(criterion: Criterion, mark: Mark): TemplateResult {
    const control = criterion.kind === "scale" ? this.#renderScale(criterion, mark) : this.#renderDots(criterion, mark);
    return html`<div class="rate-control">${control}
      ${criterion.allow_na
        ? html`<label class="rate-na"><input type="checkbox" class="checkbox checkbox-xs" .checked=${live(mark.na === true)} ?disabled=${this.readonly} @change=${() => this.#notApplicable(criterion)}> n/a<span class="sr-only"> (not applicable)</span></label>`
        : nothing}
    </div>`;
  }

  #renderDots(criterion: Criterion, mark: Mark): TemplateResult {
    const values = Array.from({ length: highest(criterion) - lowest(criterion) + 1 }, (_, at) => lowest(criterion) + at);
    const word = (value: number) => (criterion.kind === "check" ? (value ? "Yes" : "No") : String(value));
    if (criterion.kind === "check") values.reverse();
    return html`<fieldset class="dots" data-kind=${criterion.kind} ?disabled=${this.readonly}>
      <legend class="sr-only">${criterion.title}</legend>
      ${values.map((value) => {
        const anchor = criterion.anchors[String(value)];
        return html`<label title=${anchor ?? nothing}><input type="radio" name="${this.#uid}-${this.shown}-${criterion.key}" value=${value} aria-label="${word(value)}${anchor ? `: ${anchor}` : ""}"
          .checked=${live(mark.value === value)} @change=${() => this.#value(criterion, value)}>${word(value)}</label>`;
      })}
    </fieldset>`;
  }

  #renderScale(criterion: Criterion, mark: Mark): TemplateResult {
    const typed = (event: Event) => {
      const value = Math.round(Number((event.target as HTMLInputElement).value));
      if (value >= 1 && value <= 100) this.#value(criterion, value);
    };
    const value = mark.value ?? null;
    return html`<div class="rate-scale">
      <input type="range" class="range range-md range-primary" min="1" max="100" .value=${live(String(value ?? 50))} ?data-open=${value === null} ?disabled=${this.readonly} aria-label="${criterion.title}, slider" @input=${typed}>
      <input type="number" class="input input-sm num" min="1" max="100" inputmode="numeric" placeholder="–" .value=${live(value === null ? "" : String(value))} ?readonly=${this.readonly} aria-label="${criterion.title}, 1 to 100" @input=${typed}
        @blur=${() => this.requestUpdate()}>
    </div>`;
  }

  /** What points mean: all while the criterion is at hand, else the one given. */
  #renderAnchors(criterion: Criterion, mark: Mark, open: boolean): TemplateResult | typeof nothing {
    const rows = Object.entries(criterion.anchors).sort(([a], [b]) => Number(a) - Number(b));
    const value = mark.value ?? -1;
    const met = criterion.kind === "scale" ? rows.filter(([at]) => Number(at) <= value).at(-1)?.[0] : String(value);
    const seen = rows.filter(([at]) => open || at === met);
    if (!seen.length) return nothing;
    const word = (at: string) => (criterion.kind === "check" ? (at === "1" ? "Yes" : "No") : criterion.kind === "scale" ? `${at}+` : at);
    return html`<dl class="rate-anchors">${seen.map(([at, words]) => html`<div ?data-met=${at === met}><dt class="num">${word(at)}</dt><dd>${words}</dd></div>`)}</dl>`;
  }

  #renderSupport(criterion: Criterion, mark: Mark, open: boolean): TemplateResult | typeof nothing {
    const missing = needsQuote(criterion, mark) && !mark.quotes?.length;
    const written = Boolean(mark.comment);
    if (!open && !missing && !written) return nothing;
    return html`<div class="rate-support">
      ${!this.readonly && criterion.evidence !== "none" && (open || missing)
        ? html`<button type="button" class="btn btn-quiet btn-xs h-7 ${missing ? "text-attention-ink" : "text-muted"}" aria-keyshortcuts="q" @click=${() => this.#quoteFor(criterion)}>${icon("quote")}${missing ? "Quote needed" : "Quote"}<span class="max-md:hidden">${kbd("q")}</span></button>`
        : nothing}
      ${criterion.comment !== "none" && (open || written)
        ? html`<textarea class="textarea rate-comment" rows="1" aria-label="Comment on ${criterion.title}" placeholder=${criterion.comment === "required" ? "Say why" : "Comment"} maxlength=${this.data!.config.comment_max_chars} ?readonly=${this.readonly} .value=${live(mark.comment ?? "")}
            @input=${(event: Event) => this.#set(criterion.key, { comment: (event.target as HTMLTextAreaElement).value })}></textarea>`
        : nothing}
    </div>`;
  }

  #renderOverall(data: RatingData): TemplateResult | typeof nothing {
    const { overall, overall_points: top } = data.config;
    if (overall === "none") return nothing;
    const value = this.answer.overall[this.shown];
    return html`<section class="rate-criterion" aria-label="Overall, response ${this.shown}"><div class="rate-line">
      <h3 class="rate-title">Overall ${overall === "optional" ? html`<span class="text-muted text-xs font-normal">optional</span>` : nothing}</h3>
      <fieldset class="dots" ?disabled=${this.readonly}><legend class="sr-only">Overall, 1 to ${top}</legend>
        ${Array.from({ length: top }, (_, at) => html`<label><input type="radio" name="${this.#uid}-${this.shown}-overall" value=${at + 1} .checked=${live(value === at + 1)} @change=${() => this.change({ overall: { ...this.answer.overall, [this.shown]: at + 1 } })}>${at + 1}</label>`)}
      </fieldset></div></section>`;
  }

  #renderComment(data: RatingData): TemplateResult | typeof nothing {
    if (this.readonly && !this.answer.comment) return nothing;
    return html`<label class="rate-all text-sm"><span class="text-muted">About the task as a whole (optional)</span>
      <textarea class="textarea rate-comment" rows="1" maxlength=${data.config.comment_max_chars} ?readonly=${this.readonly} .value=${live(this.answer.comment)} @input=${(event: Event) => this.change({ comment: (event.target as HTMLTextAreaElement).value })}></textarea></label>`;
  }

  #named(where: string): string {
    return { prompt: "Prompt", reference: "Reference", context: "Context" }[where] ?? where;
  }

  #reveal(span: Span): void {
    if (this.#labels.includes(span.where)) this.shown = span.where;
    if (span.where === "reference" && this.#referenceOpen) this.reference = true;
    void this.updateComplete.then(() => this.#quoting.reveal(span));
  }

  #unquote(criterion: Criterion, at: number): void {
    this.#set(criterion.key, { quotes: (this.#mark(this.shown, criterion.key).quotes ?? []).filter((_, place) => place !== at) });
  }
}

customElements.define("preceptor-rating", PreceptorRating);
