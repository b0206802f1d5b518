/** Judging two patches: the scale, cause or symptom, criteria. */
import { html, nothing, type TemplateResult } from "lit";
import { live } from "lit/directives/live.js";
import { CAUSES, choiceAt, pointOf, type CodeAnswer, type CodeData } from "../lib/code";
import { kbd } from "../lib/dom";

type Change = (part: Partial<CodeAnswer>) => void;

const SCALE = ["much better", "better", "slightly better", "the same", "slightly better", "better", "much better"];
const SHORT = ["much", "better", "slightly", "same", "slightly", "better", "much"];
const RATINGS = [1, 2, 3, 4, 5, 6, 7];

/** The points of the scale that this project offers. */
export function pointsOf(data: CodeData): number[] {
  return data.config.scale_strength ? RATINGS : [2, 4, 6];
}

export function labelsOf(data: CodeData): string[] {
  return data.patches.map((patch) => patch.label);
}

export function choiceScale(data: CodeData, answer: CodeAnswer, uid: string, readonly: boolean, change: Change): TemplateResult {
  const labels = labelsOf(data);
  const point = pointOf(answer, labels);
  const points = pointsOf(data);
  return html`<div class="cmp-scale-dock"><div class="scale" ?data-short=${points.length === 3} role="radiogroup" aria-labelledby="${uid}-question">
    ${points.map((each, at) => {
      const name = each === 4 ? "" : labels[each < 4 ? 0 : 1]!;
      const full = each === 4 ? "The same" : `${name} ${SCALE[each - 1]}`;
      const closed = each === 4 && !data.config.allow_ties;
      return html`<label title=${full} ?data-closed=${closed}>
        <input type="radio" name="${uid}-preference" value=${each} aria-label=${full} .checked=${live(point === each)} ?disabled=${readonly || closed} @change=${() => change(choiceAt(each, labels, data.config.scale_strength))}>
        <span class="max-md:hidden" aria-hidden="true">${full}</span>${readonly ? nothing : html`<span class="max-lg:hidden">${kbd(String(at + 1))}</span>`}
        <span class="md:hidden text-[0.6875rem] leading-tight" aria-hidden="true">${name ? html`<b class="block text-[0.8125rem]">${name}</b>` : nothing}${SHORT[each - 1]}</span>
      </label>`;
    })}
  </div></div>`;
}

export function causeAndCriteria(data: CodeData, answer: CodeAnswer, uid: string, readonly: boolean, change: Change): TemplateResult | typeof nothing {
  const { config } = data;
  if (!config.ask_cause && !config.criteria.length) return nothing;
  return html`<div class="dims code-dims">
    ${config.ask_cause
      ? html`<div class="text-sm font-medium">Cause or symptom</div>
          <div class="dims-groups">${labelsOf(data).map((label) => cause(label, answer, uid, readonly, change))}</div>`
      : nothing}
    ${config.criteria.map(
      (criterion) => html`<div class="text-sm" title=${criterion.help}><span class="font-medium">${criterion.title}</span>${criterion.required ? nothing : html` <span class="text-muted">(optional)</span>`}${criterion.help ? html`<span class="sr-only">: ${criterion.help}</span>` : nothing}</div>
        <div class="dims-groups">${labelsOf(data).map((label) => rating(criterion.key, criterion.title, label, answer, uid, readonly, change))}</div>`,
    )}
  </div>`;
}

function cause(label: string, answer: CodeAnswer, uid: string, readonly: boolean, change: Change): TemplateResult {
  return html`<fieldset class="dots code-causes" ?disabled=${readonly}>
    <legend class="sr-only">Patch ${label}: root cause or symptom</legend><span class="cmp-letter mr-1.5" aria-hidden="true">${label}</span>
    ${CAUSES.map(
      ([key, title]) => html`<label><input type="radio" name="${uid}-cause-${label}" value=${key} .checked=${live(answer.causes[label] === key)} @change=${() => change({ causes: { ...answer.causes, [label]: key } })}>${title}</label>`,
    )}
  </fieldset>`;
}

function rating(key: string, title: string, label: string, answer: CodeAnswer, uid: string, readonly: boolean, change: Change): TemplateResult {
  const current = answer.ratings[key]?.[label];
  const rate = (value: number) => change({ ratings: { ...answer.ratings, [key]: { ...answer.ratings[key], [label]: value } } });
  return html`<fieldset class="dots" ?disabled=${readonly}>
    <legend class="sr-only">${title} of ${label}, 1 to 7</legend><span class="cmp-letter mr-1.5" aria-hidden="true">${label}</span>
    ${RATINGS.map((value) => html`<label><input type="radio" name="${uid}-${key}-${label}" value=${value} .checked=${live(current === value)} @change=${() => rate(value)}>${value}</label>`)}
  </fieldset>`;
}
