/** The panel beside the work: what it is judged by, and what became of one's own. */
import { html, nothing, type TemplateResult } from "lit";
import { unsafeHTML } from "lit/directives/unsafe-html.js";
import { icon } from "../lib/dom";
import type { WorkspaceData } from "../lib/workspace";
import { clockTime } from "../times";

export type Tab = "guidelines" | "rubric" | "mine" | "comments";

/** Guidelines, rubric, own results and comments beside the work. */
export function deskSide(work: WorkspaceData, open: Tab, deeds: { choose(tab: Tab): void; fold(): void }): TemplateResult {
  const tabs: [Tab, string][] = [["guidelines", "Guidelines"]];
  if (work.claim.kind === "work" || work.claim.kind === "revision") tabs.push(["rubric", "Rubric"], ["mine", "Mine"]);
  if (work.claim.revision_comments.length) tabs.unshift(["comments", "Comments"]);
  return html`<aside class="desk-side" aria-label="Help for this task">
    <div class="desk-side-head">
      <div class="tab-row" role="tablist" aria-label="Help for this task">
        ${tabs.map(([tab, label]) => html`<button type="button" role="tab" id="side-${tab}" aria-selected=${tab === open} aria-controls="side-panel" @click=${() => deeds.choose(tab)}>${label}</button>`)}
      </div>
      <button type="button" class="btn btn-quiet btn-sm btn-square lg:hidden" aria-label="Close" @click=${() => deeds.fold()}>${icon("x")}</button>
    </div>
    <div class="desk-side-body" id="side-panel" role="tabpanel" aria-labelledby="side-${open}" tabindex="0">${page(work, open)}</div>
  </aside>`;
}

function page(work: WorkspaceData, open: Tab): TemplateResult {
  switch (open) {
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

function toneOf(state: string): string {
  return { approved: "good", accepted: "good", submitted: "busy", waiting: "busy", in_review: "busy", returned: "attention", rejected: "harm" }[state] ?? "quiet";
}
