/**
 * `<preceptor-prompt>`: write a prompt that meets a brief, see whether it repeats another one, try it on the models.
 *
 * Properties `data`, `draft`, `readonly`; or a `<script type="application/json">` child {data, draft, readonly}.
 */
import { html, nothing, type PropertyValues, type TemplateResult } from "lit";
import { keyed } from "lit/directives/keyed.js";
import { live } from "lit/directives/live.js";
import { unsafeHTML } from "lit/directives/unsafe-html.js";
import { newKey, send, type Problem } from "../../lib/api";
import { adopt, icon, kbd, typingIn } from "../../lib/dom";
import { generate } from "../../lib/generate";
import { KindElement } from "../../lib/kind";
import { keyOf, type Turn } from "../../lib/limits";
import { PREVIEW_URL, renderMarkdown } from "../../lib/preview";
import { askedText, currentRuns, emptyAnswer, findingsOf, noteRequired, problemsOf, type PromptAnswer, type PromptData, type Run } from "../../lib/prompt";
import type { Shortcut } from "../../lib/view";
import { collapsed, type Finding } from "../../lib/writing";
import { EDITOR_SHORTCUTS, percent, type PreceptorMarkdownEditor } from "../../parts/markdown-editor";
import "../../parts/turns-editor";
import type { PreceptorTurns } from "../../parts/turns-editor";
import css from "../../styles/parts/writing.css?inline";
import own from "../../styles/kinds/prompt.css?inline";

type Note = "reference" | "grading" | "why_fails";
type Drawer = "" | Note | "runs";

interface Similar {
  likeness: number;
  whose: "yours" | "other" | "material";
  snippet: string | null;
}
interface Likeness {
  similar: Similar[];
  refused: boolean;
}

const NOTE_WORDS: Record<Note, { title: string; key: string; about: string }> = {
  reference: { title: "Reference answer", key: "r", about: "A right answer, as you would give it" },
  grading: { title: "Grading notes", key: "k", about: "How to tell a right answer from a wrong one" },
  why_fails: { title: "Why it fails", key: "w", about: "What makes it hard for a model" },
};
const LIKENESS_WAIT_MS = 700;
const LIKENESS_CHARACTERS_MIN = 12;
const TAGS_MAX = 20;
const FAILURES_BEFORE_WAIVER = 2;
const LOST: Problem = { status: 0, code: "cut", title: "The answer broke off.", detail: "Nothing is lost. Run it again." };
/** Refusals of a run that trying again does not mend. */
const NO_MODEL = new Set(["no_endpoint", "quota_used", "not_found"]);
let instances = 0;

export class PreceptorPrompt extends KindElement<PromptData, PromptAnswer> {
  static override properties = {
    ...KindElement.properties,
    drawer: { state: true },
    likeness: { state: true },
    running: { state: true },
    runProblem: { state: true },
    html: { state: true },
  };
  declare protected drawer: Drawer;
  declare protected likeness: Likeness | null;
  /** The answer that is just arriving. */
  declare protected running: { shown_as: string; text: string; waiting: string } | null;
  declare protected runProblem: Problem | null;
  /** Rendered texts by their source. */
  declare protected html: ReadonlyMap<string, string>;
  readonly #uid = `prm${++instances}`;
  readonly #asked = new Set<string>();
  #known: { answer: PromptAnswer; found: Finding[]; problems: string[] } | null = null;
  #likenessOf = "";
  #likenessTimer: ReturnType<typeof setTimeout> | undefined;
  #failures = 0;

  constructor() {
    super();
    this.drawer = "";
    this.likeness = null;
    this.running = null;
    this.runProblem = null;
    this.html = new Map();
    adopt(css);
    adopt(own);
    this.addEventListener("keydown", this.#hurry, { capture: true });
  }

  readonly #leaving = new AbortController();

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.#leaving.abort();
    clearTimeout(this.#likenessTimer);
  }

  /** What was typed last belongs to what Ctrl-Enter submits. */
  #hurry = (event: KeyboardEvent): void => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) this.querySelectorAll<PreceptorMarkdownEditor>("preceptor-markdown-editor").forEach((each) => each.flush());
  };

  protected emptyAnswer(): PromptAnswer {
    return emptyAnswer();
  }

  /** Where no model is offered, nothing can be asked for. */
  override get value(): PromptAnswer {
    const waived = Boolean(this.data?.config.runs) && !this.readonly && (!this.#canRun || this.answer.runs_waived);
    return waived === this.answer.runs_waived || this.readonly ? this.answer : { ...this.answer, runs_waived: waived };
  }

  get #canRun(): boolean {
    return Boolean(this.desk?.urls.generate);
  }

  protected problemsOf(data: PromptData, answer: PromptAnswer): string[] {
    const { problems } = this.#judge(data, answer);
    return this.likeness?.refused ? [...problems, "The prompt is too like another one. Change it."] : problems;
  }

  /** Rules and problems of an answer, worked out once: the desk asks often. */
  #judge(data: PromptData, answer: PromptAnswer): { found: Finding[]; problems: string[] } {
    if (this.#known?.answer !== answer) {
      const found = findingsOf(data, answer);
      const waived = { ...answer, runs_waived: answer.runs_waived || !this.#canRun };
      this.#known = { answer, found, problems: problemsOf(data, waived, found) };
    }
    return this.#known;
  }

  override get shortcuts(): Shortcut[] {
    const { data } = this;
    if (!data) return [];
    const notes = this.#notes(data).map((note) => ({ keys: NOTE_WORDS[note].key, words: NOTE_WORDS[note].title }));
    return [
      { keys: "e", words: "Write" },
      ...(data.config.difficulties.length ? [{ keys: `1 … ${data.config.difficulties.length}`, words: "Difficulty" }] : []),
      ...notes,
      ...(data.config.runs ? [{ keys: "m", words: "Models' answers" }, { keys: "Shift M", words: "Run the model" }] : []),
      ...EDITOR_SHORTCUTS,
    ];
  }

  protected override pressed(event: KeyboardEvent): void {
    if (event.defaultPrevented || typingIn(event) || event.ctrlKey || event.metaKey || event.altKey || !this.checkVisibility()) return;
    const { config } = this.data!;
    const note = this.#notes(this.data!).find((each) => NOTE_WORDS[each].key === event.key);
    const level = /^[1-9]$/.test(event.key) ? config.difficulties[Number(event.key) - 1] : undefined;
    const run = event.key === "e" ? () => this.#editor?.focus()
      : note ? () => this.#open(note)
      : event.key === "m" && config.runs ? () => this.#open("runs")
      : event.key === "M" && config.runs && this.#canRun ? () => (this.#show("runs"), void this.#run())
      : level !== undefined ? () => this.change({ difficulty: level })
      : null;
    if (!run) return;
    event.preventDefault();
    run();
  }

  get #editor(): PreceptorMarkdownEditor | PreceptorTurns | null {
    return this.querySelector(".wr-editor preceptor-turns, .wr-editor [data-user]");
  }

  #notes(data: PromptData): Note[] {
    return (["reference", "grading", "why_fails"] as const).filter((note) => data.config[note] !== "off");
  }

  #show(drawer: Drawer): void {
    this.drawer = drawer;
  }

  #open(drawer: Drawer): void {
    this.drawer = this.drawer === drawer ? "" : drawer;
    if (this.drawer) void this.updateComplete.then(() => this.querySelector<HTMLElement>(".wr-drawer preceptor-markdown-editor, .wr-drawer button")?.focus());
  }

  protected override willUpdate(changed: PropertyValues): void {
    super.willUpdate(changed);
    if (changed.has("data") || changed.has("draft")) {
      if (!this.answer.messages.some((turn) => turn.role === "user") && !this.readonly) this.answer = { ...this.answer, messages: [...this.answer.messages, { role: "user", content: "" }] };
      [this.likeness, this.runProblem, this.#likenessOf] = [null, null, ""];
    }
  }

  protected override updated(): void {
    if (!this.data || this.only === "material") return;
    if (this.readonly) {
      for (const text of [...this.answer.messages.map((turn) => turn.content), this.answer.reference, this.answer.grading, this.answer.why_fails]) void this.#render(text);
    } else this.#compare();
    for (const run of this.answer.runs) void this.#render(run.text);
  }

  async #render(text: string): Promise<void> {
    if (!text.trim() || this.html.has(text) || this.#asked.has(text)) return;
    this.#asked.add(text);
    const reply = await renderMarkdown(text, this.desk?.urls.preview ?? PREVIEW_URL);
    if ("html" in reply) this.html = new Map([...this.html, [text, reply.html]]);
  }

  // Likeness to other prompts

  #compare(): void {
    const url = this.desk?.urls.similar;
    const text = askedText(this.answer);
    if (!url || text === this.#likenessOf) return;
    this.#likenessOf = text;
    clearTimeout(this.#likenessTimer);
    if (collapsed(text).length < LIKENESS_CHARACTERS_MIN) {
      if (this.likeness) this.likeness = null;
      return;
    }
    this.#likenessTimer = setTimeout(() => void this.#askLikeness(url, text), LIKENESS_WAIT_MS);
  }

  async #askLikeness(url: string, text: string): Promise<void> {
    const reply = await send<Likeness>("POST", url, { body: { answer: { messages: this.answer.messages } } });
    if (text !== this.#likenessOf || !reply.ok) return;
    const before = this.likeness?.refused ?? false;
    this.likeness = reply.body;
    // The desk shows what is missing: tell it where that has changed.
    if (before !== reply.body.refused) this.change({});
  }

  // Running the models

  async #run(): Promise<void> {
    const url = this.desk?.urls.generate;
    const { data } = this;
    if (!url || !data || this.running) return;
    this.querySelectorAll<PreceptorMarkdownEditor>("preceptor-markdown-editor").forEach((each) => each.flush());
    const messages = structuredClone(this.answer.messages).filter((turn) => collapsed(turn.content));
    if (!messages.some((turn) => turn.role === "user")) {
      this.runProblem = { status: 0, code: "", title: "Write the prompt first.", detail: "" };
      return;
    }
    const shown_as = "ABCD"[currentRuns(this.answer).length % data.config.models] ?? "A";
    this.running = { shown_as, text: "", waiting: "" };
    this.runProblem = null;
    const listener = {
      text: (piece: string) => (this.running = { shown_as, text: (this.running?.text ?? "") + piece, waiting: "" }),
      waiting: (waiting: string) => (this.running = { shown_as, text: this.running?.text ?? "", waiting }),
    };
    const question = { key: newKey(), messages, shown_as, turn: "" };
    const reply = await generate(url, question, listener, this.#leaving.signal);
    this.running = null;
    if (reply.kind !== "done") return this.#failed(reply.kind === "refused" ? reply.problem : LOST);
    const { answer } = reply;
    if (!answer.text) return this.#failed({ status: 0, code: answer.outcome, title: "The model gave no answer.", detail: answer.error });
    this.#failures = 0;
    if (answer.html) this.html = new Map([...this.html, [answer.text, answer.html]]);
    const run: Run = { generation: answer.generation, shown_as, prompt_key: keyOf(messages), text: answer.text, verdict: "", reason: "" };
    // Runs of earlier wordings that nobody judged say nothing: they make room.
    const kept = this.answer.runs.filter((each) => each.verdict || each.prompt_key === run.prompt_key).slice(-30);
    this.change({ runs: [...kept, run], runs_waived: false });
  }

  #failed(problem: Problem): void {
    this.#failures += 1;
    this.runProblem = problem;
  }

  #judgeRun(run: Run, part: Partial<Run>): void {
    this.change({ runs: this.answer.runs.map((each) => (each === run ? { ...each, ...part } : each)) });
  }

  // What one sees

  protected override render(): TemplateResult | typeof nothing {
    const { data } = this;
    if (!data) return nothing;
    return html`<div class="wr" ?data-fill=${this.fill} data-layout="side">
      ${this.only === "answer" ? nothing : this.#renderBrief(data)} ${this.only === "material" ? nothing : this.readonly ? this.#renderRead(data) : this.#renderWork(data)}
    </div>`;
  }

  #renderBrief(data: PromptData): TemplateResult {
    return html`<section class="wr-material panel" aria-label="Brief"><div class="wr-scroll" tabindex="0" role="region" aria-label="Brief">
      <div class="flex flex-wrap items-baseline gap-x-3">${data.topic ? html`<h2 class="font-semibold text-[1.0625rem]">${data.topic}</h2>` : nothing}${data.difficulty ? html`<span class="pill" data-tone="quiet">${data.difficulty}</span>` : nothing}</div>
      ${data.brief ? html`<div class="reading mt-1">${unsafeHTML(data.brief.html)}</div>` : nothing}
      ${data.must_fail || data.fails_because ? html`<div class="prm-fail">${icon("target")}<div><p class="font-semibold">A model must fail at it.</p>${data.fails_because ? html`<div class="prose-ui">${unsafeHTML(data.fails_because.html)}</div>` : nothing}</div></div>` : nothing}
      ${data.constraints.length ? this.#renderConstraints(data.constraints) : nothing}
      ${data.examples.length ? html`<div class="eyebrow mt-4">${data.examples.length > 1 ? "Examples" : "Example"} (not to be repeated)</div>${data.examples.map((example) => html`<div class="prm-example reading">${unsafeHTML(example.html)}</div>`)}` : nothing}
    </div></section>`;
  }

  #renderConstraints(constraints: string[]): TemplateResult {
    const met = new Set(this.answer.constraints_met);
    const toggle = (at: number) => this.change({ constraints_met: constraints.map((_, place) => place).filter((place) => (place === at ? !met.has(place) : met.has(place))) });
    return html`<fieldset class="mt-4"><legend class="eyebrow">Constraints${this.readonly ? "" : ": tick off what your prompt keeps"}</legend>
      ${constraints.map((constraint, at) => html`<label class="prm-constraint"><input type="checkbox" class="checkbox checkbox-sm checkbox-primary" .checked=${live(met.has(at))} ?disabled=${this.readonly} @change=${() => toggle(at)}><span>${constraint}</span></label>`)}
    </fieldset>`;
  }

  #renderWork(data: PromptData): TemplateResult {
    const { config } = data;
    const { found } = this.#judge(data, this.answer);
    return html`<section class="wr-work" aria-labelledby="${this.#uid}-title">
      <h2 class="wr-title" id="${this.#uid}-title">${config.instruction}</h2>
      <div class="wr-editor">${config.user_turns_max > 1 ? this.#renderTurns(data) : this.#renderSingle(data)}</div>
      ${this.#renderLikeness()}
      ${found.length ? this.#renderFindings(found) : nothing}
      <div class="prm-claims">${this.#renderDifficulty(config.difficulties)}${this.#renderTags(data)}</div>
      ${this.#renderDrawer(data)}
    </section>`;
  }

  #renderTurns({ config }: PromptData): TemplateResult {
    return html`<preceptor-turns .turns=${this.answer.messages} ?system=${config.system !== "off"} .most=${2 * config.user_turns_max} .previewUrl=${this.#previewUrl}
      @turns-changed=${(event: CustomEvent<{ turns: Turn[] }>) => this.change({ messages: event.detail.turns })}></preceptor-turns>`;
  }

  get #previewUrl(): string {
    return this.desk?.urls.preview ?? PREVIEW_URL;
  }

  #renderSingle({ config }: PromptData): TemplateResult {
    const { messages } = this.answer;
    const system = messages.find((turn) => turn.role === "system");
    const user = messages.find((turn) => turn.role === "user")?.content ?? "";
    const set = (role: Turn["role"], content: string) => this.change({ messages: messages.map((turn) => (turn.role === role ? { ...turn, content } : turn)) });
    return html`<div class="prm-single">
      ${system
        ? html`<div class="prm-system"><div class="prm-system-head"><span class="eyebrow">System message</span>${config.system === "required" ? nothing : html`<button type="button" class="btn btn-quiet btn-xs" @click=${() => this.change({ messages: messages.filter((turn) => turn.role !== "system") })}>${icon("x")}Without</button>`}</div>
          <textarea class="textarea" rows="2" maxlength="200000" aria-label="System message" placeholder="What the model is told before the prompt" .value=${live(system.content)} @input=${(event: Event) => set("system", valueOf(event))}></textarea></div>`
        : config.system === "off" ? nothing : html`<button type="button" class="btn btn-quiet btn-xs justify-self-start" @click=${() => this.#addSystem()}>${icon("plus")}System message${config.system === "required" ? " (required)" : ""}</button>`}
      <preceptor-markdown-editor data-user .value=${user} .label=${config.instruction} .previewUrl=${this.#previewUrl} placeholder="The prompt, as the user says it" @text-changed=${(event: CustomEvent<{ text: string }>) => set("user", event.detail.text)}></preceptor-markdown-editor>
    </div>`;
  }

  #addSystem(): void {
    this.change({ messages: [{ role: "system", content: "" }, ...this.answer.messages] });
    void this.updateComplete.then(() => this.querySelector<HTMLElement>(".prm-system textarea")?.focus());
  }

  #renderLikeness(): TemplateResult | typeof nothing {
    const { likeness } = this;
    if (!likeness) return nothing;
    const [first, ...rest] = likeness.similar;
    if (!first) return html`<p class="prm-unlike" role="status">${icon("check", undefined, "text-action")}Unlike every other prompt of this project.</p>`;
    return html`<div class="prm-alike" data-refused=${likeness.refused} role="status">${icon("copy")}<div class="min-w-0">
      <p><span class="font-semibold">${likeness.refused ? "Too like another prompt: change it." : "Like another prompt."}</span> ${similarWords(first)}${rest.length ? html`, and ${rest.length} more` : nothing}</p>
      ${first.snippet ? html`<p class="prm-snippet">“${first.snippet}”</p>` : nothing}</div></div>`;
  }

  #renderFindings(found: readonly Finding[]): TemplateResult {
    return html`<ul class="wr-findings" aria-label="Style">${found.map((finding) => html`<li data-severity=${finding.severity}>${finding.severity === "block" ? icon("circle-alert", "Must be mended") : icon("triangle-alert", "Advice")}<span>${finding.message}</span></li>`)}</ul>`;
  }

  #renderDifficulty(levels: string[]): TemplateResult | typeof nothing {
    if (!levels.length) return nothing;
    return html`<fieldset class="prm-levels"><legend>Difficulty</legend>${levels.map((level, at) => html`<label><input type="radio" name="${this.#uid}-difficulty" value=${level} .checked=${live(this.answer.difficulty === level)} @change=${() => this.change({ difficulty: level })}>${level}<span class="max-lg:hidden">${kbd(String(at + 1))}</span></label>`)}</fieldset>`;
  }

  #renderTags({ config }: PromptData): TemplateResult | typeof nothing {
    if (!config.tags.length && !config.free_tags) return nothing;
    const { tags } = this.answer;
    const shown = [...config.tags, ...tags.filter((tag) => !config.tags.includes(tag))];
    const toggle = (tag: string) => this.change({ tags: tags.includes(tag) ? tags.filter((each) => each !== tag) : [...tags, tag].slice(0, TAGS_MAX) });
    return html`<div class="prm-tags" role="group" aria-label="Tags"><span class="prm-label">Tags${config.tags_min ? html` <span class="text-muted num font-normal">${tags.length} of ${config.tags_min}</span>` : nothing}</span>
      ${shown.map((tag) => html`<button type="button" class="chip" aria-pressed=${tags.includes(tag)} aria-current=${tags.includes(tag)} @click=${() => toggle(tag)}>${tag}</button>`)}
      ${config.free_tags ? html`<input class="input input-sm" maxlength="80" placeholder="Add a tag, Enter" aria-label="Add a tag" @keydown=${(event: KeyboardEvent) => this.#typedTag(event)} @blur=${(event: Event) => this.#addTag(event.target as HTMLInputElement)}>` : nothing}</div>`;
  }

  #typedTag(event: KeyboardEvent): void {
    const field = event.target as HTMLInputElement;
    if (event.key === "Escape") return field.blur();
    if ((event.key !== "Enter" && event.key !== ",") || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    this.#addTag(field);
  }

  #addTag(field: HTMLInputElement): void {
    const tag = collapsed(field.value);
    field.value = "";
    if (tag && !this.answer.tags.includes(tag) && this.answer.tags.length < TAGS_MAX) this.change({ tags: [...this.answer.tags, tag] });
  }

  #renderDrawer(data: PromptData): TemplateResult | typeof nothing {
    const { config } = data;
    const notes = this.#notes(data);
    if (!notes.length && !config.runs) return nothing;
    const tab = (drawer: Drawer, key: string, words: TemplateResult) => html`<button type="button" class="chip" aria-expanded=${this.drawer === drawer} aria-controls="${this.#uid}-drawer" aria-keyshortcuts=${key} aria-current=${this.drawer === drawer} @click=${() => this.#open(drawer)}>${words}<span class="max-md:hidden">${kbd(key)}</span></button>`;
    const judged = currentRuns(this.answer).filter((run) => run.verdict).length;
    return html`<div class="wr-drawers">
      ${notes.map((note) => tab(note, NOTE_WORDS[note].key, html`${NOTE_WORDS[note].title}${collapsed(this.answer[note]) ? icon("check", "written", "text-action") : noteRequired(data, note) ? html`<span class="text-attention-ink" title="Required">*</span><span class="sr-only"> (required)</span>` : nothing}`))}
      ${config.runs ? tab("runs", "m", html`${icon("play")}Models' answers <span class="num">${this.#canRun ? `${judged} of ${config.runs}` : ""}</span>`) : nothing}
    </div>
    <div class="wr-drawer" id="${this.#uid}-drawer" ?hidden=${!this.drawer} ?data-tall=${this.drawer === "runs"}>${this.drawer === "runs" ? this.#renderRuns(data) : this.drawer ? this.#renderNote(this.drawer) : nothing}</div>`;
  }

  #renderNote(note: Note): TemplateResult {
    return html`${keyed(note, html`<preceptor-markdown-editor compact .value=${live(this.answer[note])} .label=${NOTE_WORDS[note].title} .previewUrl=${this.#previewUrl} placeholder=${NOTE_WORDS[note].about} @text-changed=${(event: CustomEvent<{ text: string }>) => this.change({ [note]: event.detail.text })}></preceptor-markdown-editor>`)}`;
  }

  #renderRuns({ config }: PromptData): TemplateResult {
    if (!this.#canRun) return html`<p class="note" data-tone="warning">${icon("info")}<span>No model is offered here, so nothing has to be run. Reviewers see that the prompt was not tried.</span></p>`;
    const runs = currentRuns(this.answer);
    const older = this.answer.runs.length - runs.length;
    const fails = runs.filter((run) => run.verdict === "fail").length;
    return html`<div class="prm-runs-head">
        <button type="button" class="btn btn-plain btn-sm" ?disabled=${this.running !== null} @click=${() => void this.#run()}>${icon("play")}${runs.length ? "Run once more" : "Run the model"}<span class="max-md:hidden">${kbd("Shift M")}</span></button>
        <span class="text-sm text-muted num" role="status">${fails} of ${runs.filter((run) => run.verdict).length} fail${config.fails_min ? `; at least ${config.fails_min} of ${config.runs} wanted` : ""}${older ? ` · ${older} of earlier wordings` : ""}</span>
      </div>
      ${this.runProblem ? this.#renderRunProblem(this.runProblem) : nothing}
      ${this.running ? html`<article class="prm-run" aria-busy="true"><div class="prm-run-head"><span class="cmp-letter prm-letter">${this.running.shown_as}</span><span class="text-sm text-muted">${this.running.waiting || "is writing…"}</span></div><div class="reading whitespace-pre-wrap">${this.running.text}</div></article>` : nothing}
      ${runs.toReversed().map((run) => this.#renderRun(run, this.answer.runs.indexOf(run)))}`;
  }

  #renderRunProblem(problem: Problem): TemplateResult {
    const hopeless = NO_MODEL.has(problem.code) || this.#failures >= FAILURES_BEFORE_WAIVER;
    return html`<div class="note items-start" data-tone="warning" role="alert">${icon("circle-alert")}<div><span class="font-semibold">${problem.title}</span> ${problem.detail} ${problem.next ?? nothing}
      ${hopeless && !this.answer.runs_waived ? html`<button type="button" class="btn btn-quiet btn-xs" @click=${() => this.change({ runs_waived: true })}>Go on without the models</button>` : nothing}
      ${this.answer.runs_waived ? html`<p>Nothing has to be run now. Reviewers see that the models were not reached.</p>` : nothing}</div></div>`;
  }

  #renderRun(run: Run, at: number): TemplateResult {
    const verdict = (value: Run["verdict"], words: string) => html`<label><input type="radio" name="${this.#uid}-run-${at}" value=${value} .checked=${live(run.verdict === value)} ?disabled=${this.readonly} @change=${() => this.#judgeRun(run, { verdict: value })}>${words}</label>`;
    const shown = this.html.get(run.text);
    return html`<article class="prm-run" aria-label="Run ${at + 1}">
      <div class="prm-run-head"><span class="cmp-letter prm-letter">${run.shown_as}</span><span class="text-sm text-muted">Run ${at + 1}${run.source ? ` · ${run.source}` : ""}</span>
        <fieldset class="prm-levels"><legend class="sr-only">Run ${at + 1}</legend>${verdict("fail", "Fails")}${verdict("ok", "Right")}</fieldset></div>
      <div class="prm-run-text" tabindex="0" role="region" aria-label="Answer of run ${at + 1}">${shown === undefined ? html`<div class="reading whitespace-pre-wrap">${run.text}</div>` : html`<div class="reading">${unsafeHTML(shown)}</div>`}</div>
      ${this.readonly ? (run.reason ? html`<p class="text-sm">${run.reason}</p>` : nothing) : run.verdict ? html`<input class="input input-sm w-full" maxlength="5000" aria-label="Reason for run ${at + 1}" placeholder=${run.verdict === "fail" ? "In what does it fail?" : "Why it is right (optional)"} .value=${live(run.reason)} @input=${(event: Event) => this.#judgeRun(run, { reason: valueOf(event) })}>` : nothing}
    </article>`;
  }

  // For readers

  #renderRead(data: PromptData): TemplateResult {
    const { answer } = this;
    const { found } = this.#judge(data, answer);
    const shown = (text: string) => (this.html.has(text) ? html`<div class="reading">${unsafeHTML(this.html.get(text)!)}</div>` : html`<div class="reading whitespace-pre-wrap">${text}</div>`);
    const current = new Set(currentRuns(answer));
    return html`<section class="wr-work wr-read" aria-label="What was written"><div class="wr-read-scroll" tabindex="0" role="region" aria-label="What was written">
      ${answer.messages.map((turn) => html`<div class="wr-message">${answer.messages.length > 1 ? html`<span class="eyebrow font-sans">${turn.role}</span>` : nothing}${shown(turn.content)}</div>`)}
      <p class="mt-3 flex flex-wrap gap-2">${answer.difficulty ? html`<span class="pill" data-tone="quiet">${answer.difficulty}</span>` : nothing}${answer.tags.map((tag) => html`<span class="pill" data-tone="busy">${tag}</span>`)}</p>
      ${(Object.keys(NOTE_WORDS) as Note[]).filter((note) => answer[note]).map((note) => html`<h3 class="eyebrow mt-4">${NOTE_WORDS[note].title}</h3>${shown(answer[note])}`)}
      ${data.config.runs ? html`<h3 class="eyebrow mt-4">Models' answers</h3>${answer.runs_waived ? html`<p class="text-attention-ink">No model could be run; the prompt was not tried.</p>` : nothing}${answer.runs.map((run, at) => (current.has(run) ? this.#renderRun(run, at) : nothing))}` : nothing}
    </div>${found.length ? this.#renderFindings(found) : nothing}</section>`;
  }
}

function valueOf(event: Event): string {
  return (event.target as HTMLInputElement | HTMLTextAreaElement).value;
}

function similarWords({ likeness, whose }: Similar): string {
  const what = { yours: "one of yours", other: "someone else's prompt", material: "a prompt that came with the project" }[whose];
  return likeness >= 1 ? `The same as ${what}` : `${percent(likeness)} in common with ${what}`;
}

if (!customElements.get("preceptor-prompt")) customElements.define("preceptor-prompt", PreceptorPrompt);
