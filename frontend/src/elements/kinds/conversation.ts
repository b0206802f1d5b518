/**
 * `<preceptor-conversation>`: talk to one to four models under blind names, judge each turn, mark what fails, and go on
 * from the reply that was chosen. Every branch is kept.
 *
 * Whatever a model's server does, the work stays: a reply that failed is asked for again, one that broke off can be
 * judged as it is, and a page that is opened again joins the answers that were under way.
 */
import { html, nothing, type PropertyValues, type TemplateResult } from "lit";
import { live } from "lit/directives/live.js";
import { unsafeHTML } from "lit/directives/unsafe-html.js";
import {
  choose,
  chosenReply,
  deepest,
  emptyAnswer,
  labelsOf,
  MIDDLE,
  nodeOf,
  pathTo,
  placeOf,
  prefer,
  problemsOf,
  promptsAfter,
  rate,
  repliesTo,
  SEVERITIES,
  turnsTo,
  withNodes,
  type Answer,
  type Data,
  type Mark,
  type Node,
} from "../../lib/conversation";
import { adopt, icon, kbd, typingIn } from "../../lib/dom";
import { generate, type Generated } from "../../lib/generate";
import { renderMarkdown } from "../../lib/preview";
import { KindElement } from "../../lib/kind";
import type { Shortcut } from "../../lib/view";
import css from "../../styles/kinds/conversation.css?inline";

adopt(css);

const POINTS = [1, 2, 3, 4, 5, 6, 7];
const POINT_WORDS = ["much better", "better", "slightly better", "the same", "slightly better", "better", "much better"];
const SHORT_WORDS = ["much", "better", "slightly", "same", "slightly", "better", "much"];
const REJOIN_TRIES = 3;
const REJOIN_MS = 1_000;

/** A question under way, or one that failed. */
interface Run {
  prompt: string;
  label: string;
  attempt: number;
  text: string;
  note: string;
  failed: string;
  stop: AbortController;
}

interface Marking {
  node: string;
  /** Which mark is changed; -1 for a new one. */
  at: number;
  mark: Mark;
}

let instances = 0;

export class PreceptorConversation extends KindElement<Data, Answer> {
  static override properties = {
    ...KindElement.properties,
    tip: { state: true },
    runs: { state: true },
    editing: { state: true },
    opened: { state: true },
    shown: { state: true },
    marking: { state: true },
    news: { state: true },
    briefOpen: { state: true },
  };
  /** The last message of the person on the path that is shown; null at the beginning. */
  declare protected tip: string | null;
  declare protected runs: Map<string, Run>;
  /** The message that is being edited into a new branch. */
  declare protected editing: string | null;
  /** Earlier turns of which all replies are shown. */
  declare protected opened: Set<string>;
  /** The name in front on a phone, and the one that keys speak to. */
  declare protected shown: string;
  declare protected marking: Marking | null;
  declare protected news: string;
  /** Whether the whole scenario is shown once the conversation has begun. */
  declare protected briefOpen: boolean;
  readonly #uid = `talk${++instances}`;
  readonly #html = new Map<string, string | null>();
  #resumed = false;

  constructor() {
    super();
    this.tip = null;
    this.runs = new Map();
    this.editing = null;
    this.opened = new Set();
    this.shown = "A";
    this.marking = null;
    this.news = "";
    this.briefOpen = false;
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    for (const run of this.runs.values()) run.stop.abort();
  }

  protected emptyAnswer(data: Data | null): Answer {
    return emptyAnswer(data);
  }

  protected problemsOf(data: Data, answer: Answer): string[] {
    return problemsOf(data, answer);
  }

  override get shortcuts(): Shortcut[] {
    const { judge = "none", marks = "off" } = this.data?.config ?? {};
    const several = this.#labels.length > 1;
    return [
      { keys: "Enter", words: "Send the message" },
      { keys: "Shift Enter", words: "New line" },
      { keys: "i", words: "Write a message" },
      ...(several ? [{ keys: "A B …", words: "Go to a reply" }] : []),
      ...(several && judge === "scale" ? [{ keys: "1 … 7", words: "Which reply is better" }] : []),
      ...(several && judge === "rate" ? [{ keys: "1 … 7", words: "Rate the reply in front" }] : []),
      ...(several ? [{ keys: "c", words: "Go on from the reply in front" }] : []),
      ...(marks === "off" ? [] : [{ keys: "m", words: "Mark a failure in the reply in front" }]),
      { keys: "e", words: "Edit the last message (a new branch)" },
      { keys: "[ ]", words: "Other branches of the last message" },
      { keys: "r", words: "Ask again where a reply failed" },
      { keys: "v", words: "Verdict" },
    ];
  }

  // The draft comes in, questions under way are joined

  protected override willUpdate(changed: PropertyValues): void {
    super.willUpdate(changed);
    if (!changed.has("data") && !changed.has("draft")) return;
    this.answer = { ...this.answer, ...(this.data && !this.answer.nodes.length ? { models: this.data.models, labels: this.data.config.labels } : {}) };
    const last = this.answer.nodes.at(-1);
    this.tip = last ? (last.role === "user" ? last.id : (last.parent ?? null)) : null;
    this.runs = new Map();
    this.editing = null;
    this.shown = "A";
    this.#resumed = false;
  }

  protected override updated(): void {
    if (!this.#resumed && this.data) {
      this.#resumed = true;
      this.#resume();
    }
    for (const node of pathTo(this.answer, this.tip)) for (const reply of repliesTo(this.answer, node.id)) this.#render(reply);
  }

  /** Replies that the draft lacks: their questions have the keys of before, so no answer is made twice. */
  #resume(): void {
    if (!this.#canAsk || !this.tip) return;
    const have = new Set(repliesTo(this.answer, this.tip).map((reply) => reply.label));
    for (const label of this.#labels) if (!have.has(label)) void this.#ask(this.tip, label, 1);
  }

  #render(reply: Node): void {
    const key = reply.generation ?? reply.id;
    if (this.#html.has(key)) return;
    this.#html.set(key, null);
    // Without the server the text itself has to do.
    void renderMarkdown(reply.text).then((found) => {
      this.#html.set(key, "html" in found ? found.html : null);
      this.requestUpdate();
    });
  }

  get #labels(): string[] {
    return this.data ? labelsOf(this.data) : [];
  }

  get #canAsk(): boolean {
    return !this.readonly && Boolean(this.desk?.urls.generate);
  }

  get #busy(): boolean {
    return [...this.runs.values()].some((run) => !run.failed);
  }

  get #full(): boolean {
    return this.data !== null && !this.editing && turnsTo(this.answer, this.tip) >= this.data.max_turns;
  }

  /** Whether the person may write now: at the beginning, or with a reply to go on from. */
  get #ready(): boolean {
    return this.#canAsk && !this.#busy && !this.#full && (this.editing !== null || this.tip === null || chosenReply(this.answer, this.tip) !== undefined);
  }

  // Asking

  #send(text: string): void {
    if (!this.#ready || !text.trim()) return;
    const edited = nodeOf(this.answer, this.editing);
    const parent = edited ? (edited.parent ?? null) : (chosenReply(this.answer, this.tip)?.id ?? null);
    const prompt: Node = { id: newId(), role: "user", text: text.trim(), ...(parent ? { parent } : {}) };
    this.editing = null;
    this.tip = prompt.id;
    this.change({ nodes: [...this.answer.nodes, prompt] });
    for (const label of this.#labels) void this.#ask(prompt.id, label, 1);
    void this.updateComplete.then(() => {
      this.#composer!.value = "";
      if (this.#labels.length > 1 && this.data!.config.judge !== "none") this.querySelector<HTMLElement>(".talk-scroll")?.focus({ preventScroll: true });
      this.#showTurn(prompt.id);
    });
  }

  async #ask(prompt: string, label: string, attempt: number): Promise<void> {
    const run: Run = { prompt, label, attempt, text: "", note: "", failed: "", stop: new AbortController() };
    this.#setRun(run);
    const messages = pathTo(this.answer, prompt).map((node) => ({ role: node.role, content: node.text }));
    const question = { key: `${prompt}-${label}-${attempt}`, messages, shown_as: label, turn: prompt };
    const listener = {
      text: (piece: string) => ((run.text += piece), (run.note = ""), this.requestUpdate()),
      waiting: (why: string) => ((run.note = why), this.requestUpdate()),
    };
    for (let again = 0; ; again += 1) {
      const outcome = await generate(this.desk!.urls.generate!, question, listener, run.stop.signal).catch(() => null);
      if (!outcome) return;
      if (outcome.kind === "done") return this.#answered(run, outcome.answer);
      if (outcome.kind === "refused") return this.#failed(run, outcome.problem.detail || outcome.problem.title);
      if (again >= REJOIN_TRIES) return this.#failed(run, "The server cannot be reached. What you wrote is kept here.");
      // The answer goes on to arrive at the server; the same key joins it.
      run.text = "";
      run.note = "The connection was lost; joining again …";
      this.requestUpdate();
      await new Promise((done) => setTimeout(done, REJOIN_MS * 2 ** again));
    }
  }

  #setRun(run: Run): void {
    this.runs = new Map(this.runs).set(`${run.prompt}-${run.label}`, run);
  }

  #dropRun(run: Run): void {
    const runs = new Map(this.runs);
    runs.delete(`${run.prompt}-${run.label}`);
    this.runs = runs;
  }

  #failed(run: Run, why: string): void {
    this.#setRun({ ...run, text: "", note: "", failed: why });
    this.news = `${this.#nameOf(run.label)} did not answer: ${why}`;
    // Out of an empty composer, so that the keys for asking again work at once.
    if (run.prompt === this.tip && document.activeElement === this.#composer && !this.#composer?.value) this.#front(run.label);
  }

  #answered(run: Run, found: Generated): void {
    if (!found.text || found.outcome === "failed" || found.outcome === "limited") return this.#failed(run, found.error || "The model did not answer.");
    this.#dropRun(run);
    this.#html.set(found.generation, found.html);
    const alone = this.#labels.length === 1;
    const reply: Node = { id: newId(), parent: run.prompt, role: "assistant", text: found.text, label: run.label, generation: found.generation };
    if (found.outcome === "cut") reply.cut = true;
    if (alone) reply.chosen = true;
    this.change({ nodes: [...this.answer.nodes, reply] });
    const waiting = [...this.runs.values()].some((each) => each.prompt === run.prompt && !each.failed);
    this.news = waiting ? "" : alone ? "The model has answered" : "The models have answered";
    if (!waiting && run.prompt === this.tip) void this.updateComplete.then(() => this.#showTurn(run.prompt));
    if (alone) void this.updateComplete.then(() => document.activeElement === document.body && this.#composer?.focus());
  }

  #retry(): void {
    for (const run of this.runs.values()) if (run.failed && run.prompt === this.tip) void this.#ask(run.prompt, run.label, run.attempt + 1);
  }

  // Judging

  #judge(nodes: Node[]): void {
    this.change({ nodes });
  }

  /** Keep a reply to go on from; a scale that said otherwise has to be given anew. */
  #goOnFrom(reply: Node): void {
    let nodes = choose(this.answer, reply);
    const prompt = nodeOf(this.answer, reply.parent)!;
    const replies = repliesTo(this.answer, prompt.id);
    const preferred = !prompt.preference || prompt.preference === MIDDLE ? null : replies[prompt.preference < MIDDLE ? 0 : 1];
    if (preferred && preferred.id !== reply.id) nodes = nodes.map((node) => (node.id === prompt.id ? { ...node, preference: null } : node));
    this.tip = prompt.id;
    this.#judge(nodes);
  }

  #point(point: number): void {
    const prompt = nodeOf(this.answer, this.tip);
    if (prompt && repliesTo(this.answer, prompt.id).length === 2) this.#judge(prefer(this.answer, prompt, point));
  }

  #verdict(part: Partial<Answer["verdict"]>): void {
    this.change({ verdict: { ...this.answer.verdict, ...part } });
  }

  #replyInFront(): Node | undefined {
    if (!this.tip) return undefined;
    const replies = repliesTo(this.answer, this.tip);
    return replies.find((reply) => reply.label === this.shown) ?? replies[0];
  }

  #mark(reply: Node, at = -1): void {
    const chosen = at < 0 ? this.#selectedIn(reply) : "";
    const start = placeOf(reply.text, chosen);
    const fresh: Mark = { category: this.data!.config.categories[0]?.key ?? "", ...(start === null ? {} : { start, quote: chosen }) };
    this.marking = { node: reply.id, at, mark: structuredClone(reply.marks?.[at] ?? fresh) };
    void this.updateComplete.then(() => this.querySelector<HTMLDialogElement>("dialog[data-name=mark]")?.showModal());
  }

  #selectedIn(reply: Node): string {
    const selection = document.getSelection();
    const within = this.querySelector(`[data-reply="${reply.id}"] .talk-reply-body`);
    return selection && within && selection.anchorNode && within.contains(selection.anchorNode) ? selection.toString().trim() : "";
  }

  #keepMark(remove = false): void {
    const { marking } = this;
    const reply = nodeOf(this.answer, marking?.node);
    if (!marking || !reply) return;
    const marks = [...(reply.marks ?? [])];
    if (marking.at < 0) marks.push(marking.mark);
    else if (remove) marks.splice(marking.at, 1);
    else marks[marking.at] = marking.mark;
    this.#closeMark();
    this.#judge(withNodes(this.answer, [{ ...reply, marks }]));
  }

  #closeMark(): void {
    this.querySelector<HTMLDialogElement>("dialog[data-name=mark]")?.close();
    const reply = this.marking?.node;
    this.marking = null;
    if (reply) void this.updateComplete.then(() => this.querySelector<HTMLElement>(`[data-reply="${reply}"]`)?.focus());
  }

  // Keys and moving about

  protected override pressed(event: KeyboardEvent): void {
    if (event.defaultPrevented || typingIn(event) || event.ctrlKey || event.metaKey || event.altKey || !this.checkVisibility()) return;
    if (this.#handle(event.key, event)) event.preventDefault();
  }

  #handle(key: string, event: KeyboardEvent): boolean {
    const { config } = this.data!;
    const reply = this.#replyInFront();
    const dotted = (event.target as Element).closest(".dots, .talk-options") !== null;
    const label = this.#labels.find((each) => each.toLowerCase() === key.toLowerCase());
    if (label && this.#labels.length > 1 && !event.shiftKey) return this.#front(label), true;
    if (/^[1-7]$/.test(key) && !dotted) return this.#digit(Number(key));
    switch (key) {
      case "i":
      case "/":
        return this.#composer?.focus(), true;
      case "c":
        return reply !== undefined && this.#labels.length > 1 && (this.#goOnFrom(reply), true);
      case "m":
        return reply !== undefined && config.marks !== "off" && (this.#mark(reply), true);
      case "e":
        return this.tip !== null && (this.#edit(this.tip), true);
      case "r":
        return this.#retry(), true;
      case "v":
        return this.querySelector<HTMLElement>(".talk-verdict input, .talk-verdict textarea")?.focus(), true;
      case "[":
        return this.tip !== null && (this.#branch(this.tip, -1), true);
      case "]":
        return this.tip !== null && (this.#branch(this.tip, 1), true);
    }
    return false;
  }

  #digit(value: number): boolean {
    const { judge } = this.data!.config;
    if (this.#labels.length < 2) return false;
    if (judge === "scale") return this.#point(value), true;
    const reply = this.#replyInFront();
    return judge === "rate" && reply !== undefined && (this.#judge(rate(this.answer, reply, value)), true);
  }

  #front(label: string): void {
    this.shown = label;
    void this.updateComplete.then(() => this.querySelector<HTMLElement>(`[data-turn="${this.tip}"] [data-label="${label}"]`)?.focus());
  }

  #edit(prompt: string): void {
    if (this.#busy || !this.#canAsk) return;
    this.editing = prompt;
    void this.updateComplete.then(() => {
      this.#composer!.value = nodeOf(this.answer, prompt)!.text;
      this.#composer!.focus();
      this.#composer!.select();
    });
  }

  /** To another message at the same place, and on to where that one led. */
  #branch(prompt: string, step: number): void {
    const siblings = promptsAfter(this.answer, nodeOf(this.answer, prompt)!.parent ?? null);
    const next = siblings[siblings.findIndex((each) => each.id === prompt) + step];
    if (next && !this.#busy) this.tip = deepest(this.answer, next.id);
  }

  get #composer(): HTMLTextAreaElement | null {
    return this.querySelector(".talk-composer textarea");
  }

  #showTurn(prompt: string): void {
    this.querySelector(`[data-turn="${prompt}"]`)?.scrollIntoView({ block: "start", behavior: "auto" });
  }

  #nameOf(label: string | null | undefined): string {
    return this.#labels.length > 1 ? (label ?? "") : "The model";
  }

  // Views

  protected override render(): TemplateResult | typeof nothing {
    const { data } = this;
    if (!data) return nothing;
    const path = pathTo(this.answer, this.tip).filter((node) => node.role === "user");
    return html`<div class="talk" ?data-fill=${this.fill}>
      <p class="sr-only" role="status">${this.news}</p>
      ${this.only === "answer" ? nothing : this.#renderBrief(data)}
      ${this.only === "material"
        ? nothing
        : html`<div class="talk-scroll" tabindex="0" role="region" aria-label="Conversation">
              ${data.opening.map((message) => this.#renderOpening(message.role, message.html))} ${path.map((prompt) => this.#renderTurn(data, prompt))}
              ${path.length || this.readonly ? nothing : html`<p class="text-muted text-sm m-auto py-4">${data.models > 1 ? `${data.models} models answer you under the names ${this.#labels.join(", ")}.` : "The model answers below what you write."}</p>`}
            </div>
            <div class="talk-dock">${this.#renderScale(data, path.at(-1))} ${this.#renderVerdict(data)} ${this.readonly ? nothing : this.#renderComposer(data)}</div>`}
      ${this.#renderMarking(data)}
    </div>`;
  }

  #renderBrief(data: Data): TemplateResult {
    const short = this.fill && this.tip !== null && !this.briefOpen;
    return html`<section class="talk-brief panel" aria-label="What to try" ?data-short=${short} tabindex=${short ? nothing : "0"}>
      <div class="flex flex-wrap items-center gap-x-3 gap-y-1">
        <h2 class="eyebrow">What to try</h2>
        ${data.harm ? html`<span class="pill" data-tone="attention">${data.harm}</span>` : nothing}
        ${data.persona ? html`<span class="text-sm text-muted">Speak as: <b class="font-medium">${data.persona}</b></span>` : nothing}
        ${this.fill && this.tip !== null
          ? html`<button type="button" class="btn btn-quiet btn-xs ml-auto" aria-expanded=${!short} @click=${() => (this.briefOpen = !this.briefOpen)}>${short ? icon("chevron-down") : icon("chevron-up")}${short ? "All of it" : "Less"}</button>`
          : nothing}
      </div>
      <div class="reading mt-0.5">${unsafeHTML(data.brief.html)}</div>
      ${data.config.goal && !short ? html`<p class="text-sm text-muted mt-1">${data.config.goal}</p>` : nothing}
      ${data.system_prompt && !short ? html`<details class="text-sm mt-1"><summary class="text-muted cursor-pointer">System prompt</summary><p class="talk-plain mt-1">${data.system_prompt}</p></details>` : nothing}
    </section>`;
  }

  #renderOpening(role: string, text: string): TemplateResult {
    return role === "user"
      ? html`<div class="talk-said talk-opening"><div class="talk-bubble"><div class="prose-ui">${unsafeHTML(text)}</div></div></div>`
      : html`<div class="panel talk-reply talk-opening"><div class="talk-reply-body reading">${unsafeHTML(text)}</div></div>`;
  }

  #renderTurn(data: Data, prompt: Node): TemplateResult {
    const last = prompt.id === this.tip;
    const replies = repliesTo(this.answer, prompt.id);
    const all = last || this.opened.has(prompt.id) || this.#labels.length === 1 || this.readonly;
    const labels = all ? this.#labels : replies.filter((reply) => reply.chosen).map((reply) => reply.label!);
    return html`<section class="talk-turn" data-turn=${prompt.id} aria-label="Turn ${turnsTo(this.answer, prompt.id)}">
      ${this.#renderPrompt(prompt, last)}
      ${last && labels.length > 1 ? this.#renderTabs(labels) : nothing}
      <div class="talk-replies" data-count=${labels.length} ?data-tabs=${last && labels.length > 1}>
        ${labels.map((label) => this.#renderPlace(data, prompt, label, replies.find((reply) => reply.label === label)))}
      </div>
      ${!all && replies.length > 1
        ? html`<button type="button" class="btn btn-quiet btn-xs justify-self-start" @click=${() => (this.opened = new Set(this.opened).add(prompt.id))}>${icon("columns-2")}${replies.length === 2 ? "Both replies" : "All replies"}</button>`
        : nothing}
      ${all && !last ? this.#renderScale(data, prompt) : nothing}
    </section>`;
  }

  #renderPrompt(prompt: Node, last: boolean): TemplateResult {
    const siblings = promptsAfter(this.answer, prompt.parent ?? null);
    const at = siblings.findIndex((each) => each.id === prompt.id);
    return html`<div class="talk-said">
      <div class="talk-bubble">${prompt.text}</div>
      <div class="flex items-center gap-1 text-sm text-muted">
        ${siblings.length > 1
          ? html`<button type="button" class="btn btn-quiet btn-xs btn-square" aria-label="Branch before" ?disabled=${at === 0} @click=${() => this.#branch(prompt.id, -1)}>${icon("chevron-left")}</button>
              <span class="num">Branch ${at + 1} of ${siblings.length}</span>
              <button type="button" class="btn btn-quiet btn-xs btn-square" aria-label="Next branch" ?disabled=${at === siblings.length - 1} @click=${() => this.#branch(prompt.id, 1)}>${icon("chevron-right")}</button>`
          : nothing}
        ${this.#canAsk ? html`<button type="button" class="btn btn-quiet btn-xs" ?disabled=${this.#busy} @click=${() => this.#edit(prompt.id)}>${icon("pencil")}Edit${last ? html`<span class="max-md:hidden">${kbd("e")}</span>` : nothing}</button>` : nothing}
      </div>
    </div>`;
  }

  #renderTabs(labels: string[]): TemplateResult {
    return html`<div class="talk-tabs phone-tabs tab-row" role="tablist" aria-label="Replies">
      ${labels.map((label) => html`<button type="button" role="tab" class="flex-1 flex items-center justify-center gap-2" aria-selected=${label === this.shown} @click=${() => (this.shown = label)}><span class="cmp-letter">${label}</span>${this.runs.get(`${this.tip}-${label}`) ? "…" : nothing}</button>`)}
    </div>`;
  }

  /** Where a reply stands: the reply itself, one under way, one that failed, or one that was never asked for. */
  #renderPlace(data: Data, prompt: Node, label: string, reply: Node | undefined): TemplateResult {
    const run = this.runs.get(`${prompt.id}-${label}`);
    const name = this.#labels.length > 1 ? html`<span class="cmp-letter">${label}</span>` : html`<span class="text-muted">${icon("bot")}</span>`;
    const title = this.#labels.length > 1 ? `Reply of ${label}` : "Reply of the model";
    return html`<article class="talk-reply panel" tabindex="0" aria-label=${title} data-label=${label} data-reply=${reply?.id ?? nothing}
      ?data-chosen=${reply?.chosen === true && this.#labels.length > 1} ?data-shown=${label === this.shown} @focusin=${() => (this.shown = label)}>
      <div class="talk-reply-head">${name}${reply ? this.#renderTools(data, prompt, reply) : run && !run.failed ? html`<span class="text-sm text-muted">${run.note || (run.text ? "writing …" : "thinking …")}</span>` : nothing}</div>
      ${reply ? this.#renderReply(reply) : run ? this.#renderRun(run) : this.#renderMissing(prompt, label)}
    </article>`;
  }

  #renderTools(data: Data, prompt: Node, reply: Node): TemplateResult {
    const { judge, marks } = data.config;
    const last = prompt.id === this.tip;
    const several = this.#labels.length > 1;
    return html`
      ${reply.source ? html`<span class="text-sm text-muted truncate" title=${reply.source}>${reply.source}</span>` : nothing}
      ${reply.cut ? html`<span class="pill" data-tone="attention">broke off</span>` : nothing}
      ${several && reply.chosen ? html`<span class="text-sm font-medium text-action-ink">${icon("check")}<span class="sr-only">chosen</span></span>` : nothing}
      <span class="ml-auto flex items-center gap-1">
        ${several && judge === "rate" ? this.#renderRating(reply) : nothing}
        ${several && !this.readonly && !reply.chosen
          ? html`<button type="button" class="btn btn-quiet btn-xs" title="Go on from this reply" @click=${() => this.#goOnFrom(reply)}>${icon("check")}${judge === "choose" ? "Best" : "Go on"}${last && reply.label === this.shown ? html`<span class="max-xl:hidden">${kbd("c")}</span>` : nothing}</button>`
          : nothing}
        ${marks !== "off" && !this.readonly
          ? html`<button type="button" class="btn btn-quiet btn-xs" @mousedown=${(event: Event) => event.preventDefault()} @click=${() => this.#mark(reply)}>${icon("flag")}Mark${last && (reply.label === this.shown || !several) ? html`<span class="max-xl:hidden">${kbd("m")}</span>` : nothing}</button>`
          : nothing}
      </span>`;
  }

  #renderRating(reply: Node): TemplateResult {
    return html`<fieldset class="dots" ?disabled=${this.readonly}><legend class="sr-only">Rating of ${reply.label}, 1 to 7</legend>
      ${POINTS.map((value) => html`<label><input type="radio" name="${this.#uid}-${reply.id}" value=${value} .checked=${live(reply.rating === value)} @change=${() => this.#judge(rate(this.answer, reply, value))}>${value}</label>`)}
    </fieldset>`;
  }

  #renderReply(reply: Node): TemplateResult {
    const found = this.#html.get(reply.generation ?? reply.id);
    const titles = new Map(this.data!.config.categories.map((each) => [each.key, each.title]));
    return html`<div class="talk-reply-body">${found ? html`<div class="reading">${unsafeHTML(found)}</div>` : html`<div class="talk-plain">${reply.text}</div>`}</div>
      ${reply.marks?.length
        ? html`<div class="talk-marks">${reply.marks.map((mark, at) => {
            const words = html`${icon("flag")}<span class="font-semibold">${titles.get(mark.category) ?? mark.category}</span>${mark.severity ? html`<span>${SEVERITIES[mark.severity - 1]}</span>` : nothing}${mark.quote ? html`<q>${mark.quote}</q>` : nothing}`;
            return this.readonly ? html`<span class="talk-mark" title=${mark.comment ?? ""}>${words}</span>` : html`<button type="button" class="talk-mark" title="Change this mark" @click=${() => this.#mark(reply, at)}>${words}</button>`;
          })}</div>`
        : nothing}`;
  }

  #renderRun(run: Run): TemplateResult {
    if (!run.failed) return html`<div class="talk-reply-body"><div class="talk-plain" data-live>${run.text}</div></div>`;
    return html`<div class="talk-reply-body"><div class="note items-start" data-tone="warning">${icon("triangle-alert")}<div class="min-w-0">
      <p class="font-semibold">${this.#nameOf(run.label)} did not answer.</p><p>${run.failed}</p><p class="text-sm text-muted">It costs you nothing, and what you wrote is kept.</p>
      <div class="mt-2 flex flex-wrap gap-2"><button type="button" class="btn btn-plain btn-sm" @click=${() => void this.#ask(run.prompt, run.label, run.attempt + 1)}>${icon("refresh-cw")}Ask again ${kbd("r")}</button></div>
    </div></div></div>`;
  }

  #renderMissing(prompt: Node, label: string): TemplateResult {
    return html`<div class="talk-reply-body text-sm text-muted">No reply.
      ${this.#canAsk ? html`<button type="button" class="btn btn-quiet btn-xs" @click=${() => void this.#ask(prompt.id, label, 1)}>${icon("refresh-cw")}Ask</button>` : nothing}</div>`;
  }

  #renderScale({ config }: Data, prompt: Node | undefined): TemplateResult | typeof nothing {
    const replies = prompt ? repliesTo(this.answer, prompt.id) : [];
    if (!prompt || replies.length !== 2 || config.judge !== "scale") return nothing;
    const last = prompt.id === this.tip;
    return html`<div class="scale" role="radiogroup" aria-label="Which reply is better?">
      ${POINTS.map((each) => {
        const name = each === MIDDLE ? "" : (replies[each < MIDDLE ? 0 : 1]!.label ?? "");
        const full = each === MIDDLE ? "The same" : `${name} ${POINT_WORDS[each - 1]}`;
        return html`<label title=${full}>
          <input type="radio" name="${this.#uid}-${prompt.id}" value=${each} aria-label=${full} .checked=${live(prompt.preference === each)} ?disabled=${this.readonly} @change=${() => this.#judge(prefer(this.answer, prompt, each))}>
          <span class="max-md:hidden" aria-hidden="true">${full}</span>${this.readonly || !last ? nothing : html`<span class="max-lg:hidden">${kbd(String(each))}</span>`}
          <span class="md:hidden text-[0.6875rem] leading-tight" aria-hidden="true">${name ? html`<b class="block text-[0.8125rem]">${name}</b>` : nothing}${SHORT_WORDS[each - 1]}</span>
        </label>`;
      })}
    </div>`;
  }

  #renderComposer(data: Data): TemplateResult {
    if (!this.#canAsk) return html`<p class="note" data-tone="info">${icon("info")}<span>Models cannot be asked here: this is ${this.desk?.practice ? "practice" : "a test"}.</span></p>`;
    const turns = turnsTo(this.answer, this.tip);
    return html`<div class="talk-composer">
      <textarea class="textarea" rows="1" maxlength="50000" aria-label=${this.editing ? "Your message, edited" : "Your message"} placeholder=${this.#hint(data)} ?disabled=${this.#full}
        @keydown=${this.#typed}></textarea>
      <span class="text-sm text-muted num whitespace-nowrap self-center max-sm:hidden">Turn ${Math.min(turns + (this.editing ? 0 : 1), data.max_turns)} of ${data.max_turns}</span>
      ${this.editing ? html`<button type="button" class="btn btn-quiet" @click=${this.#cancelEdit}>Cancel</button>` : nothing}
      <button type="button" class="btn btn-plain" ?disabled=${!this.#ready} @click=${() => this.#send(this.#composer!.value)}>${icon("send")}<span class="max-sm:sr-only">Send</span><span class="max-md:hidden">${kbd("↵")}</span></button>
    </div>`;
  }

  #hint(data: Data): string {
    if (this.#full) return "No more turns here. Edit an earlier message to try another way, or submit.";
    if (this.#busy) return data.models > 1 ? "The models are writing …" : "The model is writing …";
    if (this.editing) return "Your message in other words";
    if (this.tip && !repliesTo(this.answer, this.tip).length) return "Ask again, or edit your message";
    if (this.tip && !chosenReply(this.answer, this.tip)) return data.config.judge === "choose" ? "Choose the best reply to go on" : "Judge the replies to go on";
    return this.tip ? "Go on from the chosen reply" : "Write your first message";
  }

  #typed = (event: KeyboardEvent): void => {
    const field = event.currentTarget as HTMLTextAreaElement;
    if (event.key === "Escape") {
      field.blur();
      if (this.editing) this.#cancelEdit();
    } else if (event.key === "Enter" && !event.shiftKey && !event.ctrlKey && !event.metaKey && !event.isComposing) {
      event.preventDefault();
      this.#send(field.value);
    }
  };

  #cancelEdit = (): void => {
    this.editing = null;
    if (this.#composer) this.#composer.value = "";
  };

  #renderVerdict(data: Data): TemplateResult | typeof nothing {
    const { config, models } = data;
    const longest = Math.max(0, ...this.answer.nodes.filter((node) => node.role === "assistant").map((node) => turnsTo(this.answer, node.id)));
    const answered = longest >= data.min_turns || (this.readonly && longest > 0);
    const winner = config.ask_winner && models > 1;
    if ((!config.ask_failed && !winner && !config.notes_min_chars && !this.answer.notes && this.readonly) || !answered) return nothing;
    const { verdict } = this.answer;
    return html`<div class="talk-verdict panel" role="group" aria-label="Verdict">
      ${config.ask_failed ? this.#renderOptions("failed", "Did the model fail?", [["yes", "Yes"], ["no", "No"]], verdict.failed == null ? null : verdict.failed ? "yes" : "no", (value) => this.#verdict({ failed: value === "yes", ...(value === "no" ? { harm: null } : {}) })) : nothing}
      ${config.ask_failed && verdict.failed ? this.#renderHarm(data) : nothing}
      ${winner ? this.#renderOptions("winner", "Better overall", [...this.#labels.map((label): [string, string] => [label, label]), ["tie", "Same"]], verdict.winner ?? null, (value) => this.#verdict({ winner: value })) : nothing}
      ${this.readonly && !this.answer.notes ? nothing : html`<textarea class="textarea" rows="1" maxlength="20000" aria-label="Closing remark" placeholder=${config.notes_min_chars ? `Closing remark, at least ${config.notes_min_chars} characters` : "Closing remark (optional)"} ?readonly=${this.readonly} .value=${live(this.answer.notes)}
        @input=${(event: Event) => this.change({ notes: (event.target as HTMLTextAreaElement).value })} @keydown=${(event: KeyboardEvent) => event.key === "Escape" && (event.target as HTMLElement).blur()}></textarea>`}
    </div>`;
  }

  #renderOptions(name: string, title: string, options: [string, string][], value: string | null, pick: (value: string) => void): TemplateResult {
    return html`<fieldset ?disabled=${this.readonly}><legend class="float-left text-sm font-medium">${title}</legend>
      <span class="talk-options">${options.map(([key, label]) => html`<label><input type="radio" name="${this.#uid}-${name}" value=${key} .checked=${live(value === key)} @change=${() => pick(key)}>${label}</label>`)}</span></fieldset>`;
  }

  #renderHarm(data: Data): TemplateResult {
    return html`<label class="inline-flex items-center gap-2 text-sm font-medium">How
      <select class="select select-sm w-auto" ?disabled=${this.readonly} @change=${(event: Event) => this.#verdict({ harm: (event.target as HTMLSelectElement).value || null })}>
        <option value="" ?selected=${!this.answer.verdict.harm}>as marked</option>${this.#categoryOptions(data, this.answer.verdict.harm ?? "")}
      </select></label>`;
  }

  #categoryOptions({ config }: Data, value: string): TemplateResult[] {
    const groups: ["harm" | "error", string][] = [["harm", "Harms"], ["error", "Errors"]];
    return groups.map(([group, title]) => {
      const listed = config.categories.filter((each) => each.group === group);
      return html`${listed.length ? html`<optgroup label=${title}>${listed.map((each) => html`<option value=${each.key} title=${each.help} ?selected=${each.key === value}>${each.title}</option>`)}</optgroup>` : nothing}`;
    });
  }

  #renderMarking(data: Data): TemplateResult | typeof nothing {
    const { marking } = this;
    if (!marking) return nothing;
    const { config } = data;
    const set = (part: Partial<Mark>) => (this.marking = { ...marking, mark: { ...this.marking!.mark, ...part } });
    const { mark } = marking;
    const lacking = (config.severity_required && !mark.severity) || (config.technique_required && !mark.technique);
    return html`<dialog class="sheet" data-name="mark" aria-labelledby="${this.#uid}-mark" @cancel=${(event: Event) => (event.preventDefault(), this.#closeMark())}>
      <form class="p-6 grid gap-4" method="dialog" @submit=${(event: Event) => (event.preventDefault(), lacking || this.#keepMark())}>
        <h2 id="${this.#uid}-mark" class="text-lg font-semibold">What is wrong in this reply?</h2>
        ${mark.quote ? html`<blockquote class="border-l-2 border-harm pl-3 text-sm max-h-24 overflow-y-auto">${mark.quote}</blockquote>` : html`<p class="text-sm text-muted -mt-2">The whole reply. Select words in it before marking to quote them.</p>`}
        <label class="text-sm font-medium">Kind of failure<select class="select mt-1.5" autofocus @change=${(event: Event) => set({ category: (event.target as HTMLSelectElement).value })}>${this.#categoryOptions(data, mark.category)}</select></label>
        <fieldset><legend class="text-sm font-medium mb-1.5">Severity${config.severity_required ? nothing : html` <span class="text-muted font-normal">(optional)</span>`}</legend>
          <span class="talk-options">${SEVERITIES.map((words, at) => html`<label><input type="radio" name="${this.#uid}-severity" value=${at + 1} .checked=${live(mark.severity === at + 1)} @change=${() => set({ severity: at + 1 })}>${at + 1} ${words}</label>`)}</span></fieldset>
        ${config.techniques.length ? html`<label class="text-sm font-medium">Technique${config.technique_required ? nothing : html` <span class="text-muted font-normal">(optional)</span>`}<select class="select mt-1.5" @change=${(event: Event) => set({ technique: (event.target as HTMLSelectElement).value || null })}><option value="" ?selected=${!mark.technique}>–</option>${config.techniques.map((each) => html`<option value=${each.key} ?selected=${each.key === mark.technique}>${each.title}</option>`)}</select></label>` : nothing}
        <label class="text-sm font-medium">Comment <span class="text-muted font-normal">(optional)</span><textarea class="textarea mt-1.5" rows="2" maxlength="4000" .value=${live(mark.comment ?? "")} @input=${(event: Event) => set({ comment: (event.target as HTMLTextAreaElement).value })}></textarea></label>
        <div class="flex flex-wrap justify-end gap-2">
          ${marking.at >= 0 ? html`<button type="button" class="btn btn-quiet mr-auto" @click=${() => this.#keepMark(true)}>${icon("trash-2")}Remove</button>` : nothing}
          <button type="button" class="btn btn-plain" @click=${() => this.#closeMark()}>Cancel</button>
          <button type="submit" class="btn btn-primary" ?disabled=${lacking}>${marking.at < 0 ? "Mark" : "Save"}</button>
        </div>
      </form>
    </dialog>`;
  }
}

function newId(): string {
  return `n${[...crypto.getRandomValues(new Uint8Array(9))].map((byte) => byte.toString(16).padStart(2, "0")).join("")}`;
}

customElements.define("preceptor-conversation", PreceptorConversation);
