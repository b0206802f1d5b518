/** Marks on lines as cards: severity, kind, what is wrong, a suggested mend. */
import { html, nothing, type TemplateResult } from "lit";
import { live } from "lit/directives/live.js";
import { lineWords, SEVERITIES, type CodeAnswer, type CodeData, type LineMark } from "../lib/code";
import { icon, kbd } from "../lib/dom";

export interface MarkDesk {
  uid: string;
  readonly: boolean;
  /** Index of the mark that is worked on. */
  current: number | null;
  pick: (index: number | null) => void;
  show: (mark: LineMark) => void;
  change: (part: Partial<CodeAnswer>) => void;
}

export const SEVERITY_TONES: Record<string, string> = { minor: "busy", major: "attention", critical: "harm" };

export function marksPanel(data: CodeData, answer: CodeAnswer, desk: MarkDesk): TemplateResult {
  return html`<section class="code-marks" aria-label="Defects">
    <h2 class="eyebrow">Defects <span class="num">${answer.marks.length}</span></h2>
    ${answer.marks.length || desk.readonly
      ? nothing
      : html`<p class="text-sm text-muted">Click a line number, drag over several, or put the cursor on a line and press ${kbd("m")}.</p>`}
    <ol class="grid gap-2">${answer.marks.map((mark, index) => card(data, answer, mark, index, desk))}</ol>
  </section>`;
}

function card(data: CodeData, answer: CodeAnswer, mark: LineMark, index: number, desk: MarkDesk): TemplateResult {
  const open = desk.current === index || desk.readonly;
  const title = data.config.categories.find((each) => each.key === mark.category)?.title ?? mark.category;
  return html`<li class="code-mark" ?data-current=${open && !desk.readonly} data-mark=${index}>
    <div class="flex items-center gap-2">
      <button type="button" class="btn btn-quiet btn-xs num font-medium min-w-0" title="Show the line" @click=${() => desk.show(mark)}><span class="truncate">${mark.path}</span>, ${lineWords(mark)}</button>
      ${mark.severity ? html`<span class="pill" data-tone=${SEVERITY_TONES[mark.severity]}>${mark.severity}</span>` : nothing}
      ${desk.readonly
        ? nothing
        : html`<span class="ml-auto flex">
            <button type="button" class="btn btn-quiet btn-xs" aria-expanded=${open} @click=${() => desk.pick(open ? null : index)}>${open ? "Close" : "Edit"}</button>
            <button type="button" class="btn btn-quiet btn-xs btn-square" aria-label="Remove the mark on ${mark.path}, ${lineWords(mark)}" @click=${() => remove(answer, index, desk)}>${icon("trash-2")}</button>
          </span>`}
    </div>
    ${desk.readonly ? words(mark, title) : open ? fields(data, answer, mark, index, desk) : html`<p class="text-sm truncate px-2">${title ? html`<span class="text-muted">${title}:</span> ` : nothing}${mark.comment || html`<span class="text-attention-ink">still to be described</span>`}</p>`}
  </li>`;
}

function words(mark: LineMark, title: string): TemplateResult {
  return html`<div class="px-2 pb-1 text-sm"><p>${title ? html`<span class="font-medium">${title}:</span> ` : nothing}${mark.comment}</p>
    ${mark.suggestion ? html`<p class="eyebrow mt-1">Suggested</p><pre class="code-block" tabindex="0">${mark.suggestion}</pre>` : nothing}</div>`;
}

function remove(answer: CodeAnswer, index: number, desk: MarkDesk): void {
  desk.pick(null);
  desk.change({ marks: answer.marks.filter((_, at) => at !== index) });
}

function fields(data: CodeData, answer: CodeAnswer, mark: LineMark, index: number, desk: MarkDesk): TemplateResult {
  const id = `${desk.uid}-mark-${index}`;
  const set = (part: Partial<LineMark>) => desk.change({ marks: answer.marks.map((each, at) => (at === index ? { ...each, ...part } : each)) });
  const text = (event: Event) => (event.target as HTMLTextAreaElement).value;
  return html`<div class="code-mark-fields">
    <div class="flex flex-wrap items-center gap-x-3 gap-y-1.5">
      <fieldset class="dots code-causes"><legend class="sr-only">Severity</legend>
        ${SEVERITIES.map((each) => html`<label><input type="radio" name="${id}-severity" value=${each} .checked=${live(mark.severity === each)} @change=${() => set({ severity: each })}>${each}</label>`)}
      </fieldset>
      ${data.config.categories.length
        ? html`<label class="sr-only" for="${id}-category">Kind of defect</label>
            <select id="${id}-category" class="select select-sm w-auto grow" .value=${live(mark.category)} @change=${(event: Event) => set({ category: (event.target as HTMLSelectElement).value })}>
              <option value="">Kind of defect…</option>${data.config.categories.map((each) => html`<option value=${each.key} ?selected=${each.key === mark.category}>${each.title}</option>`)}
            </select>`
        : nothing}
    </div>
    <label class="sr-only" for="${id}-comment">What is wrong?</label>
    <textarea id="${id}-comment" class="textarea textarea-sm" rows="2" maxlength=${data.limits.mark_characters} placeholder="What is wrong, and for which input?" .value=${live(mark.comment)} @input=${(event: Event) => set({ comment: text(event) })}></textarea>
    <label class="sr-only" for="${id}-suggestion">Suggested mend</label>
    <textarea id="${id}-suggestion" class="textarea textarea-sm font-mono" rows="1" maxlength=${data.limits.mark_characters} placeholder="Suggested mend (optional)" spellcheck="false" .value=${live(mark.suggestion)} @input=${(event: Event) => set({ suggestion: text(event) })}></textarea>
  </div>`;
}

export function verdictRow(data: CodeData, answer: CodeAnswer, desk: MarkDesk): TemplateResult {
  return html`<div class="flex flex-wrap items-center gap-x-4 gap-y-2">
    <label class="flex items-center gap-2 text-sm min-h-6"><input type="checkbox" class="checkbox checkbox-sm checkbox-primary" .checked=${live(answer.no_defects)} ?disabled=${desk.readonly} @change=${(event: Event) => desk.change({ no_defects: (event.target as HTMLInputElement).checked })}>No defects ${desk.readonly ? nothing : html`<span class="max-md:hidden">${kbd("0")}</span>`}</label>
    ${data.config.verdicts.length
      ? html`<fieldset class="dots code-causes ml-auto" ?disabled=${desk.readonly}><legend class="sr-only">Verdict</legend>
          ${data.config.verdicts.map((each, at) => html`<label><input type="radio" name="${desk.uid}-verdict" value=${each.key} .checked=${live(answer.verdict === each.key)} @change=${() => desk.change({ verdict: each.key })}>${each.title}${desk.readonly ? nothing : html` <span class="max-lg:hidden">${kbd(String(at + 1))}</span>`}</label>`)}
        </fieldset>`
      : nothing}
  </div>`;
}
