/** Material on its way, late or broken: always a sentence and a way on. */
import { html, render, type TemplateResult } from "lit";
import { icon } from "../../lib/dom";
import { SLOW_SECONDS } from "./source";

export class Notice {
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(readonly host: HTMLElement) {}

  loading(what: string, again: () => void): void {
    this.clear();
    this.#show(html`<p class="media-note" role="status">${icon("loader-circle")} Loading ${what} …</p>`);
    this.#timer = setTimeout(() => {
      this.#show(html`<p class="media-note" role="status">${icon("clock")} ${what[0]!.toUpperCase()}${what.slice(1)} takes long to load. It may still come. ${button(again)}</p>`);
    }, SLOW_SECONDS * 1000);
  }

  failed(words: string, again: () => void): void {
    this.clear();
    this.#show(html`<p class="media-note" data-tone="error" role="alert">${icon("triangle-alert")} ${words} ${button(again)}</p>`);
  }

  /** Something to know, beside the material. */
  tell(words: string): void {
    this.clear();
    this.#show(html`<p class="media-note" data-tone="tell" role="note">${icon("info")} ${words}</p>`);
  }

  clear(): void {
    clearTimeout(this.#timer);
    this.#show(html``);
  }

  #show(content: TemplateResult): void {
    render(content, this.host);
  }
}

const button = (again: () => void): TemplateResult => html`<button type="button" class="btn btn-sm btn-plain" @click=${again}>Try again</button>`;
