/**
 * `<preceptor-steps>`: mark each step or sentence of a response, correct what is wrong, cite sources.
 *
 * One step is at hand; keys and quotes speak to it. See KindElement for properties and events.
 */
import { html, nothing, type PropertyValues, type TemplateResult } from "lit";
import { live } from "lit/directives/live.js";
import { unsafeHTML } from "lit/directives/unsafe-html.js";
import { adopt, icon, kbd, typingIn } from "../../lib/dom";
import { KindElement } from "../../lib/kind";
import { askedCount, emptySteps, firstWrong, isAddress, isFault, needsEvidence, outcomeOf, problemsOf, type StepMark, type StepsAnswer, type StepsData, type Verdict } from "../../lib/steps";
import type { Shortcut } from "../../lib/view";
import { AtHand } from "../../parts/athand";
import { quoteBar, quoteList } from "../../parts/quotebar";
import { quotable, Quoting, sameSpan, type QuoteSource, type Span } from "../../parts/quoting";
import css from "../../styles/kinds/steps.css?inline";

adopt(css);

const EVIDENCE_MAX = 10;
const WORDS: Record<Verdict, string> = { correct: "Correct", neutral: "Neutral", unsupported: "Unsupported", wrong: "Wrong" };
let instances = 0;

const sign = (verdict: Verdict): TemplateResult =>
  ({ correct: icon("check"), neutral: icon("minus"), unsupported: icon("circle-question-mark"), wrong: icon("x") })[verdict];

export class PreceptorSteps extends KindElement<StepsData, StepsAnswer> {
  static override properties = { ...KindElement.properties, current: { state: true }, editing: { state: true }, source: { state: true } };
  /** Number of the step at hand, from 0. */
  declare protected current: number;
  /** Steps whose corrected text is open. */
  declare protected editing: ReadonlySet<number>;
  /** The source in front, by id; "reference" for the known solution. */
  declare protected source: string;
  readonly #uid = `steps${++instances}`;
  readonly #quoting = new Quoting(this, () => this.#sources(), () => this.requestUpdate());
  /** Corrections as they stand in their fields, which may be empty for a moment. */
  readonly #typed = new Map<number, string>();
  readonly #atHand = new AtHand<number>(this, (at) => (this.current = at));

  constructor() {
    super();
    this.current = 0;
    this.#typed.clear();
    this.editing = new Set();
    this.source = "";
  }

  override connectedCallback(): void {
    super.connectedCallback();
    this.#quoting.connect();
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.#quoting.disconnect();
  }

  protected override emptyAnswer(): StepsAnswer {
    return emptySteps();
  }

  protected override problemsOf(data: StepsData, answer: StepsAnswer): string[] {
    return problemsOf(data, answer);
  }

  override get value(): StepsAnswer {
    return this.data ? outcomeOf(this.data, this.answer) : this.answer;
  }

  override get shortcuts(): Shortcut[] {
    const verdicts = this.data?.config.verdicts ?? [];
    return [
      { keys: "j k", words: "Next or previous step" },
      ...verdicts.map((verdict, at) => ({ keys: String(at + 1), words: WORDS[verdict] })),
      { keys: "w", words: "First wrong step is here: all before are correct" },
      { keys: "c", words: "Next kind of error" },
      { keys: "e", words: "Write the corrected step" },
      { keys: "m", words: "Comment" },
      { keys: "q", words: "Quote a source: the selection, or choose by arrow keys" },
      { keys: "u", words: "Add a web address" },
      { keys: "[ ]", words: "Previous or next source" },
      { keys: "y n", words: "Final answer right, not right" },
    ];
  }

  protected override willUpdate(changed: PropertyValues): void {
    super.willUpdate(changed);
    if (!changed.has("data") || !this.data) return;
    this.current = 0;
    this.#typed.clear();
    this.editing = new Set(Object.entries(this.answer.marks).filter(([, mark]) => mark.correction).map(([at]) => Number(at)));
    this.source = this.data.sources[0]?.id ?? (this.data.reference ? "reference" : "");
  }

  protected override updated(): void {
    const marks = Object.values(this.value.marks);
    this.#quoting.paint(marks.flatMap((mark) => mark.quotes ?? []), this.#mark(this.current).quotes ?? []);
  }

  #mark(at: number): StepMark {
    return this.answer.marks[at] ?? {};
  }

  #sources(): QuoteSource[] {
    const { data } = this;
    if (!data) return [];
    return [...data.prompt.map((message, at) => ({ where: "prompt", message: at, text: message.text })), ...data.sources.map((each) => ({ where: each.id, message: 0, text: each.body.text }))];
  }

  // Changes

  #set(at: number, part: StepMark): void {
    const mark: StepMark = { verdict: null, category: null, correction: "", comment: "", quotes: [], urls: [], ...this.#mark(at), ...part };
    this.change({ marks: { ...this.answer.marks, [at]: mark } });
  }

  #judge(at: number, verdict: Verdict): void {
    this.#set(at, { verdict });
  }

  /** This step is the first wrong one: what stands before without a mark is correct. */
  #firstWrongHere(): void {
    const marks = { ...this.answer.marks };
    for (let at = 0; at < this.current; at++) if (!marks[at]?.verdict || marks[at]?.verdict === "wrong") marks[at] = { ...marks[at], verdict: "correct" };
    marks[this.current] = { ...marks[this.current], verdict: "wrong" };
    this.change({ marks });
  }

  #nextCategory(): void {
    const keys = this.data!.config.categories.map((category) => category.key);
    const now = keys.indexOf(this.#mark(this.current).category ?? "");
    this.#set(this.current, { category: keys[(now + 1) % keys.length] ?? null });
  }

  #correct(at: number, text: string): void {
    this.#typed.set(at, text);
    this.#set(at, { correction: text.trim() === this.data!.steps[at]!.text.trim() ? "" : text });
  }

  #attach(): void {
    const span = this.#quoting.quoting ? this.#quoting.marked : this.#quoting.selected;
    if (!span || this.readonly || this.data!.config.evidence === "none") return;
    const quotes = this.#mark(this.current).quotes ?? [];
    if (this.#quoting.quoting) this.#quoting.end();
    else this.#quoting.take();
    if (quotes.length < EVIDENCE_MAX && !quotes.some((each) => sameSpan(each, span))) this.#set(this.current, { quotes: [...quotes, span] });
    this.#focusStep();
  }

  #addUrl(at: number, field: HTMLInputElement): void {
    const url = field.value.trim();
    const urls = this.#mark(at).urls ?? [];
    const fits = isAddress(url);
    field.setAttribute("aria-invalid", String(!fits && url !== ""));
    if (!fits || urls.length >= EVIDENCE_MAX) return;
    field.value = "";
    if (!urls.includes(url)) this.#set(at, { urls: [...urls, url] });
  }

  // Keys

  protected override pressed(event: KeyboardEvent): void {
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || !this.checkVisibility()) return;
    if (this.#quoting.quoting) {
      const did = this.#quoting.key(event);
      if (!did) return;
      event.preventDefault();
      if (did === "done") this.#attach();
      if (did === "left") this.#focusStep();
    } else if (typingIn(event)) {
      if (event.key !== "Escape") return;
      event.preventDefault();
      this.#focusStep();
    } else if (this.#handle(event)) event.preventDefault();
  }

  #handle({ key }: KeyboardEvent): boolean {
    const { config } = this.data!;
    const verdict = config.verdicts[Number(key) - 1];
    if (verdict && this.#open(this.current)) return this.#byKey(verdict), true;
    if (key === "j" || key === "k") return this.#go(this.current + (key === "j" ? 1 : -1)), true;
    if (key === "w") return this.#firstWrongHere(), true;
    if (key === "[" || key === "]") return this.#turn(key === "]" ? 1 : -1), true;
    if (config.ask_final && (key === "y" || key === "n")) return this.change({ final_correct: key === "y" }), true;
    return this.#detailKey(key);
  }

  #detailKey(key: string): boolean {
    const { config } = this.data!;
    const fault = isFault(this.#mark(this.current));
    if (key === "q" && config.evidence !== "none") return this.#quote(), true;
    if (key === "c" && fault && config.category !== "none") return this.#nextCategory(), true;
    if (key === "e" && fault && config.correction !== "none") return this.#edit(this.current), true;
    if (key === "m") return this.#focusField("[data-comment]"), true;
    if (key === "u" && config.evidence !== "none") return this.#focusField("[data-url]"), true;
    return false;
  }

  /** A step that is right leads on to the next; one that is wrong has more to say. */
  #byKey(verdict: Verdict): void {
    this.#judge(this.current, verdict);
    if (verdict !== "wrong" && !(this.data!.config.evidence === "every" && verdict === "correct")) this.#go(this.current + 1);
  }

  #go(to: number): void {
    if (to >= 0 && to < this.data!.steps.length) this.current = to;
    this.#focusStep();
  }

  #turn(by: number): void {
    const ids = this.#sheets();
    const next = ids[ids.indexOf(this.source) + by];
    if (next) this.source = next;
  }

  #focusStep(): void {
    void this.updateComplete.then(() => this.querySelector<HTMLElement>(`[data-step="${this.current}"]`)?.focus());
  }

  #focusField(selector: string): void {
    void this.updateComplete.then(() => this.querySelector<HTMLElement>(`[data-step="${this.current}"] ${selector}`)?.focus());
  }

  #edit(at: number): void {
    this.current = at;
    this.editing = new Set([...this.editing, at]);
    this.#focusField("[data-correction]");
  }

  #quote(): void {
    if (this.#quoting.selected) this.#attach();
    else this.#quoting.begin(this.source);
  }

  #open(at: number): boolean {
    return at < askedCount(this.data!, this.answer);
  }

  // Views

  protected override render(): TemplateResult | typeof nothing {
    const { data } = this;
    if (!data) return nothing;
    const aside = data.sources.length > 0 || data.reference !== null;
    return html`<div class="stp" ?data-fill=${this.fill} ?data-aside=${aside && this.only === ""} data-only=${this.only || nothing}>
      <div class="steps-main">
        ${this.#renderPrompt(data)} ${this.only === "material" ? nothing : this.#renderHead(data)}
        <ol class="steps-list panel" aria-label="Steps">
          ${data.steps.map((_, at) => this.#renderStep(data, at))}
        </ol>
        ${this.only === "material" ? this.#renderFinalText(data) : this.#renderFinal(data)}
      </div>
      ${aside && this.only !== "answer" ? this.#renderSources(data) : nothing}
    </div>`;
  }

  #renderPrompt(data: StepsData): TemplateResult | typeof nothing {
    if (this.only === "answer") return nothing;
    const many = data.prompt.length > 1;
    return html`<section class="steps-prompt panel" aria-label="Prompt"><h2 class="eyebrow">Prompt</h2>
      <div class="steps-prompt-text" tabindex="0" role="region" aria-label="Prompt text">${data.prompt.map(
        (message, at) => html`${many ? html`<p class="eyebrow">${message.role}</p>` : nothing}<div class="reading" data-quotable=${quotable("prompt", at)}>${unsafeHTML(message.html)}</div>`,
      )}</div></section>`;
  }

  #renderHead({ config }: StepsData): TemplateResult {
    return html`<div class="steps-head">
      <h2 class="font-semibold text-[0.9375rem]">${config.question}</h2>
      ${this.readonly ? nothing : html`<p class="steps-legend" aria-hidden="true">${config.verdicts.map((verdict, at) => html`<span data-verdict=${verdict}><span class="max-md:hidden">${kbd(String(at + 1))}</span>${sign(verdict)}${WORDS[verdict]}</span>`)}</p>`}
    </div>`;
  }

  #renderStep(data: StepsData, at: number): TemplateResult {
    const mark = this.#mark(at);
    const open = this.#open(at);
    const current = at === this.current && !this.readonly && open;
    const material = this.only === "material";
    return html`<li class="stp-row" data-step=${at} tabindex="-1" aria-label="Step ${at + 1}" ?data-current=${current} ?data-after=${!open && !material} data-verdict=${(open && !material && mark.verdict) || nothing}
      @focusin=${() => this.#atHand.reach(at)}>
      <span class="step-number num" aria-hidden="true">${at + 1}</span>
      <div class="step-text reading">${unsafeHTML(data.steps[at]!.html)}</div>
      ${material ? nothing : open ? this.#renderMarks(data, at, mark) : html`<span class="step-implied text-xs text-muted">not asked</span>`}
      ${material || !open ? nothing : this.#renderDetail(data, at, mark, current)}
    </li>`;
  }

  #renderMarks({ config }: StepsData, at: number, mark: StepMark): TemplateResult {
    return html`<fieldset class="step-marks" ?disabled=${this.readonly}><legend class="sr-only">Mark of step ${at + 1}</legend>
      ${config.verdicts.map(
        (verdict) => html`<label title=${WORDS[verdict]} data-verdict=${verdict}><input type="radio" name="${this.#uid}-${at}" aria-label=${WORDS[verdict]} .checked=${live(mark.verdict === verdict)} @change=${() => this.#judge(at, verdict)}>${sign(verdict)}</label>`,
      )}</fieldset>`;
  }

  #renderDetail(data: StepsData, at: number, mark: StepMark, current: boolean): TemplateResult | typeof nothing {
    const { config } = data;
    const fault = isFault(mark);
    const missing = needsEvidence(config, mark) && !mark.quotes?.length && !mark.urls?.length;
    const parts = [
      fault && config.category !== "none" && (current || mark.verdict === "wrong" || mark.category) ? this.#renderCategories(data, at, mark) : nothing,
      fault && config.correction !== "none" ? this.#renderCorrection(data, at, mark, current) : nothing,
      quoteList(mark.quotes ?? [], (where) => this.#titleOf(where), (span) => this.#reveal(span), this.readonly ? null : (place) => this.#set(at, { quotes: (mark.quotes ?? []).filter((_, each) => each !== place) })),
      this.#renderUrls(at, mark),
      current || missing || mark.comment ? this.#renderTools(data, at, mark, current, missing) : nothing,
    ].filter((part) => part !== nothing);
    return parts.length ? html`<div class="step-detail">${parts}</div>` : nothing;
  }

  #renderCategories({ config }: StepsData, at: number, mark: StepMark): TemplateResult | typeof nothing {
    if (!config.categories.length) return nothing;
    return html`<fieldset class="step-categories" ?disabled=${this.readonly}><legend class="sr-only">Kind of error in step ${at + 1}</legend>
      ${config.categories.map(
        (category) => html`<label class="chip"><input type="radio" class="sr-only" name="${this.#uid}-${at}-category" .checked=${live(mark.category === category.key)} @change=${() => this.#set(at, { category: category.key })}>${category.title}</label>`,
      )}</fieldset>`;
  }

  #renderCorrection(data: StepsData, at: number, mark: StepMark, current: boolean): TemplateResult | typeof nothing {
    const original = data.steps[at]!.text;
    const needed = data.config.correction === "required" && mark.verdict === "wrong" && !mark.correction?.trim();
    if (!this.editing.has(at)) {
      return this.readonly || (!current && !needed)
        ? nothing
        : html`<div><button type="button" class="btn btn-quiet btn-xs h-7 ${needed ? "text-attention-ink" : "text-muted"}" aria-keyshortcuts="e" @click=${() => this.#edit(at)}>${icon("pencil")}${needed ? "Correction needed" : "Correct it"}<span class="max-md:hidden">${kbd("e")}</span></button></div>`;
    }
    return html`<label class="step-fix"><span class="eyebrow">Should read</span>
      <textarea class="textarea reading" data-correction rows="1" ?readonly=${this.readonly} aria-label="Step ${at + 1} as it should read" .value=${live(this.#typed.get(at) ?? (mark.correction || original))} @input=${(event: Event) => this.#correct(at, (event.target as HTMLTextAreaElement).value)}></textarea></label>`;
  }

  #renderUrls(at: number, mark: StepMark): TemplateResult | typeof nothing {
    const urls = mark.urls ?? [];
    if (!urls.length) return nothing;
    return html`<ul class="quote-list" aria-label="Web addresses">${urls.map(
      (url) => html`<li class="quote-item"><a class="quote-text link-brand" href=${url} target="_blank" rel="noopener noreferrer nofollow">${url}</a>
        ${this.readonly ? nothing : html`<button type="button" class="btn btn-quiet btn-xs btn-square" aria-label="Remove this address" @click=${() => this.#set(at, { urls: urls.filter((each) => each !== url) })}>${icon("x")}</button>`}</li>`,
    )}</ul>`;
  }

  #renderTools({ config }: StepsData, at: number, mark: StepMark, current: boolean, missing: boolean): TemplateResult | typeof nothing {
    const evidence = config.evidence !== "none" && !this.readonly;
    return html`<div class="step-tools">
      ${evidence && (current || missing)
        ? html`<button type="button" class="btn btn-quiet btn-xs h-7 ${missing ? "text-attention-ink" : "text-muted"}" aria-keyshortcuts="q" @click=${() => ((this.current = at), this.#quote())}>${icon("quote")}${missing ? "Evidence needed" : "Quote"}<span class="max-md:hidden">${kbd("q")}</span></button>`
        : nothing}
      ${evidence && current
        ? html`<input class="input input-sm" data-url type="url" placeholder="https://" aria-label="Web address for step ${at + 1}" @change=${(event: Event) => this.#addUrl(at, event.target as HTMLInputElement)}
            @keydown=${(event: KeyboardEvent) => event.key === "Enter" && !event.ctrlKey && !event.metaKey && this.#addUrl(at, event.target as HTMLInputElement)}>`
        : nothing}
      ${config.comment !== "none" && (current || mark.comment)
        ? html`<textarea class="textarea" data-comment rows="1" aria-label="Comment on step ${at + 1}" placeholder="Comment" maxlength="10000" ?readonly=${this.readonly} .value=${live(mark.comment ?? "")} @input=${(event: Event) => this.#set(at, { comment: (event.target as HTMLTextAreaElement).value })}></textarea>`
        : nothing}
    </div>`;
  }

  #renderFinalText(data: StepsData): TemplateResult | typeof nothing {
    return data.final_answer ? html`<div class="panel steps-final"><span class="eyebrow">Final answer</span><div class="reading">${unsafeHTML(data.final_answer.html)}</div></div>` : nothing;
  }

  #renderFinal(data: StepsData): TemplateResult {
    const { final_correct: right } = this.answer;
    const wrong = firstWrong(data, this.answer);
    const choice = (value: boolean, words: string, key: string) => html`<label class="chip"><input type="radio" class="sr-only" name="${this.#uid}-final" .checked=${live(right === value)} @change=${() => this.change({ final_correct: value })}>${value ? icon("check") : icon("x")}${words}${this.readonly ? nothing : html`<span class="max-md:hidden">${kbd(key)}</span>`}</label>`;
    return html`<div class="steps-final">
      ${data.config.ask_final
        ? html`<fieldset class="steps-final-choice" ?disabled=${this.readonly}><legend class="float-left mr-3 font-semibold text-[0.9375rem]">Final answer${data.final_answer ? ":" : ""}</legend>
            ${data.final_answer ? html`<div class="reading">${unsafeHTML(data.final_answer.html)}</div>` : nothing} ${choice(true, "Right", "y")}${choice(false, "Not right", "n")}</fieldset>`
        : this.#renderFinalText(data)}
      <p class="text-sm text-muted ml-auto" role="status">${wrong === null ? `${Object.values(this.value.marks).filter((mark) => mark.verdict).length} of ${data.steps.length} marked` : `First error in step ${wrong + 1}`}</p>
    </div>`;
  }

  #sheets(): string[] {
    return [...(this.data?.sources.map((each) => each.id) ?? []), ...(this.data?.reference ? ["reference"] : [])];
  }

  #titleOf(where: string): string {
    if (where === "reference") return "Known solution";
    return this.data?.sources.find((each) => each.id === where)?.title ?? (where === "prompt" ? "Prompt" : where);
  }

  #renderSources(data: StepsData): TemplateResult {
    const shown = data.sources.find((each) => each.id === this.source);
    return html`<aside class="steps-sources panel" aria-label="Sources">
      <div class="tab-row" role="tablist" aria-label="Sources">${this.#sheets().map((id) => html`<button type="button" role="tab" aria-selected=${id === this.source} @click=${() => (this.source = id)}>${this.#titleOf(id)}</button>`)}</div>
      <div class="steps-source-text" tabindex="0" role="region" aria-label=${this.#titleOf(this.source)}>
        ${shown?.url ? html`<p class="text-sm mb-2"><a class="link-brand" href=${shown.url} target="_blank" rel="noopener noreferrer nofollow">${shown.url}</a></p>` : nothing}
        ${data.sources.map((each) => html`<div class="reading" ?hidden=${each !== shown} data-quotable=${quotable(each.id)}>${unsafeHTML(each.body.html)}</div>`)}
        ${this.source === "reference" && data.reference ? html`<div class="reading">${unsafeHTML(data.reference.html)}</div>` : nothing}
      </div>
      ${this.readonly || this.only ? nothing : quoteBar(this.#quoting, `step ${this.current + 1}`, () => this.#attach())}
    </aside>`;
  }

  #reveal(span: Span): void {
    if (this.data!.sources.some((each) => each.id === span.where)) this.source = span.where;
    void this.updateComplete.then(() => this.#quoting.reveal(span));
  }
}

customElements.define("preceptor-steps", PreceptorSteps);
