/** What the desk shows instead of a task, or over one that cannot be worked on. */
import { html, nothing, type TemplateResult } from "lit";
import { unsafeHTML } from "lit/directives/unsafe-html.js";
import type { Problem } from "../lib/api";
import { icon, kbd } from "../lib/dom";
import { deskWords, type Outcome, type WorkspaceData } from "../lib/workspace";

export type Halt =
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

/** What stands over the task when work on it cannot go on. `showNext` gets the task that is known to come next. */
export function deskHalt(halt: Halt, work: WorkspaceData, deeds: { showNext(task: WorkspaceData | null): void; goOnHere(): void }): TemplateResult {
  const words = deskWords(work);
  const board = html`<a class="btn btn-plain" href=${work.urls.board}>${words.back}</a>`;
  const next = (label: string, task: WorkspaceData | null) => html`<button type="button" class="btn btn-primary" @click=${() => deeds.showNext(task)}>${label}</button>`;
  switch (halt.kind) {
    case "lost":
      return panel("clock", ENDED_WORDS[halt.problem?.code ?? "lease_over"] ?? halt.problem!.title, html`${halt.problem?.detail || "The task went back to the queue."} ${halt.problem?.next ?? ""} What you wrote stays below.`, work.claim.kind === "assessment" ? html`<a class="btn btn-primary" href=${work.urls.board}>See the result</a>` : html`${next("Take the next task", null)}${board}`);
    case "elsewhere":
      return panel("files", "You are working on this task in another tab.", html`It is saved. Only one tab at a time can change it.`, html`<button type="button" class="btn btn-primary" @click=${() => deeds.goOnHere()}>Go on here</button>${board}`);
    case "done":
      return panel("circle-check", halt.problem?.title ?? "Nothing left here for now.", html`${halt.problem?.detail || "You have done every task that was open to you in this project."} ${halt.problem?.next ?? ""}`, html`<a class="btn btn-primary" href=${work.urls.board}>${words.leave}</a>`);
    case "explained":
      return panel(halt.explanation.correct ? "circle-check" : "info", halt.explanation.title, html`<div class="prose-ui">${unsafeHTML(halt.explanation.html)}</div>`, html`${next("Next", halt.next)}${board}`);
  }
}

function panel(name: string, title: string, text: TemplateResult, actions: TemplateResult): TemplateResult {
  const icons: Record<string, TemplateResult> = { clock: icon("clock"), files: icon("files"), "circle-check": icon("circle-check"), info: icon("info") };
  return html`<section class="panel shadow-card m-4 mb-1 p-5 flex gap-4 outline-none" data-halt tabindex="-1" role="alert">
    <span class="grid place-items-center w-11 h-11 rounded-xl bg-brand-soft text-brand-ink text-xl flex-none">${icons[name]}</span>
    <div class="min-w-0"><h2 class="text-lg font-semibold">${title}</h2><div class="mt-1 max-w-[65ch]">${text}</div><div class="mt-4 flex flex-wrap gap-2">${actions}</div></div>
  </section>`;
}

/** The task covered, where it may show what not everybody wants to see. */
export function deskCover(warnings: string[], busy: boolean, deeds: { show(): void; skip(): void }): TemplateResult {
  return html`<div data-task tabindex="-1" class="outline-none grid place-items-center p-6">
    <section class="panel shadow-card p-6 max-w-xl h-auto!" aria-labelledby="cover-title" aria-describedby="cover-words">
      <h2 id="cover-title" class="text-lg font-semibold flex items-center gap-2">${icon("eye-off")}This task is covered</h2>
      <p class="mt-2" id="cover-words">It may show: <strong>${warnings.join(", ")}</strong>.</p>
      <p class="mt-1 text-muted">Show it when you are ready. To leave it, skip: that costs you nothing and needs no reason. You choose what you see, and how much of it a day, in your settings.</p>
      <div class="mt-5 flex flex-wrap gap-2">
        <button type="button" class="btn btn-primary" aria-keyshortcuts="v" @click=${() => deeds.show()}>Show the task<span class="max-md:hidden">${kbd("v")}</span></button>
        <button type="button" class="btn btn-plain" ?disabled=${busy} @click=${() => deeds.skip()}>Skip it</button>
        <a class="btn btn-quiet" href="/settings#content">Settings</a>
      </div>
    </section>
  </div>`;
}

/** Why something was refused, with everything that is wrong. */
export function deskRefusal(problem: Problem, close: () => void): TemplateResult {
  return html`<div class="px-4 pb-2"><div class="note items-start" data-tone=${problem.status >= 400 ? "error" : "warning"} role="alert">
    ${icon("circle-alert")}
    <div class="min-w-0 grow"><span class="font-semibold">${problem.title}</span> ${problem.detail} ${problem.next ?? nothing}
      ${problem.problems?.length ? html`<ul class="list-disc pl-5">${problem.problems.map((error) => html`<li>${error.message}</li>`)}</ul>` : nothing}</div>
    <button type="button" class="btn btn-quiet btn-xs btn-square" aria-label="Close" @click=${() => close()}>${icon("x")}</button>
  </div></div>`;
}
