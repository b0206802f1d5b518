/**
 * `<preceptor-rubric>`: write the criteria by which answers to a prompt are judged, or judge those that others wrote.
 *
 * The editor and the verdicts are parts of their own (parts/rubriceditor.ts, parts/rubricverdicts.ts); this element
 * shows the material beside them. See KindElement for properties and events.
 */
import { html, nothing, type PropertyValues, type TemplateResult } from "lit";
import { unsafeHTML } from "lit/directives/unsafe-html.js";
import { adopt, icon, kbd, typingIn } from "../../lib/dom";
import { KindElement } from "../../lib/kind";
import { blank, emptyRubric, moved, problemsOf, QUESTIONS, signed, total, type Criterion, type CriterionKind, type Decision, type Question, type RubricAnswer, type RubricData, type Verdict } from "../../lib/rubric";
import type { RenderedMessage, Shortcut } from "../../lib/view";
import { AtHand } from "../../parts/athand";
import { renderCriterion, type Editor } from "../../parts/rubriceditor";
import { renderMissing, renderVerdict } from "../../parts/rubricverdicts";
import css from "../../styles/kinds/rubric.css?inline";

adopt(css);

const UNDO_MAX = 200;
const KINDS: CriterionKind[] = ["must", "should", "penalty"];
const MISSING_MAX = 20;

export class PreceptorRubric extends KindElement<RubricData, RubricAnswer> {
  static override properties = { ...KindElement.properties, current: { state: true }, sample: { state: true }, drag: { state: true } };
  /** Number of the criterion at hand, from 0. */
  declare protected current: number;
  /** The sample response in front. */
  declare protected sample: string;
  declare protected drag: { from: number; over: number | null } | null;
  readonly #atHand = new AtHand<number>(this, (at) => (this.current = at));
  #undo: { criteria: Criterion[]; current: number; by: string }[] = [];

  constructor() {
    super();
    this.current = 0;
    this.sample = "";
    this.drag = null;
  }

  protected override emptyAnswer(): RubricAnswer {
    return emptyRubric();
  }

  protected override problemsOf(data: RubricData, answer: RubricAnswer): string[] {
    return problemsOf(data, answer);
  }

  override get value(): RubricAnswer {
    if (this.data?.config.mode !== "validate") return this.answer;
    // A text proposed and then not wanted is kept on the desk, not in the answer.
    const verdicts = Object.entries(this.answer.verdicts).map(([id, verdict]) => [id, verdict.decision === "mend" ? verdict : { ...verdict, proposal: "" }] as const);
    return { ...this.answer, verdicts: Object.fromEntries(verdicts) };
  }

  override get shortcuts(): Shortcut[] {
    const both = [{ keys: "j k", words: "Next or previous criterion" }];
    if (this.data?.config.mode === "validate") {
      return [
        ...both,
        { keys: "1 2 3 4", words: "Self-contained, checkable, correct, important: yes, then no" },
        { keys: "y", words: "Yes to all four" },
        { keys: "a", words: "Keep it" },
        { keys: "e", words: "Mend it" },
        { keys: "d", words: "Drop it" },
        { keys: "m", words: "Comment" },
        { keys: "n", words: "Something is missing" },
      ];
    }
    return [
      ...both,
      { keys: "n", words: "New criterion" },
      { keys: "e", words: "Write the statement" },
      { keys: "r", words: "Write the reason or source" },
      { keys: "t", words: "Must, should, penalty" },
      { keys: "+ −", words: "More or fewer points" },
      { keys: "Shift J K", words: "Move it down or up" },
      { keys: "Del", words: "Remove it" },
      { keys: "z", words: "Undo" },
    ];
  }

  protected override willUpdate(changed: PropertyValues): void {
    super.willUpdate(changed);
    if (!changed.has("data") || !this.data) return;
    this.current = 0;
    this.#undo = [];
    this.sample = this.data.responses[0]?.label ?? "";
  }

  get #criteria(): Criterion[] {
    return this.#validating ? this.data!.draft : (this.answer.criteria ?? this.data!.draft);
  }

  get #validating(): boolean {
    return this.data?.config.mode === "validate";
  }

  // Writing

  /** Replace the rubric; `by` names the change, and one that goes on (typing in one field) is undone in one. */
  #write(criteria: Criterion[], by: string): void {
    if (this.readonly) return;
    if (this.#undo.at(-1)?.by !== by || !by.startsWith("type")) this.#undo = [...this.#undo, { criteria: this.#criteria, current: this.current, by }].slice(-UNDO_MAX);
    this.change({ criteria });
  }

  #edit(at: number, part: Partial<Criterion>): void {
    const typing = "statement" in part || "rationale" in part ? `type ${at} ${Object.keys(part)[0]}` : "set";
    this.#write(this.#criteria.map((criterion, place) => (place === at ? { ...criterion, ...part } : criterion)), typing);
  }

  #add(): void {
    if (this.#criteria.length >= this.data!.config.criteria_max) return;
    this.#write([...this.#criteria, blank(this.#criteria)], "add");
    this.current = this.#criteria.length - 1;
    this.#focus("[data-statement]");
  }

  #remove(at: number): void {
    this.#write(this.#criteria.filter((_, place) => place !== at), "remove");
    this.current = Math.max(0, Math.min(this.current, this.#criteria.length - 1));
    this.#focus();
  }

  #move(from: number, to: number): void {
    if (to < 0 || to >= this.#criteria.length || from === to) return;
    this.#write(moved(this.#criteria, from, to), "move");
    this.current = to;
    this.#focus();
  }

  #kind(at: number, kind: CriterionKind): void {
    this.#edit(at, { kind, points: signed(this.#criteria[at]!.points, kind) });
  }

  #points(at: number, points: number): void {
    const { points_max: most } = this.data!.config;
    const bounded = Math.min(most, Math.max(1, Math.abs(Math.round(points))));
    this.#edit(at, { points: signed(bounded, this.#criteria[at]!.kind) });
  }

  #takeBack(): void {
    const last = this.#undo.pop();
    if (!last) return;
    this.change({ criteria: last.criteria });
    this.current = Math.min(last.current, Math.max(0, last.criteria.length - 1));
    this.#focus();
  }

  // Judging

  #judge(at: number, part: Verdict): void {
    const { id } = this.#criteria[at]!;
    this.change({ verdicts: { ...this.answer.verdicts, [id]: { ...this.answer.verdicts[id], ...part } } });
  }

  #decide(at: number, decision: Decision): void {
    const { id, statement } = this.#criteria[at]!;
    this.#judge(at, decision === "mend" ? { decision, proposal: this.answer.verdicts[id]?.proposal || statement } : { decision });
    if (decision === "mend") this.#focus("[data-proposal]");
    if (decision === "drop") this.#focus("[data-comment]");
  }

  #question(question: Question): void {
    const { id } = this.#criteria[this.current]!;
    this.#judge(this.current, { [question]: this.answer.verdicts[id]?.[question] !== true });
  }

  #addMissing(): void {
    if (this.answer.missing.length >= MISSING_MAX) return;
    this.change({ missing: [...this.answer.missing, ""] });
    void this.updateComplete.then(() => [...this.querySelectorAll<HTMLElement>("[data-missing]")].at(-1)?.focus());
  }

  // Keys

  protected override pressed(event: KeyboardEvent): void {
    if (event.defaultPrevented || event.metaKey || !this.checkVisibility()) return;
    if (typingIn(event)) {
      if (event.key !== "Escape") return;
      event.preventDefault();
      return this.#focus();
    }
    if (event.altKey || (event.ctrlKey && event.key !== "z")) return;
    if (this.#handle(event.key)) event.preventDefault();
  }

  #handle(key: string): boolean {
    if (key === "j" || key === "k") return this.#go(this.current + (key === "j" ? 1 : -1)), true;
    if (this.#validating) return this.#validateKey(key);
    if (key === "n") return this.#add(), true;
    if (key === "z") return this.#takeBack(), true;
    const criterion = this.#criteria[this.current];
    return criterion !== undefined && this.#authorKey(key, criterion);
  }

  #authorKey(key: string, criterion: Criterion): boolean {
    const at = this.current;
    if (key === "J" || key === "K") return this.#move(at, at + (key === "J" ? 1 : -1)), true;
    if (key === "e" || key === "r") return this.#focus(key === "e" ? "[data-statement]" : "[data-rationale]"), true;
    if (key === "t") return this.#kind(at, KINDS[(KINDS.indexOf(criterion.kind) + 1) % KINDS.length]!), true;
    if (key === "+" || key === "=") return this.#points(at, Math.abs(criterion.points) + 1), true;
    if (key === "-") return this.#points(at, Math.abs(criterion.points) - 1), true;
    if (key === "Delete") return this.#remove(at), true;
    return false;
  }

  #validateKey(key: string): boolean {
    const question = QUESTIONS[Number(key) - 1];
    if (question) return this.#question(question), true;
    if (key === "y") return this.#judge(this.current, Object.fromEntries(QUESTIONS.map((each) => [each, true]))), true;
    const decision = { a: "keep", e: "mend", d: "drop" }[key] as Decision | undefined;
    if (decision) return this.#decide(this.current, decision), true;
    if (key === "m") return this.#focus("[data-comment]"), true;
    if (key === "n") return this.#addMissing(), true;
    return false;
  }

  #go(to: number): void {
    if (to >= 0 && to < this.#criteria.length) this.current = to;
    this.#focus();
  }

  #focus(field = ""): void {
    void this.updateComplete.then(() => {
      const card = this.querySelector<HTMLElement>(`[data-criterion="${this.current}"]`);
      (field ? card?.querySelector<HTMLElement>(field) : card)?.focus();
    });
  }

  // Views

  protected override render(): TemplateResult | typeof nothing {
    const { data } = this;
    if (!data) return nothing;
    return html`<div class="rub" ?data-fill=${this.fill} data-only=${this.only || nothing}>
      ${this.only === "answer" ? nothing : this.#renderMaterial(data)} ${this.only === "material" ? nothing : this.#renderWork(data)}
    </div>`;
  }

  #renderMaterial(data: RubricData): TemplateResult {
    const shown = data.responses.find((response) => response.label === this.sample);
    return html`<div class="rub-material">
      <section class="panel rub-prompt" aria-label="Prompt"><h2 class="eyebrow">Prompt</h2>
        <div class="rub-text" tabindex="0" role="region" aria-label="Prompt text">${data.context ? html`<div class="reading rub-context">${unsafeHTML(data.context.html)}</div>` : nothing}${this.#renderChat(data.prompt)}</div></section>
      ${shown
        ? html`<section class="panel rub-samples" aria-label="Sample responses">
            <div class="tab-row" role="tablist" aria-label="Sample responses">${data.responses.map(({ label }) => html`<button type="button" role="tab" aria-selected=${label === this.sample} @click=${() => (this.sample = label)}>Sample ${label}</button>`)}</div>
            <div class="rub-text" tabindex="0" role="region" aria-label="Sample ${this.sample}">${this.#renderChat(shown.messages)}</div></section>`
        : nothing}
    </div>`;
  }

  #renderChat(messages: RenderedMessage[]): TemplateResult[] {
    return messages.map((message) => html`${messages.length > 1 ? html`<p class="eyebrow mt-2">${message.role}</p>` : nothing}<div class="reading">${unsafeHTML(message.html)}</div>`);
  }

  #renderWork(data: RubricData): TemplateResult {
    return html`<div class="rub-work">
      ${this.#renderHead(data)}
      <div class="rub-scroll">
        <ol class="rub-list" aria-label="Criteria">${this.#criteria.map((criterion, at) => (this.#validating ? this.#renderVerdict(criterion, at) : this.#renderCard(criterion, at)))}</ol>
        ${this.readonly || this.#validating
          ? nothing
          : html`<button type="button" class="btn btn-plain btn-sm self-start" aria-keyshortcuts="n" ?disabled=${this.#criteria.length >= data.config.criteria_max} @click=${() => this.#add()}>${icon("plus")}Add a criterion<span class="max-md:hidden">${kbd("n")}</span></button>`}
        ${this.#validating ? renderMissing(this.answer.missing, this.readonly, () => this.#addMissing(), (missing) => this.change({ missing })) : nothing}
      </div>
    </div>`;
  }

  #renderHead({ config }: RubricData): TemplateResult {
    const criteria = this.#criteria;
    const sum = total(criteria);
    const penalties = criteria.filter((criterion) => criterion.points < 0).length;
    const off = config.points_total !== null && config.points_total !== sum;
    const decided = criteria.filter((criterion) => this.answer.verdicts[criterion.id]?.decision).length;
    return html`<div class="rub-head">
      <h2 class="font-semibold text-[0.9375rem]">${config.question}</h2>
      ${this.#validating
        ? html`<p class="text-sm text-muted num" role="status">${decided} of ${criteria.length} decided</p>`
        : html`<p class="text-sm num text-muted" role="status"><span class=${criteria.length < config.criteria_min ? "text-attention-ink" : ""}>${criteria.length} of ${config.criteria_min}–${config.criteria_max} criteria</span> ·
              <span class=${off ? "text-attention-ink" : ""}>${sum}${config.points_total === null ? "" : ` of ${config.points_total}`} points</span>${penalties ? ` · ${penalties} ${penalties === 1 ? "penalty" : "penalties"}` : ""}</p>
            ${this.readonly ? nothing : html`<button type="button" class="btn btn-quiet btn-xs h-7 text-muted" aria-keyshortcuts="z" ?disabled=${!this.#undo.length} @click=${() => this.#takeBack()}>${icon("undo-2")}Undo<span class="max-md:hidden">${kbd("z")}</span></button>`}`}
    </div>`;
  }

  #renderCard(criterion: Criterion, at: number): TemplateResult {
    const editor: Editor = {
      config: this.data!.config,
      criteria: this.#criteria,
      readonly: this.readonly,
      current: at === this.current && !this.readonly,
      drop: this.drag?.over === at && this.drag.from !== at,
      edit: (part) => this.#edit(at, part),
      kind: (kind) => this.#kind(at, kind),
      points: (points) => this.#points(at, points),
      move: (to) => this.#move(at, to),
      remove: () => this.#remove(at),
      reach: () => this.#atHand.reach(at),
      drag: (event) => this.#dragged(event, at),
    };
    return renderCriterion(criterion, at, editor);
  }

  #dragged(event: DragEvent, at: number): void {
    if (event.type === "dragstart") {
      event.dataTransfer!.effectAllowed = "move";
      event.dataTransfer!.setData("text/plain", String(at));
      this.drag = { from: at, over: null };
    } else if (event.type === "dragend") this.drag = null;
    else if (this.drag && event.type === "dragover") {
      event.preventDefault();
      if (this.drag.over !== at) this.drag = { ...this.drag, over: at };
    } else if (this.drag && event.type === "drop") {
      event.preventDefault();
      const { from } = this.drag;
      this.drag = null;
      this.#move(from, at);
    }
  }

  #renderVerdict(criterion: Criterion, at: number): TemplateResult {
    return renderVerdict(criterion, at, this.answer.verdicts[criterion.id] ?? {}, {
      readonly: this.readonly,
      current: at === this.current && !this.readonly,
      judge: (part) => this.#judge(at, part),
      decide: (decision) => this.#decide(at, decision),
      reach: () => this.#atHand.reach(at),
    });
  }
}

customElements.define("preceptor-rubric", PreceptorRubric);
