/** Ranker: order items, or sort them into buckets; by drag, by buttons and by keys. */
import { html, nothing, type TemplateResult } from "lit";
import { live } from "lit/directives/live.js";
import { repeat } from "lit/directives/repeat.js";
import { icon } from "../../lib/dom";
import { itemBody, type ListItem } from "../objects/list";
import { columnsOf, moved, placeOf, stepped, UNSORTED, type Columns } from "../ranking";
import { attr } from "../store";
import { framed, type Field } from "./desk";

const STEPS: Record<string, "up" | "down" | "left" | "right"> = { ArrowUp: "up", ArrowDown: "down", ArrowLeft: "left", ArrowRight: "right" };

interface Ranking {
  field: Field;
  items: Map<string, ListItem>;
  columns: Columns;
  titles: Record<string, string>;
  set(columns: Columns, focus: string): void;
}

export function ranker(field: Field): TemplateResult {
  const ranking = rankingOf(field);
  const names = Object.keys(ranking.columns);
  const open = field.value === undefined && names.length === 1 && !field.readonly;
  return framed(
    field,
    html`<div class="anno-ranker" ?data-buckets=${names.length > 1}>${names.map((name) => column(ranking, name))}</div>
      ${open ? html`<button type="button" class="btn btn-plain btn-sm" @click=${() => field.set(ranking.columns)}>${icon("check")}This order is right</button>` : nothing}
      ${field.readonly ? nothing : html`<p class="anno-help">Drag, or Shift with the arrow keys on an item.</p>`}`,
  );
}

function rankingOf(field: Field): Ranking {
  const { control, desk } = field;
  const object = desk.session.catalogue.objects.get(control.objects[0] ?? "");
  const items = new Map(((object?.tag.content?.items ?? []) as ListItem[]).map((item) => [item.id, item]));
  const buckets = control.tag.options ?? [];
  const listTitle = object ? (attr(object.tag, "title") ?? "") : "";
  const preset = buckets.find((bucket) => bucket.default ?? bucket.attrs?.default)?.value;
  const names = buckets.length ? [...(preset ? [] : [UNSORTED]), ...buckets.map((bucket) => bucket.value)] : [control.name];
  const titles = Object.fromEntries(buckets.map((bucket) => [bucket.value, bucket.title || bucket.value]));
  const columns = columnsOf(field.value, names, preset ?? names[0]!, [...items.keys()]);
  const set = (next: Columns, focus: string): void => {
    field.set(next);
    const place = placeOf(next, focus);
    desk.session.say(place ? `${items.get(focus)?.title || focus}: ${buckets.length ? `${titles[place.column] ?? "not sorted"}, ` : ""}place ${place.at + 1}` : "");
    requestAnimationFrame(() => document.querySelector<HTMLElement>(`[data-rank="${CSS.escape(`${field.id} ${focus}`)}"]`)?.focus());
  };
  return { field, items, columns, titles: { [UNSORTED]: listTitle || "Not sorted yet", [control.name]: listTitle, ...titles }, set };
}

function column(ranking: Ranking, name: string): TemplateResult {
  const { columns, field } = ranking;
  const over = (event: DragEvent): void => {
    if (!dragged(ranking)) return;
    event.preventDefault();
    (event.currentTarget as HTMLElement).toggleAttribute("data-over", true);
  };
  const drop = (event: DragEvent): void => {
    (event.currentTarget as HTMLElement).removeAttribute("data-over");
    const id = dragged(ranking);
    if (!id) return;
    event.preventDefault();
    const before = (event.target as Element).closest<HTMLElement>("[data-item]")?.dataset.item;
    const rest = columns[name]!.filter((each) => each !== id);
    ranking.set(moved(columns, id, name, before && before !== id ? placeAfter(event, rest.indexOf(before)) : rest.length), id);
  };
  return html`<section class="anno-column htx-ranker-column" aria-label=${ranking.titles[name] || "Order"} @dragover=${over} @dragleave=${(event: DragEvent) => (event.currentTarget as HTMLElement).removeAttribute("data-over")} @drop=${drop}>
    ${ranking.titles[name] ? html`<h4 class="eyebrow">${ranking.titles[name]} <span class="num">${columns[name]!.length}</span></h4>` : nothing}
    <ol>${repeat(columns[name]!, (id) => id, (id, at) => rankItem(ranking, name, id, at))}</ol>
    ${columns[name]!.length || field.readonly ? nothing : html`<p class="anno-empty">Nothing here</p>`}
  </section>`;
}

function placeAfter(event: DragEvent, at: number): number {
  const box = (event.target as Element).closest("[data-item]")!.getBoundingClientRect();
  return event.clientY > box.top + box.height / 2 ? at + 1 : at;
}

const dragged = ({ field }: Ranking): string | undefined => field.desk.ui.get(`${field.id} dragged`) as string | undefined;

function rankItem(ranking: Ranking, name: string, id: string, at: number): TemplateResult {
  const { field, columns, items } = ranking;
  const item = items.get(id) ?? { id, title: id, body: "" };
  const words = item.title || item.body.slice(0, 40) || id;
  const go = (step: "up" | "down" | "left" | "right"): void => ranking.set(stepped(columns, id, step), id);
  const keys = (event: KeyboardEvent): void => {
    const step = STEPS[event.key];
    if (!step || !event.shiftKey || field.readonly) return;
    event.preventDefault();
    event.stopPropagation();
    go(step);
  };
  const names = Object.keys(columns);
  const button = (step: "up" | "down", name_: TemplateResult, off: boolean): TemplateResult =>
    html`<button type="button" class="btn btn-quiet btn-xs btn-square" aria-label="Move ${words} ${step}" ?disabled=${off} @click=${() => go(step)}>${name_}</button>`;
  return html`<li class="anno-rank htx-ranker-item panel" tabindex="0" data-item=${id} data-rank="${field.id} ${id}" draggable=${field.readonly ? "false" : "true"} @keydown=${keys}
    @dragstart=${(event: DragEvent) => (event.dataTransfer!.setData("text/plain", id), field.desk.ui.set(`${field.id} dragged`, id))} @dragend=${() => field.desk.ui.delete(`${field.id} dragged`)}>
    ${names.length === 1 || name !== UNSORTED ? html`<span class="anno-place num">${at + 1}</span>` : nothing}
    ${itemBody(item)}
    ${field.readonly
      ? nothing
      : html`<span class="anno-rank-tools">
          ${button("up", icon("arrow-up"), at === 0)}${button("down", icon("arrow-down"), at === columns[name]!.length - 1)}
          ${names.length > 1
            ? html`<select class="select select-xs w-auto" aria-label="Move ${words} to" @change=${(event: Event) => ranking.set(moved(columns, id, (event.target as HTMLSelectElement).value, Infinity), id)}>
                ${names.map((each) => html`<option value=${each} .selected=${live(each === name)}>${ranking.titles[each] || each}</option>`)}
              </select>`
            : nothing}
        </span>`}
  </li>`;
}
