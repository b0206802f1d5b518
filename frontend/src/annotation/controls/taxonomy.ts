/** Taxonomy: a tree to choose from, with a search. */
import { html, nothing, type TemplateResult } from "lit";
import { live } from "lit/directives/live.js";
import { icon } from "../../lib/dom";
import { titleOf } from "../rules";
import { attr, flag, numberAttr } from "../store";
import type { Option } from "../types";
import { framed, type Field } from "./desk";

const SEARCH_FROM = 8;
const FOUND_MAX = 50;
const same = (a: string[], b: string[]): boolean => a.join("\n") === b.join("\n");

export function taxonomy(field: Field): TemplateResult {
  const { tag } = field.control;
  const options = tag.options ?? [];
  const words = String(field.desk.ui.get(`${field.id} words`) ?? "").trim().toLowerCase();
  const paths = (field.value ?? []) as string[][];
  const search = (event: Event): void => {
    field.desk.ui.set(`${field.id} words`, (event.target as HTMLInputElement).value);
    field.desk.refresh();
  };
  const found = words ? matches(options, words) : [];
  return framed(
    field,
    html`${paths.length ? html`<ul class="anno-chips" aria-label="Chosen">${paths.map((path) => chip(field, path))}</ul>` : nothing}
      ${countOf(options) >= SEARCH_FROM && !field.readonly
        ? html`<input class="input input-sm" type="search" aria-label="Search in ${titleOf(field.control)}" placeholder=${attr(tag, "placeholder") || "Search"} @input=${search}>`
        : nothing}
      <div class="anno-tree">
        ${words ? found.slice(0, FOUND_MAX).map(({ option, path }) => entry(field, option, path, pathWords(field, path))) : options.map((option) => branch(field, option, []))}
        ${words && !found.length ? html`<p class="text-sm text-muted">Nothing has these letters.</p>` : nothing}
      </div>`,
  );
}

function countOf(options: Option[]): number {
  return options.reduce((sum, option) => sum + 1 + countOf(option.options ?? []), 0);
}

function matches(options: Option[], words: string, above: string[] = []): { option: Option; path: string[] }[] {
  return options.flatMap((option) => {
    const path = [...above, option.value];
    const own = option.title.toLowerCase().includes(words) || option.value.toLowerCase().includes(words) ? [{ option, path }] : [];
    return [...own, ...matches(option.options ?? [], words, path)];
  });
}

function pathWords(field: Field, path: string[]): string {
  let options = field.control.tag.options ?? [];
  const titles = path.map((value) => {
    const option = options.find((each) => each.value === value);
    options = option?.options ?? [];
    return option?.title || value;
  });
  return titles.join(` ${attr(field.control.tag, "pathSeparator") ?? "/"} `);
}

function branch(field: Field, option: Option, above: string[]): TemplateResult {
  const path = [...above, option.value];
  const key = `${field.id} open ${path.join("/")}`;
  const inner = option.options ?? [];
  const within = ((field.value ?? []) as string[][]).some((each) => each.length > path.length && same(each.slice(0, path.length), path));
  const open = (field.desk.ui.get(key) as boolean | undefined) ?? within;
  const toggle = (): void => {
    field.desk.ui.set(key, !open);
    field.desk.refresh();
  };
  return html`<div class="anno-branch">
    ${inner.length ? html`<button type="button" class="btn btn-quiet btn-xs btn-square" aria-expanded=${open} aria-label="${open ? "Close" : "Open"} ${option.title}" @click=${toggle}>${open ? icon("chevron-down") : icon("chevron-right")}</button>` : html`<span class="anno-leaf"></span>`}
    ${entry(field, option, path, option.title || option.value)}
    ${inner.length && open ? html`<div class="anno-nested">${inner.map((each) => branch(field, each, path))}</div>` : nothing}
  </div>`;
}

function entry(field: Field, option: Option, path: string[], words: string): TemplateResult {
  const { tag } = field.control;
  const paths = (field.value ?? []) as string[][];
  const on = paths.some((each) => same(each, path));
  const most = numberAttr(tag, "maxUsages") ?? Infinity;
  const closed = option.selectable === false || (flag(tag, "leafsOnly") && (option.options?.length ?? 0) > 0);
  if (closed) return html`<span class="anno-choice">${words}</span>`;
  const press = (): void => field.set(on ? paths.filter((each) => !same(each, path)) : most === 1 ? [path] : [...paths, path]);
  return html`<label class="anno-choice" title=${option.hint || nothing}><input type="checkbox" .checked=${live(on)} ?disabled=${!on && most > 1 && paths.length >= most} @change=${press}><span>${words}</span></label>`;
}

function chip(field: Field, path: string[]): TemplateResult {
  const words = flag(field.control.tag, "showFullPath") ? pathWords(field, path) : pathWords(field, path).split(` ${attr(field.control.tag, "pathSeparator") ?? "/"} `).at(-1)!;
  const paths = (field.value ?? []) as string[][];
  return html`<li class="anno-chip">${words}${field.readonly ? nothing : html`<button type="button" aria-label="Take away ${words}" @click=${() => field.set(paths.filter((each) => !same(each, path)))}>${icon("x")}</button>`}</li>`;
}
