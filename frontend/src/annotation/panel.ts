/** The panel of regions: list, select, hide, lock, delete, relabel; questions about the selected one; relations. */
import { html, nothing, type TemplateResult } from "lit";
import { repeat } from "lit/directives/repeat.js";
import { styled } from "../lib/styled";
import { icon, kbd } from "../lib/dom";
import type { Desk } from "./controls/desk";
import { labelButton } from "./controls/labels";
import { regionParts, renderTag, type Drawn } from "./layout";
import { titleOf } from "./rules";
import type { LabelChoice, ObjectView, Region, Relation } from "./types";

export interface PanelDesk extends Desk {
  viewOf(object: string): ObjectView | undefined;
  selectRegion(id: string | null): void;
}

const SHOWN_MAX = 500;

export function undoButtons({ session }: Desk): TemplateResult | typeof nothing {
  if (session.readonly) return nothing;
  return html`<button type="button" class="btn btn-quiet btn-xs btn-square" title="Undo (Ctrl Z)" aria-label="Undo" aria-keyshortcuts="Control+Z" ?disabled=${!session.canUndo} @click=${() => session.undo()}>${icon("undo-2")}</button>
    <button type="button" class="btn btn-quiet btn-xs btn-square" title="Redo (Ctrl Shift Z)" aria-label="Redo" aria-keyshortcuts="Control+Shift+Z" ?disabled=${!session.canRedo} @click=${() => session.redo()}>${icon("redo-2")}</button>`;
}

export function panel(desk: PanelDesk, drawn: Drawn): TemplateResult {
  const { session } = desk;
  const regions = session.inOrder();
  const allHidden = regions.length > 0 && regions.every((region) => session.isHidden(region.id));
  return html`<aside class="anno-side panel" aria-label="Regions">
    <div class="anno-side-head">
      <h3 class="font-semibold">Regions <span class="num text-muted font-normal">${regions.length}</span></h3>
      <span class="ml-auto flex">${undoButtons(desk)}
        <button type="button" class="btn btn-quiet btn-xs btn-square" aria-label=${allHidden ? "Show all regions" : "Hide all regions"} title=${allHidden ? "Show all" : "Hide all"} ?disabled=${!regions.length} @click=${() => session.hideAll(!allHidden)}>${allHidden ? icon("eye-off") : icon("eye")}</button></span>
    </div>
    <div class="anno-side-body" tabindex="0" role="group" aria-label="List of regions">
      ${suggestionNote(desk)} ${regions.length ? nothing : empty(desk)}
      <ol class="anno-regions">${repeat(regions.slice(0, SHOWN_MAX), (region) => region.id, (region) => row(desk, region, drawn))}</ol>
      ${regions.length > SHOWN_MAX ? html`<p class="text-sm text-muted">${regions.length - SHOWN_MAX} more regions are not listed; they can be chosen in the material.</p>` : nothing}
      ${relations(desk)}
    </div>
  </aside>`;
}

function empty({ session }: Desk): TemplateResult {
  return html`<p class="anno-empty">${session.readonly ? "Nothing was marked." : html`Nothing marked yet. Select in the material and choose a label, or press its key.`}</p>`;
}

function suggestionNote({ session }: Desk): TemplateResult | typeof nothing {
  const open = session.suggestions;
  if (!open.length || session.readonly) return nothing;
  const by = session.suggestedBy ? html` by <span class="font-semibold">${session.suggestedBy}</span>` : nothing;
  return html`<div class="anno-suggested"><p><span class="num">${open.length}</span> suggestion${open.length === 1 ? "" : "s"}${by} to check: keep, change or delete each.</p>
    <button type="button" class="btn btn-plain btn-xs" @click=${() => session.accept(...open.map((region) => region.id))}>${icon("check")}Keep all</button></div>`;
}

function row(desk: PanelDesk, region: Region, drawn: Drawn): TemplateResult {
  const { session } = desk;
  const { id } = region;
  const selected = session.isSelected(id);
  const title = session.titleOf(region) || "No label";
  const words = desk.viewOf(region.object)?.describe(region) ?? "";
  const [hidden, locked, suggestion] = [session.isHidden(id), session.isLocked(id), session.isSuggestion(id)];
  return html`<li class="anno-region" data-id=${id} ?data-selected=${selected} ?data-relating=${session.relating === id} ?data-aim=${session.relating !== null && desk.ui.get("aim") === id} ?data-hidden=${hidden}>
    <button type="button" class="anno-region-main" aria-pressed=${selected} @click=${() => desk.selectRegion(selected && !session.relating ? null : id)}>
      <span class="anno-dot" ${styled({ "--colour": session.colourOf(region) })} aria-hidden="true"></span>
      <span class="min-w-0"><span class="anno-region-title">${title}${suggestion ? html` <span class="pill" data-tone="attention">suggested${region.score === undefined ? "" : ` ${Math.round(region.score * 100)} %`}</span>` : session.readonly && region.origin === "prediction" ? html` <span class="pill" data-tone="quiet">suggestion kept</span>` : nothing}</span>
        <span class="anno-region-words">${words}${hidden ? " (hidden)" : ""}</span></span>
    </button>
    ${selected ? tools(desk, region, hidden, locked, suggestion) : nothing} ${selected ? details(desk, region, drawn) : nothing}
  </li>`;
}

function tools({ session }: PanelDesk, region: Region, hidden: boolean, locked: boolean, suggestion: boolean): TemplateResult {
  const { id } = region;
  const tool = (name: TemplateResult, label: string, key: string, run: () => void, off = false): TemplateResult =>
    html`<button type="button" class="btn btn-quiet btn-xs" aria-label=${label} title="${label} (${key})" ?disabled=${off} @click=${run}>${name}</button>`;
  return html`<div class="anno-region-tools">
    ${suggestion ? html`<button type="button" class="btn btn-plain btn-xs" @click=${() => session.accept(id)}>${icon("check")}Keep ${kbd("Enter")}</button>` : nothing}
    ${tool(hidden ? icon("eye-off") : icon("eye"), hidden ? "Show" : "Hide", "h", () => session.hide(id))}
    ${session.readonly
      ? nothing
      : html`${tool(locked ? icon("lock") : icon("unlock"), locked ? "Unlock" : "Lock", "l", () => session.lock(id))}
          ${tool(icon("link"), "Relate to another region", "r", () => session.startRelation(id), session.regions.length < 2)}
          ${tool(icon("trash-2"), "Delete", "Backspace", () => session.remove(id), locked)}`}
    <button type="button" class="btn btn-quiet btn-xs anno-close" aria-label="Close" @click=${() => session.select(null)}>${icon("x")}</button>
  </div>`;
}

function details(desk: PanelDesk, region: Region, drawn: Drawn): TemplateResult {
  const { session } = desk;
  const questions = regionParts(session.catalogue.root).filter((tag) => speaksOf(desk, tag, region));
  return html`<div class="anno-region-details">
    ${session.isLocked(region.id)
      ? nothing
      : session.labellers(region).map((control) => html`<div class="anno-relabel anno-relabel-region" role="group" aria-label="Change ${titleOf(control)}">${(session.catalogue.labels.get(control.name) ?? []).map((label) => labelButton(desk, control, label))}</div>`)}
    ${questions.map((tag) => renderTag(desk, tag, { ...drawn, inPanel: true }))}
    ${note(desk, region)}
  </div>`;
}

/** Whether a part of the config asks about regions of this region's object. */
function speaksOf({ session }: PanelDesk, tag: Parameters<typeof regionParts>[0], region: Region): boolean {
  return [...session.catalogue.controls.values()].some((control) => control.perRegion && control.objects.includes(region.object) && control.path.includes(tag));
}

function note(desk: PanelDesk, region: Region): TemplateResult | typeof nothing {
  const { session } = desk;
  const open = region.note || desk.ui.get(`note ${region.id}`);
  if (session.isLocked(region.id)) return region.note ? html`<p class="anno-note-text">${region.note}</p>` : nothing;
  if (!open) {
    const start = (): void => {
      desk.ui.set(`note ${region.id}`, true);
      desk.refresh();
      requestAnimationFrame(() => document.getElementById(`${desk.uid}-note`)?.focus());
    };
    return html`<button type="button" class="btn btn-quiet btn-xs self-start" @click=${start}>${icon("message-square")}Note</button>`;
  }
  return html`<textarea class="textarea textarea-sm" id="${desk.uid}-note" rows="1" aria-label="Note on this region" placeholder="Note on this region" .value=${region.note ?? ""}
    @input=${(event: Event) => session.setNote(region.id, (event.target as HTMLTextAreaElement).value)} @keydown=${(event: KeyboardEvent) => event.key === "Escape" && (event.target as HTMLElement).blur()}></textarea>`;
}

function relations(desk: PanelDesk): TemplateResult | typeof nothing {
  const { session } = desk;
  if (session.relating) {
    return html`<div class="anno-relating" role="status"><p>Relation from <b>${name(desk, session.relating)}</b>: choose the other region by mouse, or walk with ${kbd("[")} ${kbd("]")} and press ${kbd("Enter")}.</p>
      <button type="button" class="btn btn-plain btn-xs" @click=${() => session.startRelation(null)}>Cancel</button></div>`;
  }
  if (!session.relations.length) return nothing;
  return html`<h3 class="font-semibold mt-3">Relations <span class="num text-muted font-normal">${session.relations.length}</span></h3>
    <ol class="anno-relations">${session.relations.map((relation, at) => relationRow(desk, relation, at))}</ol>`;
}

const ARROWS = { right: "→", left: "←", bi: "↔" };
const ARROW_WORDS = { right: "to", left: "from", bi: "with" };

function relationRow(desk: PanelDesk, relation: Relation, at: number): TemplateResult {
  const { session } = desk;
  const end = (id: string): TemplateResult => html`<button type="button" class="anno-relation-end" @click=${() => desk.selectRegion(id)}>${name(desk, id)}</button>`;
  return html`<li class="anno-relation" data-relation=${at}>
    <div class="anno-relation-line">${end(relation.from)}
      <button type="button" class="anno-arrow" aria-label="Direction: ${ARROW_WORDS[relation.direction]}. Turn" ?disabled=${session.readonly} @click=${() => session.turnRelation(at)}>${ARROWS[relation.direction]}</button>
      ${end(relation.to)}
      ${session.readonly ? nothing : html`<button type="button" class="btn btn-quiet btn-xs btn-square ml-auto" aria-label="Delete relation" @click=${() => session.removeRelation(at)}>${icon("trash-2")}</button>`}</div>
    ${session.catalogue.relationLabels.length ? html`<div class="anno-relabel" role="group" aria-label="Kind of relation">${session.catalogue.relationLabels.map((label) => relationLabel(desk, relation, at, label))}</div>` : nothing}
  </li>`;
}

function relationLabel({ session }: PanelDesk, relation: Relation, at: number, label: LabelChoice): TemplateResult {
  return html`<button type="button" class="anno-label" ${styled({ "--colour": label.colour })} aria-pressed=${relation.labels.includes(label.value)} ?disabled=${session.readonly} @click=${() => session.labelRelation(at, label.value)}>
    <span class="anno-dot" aria-hidden="true"></span><span>${label.title}</span></button>`;
}

/** A region in words: what it says, and its label. */
function name({ session, viewOf }: PanelDesk, id: string): string {
  const region = session.region(id);
  if (!region) return "";
  return viewOf(region.object)?.describe(region) || session.titleOf(region) || "region";
}
