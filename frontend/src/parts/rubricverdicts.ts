/** One criterion of a rubric while it is judged by somebody else, and what the rubric lacks. */
import { html, nothing, type TemplateResult } from "lit";
import { live } from "lit/directives/live.js";
import { icon, kbd } from "../lib/dom";
import { QUESTION_WORDS, QUESTIONS, type Criterion, type Decision, type Question, type Verdict } from "../lib/rubric";

export interface Judge {
  readonly: boolean;
  current: boolean;
  judge: (part: Verdict) => void;
  decide: (decision: Decision) => void;
  reach: () => void;
}

const DECISIONS: [Decision, string, string][] = [
  ["keep", "Keep", "a"],
  ["mend", "Mend", "e"],
  ["drop", "Drop", "d"],
];

export function renderVerdict(criterion: Criterion, at: number, verdict: Verdict, judge: Judge): TemplateResult {
  const signed = `${criterion.points > 0 ? "+" : "−"}${Math.abs(criterion.points)}`;
  return html`<li class="rub-card" data-criterion=${at} tabindex="-1" aria-label="Criterion ${at + 1}" ?data-current=${judge.current} data-kind=${criterion.kind} @focusin=${judge.reach}>
    <div class="rub-judged"><span class="num text-sm text-muted">${at + 1}</span>
      <p class="reading">${criterion.statement}</p><span class="rub-worth num" data-kind=${criterion.kind}>${criterion.kind} ${signed}</span></div>
    ${criterion.rationale ? html`<p class="text-sm text-muted">${criterion.rationale}</p>` : nothing}
    <div class="rub-questions">${QUESTIONS.map((question, number) => renderQuestion(question, number, criterion, verdict, judge))}</div>
    <fieldset class="rub-kinds" ?disabled=${judge.readonly}><legend class="sr-only">What to do with criterion ${at + 1}</legend>
      ${DECISIONS.map(
        ([decision, words, key]) => html`<label data-decision=${decision}><input type="radio" class="sr-only" name="decision-${criterion.id}" .checked=${live(verdict.decision === decision)} @change=${() => judge.decide(decision)}>${words}${judge.current ? html`<span class="max-md:hidden">${kbd(key)}</span>` : nothing}</label>`,
      )}</fieldset>
    ${verdict.decision === "mend"
      ? html`<textarea class="textarea reading rub-statement" data-proposal rows="1" maxlength="1000" aria-label="Criterion ${at + 1} as it should read" ?readonly=${judge.readonly} .value=${live(verdict.proposal ?? "")} @input=${(event: Event) => judge.judge({ proposal: (event.target as HTMLTextAreaElement).value })}></textarea>`
      : nothing}
    ${(judge.current || verdict.comment || verdict.decision === "drop") && (!judge.readonly || verdict.comment)
      ? html`<textarea class="textarea rub-small" data-comment rows="1" maxlength="5000" aria-label="Comment on criterion ${at + 1}" placeholder=${verdict.decision === "drop" ? "Say why it should go" : "Comment (optional)"} ?readonly=${judge.readonly} .value=${live(verdict.comment ?? "")} @input=${(event: Event) => judge.judge({ comment: (event.target as HTMLTextAreaElement).value })}></textarea>`
      : nothing}
  </li>`;
}

function renderQuestion(question: Question, number: number, criterion: Criterion, verdict: Verdict, judge: Judge): TemplateResult {
  const choice = (value: boolean) => html`<label data-value=${String(value)}><input type="radio" name="${question}-${criterion.id}" aria-label="${QUESTION_WORDS[question]}: ${value ? "yes" : "no"}" .checked=${live(verdict[question] === value)} @change=${() => judge.judge({ [question]: value })}>${value ? icon("check") : icon("x")}</label>`;
  return html`<fieldset class="rub-question" ?disabled=${judge.readonly}><legend class="sr-only">${QUESTION_WORDS[question]}?</legend>
    <span aria-hidden="true">${judge.current ? html`<span class="max-md:hidden">${kbd(String(number + 1))}</span> ` : nothing}${QUESTION_WORDS[question]}</span>${choice(true)}${choice(false)}</fieldset>`;
}

export function renderMissing(missing: readonly string[], readonly: boolean, add: () => void, change: (missing: string[]) => void): TemplateResult | typeof nothing {
  if (readonly && !missing.length) return nothing;
  return html`<section class="rub-missing" aria-label="What is missing"><h3 class="font-semibold text-[0.9375rem]">What is missing?</h3>
    ${missing.map(
      (statement, at) => html`<div class="flex gap-2 items-start"><textarea class="textarea reading rub-statement" data-missing rows="1" maxlength="1000" aria-label="Missing criterion ${at + 1}" placeholder="A criterion that should be here" ?readonly=${readonly} .value=${live(statement)} @input=${(event: Event) => change(missing.map((each, place) => (place === at ? (event.target as HTMLTextAreaElement).value : each)))}></textarea>
        ${readonly ? nothing : html`<button type="button" class="btn btn-quiet btn-sm btn-square" aria-label="Remove missing criterion ${at + 1}" @click=${() => change(missing.filter((_, place) => place !== at))}>${icon("x")}</button>`}</div>`,
    )}
    ${readonly ? nothing : html`<button type="button" class="btn btn-plain btn-sm self-start" aria-keyshortcuts="n" @click=${add}>${icon("plus")}Name one<span class="max-md:hidden">${kbd("n")}</span></button>`}
  </section>`;
}
