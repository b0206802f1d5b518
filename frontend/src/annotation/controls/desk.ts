/** What the templates of controls need from the element. */
import { html, nothing, type TemplateResult } from "lit";
import { attr, itemCount, itemWord, type Control } from "../store";
import { headerOf, titleOf } from "../rules";
import type { Session } from "../session";
import type { Place } from "../types";
import { icon } from "../../lib/dom";

export interface Desk {
  session: Session;
  /** Makes ids and radio groups of several elements on a page different. */
  uid: string;
  /** A label or choice was chosen, by mouse or by key. */
  chooseLabel(control: Control, label: string): void;
  /** What was typed into the filter of a control. */
  filterOf(control: string): string;
  setFilter(control: string, words: string): void;
  /** Small memory of the page, such as which branches are open; not part of the answer. */
  ui: Map<string, unknown>;
  refresh(): void;
}

export interface Field {
  desk: Desk;
  control: Control;
  place: Place;
  value: unknown;
  readonly: boolean;
  /** Unique on the page. */
  id: string;
  set(value: unknown, step?: string): void;
}

export function fieldOf(desk: Desk, control: Control, place: Place): Field {
  const { session } = desk;
  const readonly = session.readonly || (place.region !== undefined && session.isLocked(place.region));
  return {
    desk,
    control,
    place,
    value: session.answerOf(control.name, place),
    readonly,
    id: [desk.uid, control.name, place.region, place.item].filter((each) => each !== undefined).join("-").replaceAll(/[^\w-]/g, "_"),
    set: (value, step = "") => session.setAnswer(control.name, value, place, step),
  };
}

/** A control with its title, its mark as required or suggested, and the item that it speaks about. */
export function framed(field: Field, content: TemplateResult, options: { group?: boolean } = {}): TemplateResult {
  const { control, desk, place } = field;
  const answered = desk.session.answeredOf(control.name, place);
  const suggested = answered?.origin === "prediction" && !desk.session.readonly ? html`<span class="pill" data-tone="attention">suggested</span>` : nothing;
  const title = titleOf(control);
  const headed = headerOf(control) !== null;
  const needed = control.required ? html`<span class=${headed ? "sr-only" : "anno-needed"}>needed</span>` : nothing;
  const words = html`<span class=${headed ? "sr-only" : ""}>${title}</span>${needed}${suggested}`;
  const help = attr(control.tag, "help") ?? attr(control.tag, "hint");
  const inner = html`${control.perItem ? itemChooser(field) : nothing}${content}${help ? html`<p class="anno-help">${help}</p>` : nothing}`;
  return options.group === false
    ? html`<div class="anno-field" data-control=${control.name}><label class="anno-legend" for=${field.id}>${words}</label>${inner}</div>`
    : html`<fieldset class="anno-field" data-control=${control.name} ?disabled=${field.readonly}><legend class="anno-legend">${words}</legend>${inner}</fieldset>`;
}

function itemChooser({ control, desk, place }: Field): TemplateResult {
  const name = control.objects[0] ?? "";
  const object = desk.session.catalogue.objects.get(name);
  const count = itemCount(object);
  const at = place.item ?? 0;
  const go = (to: number) => () => desk.session.setItem(name, to);
  return html`<div class="anno-items">
    <button type="button" class="btn btn-quiet btn-xs btn-square" aria-label="Previous ${itemWord(object)}" ?disabled=${at === 0} @click=${go(at - 1)}>${icon("chevron-left")}</button>
    <span class="num" aria-live="polite">${itemWord(object)} ${at + 1} of ${count}</span>
    <button type="button" class="btn btn-quiet btn-xs btn-square" aria-label="Next ${itemWord(object)}" ?disabled=${at + 1 >= count} @click=${go(at + 1)}>${icon("chevron-right")}</button>
  </div>`;
}
