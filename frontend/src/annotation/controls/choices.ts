/** Choices: one or several, as buttons, a list, a menu or a tree. */
import { html, nothing, type TemplateResult } from "lit";
import { live } from "lit/directives/live.js";
import { unsafeHTML } from "lit/directives/unsafe-html.js";
import { kbd } from "../../lib/dom";
import { attr, flag, type Control } from "../store";
import type { Option } from "../types";
import { framed, type Field } from "./desk";

/** A list this long scrolls inside. */
const LONG_LIST = 12;

export const severalOf = (control: Control): boolean => attr(control.tag, "choice") === "multiple";

/** What is chosen, as paths of values from the top. */
export function chosenPaths(value: unknown): string[][] {
  return Array.isArray(value) ? value.map((each) => (Array.isArray(each) ? each.map(String) : [String(each)])) : [];
}

/** The value after a choice was pressed; pressing a single choice again takes it away. */
export function pressed(control: Control, value: unknown, path: string[]): unknown {
  const nested = flag(control.tag, "allowNested");
  const before = chosenPaths(value);
  const same = (each: string[]): boolean => (nested ? each.join("\n") === path.join("\n") : each.at(-1) === path.at(-1));
  const had = before.some(same);
  const rest = severalOf(control) ? before.filter((each) => !same(each)) : [];
  const after = had ? rest : [...rest, path];
  return nested ? after : after.map((each) => each.at(-1)!);
}

export function choices(field: Field): TemplateResult {
  const { control } = field;
  // The older parameter wins over the newer one's default, which always comes along.
  const wanted = attr(control.tag, "layout") ?? "vertical";
  const layout = wanted !== "select" && flag(control.tag, "showInline") ? "inline" : wanted;
  const options = control.tag.options ?? [];
  if (layout === "select" && !severalOf(control) && !options.some((option) => option.options?.length)) return menu(field, options);
  const body = html`<div class="anno-choices" data-layout=${layout} ?data-long=${options.length > LONG_LIST}>${options.map((option) => choice(field, option, []))}</div>`;
  return framed(field, body);
}

function choice(field: Field, option: Option, above: string[]): TemplateResult {
  const { control, value, id } = field;
  const path = [...above, option.value];
  const nested = flag(control.tag, "allowNested");
  const on = chosenPaths(value).some((each) => (nested ? each.join("\n") === path.join("\n") : each.at(-1) === option.value));
  const key = field.desk.session.catalogue.choiceKeys.get(control.name)?.get(option.value);
  const press = (): void => field.set(pressed(control, value, path));
  const several = severalOf(control);
  const input = html`<input type=${several ? "checkbox" : "radio"} name=${id} value=${path.join("/")} .checked=${live(on)} aria-keyshortcuts=${key || nothing}
    @change=${press} @click=${() => on && !several && press()} @keydown=${(event: KeyboardEvent) => on && event.key === "Backspace" && press()}>`;
  return html`<div class="anno-choice-row"><label class="anno-choice" title=${option.hint || nothing}>
      ${option.selectable === false ? nothing : input}<span>${option.html ? unsafeHTML(option.html) : option.title || option.value}</span>${key && !field.readonly && option.selectable !== false ? kbd(key) : nothing}
    </label>${option.options?.length ? html`<div class="anno-nested">${option.options.map((inner) => choice(field, inner, path))}</div>` : nothing}</div>`;
}

function menu(field: Field, options: Option[]): TemplateResult {
  const now = chosenPaths(field.value)[0]?.at(-1) ?? "";
  const pick = (event: Event): void => {
    const { value } = event.target as HTMLSelectElement;
    field.set(value === "" ? undefined : flag(field.control.tag, "allowNested") ? [[value]] : [value]);
  };
  return framed(
    field,
    html`<select class="select anno-menu" id=${field.id} ?disabled=${field.readonly} .value=${live(now)} @change=${pick}>
      <option value="">Choose</option>${options.map((option) => html`<option value=${option.value} ?selected=${option.value === now}>${option.title || option.value}</option>`)}
    </select>`,
    { group: false },
  );
}
