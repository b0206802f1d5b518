/** One criterion of a rubric while it is written: statement, kind, points, reason, and hints on its wording. */
import { html, nothing, type TemplateResult } from "lit";
import { live } from "lit/directives/live.js";
import { icon } from "../lib/dom";
import type { Criterion, CriterionKind, RubricConfig } from "../lib/rubric";
import { hints, plain } from "../lib/rubriclint";

export interface Editor {
  config: RubricConfig;
  criteria: readonly Criterion[];
  readonly: boolean;
  current: boolean;
  /** Something dragged is over it. */
  drop: boolean;
  edit: (part: Partial<Criterion>) => void;
  kind: (kind: CriterionKind) => void;
  points: (points: number) => void;
  move: (to: number) => void;
  remove: () => void;
  /** It has the focus. */
  reach: () => void;
  drag: (event: DragEvent) => void;
}

const KIND_WORDS: Record<CriterionKind, string> = { must: "Must", should: "Should", penalty: "Penalty" };

export function renderCriterion(criterion: Criterion, at: number, editor: Editor): TemplateResult {
  const { readonly } = editor;
  return html`<li class="rub-card" data-criterion=${at} tabindex="-1" aria-label="Criterion ${at + 1}" ?data-current=${editor.current} ?data-drop=${editor.drop} data-kind=${criterion.kind} @focusin=${editor.reach} @dragover=${editor.drag} @drop=${editor.drag}>
    <div class="rub-line">
      ${readonly ? nothing : html`<span class="rub-grip" draggable="true" title="Drag to reorder" @dragstart=${editor.drag} @dragend=${editor.drag}>${icon("grip-vertical")}</span>`}
      <span class="num text-sm text-muted">${at + 1}</span> ${renderKinds(criterion, at, editor)} ${renderPoints(criterion, at, editor)}
      ${readonly ? nothing : renderMoves(at, editor)}
    </div>
    <textarea class="textarea reading rub-statement" data-statement rows="1" maxlength="1000" aria-label="Criterion ${at + 1}" placeholder=${criterion.kind === "penalty" ? "The fault that costs points" : "A statement that an answer meets or not"} ?readonly=${readonly} .value=${live(criterion.statement)}
      @input=${(event: Event) => editor.edit({ statement: (event.target as HTMLTextAreaElement).value })}></textarea>
    ${renderHints(criterion, at, editor)} ${renderRationale(criterion, at, editor)}
  </li>`;
}

function renderKinds(criterion: Criterion, at: number, editor: Editor): TemplateResult {
  return html`<fieldset class="rub-kinds" ?disabled=${editor.readonly}><legend class="sr-only">Kind of criterion ${at + 1}</legend>
    ${(Object.keys(KIND_WORDS) as CriterionKind[]).map(
      (kind) => html`<label data-kind=${kind}><input type="radio" class="sr-only" name="kind-${criterion.id}" .checked=${live(criterion.kind === kind)} @change=${() => editor.kind(kind)}>${KIND_WORDS[kind]}</label>`,
    )}</fieldset>`;
}

function renderPoints(criterion: Criterion, at: number, editor: Editor): TemplateResult {
  const penalty = criterion.kind === "penalty";
  const typed = (event: Event) => {
    const field = event.target as HTMLInputElement;
    if (field.value !== "") editor.points(Number(field.value));
    field.value = String(Math.abs(criterion.points));
  };
  return html`<label class="rub-points"><span class="num" aria-hidden="true">${penalty ? "−" : "+"}</span>
    <input type="number" class="input input-sm num" min="1" max=${editor.config.points_max} ?readonly=${editor.readonly} aria-label="Points of criterion ${at + 1}${penalty ? ", below zero" : ""}" .value=${live(String(Math.abs(criterion.points)))} @change=${typed}></label>`;
}

function renderMoves(at: number, editor: Editor): TemplateResult {
  return html`<span class="rub-moves">
    <button type="button" class="btn btn-quiet btn-xs btn-square" aria-label="Move criterion ${at + 1} up" ?disabled=${at === 0} @click=${() => editor.move(at - 1)}>${icon("arrow-up")}</button>
    <button type="button" class="btn btn-quiet btn-xs btn-square" aria-label="Move criterion ${at + 1} down" ?disabled=${at === editor.criteria.length - 1} @click=${() => editor.move(at + 1)}>${icon("arrow-down")}</button>
    <button type="button" class="btn btn-quiet btn-xs btn-square" aria-label="Remove criterion ${at + 1}" @click=${editor.remove}>${icon("trash-2")}</button>
  </span>`;
}

function renderHints(criterion: Criterion, at: number, editor: Editor): TemplateResult | typeof nothing {
  if (editor.readonly || !criterion.statement.trim()) return nothing;
  const others = editor.criteria.filter((_, place) => place !== at);
  const twin = others.some((other) => plain(other.statement) !== "" && plain(other.statement) === plain(criterion.statement));
  const open = hints(criterion.statement, others.map((other) => other.statement)).filter((hint) => !criterion.fine.includes(hint.code));
  if (!open.length && !twin) return nothing;
  return html`<ul class="rub-hints" aria-label="Hints on criterion ${at + 1}">
    ${twin ? html`<li>${icon("copy")}<span>Another criterion says the same. Remove one of them.</span></li>` : nothing}
    ${open.map((hint) => html`<li>${icon("lightbulb")}<span>${hint.words}</span><button type="button" class="link-brand text-sm whitespace-nowrap" @click=${() => editor.edit({ fine: [...criterion.fine, hint.code] })}>It is fine</button></li>`)}
  </ul>`;
}

function renderRationale(criterion: Criterion, at: number, editor: Editor): TemplateResult | typeof nothing {
  const { rationale } = editor.config;
  if (rationale === "none" || (!criterion.rationale && !editor.current && rationale !== "required") || (editor.readonly && !criterion.rationale)) return nothing;
  return html`<textarea class="textarea rub-small" data-rationale rows="1" maxlength="5000" aria-label="Reason or source of criterion ${at + 1}" placeholder="Why it counts, or what it rests on${rationale === "required" ? "" : " (optional)"}" ?readonly=${editor.readonly} .value=${live(criterion.rationale)}
    @input=${(event: Event) => editor.edit({ rationale: (event.target as HTMLTextAreaElement).value })}></textarea>`;
}
