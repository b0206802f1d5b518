/**
 * `<preceptor-code>`: write code against tests, compare two patches, or mark defects on lines.
 *
 * The editor and the runs come with this element only. See lib/view.ts for what every task's element is.
 */
import { html, nothing, type PropertyValues, type TemplateResult } from "lit";
import { live } from "lit/directives/live.js";
import { unsafeHTML } from "lit/directives/unsafe-html.js";
import { badPath, choiceAt, emptyAnswer, linesOf, problemsOf, reviewed, SEVERITIES, withFile, written, type CodeAnswer, type CodeData, type CodeRun, type LineMark } from "../../lib/code";
import { lookAt, runCode, waitFor, type RunOutcome } from "../../lib/code-run";
import { countedLength } from "../../lib/comparison";
import { adopt, icon, kbd, memory, typingIn } from "../../lib/dom";
import { KindElement } from "../../lib/kind";
import type { Shortcut } from "../../lib/view";
import { causeAndCriteria, choiceScale, labelsOf, pointsOf } from "../../parts/code-choice";
import { marksPanel, verdictRow, type MarkDesk } from "../../parts/code-marks";
import { testsPanel, type RunDesk } from "../../parts/code-tests";
import "../../parts/code-view";
import type { Layout, PreceptorCodeView, ShownMark } from "../../parts/code-view";
import css from "../../styles/kinds/code.css?inline";

const NARROW = "(max-width: 63.99rem)";
let instances = 0;

export class PreceptorCode extends KindElement<CodeData, CodeAnswer> {
  static override properties = {
    ...KindElement.properties,
    path: { state: true },
    patch: { state: true },
    split: { state: true },
    going: { state: true },
    run: { state: true },
    refused: { state: true },
    current: { state: true },
    naming: { state: true },
    narrow: { state: true },
  };
  /** The file in front, and the patch whose change is shown. */
  declare protected path: string;
  declare protected patch: string;
  declare protected split: boolean;
  declare protected going: boolean;
  declare protected run: CodeRun | null;
  declare protected refused: string;
  /** Index of the mark that is edited. */
  declare protected current: number | null;
  /** The name of a new file as it is typed; null where none is. */
  declare protected naming: { name: string; problem: string } | null;
  declare protected narrow: boolean;
  readonly #uid = `code${++instances}`;
  readonly #width = matchMedia(NARROW);
  #stop = new AbortController();

  constructor() {
    super();
    this.path = this.patch = this.refused = "";
    this.split = memory.get("code-split") === "yes";
    this.going = false;
    this.run = null;
    this.current = null;
    this.naming = null;
    this.narrow = this.#width.matches;
    adopt(css);
  }

  override connectedCallback(): void {
    super.connectedCallback();
    this.#stop = new AbortController();
    this.#width.addEventListener("change", () => (this.narrow = this.#width.matches), { signal: this.#stop.signal });
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.#stop.abort();
  }

  protected override emptyAnswer(): CodeAnswer {
    return emptyAnswer();
  }

  protected override problemsOf(data: CodeData, answer: CodeAnswer): string[] {
    return problemsOf(data, answer, this.#runUrl !== "");
  }

  get #runUrl(): string {
    return this.desk?.urls.run ?? "";
  }

  override get shortcuts(): Shortcut[] {
    const mode = this.data?.config.mode;
    const run: Shortcut[] = this.#runUrl && this.data?.tests.length ? [{ keys: "Alt Enter", words: "Run the tests" }] : [];
    const files: Shortcut[] = [{ keys: "Alt ←/→", words: "File before, file after" }, { keys: "e", words: "Go to the code" }];
    if (mode === "write") return [...run, ...files, { keys: "Esc, Tab", words: "Leave the editor" }];
    if (mode === "compare") {
      return [{ keys: "1 … 7", words: "Choose on the scale" }, { keys: "A B", words: "Show a patch" }, { keys: "d", words: "Side by side, or in one column" }, ...run, ...files];
    }
    return [{ keys: "m", words: "Mark the line at the cursor" }, { keys: "0", words: "No defects" }, { keys: "1 2 3", words: "Verdict" }, { keys: "n", words: "Next mark" }, ...run, ...files];
  }

  protected override willUpdate(changed: PropertyValues): void {
    super.willUpdate(changed);
    if (!changed.has("data") || !this.data) return;
    const labels = labelsOf(this.data);
    this.patch = labels[0] ?? "";
    this.path = this.#firstPath(this.data);
    this.run = null;
    this.refused = "";
    this.current = null;
    if (this.answer.run && this.#runUrl) void this.#follow(lookAt(this.#runUrl, this.answer.run, this.#stop.signal));
  }

  /** The first file that the patch touches, else the one that tests start. */
  #firstPath(data: CodeData): string {
    const touched = data.patches[0] ? this.#touched(data, data.patches[0].label)[0] : undefined;
    const all = Object.keys(data.config.mode === "write" ? written(data, this.answer) : reviewed(data));
    return touched ?? (all.includes(data.entry) ? data.entry : (all.sort()[0] ?? data.entry));
  }

  /** Files that a patch changes, makes or removes. */
  #touched(data: CodeData, label: string): string[] {
    const after = data.patches.find((each) => each.label === label)?.files;
    if (!after) return [];
    return [...new Set([...Object.keys(data.files), ...Object.keys(after)])].filter((path) => data.files[path] !== after[path]).sort();
  }

  get #paths(): string[] {
    const data = this.data!;
    if (data.config.mode === "write") return [...new Set([data.entry, ...Object.keys(written(data, this.answer))])].sort();
    const label = this.patch;
    const files = data.patches.find((each) => each.label === label)?.files ?? data.files;
    const touched = this.#touched(data, label);
    const rest = [...new Set([...Object.keys(data.files), ...Object.keys(files)])].filter((path) => !touched.includes(path)).sort();
    return [...touched, ...rest];
  }

  // Keys

  protected override pressed(event: KeyboardEvent): void {
    if (event.altKey && event.key === "Enter") return this.#handled(event, () => void this.#run());
    if (event.altKey && (event.key === "ArrowLeft" || event.key === "ArrowRight") && !typingIn(event)) return this.#handled(event, () => this.#nextFile(event.key === "ArrowLeft" ? -1 : 1));
    if (event.defaultPrevented || typingIn(event) || event.ctrlKey || event.metaKey || event.altKey || !this.checkVisibility()) return;
    const inCode = event.composedPath()[0] instanceof Element && (event.composedPath()[0] as Element).closest(".cm-content") !== null;
    if (!inCode && this.#key(event.key)) event.preventDefault();
  }

  #handled(event: Event, run: () => void): void {
    event.preventDefault();
    run();
  }

  #key(key: string): boolean {
    const data = this.data!;
    if (key === "e") return this.#view?.focus(), true;
    if (data.config.mode === "compare") return this.#compareKey(data, key);
    if (data.config.mode === "review") return this.#reviewKey(data, key);
    return false;
  }

  #compareKey(data: CodeData, key: string): boolean {
    const labels = labelsOf(data);
    const label = labels.find((each) => each.toLowerCase() === key.toLowerCase());
    if (label) return this.#showPatch(label), true;
    if (key === "d") return this.#toggleSplit(), true;
    const point = pointsOf(data)[Number(key) - 1];
    if (point === undefined || (point === 4 && !data.config.allow_ties)) return false;
    this.change(choiceAt(point, labels, data.config.scale_strength));
    return true;
  }

  #reviewKey(data: CodeData, key: string): boolean {
    if (key === "0") return this.change({ no_defects: !this.answer.no_defects }), true;
    if (key === "n" && this.answer.marks.length) {
      this.#pick(((this.current ?? -1) + 1) % this.answer.marks.length);
      return true;
    }
    const verdict = data.config.verdicts[Number(key) - 1];
    return verdict !== undefined && (this.change({ verdict: verdict.key }), true);
  }

  #nextFile(step: number): void {
    const paths = this.#paths;
    this.path = paths[(paths.indexOf(this.path) + step + paths.length) % paths.length] ?? this.path;
  }

  get #view(): PreceptorCodeView | null {
    return this.querySelector("preceptor-code-view");
  }

  #showPatch(label: string): void {
    this.patch = label;
    if (!this.#paths.includes(this.path)) this.path = this.#paths[0] ?? this.path;
  }

  #toggleSplit(): void {
    this.split = !this.split;
    memory.set("code-split", this.split ? "yes" : null);
  }

  // Runs

  get #runDesk(): RunDesk {
    return { offered: this.#runUrl !== "", going: this.going, run: this.run, problem: this.refused, start: () => void this.#run() };
  }

  async #run(): Promise<void> {
    if (this.going || !this.#runUrl || this.readonly) return;
    if (this.data!.config.mode === "write" && !Object.keys(this.answer.files).length) {
      this.refused = "There is no code to run yet. Write some first.";
      return;
    }
    await this.#follow(runCode(this.#runUrl, this.value, this.#stop.signal));
  }

  async #follow(outcome: Promise<RunOutcome>): Promise<void> {
    const files = JSON.stringify(this.answer.files);
    [this.going, this.refused] = [true, ""];
    try {
      let found = await outcome;
      if ("run" in found && found.run.state === "waiting") found = await waitFor(this.#runUrl, found.run, this.#stop.signal);
      if ("problem" in found) this.refused = found.problem;
      else this.#ran(found.run, files === JSON.stringify(this.answer.files));
    } catch (error) {
      if (!(error instanceof DOMException && error.name === "AbortError")) throw error;
    } finally {
      this.going = false;
    }
  }

  /** Code that was changed while its tests ran must be run again. */
  #ran(run: CodeRun, same: boolean): void {
    this.run = run;
    this.refused = run.refused ?? (same ? "" : "The code has changed since. Run the tests again.");
    if (same && this.answer.run !== run.id) this.change({ run: run.id });
  }

  // Files

  #typed(event: CustomEvent<{ text: string }>): void {
    event.stopPropagation();
    this.change({ files: withFile(this.data!, this.answer.files, this.path, event.detail.text), run: null });
  }

  #addFile(event: Event): void {
    event.preventDefault();
    const name = this.naming!.name.trim();
    const problem = badPath(name, this.#paths);
    if (problem) {
      this.naming = { name, problem };
      return;
    }
    this.change({ files: { ...this.answer.files, [name]: "" }, run: null });
    [this.path, this.naming] = [name, null];
    void this.updateComplete.then(() => this.#view?.focus());
  }

  #removeFile(path: string): void {
    const { [path]: _, ...files } = this.answer.files;
    this.change({ files, run: null });
    if (this.path === path) this.path = this.#paths[0] ?? this.path;
  }

  // Marks

  get #markDesk(): MarkDesk {
    return { uid: this.#uid, readonly: this.readonly, current: this.current, pick: (index) => this.#pick(index), show: (mark) => this.#show(mark), change: (part) => this.change(part) };
  }

  #pick(index: number | null): void {
    this.current = index;
    if (index === null) return;
    const mark = this.answer.marks[index];
    if (mark && mark.path !== this.path) this.path = mark.path;
    void this.updateComplete.then(() => this.querySelector<HTMLElement>(`[data-mark="${index}"] input, [data-mark="${index}"] textarea`)?.focus());
  }

  #show(mark: LineMark): void {
    this.path = mark.path;
    void this.updateComplete.then(() => this.#view?.updateComplete).then(() => this.#view?.goTo(mark.line));
  }

  #chosen(event: CustomEvent<{ line: number; line_end: number }>): void {
    if (this.readonly || this.data!.config.mode !== "review") return;
    const last = linesOf(reviewed(this.data!)[this.path] ?? "");
    const { line, line_end } = event.detail;
    if (line > last) return;
    const mark: LineMark = { path: this.path, line, line_end: Math.min(line_end, last), severity: null, category: "", comment: "", suggestion: "" };
    this.change({ marks: [...this.answer.marks, mark], no_defects: false });
    this.#pick(this.answer.marks.length - 1);
  }

  #marksHere(): ShownMark[] {
    const here = this.answer.marks.filter((mark) => mark.path === this.path);
    return here
      .toSorted((a, b) => SEVERITIES.indexOf(a.severity ?? "minor") - SEVERITIES.indexOf(b.severity ?? "minor"))
      .map((mark) => ({ line: mark.line, line_end: mark.line_end, tone: mark.severity ?? "open" }));
  }

  // Drawing

  protected override render(): TemplateResult | typeof nothing {
    const { data } = this;
    if (!data) return nothing;
    return html`<div class="code" data-mode=${data.config.mode} ?data-fill=${this.fill}>
      ${this.only === "answer" ? this.#renderGiven(data) : html`<div class="code-desk">${this.#renderProblem(data)} ${this.#renderWork(data)}</div>`}
      ${this.only === "material" ? nothing : this.#renderJudgment(data)}
    </div>`;
  }

  /** What somebody gave, beside the task that is shown elsewhere: their code, or their marks. */
  #renderGiven(data: CodeData): TemplateResult | typeof nothing {
    const { mode } = data.config;
    if (mode === "write") return html`${this.#renderWork(data)} ${this.#renderTested()}`;
    return mode === "review" ? marksPanel(data, this.answer, this.#markDesk) : nothing;
  }

  #renderProblem(data: CodeData): TemplateResult {
    return html`<div class="code-side panel" tabindex="0" role="region" aria-label="Problem and tests">
      <section aria-label="Problem"><div class="reading code-problem">${unsafeHTML(data.problem.html)}</div></section>
      ${testsPanel(data, this.#runDesk, this.readonly)} ${this.#renderTested()}
      ${data.config.mode === "review" ? marksPanel(data, this.answer, this.#markDesk) : nothing}
    </div>`;
  }

  /** The installation's own count, which a stored answer holds. */
  #renderTested(): TemplateResult | typeof nothing {
    const tested = Object.entries(this.answer.tested ?? {});
    if (!this.readonly || !tested.length) return nothing;
    return html`<ul class="text-sm num">${tested.map(
      ([name, found]) => html`<li>${icon("flask-conical")} ${name === "solution" ? "" : `${name}: `}${found.passed} of ${found.of} tests passed${found.hidden_of ? `, ${found.hidden_passed} of ${found.hidden_of} hidden` : ""}</li>`,
    )}</ul>`;
  }

  #renderWork(data: CodeData): TemplateResult {
    const { mode } = data.config;
    return html`<section class="code-work panel" aria-label=${mode === "write" ? "Your code" : "Code"}>
      <div class="code-bar">
        ${mode === "compare" ? this.#renderPatches(data) : nothing}
        <div class="code-files" role="tablist" aria-label="Files">
          ${this.#paths.map((path) => this.#renderFileTab(data, path))}
        </div>
        ${mode === "write" && !this.readonly ? this.#renderNewFile() : nothing}
        ${data.patches.length && !this.narrow
          ? html`<button type="button" class="btn btn-quiet btn-xs h-7 ml-auto flex-none ${this.split ? "bg-brand-soft text-brand-ink" : "text-muted"}" aria-pressed=${this.split} aria-keyshortcuts="d" title="Side by side" @click=${() => this.#toggleSplit()}>${icon("columns-2")}<span class="max-2xl:sr-only">Side by side</span>${kbd("d")}</button>`
          : nothing}
      </div>
      ${this.#renderView(data)}
    </section>`;
  }

  #renderPatches(data: CodeData): TemplateResult {
    return html`<div class="join flex-none" role="group" aria-label="Patch shown">
      ${labelsOf(data).map((label) => html`<button type="button" class="btn btn-sm join-item ${label === this.patch ? "btn-primary" : "btn-plain"}" aria-pressed=${label === this.patch} aria-keyshortcuts=${label.toLowerCase()} @click=${() => this.#showPatch(label)}>Patch ${label}</button>`)}
    </div>`;
  }

  #renderFileTab(data: CodeData, path: string): TemplateResult {
    const added = data.config.mode === "write" && data.files[path] === undefined && path !== data.entry;
    const marks = this.answer.marks.filter((mark) => mark.path === path).length;
    const changed = data.config.mode === "write" ? this.answer.files[path] !== undefined : this.#touched(data, this.patch).includes(path);
    return html`<span class="code-file" role="presentation" ?data-current=${path === this.path}>
      <button type="button" role="tab" aria-selected=${path === this.path} @click=${() => (this.path = path)}>${path}${changed ? html`<span class="code-dot" title="changed"><span class="sr-only">changed</span></span>` : nothing}${marks ? html` <span class="num text-harm-ink text-xs">${marks}<span class="sr-only"> marks</span></span>` : nothing}</button>
      ${added && !this.readonly ? html`<button type="button" class="code-remove" aria-label="Remove ${path}" @click=${() => this.#removeFile(path)}>${icon("x")}</button>` : nothing}
    </span>`;
  }

  #renderNewFile(): TemplateResult {
    if (!this.naming) {
      return html`<button type="button" class="btn btn-quiet btn-xs h-7 flex-none text-muted" @click=${() => this.#startNaming()}>${icon("file-plus-2")}New file</button>`;
    }
    return html`<form class="flex items-center gap-1.5 min-w-0" @submit=${this.#addFile}>
      <label class="sr-only" for="${this.#uid}-name">Name of the new file</label>
      <input id="${this.#uid}-name" class="input input-xs w-40 font-mono" placeholder="parts/sums.py" autocomplete="off" .value=${live(this.naming.name)} aria-invalid=${this.naming.problem ? "true" : "false"} aria-describedby="${this.#uid}-name-problem"
        @input=${(event: Event) => (this.naming = { name: (event.target as HTMLInputElement).value, problem: "" })}
        @keydown=${(event: KeyboardEvent) => event.key === "Escape" && (this.naming = null)}>
      <button class="btn btn-plain btn-xs" type="submit">Add</button>
      <span id="${this.#uid}-name-problem" class="text-xs text-harm-ink" role="status">${this.naming.problem}</span>
    </form>`;
  }

  #startNaming(): void {
    this.naming = { name: "", problem: "" };
    void this.updateComplete.then(() => this.querySelector<HTMLElement>(`#${this.#uid}-name`)?.focus());
  }

  #renderView(data: CodeData): TemplateResult {
    const { mode } = data.config;
    const after = data.patches.find((each) => each.label === this.patch)?.files;
    const text = (mode === "write" ? written(data, this.answer) : (after ?? data.files))[this.path] ?? "";
    const layout: Layout = !data.patches.length ? "plain" : this.split && !this.narrow ? "split" : "unified";
    return html`<preceptor-code-view class="code-view" .text=${text} .original=${data.patches.length ? (data.files[this.path] ?? "") : null} .path=${this.path} .language=${data.language}
      .label=${`${mode === "compare" ? `Patch ${this.patch}, ` : ""}${this.path}`} .layout=${layout} .writable=${mode === "write" && !this.readonly} .marking=${mode === "review" && !this.readonly} .marks=${this.#marksHere()}
      @text-changed=${this.#typed} @lines-chosen=${this.#chosen}></preceptor-code-view>`;
  }

  #renderJudgment(data: CodeData): TemplateResult {
    const change = (part: Partial<CodeAnswer>) => this.change(part);
    return html`<div class="code-judge">
      <h2 class="font-semibold text-[0.9375rem]" id="${this.#uid}-question">${data.config.question}</h2>
      ${data.config.mode === "compare" ? html`${choiceScale(data, this.answer, this.#uid, this.readonly, change)} ${causeAndCriteria(data, this.answer, this.#uid, this.readonly, change)}` : nothing}
      ${data.config.mode === "review" ? verdictRow(data, this.answer, this.#markDesk) : nothing} ${this.#renderWhy(data)}
    </div>`;
  }

  #renderWhy(data: CodeData): TemplateResult | typeof nothing {
    const minimum = data.config.explanation_min_chars;
    const length = countedLength(this.answer.explanation);
    const enough = length >= minimum;
    if (this.readonly && !length) return nothing;
    const title = data.config.mode === "write" ? "How does it work?" : "Why?";
    return html`<div class="why">
      <div class="why-head text-sm">
        <label for="${this.#uid}-why" class="font-semibold text-[0.9375rem]">${title}</label>
        <span class="num ${enough ? "text-muted" : "text-attention-ink"}" aria-live="polite">${
          this.readonly ? nothing : enough ? (minimum ? html`${icon("check", undefined, "text-action")} ${length} characters` : html`${length || "Optional"}`) : length === 0 ? `At least ${minimum} characters` : `${minimum - length} more character${minimum - length === 1 ? "" : "s"}`
        }</span>
      </div>
      <textarea id="${this.#uid}-why" class="textarea" rows="1" maxlength=${data.limits.explanation_characters} ?readonly=${this.readonly} .value=${live(this.answer.explanation)}
        @input=${(event: Event) => this.change({ explanation: (event.target as HTMLTextAreaElement).value })}
        @keydown=${(event: KeyboardEvent) => event.key === "Escape" && (event.target as HTMLElement).blur()}></textarea>
    </div>`;
  }
}

customElements.define("preceptor-code", PreceptorCode);
