/** The bar above the work. */
import { html, nothing, type TemplateResult } from "lit";
import { moneyWords, remainingWords, workedWords } from "../lib/clock";
import { icon, kbd } from "../lib/dom";
import { deskWords, type WorkspaceData } from "../lib/workspace";
import { clockTime } from "../times";

/** What the bar shows beside the work itself; times in milliseconds. */
export interface BarState {
  left: number;
  /** The whole lease; its last tenth asks for attention. */
  lease: number;
  worked: number;
  halted: boolean;
  sideOpen: boolean;
}

/** Where one works, what it pays, and how long it is still one's own. */
export function deskBar(work: WorkspaceData, state: BarState, deeds: { fold(): void; keys(): void }): TemplateResult {
  const { claim, project } = work;
  const soon = state.left < state.lease / 10;
  const words = deskWords(work);
  return html`<header class="desk-bar">
    <a class="text-brand flex-none rounded-md" href=${work.urls.board} aria-label=${words.back} title=${words.back}>${mark()}</a>
    <h1 class="font-semibold truncate text-[0.9375rem] min-w-0">${project.title}</h1>
    ${words.kind ? html`<span class="pill max-sm:hidden" data-tone=${claim.kind === "revision" ? "attention" : "busy"}>${words.kind}${claim.position ? ` · ${claim.position.at} of ${claim.position.of}` : ""}</span>` : nothing}
    <div class="ml-auto flex items-center gap-x-3 text-sm num whitespace-nowrap">
      ${claim.pay ? html`<span class="font-semibold" title="What this task pays">${moneyWords(claim.pay)}</span>` : nothing}
      <span class="text-muted max-md:hidden" title="Time worked on this task"><span aria-hidden="true">${workedWords(state.worked)} worked</span></span>
      <span class=${soon ? "text-attention-ink font-semibold" : "text-muted"} title="Until ${clockTime(new Date(claim.leased_until))}; grows while you work">${state.halted || claim.kind === "practice" ? nothing : remainingWords(state.left)}</span>
    </div>
    <button type="button" class="btn btn-quiet btn-sm px-2" aria-expanded=${state.sideOpen} aria-keyshortcuts="g" @click=${() => deeds.fold()}>${state.sideOpen ? icon("panel-right-close") : icon("panel-right")}<span class="max-xl:sr-only">Guidelines</span><span class="max-lg:hidden">${kbd("g")}</span></button>
    <button type="button" class="btn btn-quiet btn-sm btn-square max-md:hidden" aria-label="Keyboard shortcuts" aria-keyshortcuts="?" @click=${() => deeds.keys()}>${icon("keyboard")}</button>
  </header>`;
}

function mark(): TemplateResult {
  return html`<svg class="w-6 h-6" viewBox="0 0 32 32" fill="none" stroke="currentColor" stroke-width="2.4" stroke-linecap="round" stroke-linejoin="round" aria-hidden="true"><path d="M16 26.5V9.2C13.6 7.1 9.7 6 4 6v17c5.7 0 9.6 1.2 12 3.5Z"/><path d="M16 26.5c2.4-2.3 6.3-3.5 12-3.5v-4.5"/><path d="M16 14.5l4 4L29 7"/></svg>`;
}
