/** The desk's own dialogs. */
import { html, nothing, type TemplateResult } from "lit";
import { icon } from "../lib/dom";
import type { Shortcut } from "../lib/view";

/** The sheet of shortcuts: those of the task, then the desk's. */
export function keySheet(task: Shortcut[], isRated: boolean): TemplateResult {
  const own: Shortcut[] = [
    ...(isRated ? [{ keys: "v", words: "Show what is covered" }] : []),
    { keys: "g", words: "Guidelines" },
    { keys: "Esc", words: "Leave the text box" },
    { keys: "Ctrl Enter", words: "Submit" },
  ];
  const rows = [...task, ...own];
  return html`<dialog class="sheet" data-name="keys" aria-labelledby="keys-title"><div class="p-6">
    <div class="flex items-start justify-between gap-4 mb-2"><h2 id="keys-title" class="text-lg font-semibold">Keyboard</h2><button class="btn btn-quiet btn-sm btn-square -mt-1 -mr-1" type="button" data-close aria-label="Close">${icon("x")}</button></div>
    <dl>${rows.map(({ keys, words }) => html`<div class="flex items-center justify-between gap-6 py-1.5"><dt>${words}</dt><dd class="whitespace-nowrap"><kbd class="kbd-key">${keys}</kbd></dd></div>`)}</dl>
  </div></dialog>`;
}

/** Where a broken task is reported; `send` gets the reason and the words. */
export function flagSheet(reasons: { key: string; label: string }[], send: (given: { reason: string; comment: string }) => void): TemplateResult {
  return html`<dialog class="sheet" data-name="flag" aria-labelledby="flag-title"><form class="p-6" method="dialog" @submit=${(event: SubmitEvent) => send(sentBy(event.target as HTMLFormElement))}>
    <h2 id="flag-title" class="text-lg font-semibold">Flag this task as broken</h2>
    <p class="mt-1.5 text-muted">For tasks that nobody can answer: missing text, wrong language, harmful content. The client sees your words, not your name. You go on with another task.</p>
    ${reasons.length ? html`<label class="block mt-4 text-sm font-medium">What is wrong?<select class="select mt-1.5" name="reason" required><option value="">Choose</option>${reasons.map((reason) => html`<option value=${reason.key}>${reason.label}</option>`)}</select></label>` : nothing}
    <label class="block mt-4 text-sm font-medium">${reasons.length ? "Say more" : "What is wrong?"}<textarea class="textarea mt-1.5" name="comment" rows="3" required minlength="5"></textarea></label>
    <div class="mt-5 flex justify-end gap-2"><button class="btn btn-plain" type="button" data-close>Cancel</button><button class="btn btn-primary" type="submit">Flag it</button></div>
  </form></dialog>`;
}

function sentBy(form: HTMLFormElement): { reason: string; comment: string } {
  const given = new FormData(form);
  form.reset();
  return { reason: String(given.get("reason") ?? "") || "other", comment: String(given.get("comment") ?? "").trim() };
}
