/** The tree of the config as a page: layout tags, hosts of objects, controls where they were written. */
import { html, nothing, type TemplateResult } from "lit";
import { styled } from "../lib/styled";
import { choices } from "./controls/choices";
import { fieldOf, type Desk, type Field } from "./controls/desk";
import { labelBar, shapeButton } from "./controls/labels";
import { ranker } from "./controls/ranker";
import { dateTime, numberField, pairwise, rating } from "./controls/simple";
import { taxonomy } from "./controls/taxonomy";
import { textArea } from "./controls/textarea";
import { headerOf, holds } from "./rules";
import { aboutRegion, attr, flag, isObject, nameOf, type Control } from "./store";
import type { Tag } from "./types";
import { icon } from "../lib/dom";

const CONTROLS: Record<string, (field: Field) => TemplateResult> = {
  choices,
  textarea: textArea,
  rating,
  number: numberField,
  datetime: dateTime,
  taxonomy,
  pairwise,
  ranker,
};
/** Colours chosen for a white page would not be readable on a dark one. */
const COLOUR_PROPERTY = /color|background|shadow|border/;

export interface Drawn {
  /** Parts about the selected region stand in the panel. */
  inPanel: boolean;
  /** Only the material is shown: no labels, no questions. */
  material?: boolean;
  dark: boolean;
}

export function renderTag(desk: Desk, tag: Tag, drawn: Drawn): TemplateResult | typeof nothing {
  if (!drawn.inPanel && aboutRegion(tag)) return nothing;
  const inner = content(desk, tag, drawn);
  if (inner === nothing || !tag.when) return inner;
  const visible = holds(tag.when, desk.session.sheet, desk.session.catalogue, desk.session.selectedRegion);
  // Kept in the page while hidden: an object's view must not lose its place.
  return html`<div class="anno-when" ?hidden=${!visible}>${inner}</div>`;
}

function content(desk: Desk, tag: Tag, drawn: Drawn): TemplateResult | typeof nothing {
  if (isObject(tag)) return html`<div class="anno-object" data-object=${nameOf(tag)} data-kind=${tag.tag} ${looks(tag, drawn)}></div>`;
  const control = tag.type || tag.tag === "Relations" ? desk.session.catalogue.controls.get(nameOf(tag)) : undefined;
  if (control) return drawn.material ? nothing : renderControl(desk, control);
  switch (tag.tag) {
    case "Header":
      return header(desk, tag, drawn);
    case "Collapse":
      return collapse(desk, tag, drawn);
    case "Repeater":
      return attr(tag, "mode") === "pagination" ? pager(desk, tag, drawn) : children(desk, tag, drawn);
    case "Filter":
    case "Relations":
    case "Style":
    case "Shortcut":
      return nothing;
    default:
      return html`<div class="anno-view ${tag.className ?? ""}" ${looks(tag, drawn)}>${children(desk, tag, drawn)}</div>`;
  }
}

function children(desk: Desk, tag: Tag, drawn: Drawn): TemplateResult {
  return html`${(tag.children ?? []).map((child) => renderTag(desk, child, drawn))}`;
}

function looks(tag: Tag, { dark }: Drawn): ReturnType<typeof styled> {
  const entries = Object.entries(tag.style ?? {}).filter(([property]) => !dark || !COLOUR_PROPERTY.test(property));
  return styled(Object.fromEntries(entries));
}

/** A header; where it asks for an answer that is needed, it says so. */
function header(desk: Desk, tag: Tag, drawn: Drawn): TemplateResult {
  const asks = [...desk.session.catalogue.controls.values()].find((control) => control.kind === "answer" && headerOf(control) === tag);
  const size = Math.min(6, Math.max(1, Number(tag.attrs.size ?? 4)));
  return html`<p class="anno-header" role="heading" aria-level=${Math.min(6, size + 1)} data-size=${size} ?data-underline=${flag(tag, "underline")} ${looks(tag, drawn)}>${String(tag.content?.text ?? "")}${asks?.required ? html` <span class="anno-needed">needed</span>` : nothing}</p>`;
}

function collapse(desk: Desk, tag: Tag, drawn: Drawn): TemplateResult {
  const name = flag(tag, "accordion", true) ? `${desk.uid}-collapse-${tag.line}` : nothing;
  const open = flag(tag, "open");
  return html`<div class="anno-collapse">${(tag.children ?? []).map(
    (panel) => html`<details class="panel" name=${name} ?open=${open}><summary>${icon("chevron-right")}<span>${attr(panel, "value") ?? "More"}</span></summary><div class="anno-collapse-body">${children(desk, panel, drawn)}</div></details>`,
  )}</div>`;
}

function pager(desk: Desk, tag: Tag, drawn: Drawn): TemplateResult {
  const pages = tag.children ?? [];
  const key = `page ${tag.line}`;
  const at = Math.min(Number(desk.ui.get(key) ?? 0), pages.length - 1);
  const go = (to: number) => (): void => {
    desk.ui.set(key, to);
    desk.refresh();
  };
  return html`<div class="anno-pager">
    <div class="anno-items"><button type="button" class="btn btn-quiet btn-xs btn-square" aria-label="Previous" ?disabled=${at === 0} @click=${go(at - 1)}>${icon("chevron-left")}</button>
      <span class="num" aria-live="polite">${at + 1} of ${pages.length}</span>
      <button type="button" class="btn btn-quiet btn-xs btn-square" aria-label="Next" ?disabled=${at + 1 >= pages.length} @click=${go(at + 1)}>${icon("chevron-right")}</button></div>
    ${pages.map((page, index) => html`<div ?hidden=${index !== at}>${renderTag(desk, page, drawn)}</div>`)}
  </div>`;
}

/** A control where it stands in the config. */
export function renderControl(desk: Desk, control: Control): TemplateResult | typeof nothing {
  if (control.kind === "labels") return labelBar(desk, control);
  if (control.kind === "shape") return control.type === "chatmessage" ? nothing : shapeButton(desk, control);
  const render = CONTROLS[control.type];
  if (!render) return nothing;
  if (!control.perRegion) return render(fieldOf(desk, control, control.perItem ? { item: desk.session.item(control.objects[0] ?? "") } : {}));
  const region = desk.session.selectedRegion;
  return region && control.objects.includes(region.object) ? render(fieldOf(desk, control, { region: region.id })) : nothing;
}

/** The topmost parts of the tree that speak about the selected region alone. */
export function regionParts(tag: Tag): Tag[] {
  return aboutRegion(tag) ? [tag] : (tag.children ?? []).flatMap(regionParts);
}
