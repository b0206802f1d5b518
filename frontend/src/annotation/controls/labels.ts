/** The labels of a labelling control, to take into the hand or to give to what is selected. */
import { html, nothing, type TemplateResult } from "lit";
import { styled } from "../../lib/styled";
import { unsafeHTML } from "lit/directives/unsafe-html.js";
import { icon, kbd } from "../../lib/dom";
import { titleOf } from "../rules";
import { attr, drawersOf, flag, type Control } from "../store";
import type { LabelChoice } from "../types";
import type { Desk } from "./desk";

/** Lists of labels from this length on get a filter of their own. */
const FILTER_FROM = 20;

export function labelBar(desk: Desk, control: Control): TemplateResult {
  const { session } = desk;
  const labels = session.catalogue.labels.get(control.name) ?? [];
  const filter = session.catalogue.filters.get(control.name);
  const words = desk.filterOf(control.name).trim().toLowerCase();
  const shown = words.length >= Number(filter?.attrs.minlength ?? 1) ? labels.filter((label) => label.title.toLowerCase().includes(words)) : labels;
  return html`<div class="anno-labels" role="group" aria-label=${titleOf(control)} data-control=${control.name} ?data-column=${!flag(control.tag, "showInline", true)}>
    ${filter || labels.length >= FILTER_FROM ? filterField(desk, control, filter ? attr(filter, "placeholder") : undefined) : nothing}
    ${shown.map((label) => labelButton(desk, control, label))}
    ${shown.length ? nothing : html`<span class="text-muted text-sm">No label has these letters.</span>`}
  </div>`;
}

function filterField(desk: Desk, control: Control, placeholder?: string): TemplateResult {
  return html`<input class="input input-sm anno-filter" type="search" aria-label="Filter ${titleOf(control)}" placeholder=${placeholder || "Filter labels"} .value=${desk.filterOf(control.name)}
    @input=${(event: Event) => desk.setFilter(control.name, (event.target as HTMLInputElement).value)}>`;
}

export function labelButton(desk: Desk, control: Control, label: LabelChoice): TemplateResult {
  const { session } = desk;
  const region = session.selectedRegion;
  // A selected region shows what it says; else the labels show what the hand holds.
  const on = region && !session.fresh ? (region.labels[control.name]?.includes(label.value) ?? false) : session.hand?.control === control.name && session.hand.labels.includes(label.value);
  return html`<button type="button" class="anno-label" ${styled({ "--colour": label.colour })} aria-pressed=${on} ?disabled=${session.readonly} title=${label.hint || nothing} aria-keyshortcuts=${label.hotkey || nothing}
    @pointerdown=${keepSelection} @mousedown=${keepSelection} @click=${() => desk.chooseLabel(control, label.value)}>
    <span class="anno-dot" aria-hidden="true"></span><span>${label.html ? unsafeHTML(label.html) : label.title}</span>${label.hotkey && !session.readonly ? kbd(label.hotkey) : nothing}
  </button>`;
}

/** A press on a label must leave the selection in the text as it is. */
function keepSelection(event: Event): void {
  event.preventDefault();
}

/** Shapes without labels: a button each where there are several to choose from. */
export function shapeButton(desk: Desk, control: Control): TemplateResult | typeof nothing {
  const object = control.objects[0] ?? "";
  const shapes = drawersOf(desk.session.catalogue, object).filter((drawer) => desk.session.catalogue.controls.get(drawer.control)?.kind === "shape");
  if (shapes.length < 2 || desk.session.readonly) return nothing;
  const on = (desk.session.tool(object) ?? shapes[0]!.control) === control.name;
  return html`<button type="button" class="anno-label" aria-pressed=${on} @click=${() => desk.session.setTool(object, control.name)}>${icon("pen-line")}<span>${control.tag.tag}</span></button>`;
}
