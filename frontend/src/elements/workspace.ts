/**
 * `<preceptor-workspace>`: one claimed task on a desk. Keeps the draft safe, the lease alive and the time honest,
 * and brings the next task. Knows nothing about the kind of work: the task's own element shows it and emits the answer.
 *
 * Reads a `<script type="application/json">` child (see lib/workspace.ts).
 */
import { html, LitElement, nothing, type TemplateResult } from "lit";
import { Ahead } from "../lib/ahead";
import { newKey, send, type Problem, type Reply } from "../lib/api";
import { Autosave } from "../lib/autosave";
import { clockOffset, moneyWords, remaining, WorkClock } from "../lib/clock";
import { embeddedJson, icon, kbd, memory, typingIn } from "../lib/dom";
import { keepMirror, newerMirror, pruneMirrors, type Answer } from "../lib/mirror";
import { deskWords, type Begun, type HeartbeatReply, type HistoryEntry, type Outcome, type Suggestion, type WorkspaceData } from "../lib/workspace";
import type { AnswerChanged, TaskElement } from "../lib/view";
import { deskBar, type BarState } from "../parts/desk-bar";
import { flagSheet, keySheet } from "../parts/desk-dialogs";
import { deskCover, deskHalt, deskRefusal, type Halt } from "../parts/desk-halts";
import { deskSide, type Tab } from "../parts/desk-side";
import { SuggestionBar } from "../parts/suggestion-bar";
import { clockTime } from "../times";
import { loadElement } from "./registry";

const HEARTBEAT_MS = 20_000;
const HISTORY_MAX = 30;
const PASTES_MAX = 50;


export class PreceptorWorkspace extends LitElement {
  static override properties = {
    work: { state: true },
    halt: { state: true },
    refusal: { state: true },
    busy: { state: true },
    tab: { state: true },
    sideOpen: { state: true },
    now: { state: true },
    notice: { state: true },
    covered: { state: true },
  };
  declare protected work: WorkspaceData | null;
  declare protected halt: Halt | null;
  declare protected refusal: Problem | null;
  declare protected busy: "submit" | "skip" | "flag" | "release" | "next" | null;
  declare protected tab: Tab;
  declare protected sideOpen: boolean;
  declare protected now: number;
  declare protected notice: string;
  /** The task may show what not everybody wants to see, and the person has not asked for it yet. */
  declare protected covered: boolean;

  #task: TaskElement | null = null;
  #suggestion: SuggestionBar | null = null;
  #offset = 0;
  #clock = new WorkClock(Date.now());
  #autosave: Autosave<Answer> | null = null;
  #ticker: ReturnType<typeof setInterval> | undefined;
  #lastBeat = 0;
  #beating = false;
  #leaseMs = 0;
  #submitKey = newKey();
  readonly #ahead = new Ahead();
  /** Pastes into the answer since the last draft that was kept: how much, not what. */
  #pastes: { field: string; size: number }[] = [];
  #channel: BroadcastChannel | null = null;
  readonly #tabId = newKey();

  constructor() {
    super();
    this.work = null;
    this.halt = null;
    this.refusal = null;
    this.busy = null;
    this.tab = "guidelines";
    this.sideOpen = (memory.get("desk-side") ?? (innerWidth >= 1200 ? "open" : "closed")) === "open" && innerWidth >= 1024;
    this.now = Date.now();
    this.notice = "";
    this.covered = false;
  }

  protected override createRenderRoot(): HTMLElement {
    return this;
  }

  override connectedCallback(): void {
    const given = embeddedJson<WorkspaceData>(this);
    super.connectedCallback();
    pruneMirrors();
    document.addEventListener("keydown", this.#keys);
    document.addEventListener("visibilitychange", this.#visibility);
    addEventListener("pagehide", this.#leaving);
    addEventListener("beforeunload", this.#beforeUnload);
    for (const sign of ["pointerdown", "keydown", "wheel", "touchmove"]) addEventListener(sign, this.#active, { passive: true });
    this.#ticker = setInterval(this.#tick, 1000);
    this.#channel = "BroadcastChannel" in globalThis ? new BroadcastChannel("preceptor-workspace") : null;
    this.#channel?.addEventListener("message", this.#otherTab);
    if (given) void this.#begin(given);
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    document.removeEventListener("keydown", this.#keys);
    document.removeEventListener("visibilitychange", this.#visibility);
    removeEventListener("pagehide", this.#leaving);
    removeEventListener("beforeunload", this.#beforeUnload);
    for (const sign of ["pointerdown", "keydown", "wheel", "touchmove"]) removeEventListener(sign, this.#active);
    clearInterval(this.#ticker);
    this.#channel?.close();
  }

  // One task

  async #begin(work: WorkspaceData): Promise<void> {
    const first = this.work === null;
    const history = this.work?.history ?? work.history;
    this.#autosave?.stop();
    this.#offset = clockOffset(work.claim.server_now, Date.now());
    this.#leaseMs = (work.claim.lease_seconds ?? 0) * 1000 || remaining(work.claim.leased_until, this.#offset, Date.now());
    this.#clock = new WorkClock(Date.now(), (work.claim.worked_seconds ?? 0) * 1000);
    this.#lastBeat = Date.now();
    this.#submitKey = newKey();
    this.#ahead.forget();
    this.#pastes = [];
    this.#autosave = this.#newAutosave(work);
    const mirror = newerMirror(work.claim.id, work.claim.draft_saved_at);
    const tag = work.task.element;
    await loadElement(tag);
    this.#task = this.#newTask(tag, work, mirror?.answer ?? work.claim.draft);
    this.#suggestion = work.suggestion ? this.#newSuggestion(work.suggestion, this.#task.draft !== null) : null;
    this.work = { ...work, history };
    this.covered = (work.warnings?.length ?? 0) > 0;
    this.halt = null;
    this.refusal = null;
    this.busy = null;
    if (work.claim.revision_comments.length) [this.tab, this.sideOpen] = ["comments", true];
    else if (this.tab === "comments") this.tab = "guidelines";
    if (mirror) this.#autosave.change(mirror.answer);
    // What is still missing is known only once the task has drawn its draft.
    void this.updateComplete.then(() => (this.#task as Partial<LitElement>).updateComplete).then(() => {
      this.requestUpdate();
      if (work.claim.draft || mirror) this.#fetchAhead();
    });
    this.#channel?.postMessage({ claim: work.claim.id, from: this.#tabId });
    if (!first) {
      this.notice = "Next task";
      await this.updateComplete;
      this.querySelector<HTMLElement>("[data-task]")?.focus();
    }
  }

  #newAutosave(work: WorkspaceData): Autosave<Answer> {
    return new Autosave<Answer>(
      (answer) => this.#saveDraft(work, answer),
      () => this.requestUpdate(),
      (reply) => this.#lostLease(reply) || this.#tell(reply),
    );
  }

  async #saveDraft(work: WorkspaceData, answer: Answer): Promise<Reply<{ saved_at?: string } | null>> {
    if (!work.urls.draft) return { ok: true, status: 204, body: null };
    const pastes = this.#pastes.splice(0, PASTES_MAX);
    const reply = await send<{ saved_at?: string } | null>("PUT", work.urls.draft, { body: { answer, pastes } });
    if (!reply.ok) this.#pastes.unshift(...pastes);
    return reply;
  }

  #pasted = (event: ClipboardEvent): void => {
    const size = event.clipboardData?.getData("text/plain").length ?? 0;
    if (size) this.#pastes.push({ field: fieldName(event.target), size });
  };

  #newTask(tag: string, work: WorkspaceData, draft: Answer | null): TaskElement {
    const task = document.createElement(tag) as TaskElement;
    task.desk = { urls: { ...work.urls }, practice: work.claim.kind === "practice" };
    task.data = work.task.data;
    task.draft = draft;
    task.fill = true;
    task.addEventListener("answer-changed", (event) => this.#changed((event as CustomEvent<AnswerChanged<Answer>>).detail));
    return task;
  }

  #newSuggestion(suggestion: Suggestion, begun: boolean): SuggestionBar {
    const task = this.#task!;
    const put = async (answer: Answer): Promise<void> => {
      task.draft = answer;
      await (task as Partial<LitElement>).updateComplete;
      this.#changed({ answer: task.value as Answer, problems: task.problems });
    };
    const desk = { answer: () => task.value as Answer, put: (answer: Answer) => void put(answer), requestUpdate: () => this.requestUpdate() };
    return new SuggestionBar(suggestion, desk, begun);
  }

  #changed(change: AnswerChanged<Answer>): void {
    this.refusal = null;
    this.#submitKey = newKey();
    keepMirror(this.work!.claim.id, { answer: change.answer, at: Date.now() + this.#offset });
    this.#autosave?.change(change.answer);
    this.#fetchAhead();
    this.requestUpdate();
  }

  #workedSeconds(): number {
    return Math.round(this.#clock.tick(Date.now(), !document.hidden) / 1000);
  }

  #title(): string {
    return this.work!.claim.title ?? this.work!.project.title;
  }

  // Time and lease

  #active = (): void => this.#clock.touch(Date.now());

  #tick = (): void => {
    this.now = Date.now();
    this.#clock.tick(this.now, !document.hidden);
    if (!this.work?.urls.heartbeat || this.halt || this.busy) return;
    const due = this.now - this.#lastBeat >= HEARTBEAT_MS && !document.hidden && this.#clock.active(this.now);
    const ended = remaining(this.work.claim.leased_until, this.#offset, this.now) <= 0 && this.now - this.#lastBeat >= 3_000;
    if (due || ended) void this.#heartbeat();
  };

  async #heartbeat(): Promise<void> {
    if (this.#beating || !this.work) return;
    this.#beating = true;
    this.#lastBeat = Date.now();
    const { id } = this.work.claim;
    const ahead = this.#ahead.id;
    const reply = await send<HeartbeatReply>("POST", this.work.urls.heartbeat, { body: { worked_seconds: this.#workedSeconds() } });
    this.#beating = false;
    if (this.work?.claim.id !== id || this.halt || this.busy) return;
    if (!reply.ok) return void this.#lostLease(reply);
    if (ahead && reply.body.ahead !== ahead) this.#ahead.forget();
    this.#offset = clockOffset(reply.body.server_now, Date.now());
    this.work = { ...this.work, claim: { ...this.work.claim, leased_until: reply.body.leased_until } };
  }

  /** True when the reply says that this claim is no longer ours; then the task stands still, with the draft kept. */
  #lostLease(reply: Exclude<Reply<unknown>, { ok: true }>): boolean {
    if (!("problem" in reply) || ![404, 409, 410].includes(reply.problem.status)) return false;
    this.#stand({ kind: "lost", problem: reply.problem });
    return true;
  }

  /** A draft that is refused as it is (too long, signed out): say why; saving goes on being tried. */
  #tell(reply: Exclude<Reply<unknown>, { ok: true }>): false {
    if ("problem" in reply && reply.problem.status < 500 && reply.problem.status !== 429) this.refusal = reply.problem;
    return false;
  }

  #stand(halt: Halt): void {
    this.#autosave?.stop();
    if (this.#task) this.#task.readonly = true;
    this.halt = halt;
    this.busy = null;
    void this.updateComplete.then(() => this.querySelector<HTMLElement>("[data-halt]")?.focus());
  }

  // Leaving and coming back

  #visibility = (): void => {
    if (document.hidden) void this.#autosave?.flush();
    else if (this.work?.urls.heartbeat && Date.now() - this.#lastBeat >= HEARTBEAT_MS) void this.#heartbeat();
  };

  #leaving = (): void => {
    const unsaved = this.#autosave?.takeUnsaved();
    if (unsaved && this.work?.urls.draft && !this.halt) {
      void send("PUT", this.work.urls.draft, { body: { answer: unsaved, worked_seconds: this.#workedSeconds() }, keepalive: true });
    }
    this.#ahead.letGo();
  };

  #beforeUnload = (event: BeforeUnloadEvent): void => {
    // Ask only where leaving would lose something: the server does not have it and did not answer.
    if (this.#autosave?.state.kind === "failed") event.preventDefault();
  };

  #otherTab = (event: MessageEvent<{ claim: string; from: string }>): void => {
    if (event.data.from === this.#tabId || event.data.claim !== this.work?.claim.id || this.halt) return;
    // The other tab has the next task now, too; closing this one must not let it go.
    this.#ahead.forget();
    void this.#autosave?.flush().then(() => this.#stand({ kind: "elsewhere" }));
  };

  async #continueHere(): Promise<void> {
    if (!this.work) return;
    const { work } = this;
    this.work = null;
    await this.#begin(work);
  }

  // Deeds

  /** Once the answer is all but complete the next task is fetched; not beside a revision, after which comes its result. */
  #fetchAhead(): void {
    if (this.work?.claim.kind === "work" && this.#task!.problems.length <= 1) void this.#ahead.fetch(this.work.urls.ahead);
  }

  async #submit(): Promise<void> {
    if (!this.work || this.busy || this.halt || this.covered) return;
    const { problems } = this.#task!;
    const answer = this.#task!.value;
    if (problems.length) {
      this.refusal = { status: 0, code: "", title: "Not complete yet.", detail: problems.join(" ") };
      return;
    }
    this.busy = "submit";
    await this.#suggestion?.told();
    const body = { answer, worked_seconds: this.#workedSeconds(), ahead: this.#ahead.id };
    const reply = await send<Outcome | null>("POST", this.work.urls.submit, { body, headers: { "Idempotency-Key": this.#submitKey } });
    if (!reply.ok) return this.#refused(reply, "Your answer is not sent yet. It is kept here; press Submit again.");
    const entry = { at: new Date(Date.now() + this.#offset).toISOString(), title: this.#title(), state: "submitted" };
    await this.#goOn(reply.body ?? {}, entry, reply.body?.message ?? (this.work.claim.pay ? `Submitted. ${moneyWords(this.work.claim.pay)} is pending.` : "Submitted."));
  }

  async #leave(deed: "skip" | "flag", body: unknown, message: string): Promise<void> {
    if (!this.work || this.busy) return;
    this.busy = deed;
    const reply = await send<Outcome | null>("POST", this.work.urls[deed], { body, headers: { "Idempotency-Key": newKey() } });
    if (!reply.ok) return this.#refused(reply, "This did not reach the server. Try again.");
    const entry = { at: new Date(Date.now() + this.#offset).toISOString(), title: this.#title(), state: deed === "skip" ? "skipped" : "flagged" };
    await this.#goOn(reply.body ?? {}, entry, reply.body?.message ?? message);
  }

  async #release(): Promise<void> {
    if (!this.work || this.busy) return;
    this.busy = "release";
    await this.#autosave?.flush();
    const reply = await send("POST", this.work.urls.release, { headers: { "Idempotency-Key": newKey() } });
    if (!reply.ok) return this.#refused(reply, "The task could not be given back just now. Try again.");
    this.#autosave?.stop();
    location.assign(this.work.urls.board);
  }

  #refused(reply: Exclude<Reply<unknown>, { ok: true }>, offlineWords: string): void {
    this.busy = null;
    if ("problem" in reply) {
      if (reply.problem.status === 410 || /lease|claim_(ended|expired|closed|lost)/.test(reply.problem.code)) return void this.#stand({ kind: "lost", problem: reply.problem });
      this.#submitKey = newKey();
      this.refusal = reply.problem;
    } else {
      this.refusal = { status: 0, code: "offline", title: "The server cannot be reached.", detail: offlineWords };
    }
  }

  /** The claim is settled: remember it, and show what comes next. */
  async #goOn(outcome: Outcome, entry: HistoryEntry, message: string): Promise<void> {
    this.#autosave?.stop();
    keepMirror(this.work!.claim.id, null);
    this.work = { ...this.work!, history: [outcome.history_entry ?? entry, ...this.work!.history].slice(0, HISTORY_MAX) };
    if (outcome.redirect) return location.assign(outcome.redirect);
    if (message) toast(message);
    const next = (outcome.begun ? this.#ahead.begun(outcome.begun) : outcome.next) ?? null;
    if (outcome.explanation) return this.#stand({ kind: "explained", explanation: outcome.explanation, next });
    await this.#showNext(next);
  }

  async #showNext(next: WorkspaceData | null): Promise<void> {
    if (next && remaining(next.claim.leased_until, clockOffset(next.claim.server_now, Date.now()), Date.now()) > 0) return this.#begin(next);
    this.busy = "next";
    const reply = await send<WorkspaceData | { begun: Begun } | null>("POST", this.work!.urls.next, { body: { ahead: this.#ahead.id }, headers: { "Idempotency-Key": newKey() } });
    this.busy = null;
    const task = reply.ok && reply.body && "begun" in reply.body ? this.#ahead.begun(reply.body.begun) : reply.ok ? (reply.body as WorkspaceData | null) : null;
    if (task) return this.#begin(task);
    this.#stand({ kind: "done", problem: !reply.ok && "problem" in reply ? reply.problem : null });
  }

  // Keys

  #keys = (event: KeyboardEvent): void => {
    if ((event.ctrlKey || event.metaKey) && event.key === "Enter") {
      event.preventDefault();
      return void this.#submit();
    }
    if (!this.halt && !this.covered && !this.busy && !document.querySelector("dialog[open]") && this.#suggestion?.pressed(event)) return;
    if (typingIn(event) || event.ctrlKey || event.metaKey || event.altKey) return;
    if (document.querySelector("dialog[open]")) return;
    const run = { v: this.covered && !this.halt ? () => this.#uncover() : undefined, g: () => this.#fold(), "?": () => this.#dialog("keys")?.showModal(), Escape: () => innerWidth < 1024 && (this.sideOpen = false) }[event.key];
    if (!run) return;
    event.preventDefault();
    run();
  };

  #fold(): void {
    this.sideOpen = !this.sideOpen;
    if (innerWidth >= 1024) memory.set("desk-side", this.sideOpen ? "open" : "closed");
  }

  #dialog(name: string): HTMLDialogElement | null {
    return this.querySelector(`dialog[data-name="${name}"]`);
  }

  // Views

  protected override render(): TemplateResult | typeof nothing {
    const { work } = this;
    if (!work) return nothing;
    return html`<div class="desk">
      <p class="sr-only" role="status">${this.notice}</p>
      ${deskBar(work, this.#barState(work), { fold: () => this.#fold(), keys: () => this.#dialog("keys")?.showModal() })}
      <div class="desk-body">
        <div class="desk-main">
          ${this.halt ? deskHalt(this.halt, work, { showNext: (task) => void this.#showNext(task), goOnHere: () => void this.#continueHere() }) : nothing}
          ${this.covered || this.halt ? nothing : (this.#suggestion?.render(this.busy !== null) ?? nothing)}
          ${this.#renderTask()} ${this.refusal ? deskRefusal(this.refusal, () => (this.refusal = null)) : nothing} ${this.#renderFoot(work)}
        </div>
        ${this.sideOpen ? deskSide(work, this.tab, { choose: (tab) => (this.tab = tab), fold: () => this.#fold() }) : nothing}
      </div>
      ${keySheet([...(this.#task?.shortcuts ?? []), ...(this.#suggestion?.shortcuts ?? [])], Boolean(work.warnings?.length))} ${flagSheet(work.flag_reasons ?? [], (given) => void this.#leave("flag", given, "Flagged. Thank you."))}
    </div>`;
  }

  #barState(work: WorkspaceData): BarState {
    const left = remaining(work.claim.leased_until, this.#offset, this.now);
    return { left, lease: this.#leaseMs, worked: this.#clock.worked, halted: this.halt !== null, sideOpen: this.sideOpen };
  }

  #renderTask(): TemplateResult {
    const hidden = this.halt?.kind === "done" || this.halt?.kind === "elsewhere";
    // Covered, the task is not even in the page: no picture is fetched and nothing is read out.
    if (this.covered && !hidden) return deskCover(this.work!.warnings ?? [], this.busy !== null, { show: () => this.#uncover(), skip: () => void this.#leave("skip", { reason: "uncomfortable" }, "Skipped. It costs you nothing.") });
    return html`<div data-task tabindex="-1" class="outline-none" @paste=${this.#pasted} ?hidden=${hidden} ?inert=${this.halt !== null && this.halt.kind !== "explained"}>${this.#task}</div>`;
  }

  #uncover(): void {
    this.covered = false;
    void this.updateComplete.then(() => {
      this.querySelector<HTMLElement>("[data-task]")?.focus();
      // What is still missing is known only once the task has drawn itself.
      this.requestUpdate();
    });
  }

  #renderFoot(work: WorkspaceData): TemplateResult {
    const stopped = this.halt !== null || this.busy !== null;
    const missing = this.#task?.problems ?? [];
    return html`<footer class="desk-foot">
      ${work.urls.skip ? html`<details class="menu-pop" data-up>
        <summary class="btn btn-quiet btn-sm px-2 ${stopped ? "opacity-40" : ""}" aria-label="Skip this task" ?inert=${stopped}>${icon("skip-forward")}<span class="max-sm:sr-only">Skip</span>${icon("chevron-down", undefined, "opacity-60")}</summary>
        <div>
          <p class="eyebrow px-2.5 pt-1 pb-1">Skip because</p>
          ${work.skip_reasons.map((reason) => {
            const [key, label] = typeof reason === "string" ? [reason, reason] : [reason.key, reason.label];
            return html`<button type="button" class="menu-item" @click=${(event: Event) => this.#fromMenu(event, () => this.#leave("skip", { reason: key }, "Skipped. It costs you nothing."))}>${label}</button>`;
          })}
          <hr class="my-1 border-line">
          <button type="button" class="menu-item" @click=${(event: Event) => this.#fromMenu(event, () => this.#release())}>${icon("undo-2", undefined, "text-muted")}Give it back and stop for now</button>
        </div>
      </details>` : nothing}
      ${work.urls.flag ? html`<button type="button" class="btn btn-quiet btn-sm px-2" ?disabled=${stopped} @click=${() => this.#dialog("flag")?.showModal()}>${icon("flag")}<span class="max-sm:sr-only">Flag</span></button>` : nothing}
      <span class="ml-1 text-sm text-muted num truncate" role="status">${this.#saveWords()}</span>
      <span class="ml-auto text-sm text-muted truncate max-md:hidden">${missing.length && !this.halt && !this.covered ? missing[0] : nothing}</span>
      <button type="button" class="btn btn-primary max-md:btn-sm max-md:ml-auto max-md:h-10 min-w-28" ?disabled=${stopped || this.covered} aria-keyshortcuts="Control+Enter" @click=${() => void this.#submit()}>
        ${this.busy === "submit" ? "Sending…" : this.busy === "next" ? "Next…" : "Submit"}<span class="max-md:hidden">${kbd("Ctrl ↵")}</span>
      </button>
    </footer>`;
  }

  #fromMenu(event: Event, run: () => Promise<void>): void {
    (event.currentTarget as Element).closest("details")!.open = false;
    void run();
  }

  #saveWords(): TemplateResult | string {
    if (this.work && !this.work.urls.draft) return deskWords(this.work).kept;
    const state = this.#autosave?.state ?? { kind: "clean" };
    if (this.halt && state.kind !== "saved" && state.kind !== "clean") return "Kept in this browser";
    switch (state.kind) {
      case "clean":
        return this.work?.claim.draft_saved_at ? `Saved ${clockTime(new Date(this.work.claim.draft_saved_at))}` : "";
      case "pending":
      case "saving":
        return "Saving…";
      case "saved":
        return `Saved ${clockTime(state.at)}`;
      case "failed":
        return html`<span class="text-attention-ink font-medium">Not saved: retrying</span>`;
    }
  }

}

/** What a field is called, for the record of pastes. */
function fieldName(target: EventTarget | null): string {
  if (!(target instanceof HTMLElement)) return "";
  const field = target.closest<HTMLElement>("input, textarea, [contenteditable], [aria-label]");
  const label = field instanceof HTMLInputElement || field instanceof HTMLTextAreaElement ? field.labels?.[0]?.textContent : "";
  return (field?.getAttribute("aria-label") || label || field?.getAttribute("name") || "").trim().slice(0, 80);
}

function toast(text: string): void {
  const note = document.createElement("div");
  note.className = "note";
  note.dataset.tone = "success";
  note.dataset.toast = "";
  note.textContent = text;
  document.getElementById("toasts")?.replaceChildren(note);
}

customElements.define("preceptor-workspace", PreceptorWorkspace);
