import { html, svg, type TemplateResult } from "lit";

/** An icon of the sprite; hidden from screen readers unless it has a label. */
export function icon(name: string, label?: string, cls = ""): TemplateResult {
  const href = `${document.documentElement.dataset.icons ?? ""}#${name}`;
  return html`<svg class="icon ${cls}" role=${label ? "img" : "presentation"} aria-hidden=${label ? "false" : "true"} aria-label=${label ?? ""}>${svg`<use href=${href}></use>`}</svg>`;
}

export const kbd = (keys: string): TemplateResult => html`<kbd class="kbd-key" aria-hidden="true">${keys}</kbd>`;

/** Whether a key belongs to a field that takes text, and so not to a shortcut. */
export function typingIn(event: Event): boolean {
  const target = event.composedPath()[0];
  if (!(target instanceof HTMLElement)) return false;
  if (target instanceof HTMLInputElement) return !/^(radio|checkbox|button|submit|range)$/.test(target.type);
  return target.isContentEditable || target instanceof HTMLTextAreaElement || target instanceof HTMLSelectElement;
}

/** Something remembered in this browser; without storage it is simply not remembered. */
export const memory = {
  get(key: string): string | null {
    try {
      return localStorage.getItem(`preceptor.${key}`);
    } catch {
      return null;
    }
  },
  set(key: string, value: string | null): void {
    try {
      if (value === null) localStorage.removeItem(`preceptor.${key}`);
      else localStorage.setItem(`preceptor.${key}`, value);
    } catch {
      // Storage is full or switched off.
    }
  },
};

/** Styles that belong to one element, for the whole page, once. Their text comes with the element's own chunk. */
export function adopt(css: string): void {
  if (adopted.has(css)) return;
  adopted.add(css);
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(css);
  document.adoptedStyleSheets = [...document.adoptedStyleSheets, sheet];
}
const adopted = new Set<string>();

/** JSON in a `<script type="application/json">` child. */
export function embeddedJson<T>(element: Element): T | null {
  const script = element.querySelector<HTMLScriptElement>('script[type="application/json"]');
  return script?.textContent ? (JSON.parse(script.textContent) as T) : null;
}
