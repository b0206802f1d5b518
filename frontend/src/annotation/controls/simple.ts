/** Rating, Number, DateTime, Pairwise. */
import { html, nothing, type TemplateResult } from "lit";
import { live } from "lit/directives/live.js";
import { kbd } from "../../lib/dom";
import { isoOf, written } from "../dates";
import { attr, flag, numberAttr } from "../store";
import { framed, type Field } from "./desk";

const RATING_MAX = 5;
/** Drawn here, because a symbol of the sprite cannot be filled from outside. */
const STAR = html`<svg class="icon" viewBox="0 0 24 24" aria-hidden="true"><path d="m12 2.6 2.9 5.9 6.5.9-4.7 4.6 1.1 6.5-5.8-3.1-5.8 3.1 1.1-6.5L2.6 9.4l6.5-.9z"></path></svg>`;

export function rating(field: Field): TemplateResult {
  const most = numberAttr(field.control.tag, "maxRating") ?? RATING_MAX;
  const now = Number(field.value ?? 0);
  const set = (to: number) => field.set(to === now ? undefined : to);
  const keys = (event: KeyboardEvent): void => {
    const digit = Number(event.key);
    if (!/^[0-9]$/.test(event.key) || digit > most) return;
    event.preventDefault();
    event.stopPropagation();
    field.set(digit === 0 ? undefined : digit);
  };
  return framed(
    field,
    html`<div class="anno-rating" @keydown=${keys}>
      ${Array.from({ length: most }, (_, at) => at + 1).map(
        (value) => html`<label ?data-on=${value <= now}><input type="radio" name=${field.id} value=${value} aria-label="${value} of ${most}" .checked=${live(value === now)} @change=${() => field.set(value)} @click=${() => value === now && set(value)}>${STAR}</label>`,
      )}
      <span class="num text-muted text-sm">${now ? `${now} of ${most}` : ""}</span>
    </div>`,
  );
}

export function numberField(field: Field): TemplateResult {
  const { tag } = field.control;
  const limits = { min: numberAttr(tag, "min"), max: numberAttr(tag, "max"), step: numberAttr(tag, "step") };
  const set = (event: Event): void => {
    const { value } = event.target as HTMLInputElement;
    field.set(value === "" || Number.isNaN(Number(value)) ? undefined : Number(value), "type");
  };
  const range = limits.min !== undefined && limits.max !== undefined && flag(tag, "slider");
  const words = [limits.min === undefined ? "" : `from ${limits.min}`, limits.max === undefined ? "" : `to ${limits.max}`].filter(Boolean).join(" ");
  return framed(
    field,
    html`<div class="anno-number">
      <input class="input" type="number" id=${field.id} inputmode="decimal" min=${limits.min ?? nothing} max=${limits.max ?? nothing} step=${limits.step ?? "any"} ?disabled=${field.readonly} .value=${live(field.value === undefined ? "" : String(field.value))} @input=${set}>
      ${range ? html`<input class="range range-md" type="range" aria-label="Slider" min=${limits.min!} max=${limits.max!} step=${limits.step ?? 1} ?disabled=${field.readonly} .value=${live(String(field.value ?? limits.min))} @input=${set}>` : nothing}
      ${words ? html`<span class="text-muted text-sm num">${words}</span>` : nothing}
    </div>`,
    { group: false },
  );
}

export function dateTime(field: Field): TemplateResult {
  const { tag } = field.control;
  const parts = (attr(tag, "only") ?? "date,time").split(",").map((part) => part.trim());
  const has = (part: string): boolean => parts.includes(part);
  const type = has("date") ? (has("time") ? "datetime-local" : "date") : has("month") ? "month" : has("year") ? "number" : "time";
  const form = attr(tag, "format") ?? "";
  const set = (event: Event): void => field.set(written((event.target as HTMLInputElement).value, form) || undefined, "type");
  const limit = (name: string): string | typeof nothing => attr(tag, name) || nothing;
  return framed(
    field,
    html`<input class="input anno-date" type=${type} id=${field.id} min=${limit("min")} max=${limit("max")} ?disabled=${field.readonly} .value=${live(isoOf(String(field.value ?? ""), form))} @input=${set}>`,
    { group: false },
  );
}

/** Two objects, one question: which? */
export function pairwise(field: Field): TemplateResult {
  const options = field.control.tag.options ?? [];
  const titles = { left: options[0]?.title || "Left", right: options[1]?.title || "Right" };
  const side = (value: "left" | "right"): TemplateResult => html`<label class="anno-choice anno-side-choice">
    <input type="radio" name=${field.id} value=${value} .checked=${live(field.value === value)} @change=${() => field.set(value)} @click=${() => field.value === value && field.set(undefined)}>
    <span>${titles[value]} is better</span>${field.readonly ? nothing : kbd(value === "left" ? "<" : ">")}
  </label>`;
  return framed(field, html`<div class="anno-choices" data-layout="inline">${side("left")}${side("right")}</div>`);
}
