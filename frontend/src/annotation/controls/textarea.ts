/** TextArea: one text, or several; what stands in a field is the answer at every moment, added or not. */
import { html, nothing, type TemplateResult } from "lit";
import { live } from "lit/directives/live.js";
import { repeat } from "lit/directives/repeat.js";
import { icon } from "../../lib/dom";
import { titleOf } from "../rules";
import { attr, flag, numberAttr } from "../store";
import { framed, type Field } from "./desk";

export function textArea(field: Field): TemplateResult {
  const { tag } = field.control;
  const texts = Array.isArray(field.value) ? (field.value as string[]) : [];
  const most = numberAttr(tag, "maxSubmissions") ?? (flag(tag, "transcription") ? 1 : Infinity);
  const extra = field.desk.ui.get(field.id) === "one more" || texts.length === 0;
  const rows = extra && texts.length < most ? [...texts, ""] : texts;
  const double = flag(tag, "skipDuplicates") && new Set(texts).size < texts.length;
  return framed(
    field,
    html`<div class="anno-texts">
        ${repeat(rows, (_, at) => at, (text, at) => row(field, rows, text, at))}
      </div>
      ${double ? html`<p class="text-sm text-harm-ink" role="status">The same text stands here twice.</p>` : nothing}
      ${shortcuts(field, rows)}
      ${!field.readonly && !extra && texts.length < most ? html`<button type="button" class="btn btn-quiet btn-xs" @click=${() => oneMore(field, texts.length)}>${icon("plus")}Another</button>` : nothing}`,
  );
}

function oneMore(field: Field, at: number): void {
  field.desk.ui.set(field.id, "one more");
  field.desk.refresh();
  requestAnimationFrame(() => document.getElementById(`${field.id}-${at}`)?.focus());
}

function row(field: Field, rows: string[], text: string, at: number): TemplateResult {
  const { tag } = field.control;
  const set = (value: string, step = ""): void => {
    const next = rows.map((each, index) => (index === at ? value : each));
    if (value && at === rows.length - 1) field.desk.ui.delete(field.id);
    field.set(next.filter((each, index) => each.trim() || index < next.length - 1), step);
  };
  const words = rows.length > 1 ? `${titleOf(field.control)}, text ${at + 1}` : titleOf(field.control);
  return html`<div class="anno-text-row">
    <textarea class="textarea" id="${field.id}-${at}" rows=${Math.max(1, numberAttr(tag, "rows") ?? 1)} aria-label=${words} placeholder=${attr(tag, "placeholder") || nothing} ?readonly=${field.readonly} .value=${live(text)}
      @input=${(event: Event) => set((event.target as HTMLTextAreaElement).value, `type ${at}`)}
      @keydown=${(event: KeyboardEvent) => event.key === "Escape" && (event.target as HTMLElement).blur()}></textarea>
    ${rows.length > 1 && !field.readonly ? html`<button type="button" class="btn btn-quiet btn-xs btn-square" aria-label="Delete text ${at + 1}" @click=${() => remove(field, rows, at)}>${icon("x")}</button>` : nothing}
  </div>`;
}

function remove(field: Field, rows: string[], at: number): void {
  field.desk.ui.delete(field.id);
  field.set(rows.filter((each, index) => index !== at && each));
  field.desk.refresh();
}

/** Ready-made words that a press puts into the last text. */
function shortcuts(field: Field, rows: string[]): TemplateResult | typeof nothing {
  const options = field.control.tag.options ?? [];
  if (!options.length || field.readonly) return nothing;
  const put = (words: string): void => field.set([...rows.slice(0, -1), [rows.at(-1), words].filter(Boolean).join(" ")]);
  return html`<div class="anno-choices" data-layout="inline">${options.map((option) => html`<button type="button" class="btn btn-plain btn-xs" @click=${() => put(option.value)}>${option.title || option.value}</button>`)}</div>`;
}
