/**
 * `<preceptor-comparison>`: read a prompt and two to six responses, say which is better.
 *
 * Properties `data`, `draft`, `readonly`; or a `<script type="application/json">` child {data, draft, readonly}.
 * Emits `answer-changed` {answer, problems} after every change by the person.
 */
import { html, LitElement, nothing, type PropertyValues, type TemplateResult } from "lit";
import { live } from "lit/directives/live.js";
import { repeat } from "lit/directives/repeat.js";
import { unsafeHTML } from "lit/directives/unsafe-html.js";
import { countedLength, emptyAnswer, problemsOf, type Answer, type ComparisonData, type Dimension } from "../../lib/comparison";
import { embeddedJson, icon, kbd, memory, typingIn } from "../../lib/dom";
import { choiceOf, groupsOf, insertAt, moveBy, pointOf, ranksOf, settled, tieWith, typedRank, unrank, type Groups } from "../../lib/ranking";
import type { AnswerChanged, Shortcut } from "../../lib/view";

type Response = ComparisonData["responses"][number];
type DropEdge = "before" | "after" | "tie";
interface DiffPart {
  value: string;
  added?: boolean;
  removed?: boolean;
}

const SCALE_WORDS = ["much better", "better", "slightly better", "the same", "slightly better", "better", "much better"];
const SHORT_WORDS = ["much", "better", "slightly", "same", "slightly", "better", "much"];
const RATINGS = [1, 2, 3, 4, 5, 6, 7];
const SWIPE_PX = 60;
let instances = 0;

export class PreceptorComparison extends LitElement {
  static override properties = {
    data: { attribute: false },
    draft: { attribute: false },
    readonly: { type: Boolean, reflect: true },
    fill: { type: Boolean },
    only: {},
    answer: { state: true },
    order: { state: true },
    shown: { state: true },
    diffOf: { state: true },
    inStep: { state: true },
    drag: { state: true },
  };
  declare data: ComparisonData | null;
  declare draft: Answer | null;
  declare readonly: boolean;
  /** Take the height given by the parent; the texts scroll inside. */
  declare fill: boolean;
  /** Show one half: "material" to read, "answer" to judge or to show a judgment beside others. */
  declare only: "" | "material" | "answer";
  declare protected answer: Answer;
  readonly shortcuts: Shortcut[] = [
    { keys: "1 … 7", words: "Choose on the scale, or rate where the focus is" },
    { keys: "A B …", words: "Go to a response" },
    { keys: "Shift ←/→", words: "Move a response up or down the ranking" },
    { keys: "0", words: "Take away its rank" },
    { keys: "t", words: "Tie with the one before" },
    { keys: "x", words: "All are bad" },
    { keys: "w", words: "Word differences" },
    { keys: "s", words: "Scroll together" },
  ];
  /** Labels as the columns stand. */
  declare protected order: string[];
  /** The response in front on a phone, and the one that rank keys speak to. */
  declare protected shown: string;
  declare protected diffOf: { pair: [string, string]; parts: DiffPart[] } | null;
  declare protected inStep: boolean;
  declare protected drag: { label: string; over: string | null; edge: DropEdge } | null;
  /** Radio groups and ids of several comparisons on one page must not meet. */
  readonly #uid = `cmp${++instances}`;
  #touchStart: { x: number; y: number } | null = null;
  #scrolling = false;

  constructor() {
    super();
    this.data = null;
    this.draft = null;
    this.readonly = false;
    this.fill = false;
    this.only = "";
    this.answer = emptyAnswer();
    this.order = [];
    this.shown = "";
    this.diffOf = null;
    this.inStep = memory.get("in-step") === "yes";
    this.drag = null;
  }

  protected override createRenderRoot(): HTMLElement {
    return this;
  }

  override connectedCallback(): void {
    const given = embeddedJson<{ data: ComparisonData; draft?: Answer; readonly?: boolean }>(this);
    if (given && !this.data) {
      this.data = given.data;
      this.draft = given.draft ?? null;
      this.readonly = given.readonly ?? this.readonly;
    }
    super.connectedCallback();
    document.addEventListener("keydown", this.#keys);
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    document.removeEventListener("keydown", this.#keys);
  }

  protected override willUpdate(changed: PropertyValues<this>): void {
    if (!changed.has("data") && !changed.has("draft")) return;
    this.answer = { ...emptyAnswer(), ...structuredClone(this.draft ?? {}) };
    this.diffOf = null;
    const labels = this.#labels;
    this.order = this.#pair ? labels : this.#byRank(labels, this.answer.ranks);
    this.shown = labels[0] ?? "";
  }

  /** What still keeps the answer from being complete. */
  get problems(): string[] {
    return this.data ? problemsOf(this.data, this.#outcome) : [];
  }

  /** The answer as it stands. */
  get value(): Answer {
    return this.#outcome;
  }

  get #labels(): string[] {
    return this.data?.responses.map((response) => response.label) ?? [];
  }

  get #pair(): boolean {
    return this.data?.responses.length === 2;
  }

  /** The answer as it is given: ranks settled as soon as all are ranked. */
  get #outcome(): Answer {
    const { answer } = this;
    return Object.keys(answer.ranks).length === this.#labels.length ? { ...answer, ranks: settled(answer.ranks) } : answer;
  }

  /** The points of the 7-point scale that this project offers. */
  get #points(): number[] {
    return this.data?.config.scale_strength === false ? [2, 4, 6] : RATINGS;
  }

  #byRank(labels: string[], ranks: Record<string, number>): string[] {
    return [...labels].sort((a, b) => (ranks[a] ?? 99) - (ranks[b] ?? 99) || this.order.indexOf(a) - this.order.indexOf(b) || a.localeCompare(b));
  }

  #set(change: Partial<Answer>): void {
    if (this.readonly) return;
    this.answer = { ...this.answer, ...change };
    const problems = this.problems;
    const detail: AnswerChanged<Answer> = { answer: this.#outcome, problems };
    this.dispatchEvent(new CustomEvent("answer-changed", { detail, bubbles: true }));
  }

  #choose(point: number): void {
    const [first, second] = this.#labels as [string, string];
    if (point === 4 && !this.data!.config.allow_ties) return;
    const choice = choiceOf(point, first, second);
    this.#set({ ranks: choice.ranks, strength: this.data!.config.scale_strength === false ? null : choice.strength });
  }

  #rank(label: string, place: number): void {
    const ranks = typedRank(this.answer.ranks, label, place, this.data!.config.allow_ties);
    this.#set({ ranks: Object.keys(ranks).length === this.#labels.length ? settled(ranks) : ranks });
  }

  /** A change of the order itself, by drag or by keys: the columns follow. */
  #regroup(groups: Groups, keepFocusOn?: string): void {
    if (this.readonly) return;
    const ranks = ranksOf(groups);
    this.order = this.#byRank(this.#labels, ranks);
    this.#set({ ranks });
    if (keepFocusOn) void this.updateComplete.then(() => this.#column(keepFocusOn)?.focus());
  }

  #rate(dimension: string, label: string, value: number): void {
    const { ratings } = this.answer;
    this.#set({ ratings: { ...ratings, [dimension]: { ...ratings[dimension], [label]: value } } });
  }

  #column(label: string): HTMLElement | null {
    return this.querySelector(`[data-column="${label}"]`);
  }

  #show(label: string): void {
    this.shown = label;
    void this.updateComplete.then(() => {
      const column = this.#column(label);
      (this.#pair ? column?.querySelector<HTMLElement>(".cmp-text") : column)?.focus({ preventScroll: false });
    });
  }

  #keys = (event: KeyboardEvent): void => {
    if (!this.data || event.defaultPrevented || typingIn(event) || document.querySelector("dialog[open]")) return;
    if (event.ctrlKey || event.metaKey || event.altKey || !this.checkVisibility()) return;
    if (this.#handle(event)) event.preventDefault();
  };

  #handle(event: KeyboardEvent): boolean {
    const { key } = event;
    const target = event.target as HTMLElement;
    const dot = target.closest<HTMLInputElement>(".dots input");
    const label = this.#labels.find((each) => each.toLowerCase() === key.toLowerCase());
    if (label && !event.shiftKey) return this.#show(label), true;
    if (key === "w") return void this.#toggleDiff(), true;
    if (key === "s") return this.#toggleStep(), true;
    if (this.readonly) return false;
    if (key === "x" && this.data!.config.allow_both_bad) return this.#set({ both_bad: !this.answer.both_bad }), true;
    if (/^[1-9]$/.test(key)) {
      if (dot?.dataset.dimension) return this.#digitOnDimension(dot, Number(key));
      return this.#digit(Number(key));
    }
    return !this.#pair && this.#rankKeys(event);
  }

  #digitOnDimension(dot: HTMLInputElement, value: number): boolean {
    if (value > 7) return false;
    this.#rate(dot.dataset.dimension!, dot.dataset.label!, value);
    const group = [...dot.closest("fieldset")!.querySelectorAll("input")];
    group[value - 1]?.focus();
    return true;
  }

  #digit(value: number): boolean {
    if (this.#pair) {
      const point = this.#points[value - 1];
      return point !== undefined && (this.#choose(point), true);
    }
    return value <= this.#labels.length && (this.#rank(this.shown, value), true);
  }

  #rankKeys(event: KeyboardEvent): boolean {
    const { key, shiftKey } = event;
    const groups = groupsOf(this.answer.ranks);
    if (key === "0") return this.#regroup(unrank(groups, this.shown), this.shown), true;
    if (key === "t") return this.#tieWithPrevious(groups), true;
    const step = key === "ArrowLeft" ? -1 : key === "ArrowRight" ? 1 : 0;
    if (!step || (event.target as Element).closest("input")) return false;
    if (shiftKey) return this.#regroup(moveBy(groups, this.shown, step), this.shown), true;
    const next = this.order[this.order.indexOf(this.shown) + step];
    return next !== undefined && (this.#show(next), true);
  }

  #tieWithPrevious(groups: Groups): void {
    const before = this.order[this.order.indexOf(this.shown) - 1];
    if (before && this.data!.config.allow_ties) this.#regroup(tieWith(groups, this.shown, before), this.shown);
  }

  async #toggleDiff(pair?: [string, string]): Promise<void> {
    if (this.diffOf && !pair) {
      this.diffOf = null;
      return;
    }
    const [a, b] = pair ?? (this.order.slice(0, 2) as [string, string]);
    const text = (label: string) => this.data!.responses.find((response) => response.label === label)!.body.text;
    const { diffWordsWithSpace } = await import("diff");
    // Texts that share nothing can take long: give up politely instead of freezing the page.
    const parts = diffWordsWithSpace(text(a), text(b), { timeout: 2000 });
    this.diffOf = { pair: [a, b], parts: parts ?? [{ value: text(a), removed: true }, { value: text(b), added: true }] };
  }

  #toggleStep(): void {
    this.inStep = !this.inStep;
    memory.set("in-step", this.inStep ? "yes" : null);
  }

  #scrolled(event: Event): void {
    if (!this.inStep || this.#scrolling) return;
    const from = event.target as HTMLElement;
    const part = from.scrollTop / Math.max(1, from.scrollHeight - from.clientHeight);
    this.#scrolling = true;
    for (const other of this.querySelectorAll<HTMLElement>(".cmp-text")) {
      if (other !== from) other.scrollTop = part * (other.scrollHeight - other.clientHeight);
    }
    requestAnimationFrame(() => (this.#scrolling = false));
  }

  protected override render(): TemplateResult | typeof nothing {
    const { data } = this;
    if (!data) return nothing;
    return html`
      <div class="cmp" ?data-fill=${this.fill}>
        ${this.only === "answer" ? nothing : this.#renderMaterial(data)} ${this.only === "material" ? nothing : this.#renderJudgment(data)}
      </div>
    `;
  }

  #renderMaterial(data: ComparisonData): TemplateResult {
    return html`
      ${this.#renderPrompt(data)} ${this.#renderPhoneTabs()}
      <div class="cmp-columns" ?data-many=${!this.#pair} @touchstart=${this.#touch} @touchend=${this.#touchEnd}>
        ${repeat(this.order, (label) => label, (label) => this.#renderColumn(data.responses.find((each) => each.label === label)!))}
      </div>
    `;
  }

  #renderJudgment(data: ComparisonData): TemplateResult {
    return html`<div class="cmp-judge">
      ${this.#renderQuestion(data)} ${data.config.dimensions.length ? this.#renderDimensions(data) : nothing} ${this.#renderWhy(data)}
    </div>`;
  }

  #renderPrompt(data: ComparisonData): TemplateResult {
    const messages = [...(data.context ? [{ role: "context", ...data.context }] : []), ...data.prompt];
    const many = messages.length > 1;
    return html`
      <section class="cmp-prompt panel" aria-label="Prompt">
        <h2 class="eyebrow pt-[0.3rem]">Prompt</h2>
        <div class="cmp-tools">
          ${this.diffOf && !this.#pair ? this.#renderDiffChoice(this.diffOf.pair) : nothing}
          ${this.#tool("columns-2", "Scroll together", "s", this.inStep, () => this.#toggleStep(), "max-md:hidden")}
          ${this.#tool("git-compare", "Word differences", "w", this.diffOf !== null, () => void this.#toggleDiff())}
        </div>
        <div class="cmp-prompt-body" tabindex="0" role="region" aria-label="Prompt text">
          ${messages.map(
            (message) => html`<div class="reading ${many ? "mt-1.5" : ""}">
              ${many || message.role !== "user" ? html`<span class="eyebrow font-sans">${message.role}</span>` : nothing}
              ${unsafeHTML(message.html)}
            </div>`,
          )}
        </div>
      </section>
    `;
  }

  #tool(name: string, label: string, key: string, on: boolean, run: () => void, cls = ""): TemplateResult {
    return html`<button type="button" class="btn btn-quiet btn-xs h-7 ${cls} ${on ? "bg-brand-soft text-brand-ink" : "text-muted"}" title=${label} aria-pressed=${on} aria-keyshortcuts=${key} @click=${run}>
      ${this.#toolIcon(name)}<span class="max-2xl:sr-only">${label}</span><span class="max-md:hidden">${kbd(key)}</span>
    </button>`;
  }

  #toolIcon(name: string): TemplateResult {
    return name === "columns-2" ? icon("columns-2") : icon("git-compare");
  }

  #renderDiffChoice(pair: [string, string]): TemplateResult {
    const choice = (at: 0 | 1, name: string) => html`<label class="flex items-center gap-1.5 text-sm">${name}
      <select class="select select-sm w-auto" @change=${(event: Event) => {
        const next: [string, string] = [...pair];
        next[at] = (event.target as HTMLSelectElement).value;
        void this.#toggleDiff(next);
      }}>${this.#labels.map((label) => html`<option value=${label} ?selected=${label === pair[at]} ?disabled=${label === pair[1 - at]}>${label}</option>`)}</select></label>`;
    return html`<div class="flex items-center gap-3">${choice(0, "Compare")}${choice(1, "with")}</div>`;
  }

  #renderPhoneTabs(): TemplateResult {
    return html`<div class="phone-tabs tab-row" role="tablist" aria-label="Responses">
      ${this.order.map(
        (label) => html`<button type="button" role="tab" class="flex-1 flex items-center justify-center gap-2" aria-selected=${label === this.shown} @click=${() => (this.shown = label)}>
          <span class="cmp-letter">${label}</span>${this.#standing(label)}
        </button>`,
      )}
    </div>`;
  }

  /** Where a response stands in the judgment so far, in words. */
  #standing(label: string): TemplateResult | typeof nothing {
    const ranks = this.#outcome.ranks;
    const rank = ranks[label];
    if (rank === undefined) return nothing;
    const tied = Object.values(ranks).filter((other) => other === rank).length > 1;
    if (!this.#pair) return html`<span class="text-sm num font-medium">${rank}${tied ? " (tied)" : ""}</span>`;
    if (tied || rank !== 1) return nothing;
    return html`<span class="text-sm font-medium text-action-ink">${SCALE_WORDS[3 - (this.answer.strength ?? 2)]}</span>`;
  }

  #renderColumn(response: Response): TemplateResult {
    const { label } = response;
    const ranks = this.#outcome.ranks;
    const preferred = ranks[label] === 1 && Object.values(ranks).some((rank) => rank > 1);
    const drop = this.drag?.over === label && this.drag.label !== label ? this.drag.edge : null;
    return html`
      <article
        class="cmp-column panel" data-column=${label} aria-label="Response ${label}" tabindex=${this.#pair ? nothing : "0"}
        ?data-shown=${label === this.shown} ?data-preferred=${preferred} ?data-dragged=${this.drag?.label === label} data-drop=${drop ?? nothing}
        @focusin=${() => (this.shown = label)}
        @dragover=${(event: DragEvent) => this.#dragOver(event, label)} @drop=${(event: DragEvent) => this.#drop(event)}>
        <div class="cmp-head max-md:hidden" draggable=${!this.#pair && !this.readonly ? "true" : "false"} @dragstart=${(event: DragEvent) => this.#dragStart(event, label)} @dragend=${() => (this.drag = null)}>
          ${this.#pair || this.readonly ? nothing : html`<span class="text-muted cursor-grab" title="Drag to rank; drop on a response to tie">${icon("grip-vertical")}</span>`}
          <span class="cmp-letter">${label}</span>${this.#standing(label)}
          <span class="ml-auto">${this.#pair ? html`<span class="text-xs text-muted num">${this.#words(response)} words</span>` : this.#renderRankDots(label)}</span>
        </div>
        ${this.#pair ? nothing : html`<div class="md:hidden flex items-center gap-3 px-4 pt-3 text-sm text-muted">Rank ${this.#renderRankDots(label, "-phone")}</div>`}
        <div class="cmp-text" tabindex="0" role="region" aria-label="Text of response ${label}" @scroll=${this.#scrolled}>
          ${this.#renderText(response)}
        </div>
      </article>
    `;
  }

  #words(response: Response): number {
    return response.body.text.split(/\s+/).filter(Boolean).length;
  }

  #renderText(response: Response): TemplateResult {
    const side = this.diffOf?.pair.indexOf(response.label) ?? -1;
    if (side < 0) return html`<div class="reading">${unsafeHTML(response.body.html)}</div>`;
    const parts = this.diffOf!.parts.filter((part) => (side === 0 ? !part.added : !part.removed));
    return html`<div class="reading"><pre class="word-diff">${parts.map((part) =>
      part.removed ? html`<del>${part.value}</del>` : part.added ? html`<ins>${part.value}</ins>` : part.value,
    )}</pre></div>`;
  }

  #renderRankDots(label: string, suffix = ""): TemplateResult {
    return html`<fieldset class="dots" ?disabled=${this.readonly}><legend class="sr-only">Rank of ${label}</legend>
      ${this.#labels.map(
        (_, index) => html`<label><input type="radio" name="${this.#uid}-${label}${suffix}" .checked=${live(this.answer.ranks[label] === index + 1)} @change=${() => this.#rank(label, index + 1)}>${index + 1}</label>`,
      )}</fieldset>`;
  }

  #renderQuestion(data: ComparisonData): TemplateResult {
    const { config } = data;
    return html`
      <div class="flex flex-wrap items-center justify-between gap-x-6 gap-y-1">
        <h2 class="font-semibold text-[0.9375rem]" id="${this.#uid}-question">${config.question}</h2>
        ${config.allow_both_bad
          ? html`<label class="flex items-center gap-2 text-sm"><input type="checkbox" class="checkbox checkbox-sm checkbox-primary" .checked=${live(this.answer.both_bad)} ?disabled=${this.readonly} @change=${(event: Event) => this.#set({ both_bad: (event.target as HTMLInputElement).checked })}>${this.#pair ? "Both are bad" : "All are bad"} ${this.readonly ? nothing : html`<span class="max-md:hidden">${kbd("x")}</span>`}</label>`
          : nothing}
      </div>
      ${this.#pair ? this.#renderScale(config.allow_ties) : this.#renderStrip()}
    `;
  }

  #renderScale(allowTies: boolean): TemplateResult {
    const [first, second] = this.#labels as [string, string];
    const point = pointOf(this.#outcome, first, second);
    return html`<div class="cmp-scale-dock"><div class="scale" ?data-short=${this.#points.length === 3} role="radiogroup" aria-labelledby="${this.#uid}-question">
      ${this.#points.map((each, at) => {
        const name = each === 4 ? "" : each < 4 ? first : second;
        const full = each === 4 ? "The same" : `${name} ${SCALE_WORDS[each - 1]}`;
        return html`<label title=${full} ?data-closed=${each === 4 && !allowTies}>
          <input type="radio" name="${this.#uid}-preference" value=${each} aria-label=${full} .checked=${live(point === each)} ?disabled=${this.readonly || (each === 4 && !allowTies)} @change=${() => this.#choose(each)}>
          <span class="max-md:hidden" aria-hidden="true">${full}</span>${this.readonly ? nothing : html`<span class="max-lg:hidden">${kbd(String(at + 1))}</span>`}
          <span class="md:hidden text-[0.6875rem] leading-tight" aria-hidden="true">${name ? html`<b class="block text-[0.8125rem]">${name}</b>` : nothing}${SHORT_WORDS[each - 1]}</span>
        </label>`;
      })}
    </div></div>`;
  }

  #renderStrip(): TemplateResult {
    const groups = groupsOf(this.answer.ranks);
    const ranks = this.answer.ranks;
    const open = this.order.filter((label) => ranks[label] === undefined);
    const chip = (label: string) => html`<span class="rank-chip" draggable=${this.readonly ? "false" : "true"} @dragstart=${(event: DragEvent) => this.#dragStart(event, label)} @dragend=${() => (this.drag = null)}>${label}</span>`;
    return html`<div class="rank-strip" role="group" aria-label="Ranking so far">
      ${groups.map(
        (group, index) => html`
          ${this.#gap(`gap-${index}`, () => insertAt(groups, this.drag!.label, this.#gapIndex(groups, index)))}
          <div class="rank-place" ?data-over=${this.drag?.over === `place-${index}`}
            @dragover=${(event: DragEvent) => this.#dragOverStrip(event, `place-${index}`)}
            @drop=${(event: DragEvent) => this.#dropStrip(event, () => this.data!.config.allow_ties ? tieWith(groups, this.drag!.label, group.find((each) => each !== this.drag!.label) ?? group[0]!) : groups)}>
            <span class="num text-sm text-muted">${ranks[group[0]!]}</span>${group.map((label, at) => html`${at ? html`<span class="text-muted" aria-label="tied with">=</span>` : nothing}${chip(label)}`)}
          </div>`,
      )}
      ${groups.length ? this.#gap("gap-end", () => insertAt(groups, this.drag!.label, groups.length)) : nothing}
      ${open.length
        ? html`<div class="rank-place" data-unranked ?data-over=${this.drag?.over === "open"} @dragover=${(event: DragEvent) => this.#dragOverStrip(event, "open")} @drop=${(event: DragEvent) => this.#dropStrip(event, () => unrank(groups, this.drag!.label))}>
            <span class="text-sm text-muted">Not ranked</span>${open.map(chip)}
          </div>`
        : nothing}
      <span class="text-sm text-muted self-center ml-2 max-lg:hidden">${this.readonly ? nothing : html`Pick with ${kbd("A")}–${kbd(this.#labels.at(-1)!)}, rank with ${kbd("1")}–${kbd(String(this.#labels.length))}, move with ${kbd("Shift ←→")}${this.data!.config.allow_ties ? html`, tie with ${kbd("t")}` : nothing}`}</span>
    </div>`;
  }

  #gap(name: string, groups: () => Groups): TemplateResult {
    return html`<span class="rank-gap" ?data-over=${this.drag?.over === name} @dragover=${(event: DragEvent) => this.#dragOverStrip(event, name)} @drop=${(event: DragEvent) => this.#dropStrip(event, groups)}></span>`;
  }

  /** Index among the groups once the dragged label has been taken out. */
  #gapIndex(groups: Groups, index: number): number {
    const alone = groups.findIndex((group) => group.length === 1 && group[0] === this.drag!.label);
    return alone >= 0 && alone < index ? index - 1 : index;
  }

  #renderDimensions(data: ComparisonData): TemplateResult {
    return html`<div class="dims" ?data-many=${!this.#pair}>
      ${data.config.dimensions.map(
        (dimension) => html`
          <div class="text-sm" title=${dimension.help ?? ""}><span class="font-medium">${dimension.title}</span>${dimension.required ? nothing : html` <span class="text-muted">(optional)</span>`}${dimension.help ? html`<span class="sr-only">: ${dimension.help}</span>` : nothing}</div>
          <div class="dims-groups">${this.#labels.map((label) => this.#renderRating(dimension, label))}</div>`,
      )}
    </div>`;
  }

  #renderRating(dimension: Dimension, label: string): TemplateResult {
    const current = this.answer.ratings[dimension.key]?.[label];
    return html`<fieldset class="dots" ?disabled=${this.readonly}>
      <legend class="sr-only">${dimension.title} of ${label}, 1 to 7</legend><span class="cmp-letter mr-1.5" aria-hidden="true">${label}</span>
      ${RATINGS.map(
        (value) => html`<label><input type="radio" name="${this.#uid}-${dimension.key}-${label}" data-dimension=${dimension.key} data-label=${label} value=${value} .checked=${live(current === value)} @change=${() => this.#rate(dimension.key, label, value)}>${value}</label>`,
      )}
    </fieldset>`;
  }

  #renderWhy(data: ComparisonData): TemplateResult | typeof nothing {
    const { justification_min_chars: minimum, justification_max_chars: maximum } = data.config;
    const length = countedLength(this.answer.justification);
    const enough = length >= minimum;
    if (this.readonly && !length) return nothing;
    return html`<div class="why">
      <div class="why-head text-sm">
        <label for="${this.#uid}-why" class="font-semibold text-[0.9375rem]">Why?</label>
        <span class="num ${enough ? "text-muted" : "text-attention-ink"}" aria-live="polite">${
          this.readonly ? nothing : enough ? (minimum ? html`${icon("check", undefined, "text-action")} ${length} characters` : html`${length || "Optional"}`) : length === 0 ? `At least ${minimum} characters` : `${minimum - length} more character${minimum - length === 1 ? "" : "s"}`
        }</span>
      </div>
      <textarea id="${this.#uid}-why" class="textarea" rows="1" maxlength=${maximum ?? nothing} placeholder="What decided it for you?" ?readonly=${this.readonly} .value=${live(this.answer.justification)}
        @input=${(event: Event) => this.#set({ justification: (event.target as HTMLTextAreaElement).value })}
        @keydown=${(event: KeyboardEvent) => event.key === "Escape" && (event.target as HTMLElement).blur()}></textarea>
    </div>`;
  }

  #dragStart(event: DragEvent, label: string): void {
    if (this.#pair || this.readonly) return event.preventDefault();
    event.dataTransfer!.effectAllowed = "move";
    event.dataTransfer!.setData("text/plain", label);
    this.drag = { label, over: null, edge: "tie" };
  }

  #dragOver(event: DragEvent, label: string): void {
    if (!this.drag) return;
    event.preventDefault();
    const box = (event.currentTarget as HTMLElement).getBoundingClientRect();
    const part = (event.clientX - box.left) / box.width;
    const middle: DropEdge = this.data!.config.allow_ties ? "tie" : part < 0.5 ? "before" : "after";
    const edge: DropEdge = part < 0.25 ? "before" : part > 0.75 ? "after" : middle;
    if (this.drag.over !== label || this.drag.edge !== edge) this.drag = { ...this.drag, over: label, edge };
  }

  #drop(event: DragEvent): void {
    if (!this.drag?.over || this.drag.over === this.drag.label) return;
    event.preventDefault();
    const { label, over, edge } = this.drag;
    const groups = groupsOf(this.answer.ranks);
    if (edge === "tie") return this.#regroup(tieWith(groups, label, over), label);
    const rest = unrank(groups, label);
    const at = rest.findIndex((group) => group.includes(over));
    this.#regroup(insertAt(groups, label, at < 0 ? rest.length : edge === "before" ? at : at + 1), label);
  }

  #dragOverStrip(event: DragEvent, name: string): void {
    if (!this.drag) return;
    event.preventDefault();
    if (this.drag.over !== name) this.drag = { ...this.drag, over: name };
  }

  #dropStrip(event: DragEvent, groups: () => Groups): void {
    if (!this.drag) return;
    event.preventDefault();
    this.#regroup(groups());
    this.drag = null;
  }

  #touch(event: TouchEvent): void {
    const touch = event.touches[0]!;
    this.#touchStart = event.touches.length === 1 ? { x: touch.clientX, y: touch.clientY } : null;
  }

  #touchEnd(event: TouchEvent): void {
    const start = this.#touchStart;
    const touch = event.changedTouches[0];
    if (!start || !touch || !matchMedia("(max-width: 47.99rem)").matches) return;
    const [dx, dy] = [touch.clientX - start.x, touch.clientY - start.y];
    if (Math.abs(dx) < SWIPE_PX || Math.abs(dy) > Math.abs(dx) / 2) return;
    const next = this.order[this.order.indexOf(this.shown) + (dx < 0 ? 1 : -1)];
    if (next) this.shown = next;
  }
}

customElements.define("preceptor-comparison", PreceptorComparison);
