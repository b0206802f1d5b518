/**
 * `<preceptor-workspace>`: one claimed task on a desk. Keeps the draft safe, the lease alive and the time honest,
 * and brings the next task. Knows nothing about the kind of work: the task's own element shows it and emits the answer.
 *
 * Reads a `<script type="application/json">` child (see lib/workspace.ts).
 */
import { html, LitElement, nothing, type TemplateResult } from "lit";
import { unsafeHTML } from "lit/directives/unsafe-html.js";
import { csrfToken, newKey, send, type Problem, type Reply } from "../lib/api";
import { Autosave } from "../lib/autosave";
import { clockOffset, moneyWords, remaining, remainingWords, WorkClock, workedWords } from "../lib/clock";
import { embeddedJson, icon, kbd, memory, typingIn } from "../lib/dom";
import { deskWords, type HeartbeatReply, type HistoryEntry, type Outcome, type WorkspaceData } from "../lib/workspace";
import type { AnswerChanged, Shortcut, TaskElement } from "../lib/view";
import { clockTime } from "../times";
import { loadElement } from "./registry";

const HEARTBEAT_MS = 20_000;
const MIRROR_DAYS = 3;
const HISTORY_MAX = 30;
const PASTES_MAX = 50;

type Answer = Record<string, unknown>;
interface Mirror {
  answer: Answer;
  at: number;
}
type Tab = "guidelines" | "rubric" | "mine" | "comments";
/** What stands over the task when work on it cannot go on. */
type Halt =
  | { kind: "lost"; problem: Problem | null }
  | { kind: "elsewhere" }
  | { kind: "done"; problem: Problem | null }
  | { kind: "explained"; explanation: NonNullable<Outcome["explanation"]>; next: WorkspaceData | null };

/** Titles of the ways in which a task stops being ours. */
const ENDED_WORDS: Record<string, string> = {
  lease_over: "Your time on this task has ended.",
  claim_ended: "This task is no longer with you.",
  attempt_over: "The time of this test has ended.",
};

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
  #offset = 0;
  #clock = new WorkClock(Date.now());
  #autosave: Autosave<Answer> | null = null;
  #ticker: ReturnType<typeof setInterval> | undefined;
  #lastBeat = 0;
  #beating = false;
  #leaseMs = 0;
  #submitKey = newKey();
  #prefetched: Promise<WorkspaceData | null> | null = null;
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
    this.#prefetched = null;
    this.#pastes = [];
    this.#autosave = this.#newAutosave(work);
    const mirror = this.#newerMirror(work);
    const tag = work.task.element;
    await loadElement(tag);
    this.#task = this.#newTask(tag, work, mirror?.answer ?? work.claim.draft);
    this.work = { ...work, history };
    this.covered = (work.warnings?.length ?? 0) > 0;
    this.halt = null;
    this.refusal = null;
    this.busy = null;
    if (work.claim.revision_comments.length) [this.tab, this.sideOpen] = ["comments", true];
    else if (this.tab === "comments") this.tab = "guidelines";
    if (mirror) this.#autosave.change(mirror.answer);
    // What is still missing is known only once the task has drawn its draft.
    void this.updateComplete.then(() => (this.#task as Partial<LitElement>).updateComplete).then(() => this.requestUpdate());
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

  #changed(change: AnswerChanged<Answer>): void {
    this.refusal = null;
    this.#submitKey = newKey();
    memory.set(this.#mirrorKey(), JSON.stringify({ answer: change.answer, at: Date.now() + this.#offset } satisfies Mirror));
    this.#autosave?.change(change.answer);
    if (change.problems.length <= 1) this.#prefetch();
    this.requestUpdate();
  }

  #mirrorKey(id = this.work?.claim.id): string {
    return `draft.${id}`;
  }

  /** The draft kept in this browser, where the server has not got it (it was killed, or we were offline). */
  #newerMirror(work: WorkspaceData): Mirror | null {
    const kept = memory.get(this.#mirrorKey(work.claim.id));
    if (!kept) return null;
    const mirror = JSON.parse(kept) as Mirror;
    return mirror.at > Date.parse(work.claim.draft_saved_at ?? "1970-01-01") ? mirror : null;
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
    const reply = await send<HeartbeatReply>("POST", this.work.urls.heartbeat, { body: { worked_seconds: this.#workedSeconds() } });
    this.#beating = false;
    if (this.work?.claim.id !== id || this.halt || this.busy) return;
    if (!reply.ok) return void this.#lostLease(reply);
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
    void this.#prefetched?.then((next) => {
      if (next) void fetch(next.urls.release, { method: "POST", keepalive: true, headers: { "X-CSRF-Token": csrfToken() } });
    });
  };

  #beforeUnload = (event: BeforeUnloadEvent): void => {
    // Ask only where leaving would lose something: the server does not have it and did not answer.
    if (this.#autosave?.state.kind === "failed") event.preventDefault();
  };

  #otherTab = (event: MessageEvent<{ claim: string; from: string }>): void => {
    if (event.data.from === this.#tabId || event.data.claim !== this.work?.claim.id || this.halt) return;
    void this.#autosave?.flush().then(() => this.#stand({ kind: "elsewhere" }));
  };

  async #continueHere(): Promise<void> {
    if (!this.work) return;
    const { work } = this;
    this.work = null;
    await this.#begin(work);
  }

  // Deeds

  #prefetch(): void {
    const url = this.work?.urls.prefetch;
    if (!url || this.#prefetched) return;
    this.#prefetched = send<WorkspaceData | null>("POST", url).then((reply) => (reply.ok ? reply.body : null));
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
    const body = { answer, worked_seconds: this.#workedSeconds() };
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
    memory.set(this.#mirrorKey(), null);
    this.work = { ...this.work!, history: [outcome.history_entry ?? entry, ...this.work!.history].slice(0, HISTORY_MAX) };
    if (outcome.redirect) return location.assign(outcome.redirect);
    if (message) toast(message);
    const prefetched = outcome.next === undefined ? await this.#prefetched : outcome.next;
    this.#prefetched = null;
    if (outcome.explanation) return this.#stand({ kind: "explained", explanation: outcome.explanation, next: prefetched ?? null });
    await this.#showNext(prefetched ?? null);
  }

  async #showNext(next: WorkspaceData | null): Promise<void> {
    if (next && remaining(next.claim.leased_until, clockOffset(next.claim.server_now, Date.now()), Date.now()) > 0) return this.#begin(next);
    this.busy = "next";
    const reply = await send<WorkspaceData | null>("POST", this.work!.urls.next, { headers: { "Idempotency-Key": newKey() } });
    this.busy = null;
    if (reply.ok && reply.body) return this.#begin(reply.body);
    this.#stand({ kind: "done", problem: !reply.ok && "problem" in reply ? reply.problem : null });
  }

  // Keys

  #keys = (event: KeyboardEvent): void => {
    if ((event.ctrlKey || event.metaKey) && event.key === "Enter") {
      event.preventDefault();
      return void this.#submit();
    }
    if (typingIn(event) || event.ctrlKey || event.metaKey || event.altKey) return;
    if (document.querySelector("dialog[open]")) return;
    const run = { g: () => this.#fold(), "?": () => this.#dialog("keys")?.showModal(), Escape: () => innerWidth < 1024 && (this.sideOpen = false) }[event.key];
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
      ${this.#renderBar(work)}
      <div class="desk-body">
        <div class="desk-main">
          ${this.halt ? this.#renderHalt(this.halt, work) : nothing} ${this.#renderTask()} ${this.refusal ? this.#renderRefusal(this.refusal) : nothing} ${this.#renderFoot(work)}
        </div>
        ${this.sideOpen ? this.#renderSide(work) : nothing}
      </div>
      ${this.#renderKeys()} ${this.#renderFlag()}
    </div>`;
  }

  #renderTask(): TemplateResult {
    const hidden = this.halt?.kind === "done" || this.halt?.kind === "elsewhere";
    // Covered, the task is not even in the page: no picture is fetched and nothing is read out.
    if (this.covered && !hidden) return this.#renderCover(this.work!.warnings ?? []);
    return html`<div data-task tabindex="-1" class="outline-none" @paste=${this.#pasted} ?hidden=${hidden} ?inert=${this.halt !== null && this.halt.kind !== "explained"}>${this.#task}</div>`;
  }

  #renderCover(warnings: string[]): TemplateResult {
    return html`<div data-task tabindex="-1" class="outline-none grid place-items-center p-6">
      <section class="panel shadow-card p-6 max-w-xl" aria-labelledby="cover-title">
        <h2 id="cover-title" class="text-lg font-semibold flex items-center gap-2">${icon("eye-off")}This task is covered</h2>
        <p class="mt-2">It may show: <strong>${warnings.join(", ")}</strong>.</p>
        <p class="mt-1 text-muted">Show it when you are ready. To leave it, skip: that costs you nothing and needs no reason. You choose what you see, and how much of it a day, in your settings.</p>
        <div class="mt-5 flex flex-wrap gap-2">
          <button type="button" class="btn btn-primary" @click=${() => this.#uncover()}>Show the task</button>
          <button type="button" class="btn btn-plain" ?disabled=${this.busy !== null} @click=${() => void this.#leave("skip", { reason: "uncomfortable" }, "Skipped. It costs you nothing.")}>Skip it</button>
          <a class="btn btn-quiet" href="/settings#content">Settings</a>
        </div>
      </section>
    </div>`;
  }

  #uncover(): void {
    this.covered = false;
    void this.updateComplete.then(() => {
      this.querySelector<HTMLElement>("[data-task]")?.focus();
      // What is still missing is known only once the task has drawn itself.
      this.requestUpdate();
    });
  }

  #renderBar(work: WorkspaceData): TemplateResult {
    const { claim, project } = work;
    const left = remaining(claim.leased_until, this.#offset, this.now);
    const soon = left < this.#leaseMs / 10;
    const words = deskWords(work);
    return html`<header class="desk-bar">
      <a class="text-brand flex-none rounded-md" href=${work.urls.board} aria-label=${words.back} title=${words.back}>${mark()}</a>
      <h1 class="font-semibold truncate text-[0.9375rem] min-w-0">${project.title}</h1>
      ${words.kind ? html`<span class="pill max-sm:hidden" data-tone=${claim.kind === "revision" ? "attention" : "busy"}>${words.kind}${claim.position ? ` · ${claim.position.at} of ${claim.position.of}` : ""}</span>` : nothing}
      <div class="ml-auto flex items-center gap-x-3 text-sm num whitespace-nowrap">
        ${claim.pay ? html`<span class="font-semibold" title="What this task pays">${moneyWords(claim.pay)}</span>` : nothing}
        <span class="text-muted max-md:hidden" title="Time worked on this task"><span aria-hidden="true">${workedWords(this.#clock.worked)} worked</span></span>
        <span class=${soon ? "text-attention-ink font-semibold" : "text-muted"} title="Until ${clockTime(new Date(claim.leased_until))}; grows while you work">${this.halt || claim.kind === "practice" ? nothing : remainingWords(left)}</span>
      </div>
      <button type="button" class="btn btn-quiet btn-sm px-2" aria-expanded=${this.sideOpen} aria-keyshortcuts="g" @click=${() => this.#fold()}>${this.sideOpen ? icon("panel-right-close") : icon("panel-right")}<span class="max-xl:sr-only">Guidelines</span><span class="max-lg:hidden">${kbd("g")}</span></button>
      <button type="button" class="btn btn-quiet btn-sm btn-square max-md:hidden" aria-label="Keyboard shortcuts" aria-keyshortcuts="?" @click=${() => this.#dialog("keys")?.showModal()}>${icon("keyboard")}</button>
    </header>`;
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

  #renderRefusal(problem: Problem): TemplateResult {
    return html`<div class="px-4 pb-2"><div class="note items-start" data-tone=${problem.status >= 400 ? "error" : "warning"} role="alert">
      ${icon("circle-alert")}
      <div class="min-w-0 grow"><span class="font-semibold">${problem.title}</span> ${problem.detail} ${problem.next ?? nothing}
        ${problem.problems?.length ? html`<ul class="list-disc pl-5">${problem.problems.map((error) => html`<li>${error.message}</li>`)}</ul>` : nothing}</div>
      <button type="button" class="btn btn-quiet btn-xs btn-square" aria-label="Close" @click=${() => (this.refusal = null)}>${icon("x")}</button>
    </div></div>`;
  }

  #renderHalt(halt: Halt, work: WorkspaceData): TemplateResult {
    const words = deskWords(work);
    const board = html`<a class="btn btn-plain" href=${work.urls.board}>${words.back}</a>`;
    const next = (label: string, task: WorkspaceData | null) => html`<button type="button" class="btn btn-primary" @click=${() => void this.#showNext(task)}>${label}</button>`;
    switch (halt.kind) {
      case "lost":
        return this.#renderPanel("clock", ENDED_WORDS[halt.problem?.code ?? "lease_over"] ?? halt.problem!.title, html`${halt.problem?.detail || "The task went back to the queue."} ${halt.problem?.next ?? ""} What you wrote stays below.`, work.claim.kind === "assessment" ? html`<a class="btn btn-primary" href=${work.urls.board}>See the result</a>` : html`${next("Take the next task", null)}${board}`);
      case "elsewhere":
        return this.#renderPanel("files", "You are working on this task in another tab.", html`It is saved. Only one tab at a time can change it.`, html`<button type="button" class="btn btn-primary" @click=${() => void this.#continueHere()}>Go on here</button>${board}`);
      case "done":
        return this.#renderPanel("circle-check", halt.problem?.title ?? "Nothing left here for now.", html`${halt.problem?.detail || "You have done every task that was open to you in this project."} ${halt.problem?.next ?? ""}`, html`<a class="btn btn-primary" href=${work.urls.board}>${words.leave}</a>`);
      case "explained":
        return this.#renderPanel(halt.explanation.correct ? "circle-check" : "info", halt.explanation.title, html`<div class="prose-ui">${unsafeHTML(halt.explanation.html)}</div>`, html`${next("Next", halt.next)}${board}`);
    }
  }

  #renderPanel(name: string, title: string, text: TemplateResult, actions: TemplateResult): TemplateResult {
    const icons: Record<string, TemplateResult> = { clock: icon("clock"), files: icon("files"), "circle-check": icon("circle-check"), info: icon("info") };
    return html`<section class="panel shadow-card m-4 mb-1 p-5 flex gap-4 outline-none" data-halt tabindex="-1" role="alert">
      <span class="grid place-items-center w-11 h-11 rounded-xl bg-brand-soft text-brand-ink text-xl flex-none">${icons[name]}</span>
      <div class="min-w-0"><h2 class="text-lg font-semibold">${title}</h2><div class="mt-1 max-w-[65ch]">${text}</div><div class="mt-4 flex flex-wrap gap-2">${actions}</div></div>
    </section>`;
  }

  #renderSide(work: WorkspaceData): TemplateResult {
    const tabs: [Tab, string][] = [["guidelines", "Guidelines"]];
    if (work.claim.kind === "work" || work.claim.kind === "revision") tabs.push(["rubric", "Rubric"], ["mine", "Mine"]);
    if (work.claim.revision_comments.length) tabs.unshift(["comments", "Comments"]);
    return html`<aside class="desk-side" aria-label="Help for this task">
      <div class="tab-row" role="tablist" aria-label="Help for this task">
        ${tabs.map(([tab, label]) => html`<button type="button" role="tab" id="side-${tab}" aria-selected=${tab === this.tab} aria-controls="side-panel" @click=${() => (this.tab = tab)}>${label}</button>`)}
        <button type="button" class="ml-auto lg:hidden" aria-label="Close" @click=${() => this.#fold()}>${icon("x")}</button>
      </div>
      <div class="desk-side-body" id="side-panel" role="tabpanel" aria-labelledby="side-${this.tab}" tabindex="0">${this.#renderTab(work)}</div>
    </aside>`;
  }

  #renderTab(work: WorkspaceData): TemplateResult {
    switch (this.tab) {
      case "guidelines":
        return work.guidelines_html ? html`<div class="prose-ui">${unsafeHTML(work.guidelines_html)}</div>` : html`<p class="text-muted">This project has no further guidelines.</p>`;
      case "rubric":
        return html`<div class="grid gap-5">${work.rubric.map(
          (criterion) => html`<section><h3 class="font-semibold text-[0.9375rem]">${criterion.title} <span class="text-muted font-normal text-sm num">weight ${criterion.weight}</span></h3>
            <p class="text-sm mt-0.5">${criterion.description}</p>
            <dl class="mt-2 text-sm grid grid-cols-[auto_1fr] gap-x-2.5 gap-y-1">${Object.entries(criterion.anchors).map(([at, words]) => html`<dt class="num font-semibold text-brand-ink">${at}</dt><dd class="text-muted">${words}</dd>`)}</dl></section>`,
        )}${work.rubric.length ? nothing : html`<p class="text-muted">This project has no rubric.</p>`}</div>`;
      case "mine":
        return work.history.length
          ? html`<ol class="grid grid-cols-1 gap-0.5 -mx-2">${work.history.map((entry) => {
              const row = html`<span class="min-w-0"><span class="block truncate">${entry.title}</span><span class="block text-muted num">${clockTime(new Date(entry.at))}</span></span><span class="pill ml-auto" data-tone=${toneOf(entry.state)}>${entry.state.replaceAll("_", " ")}</span>`;
              return html`<li class="min-w-0">${entry.href ? html`<a class="menu-item text-sm" href=${entry.href}>${row}</a>` : html`<div class="flex items-center gap-2.5 px-2.5 py-2 text-sm min-w-0">${row}</div>`}</li>`;
            })}</ol>`
          : html`<p class="text-muted">What you submit here appears in this list, with what was decided.</p>`;
      case "comments":
        return html`<p class="text-sm text-muted mb-3">A reviewer asks you to look at this again. What you wrote is still here.</p>
          <ul class="grid gap-3">${work.claim.revision_comments.map(
            (each) => html`<li class="rounded-lg bg-attention-soft px-3 py-2.5 text-sm">${each.criterion ? html`<p class="font-semibold">${each.criterion}</p>` : nothing}${each.quote ? html`<blockquote class="border-l-2 border-attention pl-2.5 my-1 italic">${each.quote}</blockquote>` : nothing}<p>${each.comment}</p></li>`,
          )}</ul>`;
    }
  }

  #renderKeys(): TemplateResult {
    const own: Shortcut[] = [
      { keys: "g", words: "Guidelines" },
      { keys: "Esc", words: "Leave the text box" },
      { keys: "Ctrl Enter", words: "Submit" },
    ];
    const rows = [...(this.#task?.shortcuts ?? []), ...own];
    return html`<dialog class="sheet" data-name="keys" aria-labelledby="keys-title"><div class="p-6">
      <div class="flex items-start justify-between gap-4 mb-2"><h2 id="keys-title" class="text-lg font-semibold">Keyboard</h2><button class="btn btn-quiet btn-sm btn-square -mt-1 -mr-1" type="button" data-close aria-label="Close">${icon("x")}</button></div>
      <dl>${rows.map(({ keys, words }) => html`<div class="flex items-center justify-between gap-6 py-1.5"><dt>${words}</dt><dd class="whitespace-nowrap"><kbd class="kbd-key">${keys}</kbd></dd></div>`)}</dl>
    </div></dialog>`;
  }

  #renderFlag(): TemplateResult {
    const reasons = this.work?.flag_reasons ?? [];
    return html`<dialog class="sheet" data-name="flag" aria-labelledby="flag-title"><form class="p-6" method="dialog" @submit=${(event: SubmitEvent) => this.#flag(event)}>
      <h2 id="flag-title" class="text-lg font-semibold">Flag this task as broken</h2>
      <p class="mt-1.5 text-muted">For tasks that nobody can answer: missing text, wrong language, harmful content. The client sees your words, not your name. You go on with another task.</p>
      ${reasons.length ? html`<label class="block mt-4 text-sm font-medium">What is wrong?<select class="select mt-1.5" name="reason" required><option value="">Choose</option>${reasons.map((reason) => html`<option value=${reason.key}>${reason.label}</option>`)}</select></label>` : nothing}
      <label class="block mt-4 text-sm font-medium">${reasons.length ? "Say more" : "What is wrong?"}<textarea class="textarea mt-1.5" name="comment" rows="3" required minlength="5"></textarea></label>
      <div class="mt-5 flex justify-end gap-2"><button class="btn btn-plain" type="button" data-close>Cancel</button><button class="btn btn-primary" type="submit">Flag it</button></div>
    </form></dialog>`;
  }

  #flag(event: SubmitEvent): void {
    const form = event.target as HTMLFormElement;
    const given = new FormData(form);
    const comment = String(given.get("comment") ?? "").trim();
    const reason = String(given.get("reason") ?? "") || "other";
    form.reset();
    void this.#leave("flag", { reason, comment }, "Flagged. Thank you.");
  }
}

/** What a field is called, for the record of pastes. */
function fieldName(target: EventTarget | null): string {
  if (!(target instanceof HTMLElement)) return "";
  const field = target.closest<HTMLElement>("input, textarea, [contenteditable], [aria-label]");
  const label = field instanceof HTMLInputElement || field instanceof HTMLTextAreaElement ? field.labels?.[0]?.textContent : "";
  return (field?.getAttribute("aria-label") || label || field?.getAttribute("name") || "").trim().slice(0, 80);
}

function mark(): TemplateResult {
  return html`<svg class="w-6 h-6" viewBox="0 0 32 32" fill="none" stroke="currentColor" stroke-width="2.4" stroke-linecap="round" stroke-linejoin="round" aria-hidden="true"><path d="M16 26.5V9.2C13.6 7.1 9.7 6 4 6v17c5.7 0 9.6 1.2 12 3.5Z"/><path d="M16 26.5c2.4-2.3 6.3-3.5 12-3.5v-4.5"/><path d="M16 14.5l4 4L29 7"/></svg>`;
}

function toneOf(state: string): string {
  return { approved: "good", accepted: "good", submitted: "busy", waiting: "busy", in_review: "busy", returned: "attention", rejected: "harm" }[state] ?? "quiet";
}

function toast(text: string): void {
  const note = document.createElement("div");
  note.className = "note";
  note.dataset.tone = "success";
  note.dataset.toast = "";
  note.textContent = text;
  document.getElementById("toasts")?.replaceChildren(note);
}

function pruneMirrors(): void {
  const tooOld = Date.now() - MIRROR_DAYS * 86_400_000;
  try {
    for (const key of Object.keys(localStorage).filter((each) => each.startsWith("preceptor.draft."))) {
      if ((JSON.parse(localStorage.getItem(key)!) as Mirror).at < tooOld) localStorage.removeItem(key);
    }
  } catch {
    // No storage: nothing to prune.
  }
}

customElements.define("preceptor-workspace", PreceptorWorkspace);
