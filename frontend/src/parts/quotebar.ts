/** What a person sees while quoting: the bar under the text, and the list of quotes taken. */
import { html, nothing, type TemplateResult } from "lit";
import { icon, kbd } from "../lib/dom";
import type { Quoting, Span } from "./quoting";
import css from "../styles/kinds/quoting.css?inline";
import { adopt } from "../lib/dom";

adopt(css);

const SHOWN = 90;

const short = (text: string): string => (text.length > SHOWN ? `${text.slice(0, SHOWN / 2)} … ${text.slice(-SHOWN / 2)}` : text);

/** Shown while something is selected or marked by keys; `target` is what the quote will be attached to. */
export function quoteBar(quoting: Quoting, target: string, attach: () => void): TemplateResult | typeof nothing {
  const span = quoting.quoting ? quoting.marked : quoting.selected;
  if (!quoting.quoting && !span) return nothing;
  return html`<div class="quote-bar" role="group" aria-label="Quote">
    <p class="quote-bar-text" aria-live="polite">${span ? html`“${short(span.text)}”` : "Nothing that can be quoted: choose up to 5,000 characters of one text"}</p>
    ${quoting.quoting
      ? html`<p class="quote-bar-keys">${kbd("← →")} word ${kbd("↑ ↓")} sentence ${kbd("Shift")} more ${kbd("Tab")} next text ${kbd("Esc")} leave</p>`
      : nothing}
    <button type="button" class="btn btn-primary btn-sm" ?disabled=${!span} @mousedown=${(event: Event) => event.preventDefault()} @click=${attach}>
      ${icon("quote")}<span>Quote for ${target}</span><span class="max-md:hidden">${kbd(quoting.quoting ? "↵" : "q")}</span>
    </button>
  </div>`;
}

/** Quotes taken, each a button that shows its place, with one to remove it. */
export function quoteList(quotes: readonly Span[], names: (where: string) => string, reveal: (span: Span) => void, remove: ((at: number) => void) | null): TemplateResult | typeof nothing {
  if (!quotes.length) return nothing;
  return html`<ul class="quote-list" aria-label="Quotes">
    ${quotes.map(
      (span, at) => html`<li class="quote-item">
        <button type="button" class="quote-text" @click=${() => reveal(span)}><span class="quote-where">${names(span.where)}</span> “${short(span.text)}”</button>
        ${remove ? html`<button type="button" class="btn btn-quiet btn-xs btn-square" aria-label="Remove this quote" @click=${() => remove(at)}>${icon("x")}</button>` : nothing}
      </li>`,
    )}
  </ul>`;
}
