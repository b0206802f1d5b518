/**
 * `<preceptor-palette src="/search.json">`: Ctrl-K finds any page, project or person that one may see.
 * Fetches src?q=... and expects [{href, label, kind, detail?}]; without words, what the server offers first.
 */
import { html, LitElement, nothing, type TemplateResult } from "lit";
import { send } from "../lib/api";
import { icon } from "../lib/dom";

interface Hit {
  href: string;
  label: string;
  kind: string;
  detail?: string;
}
const WAIT_MS = 120;

export class PreceptorPalette extends LitElement {
  static override properties = { src: {}, hits: { state: true }, at: { state: true }, words: { state: true }, failed: { state: true } };
  declare src: string;
  declare protected hits: Hit[] | null;
  declare protected at: number;
  declare protected words: string;
  declare protected failed: boolean;
  #abort: AbortController | null = null;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor() {
    super();
    this.src = "";
    this.hits = null;
    this.at = 0;
    this.words = "";
    this.failed = false;
  }
  protected override createRenderRoot(): HTMLElement {
    return this;
  }
  override connectedCallback(): void {
    super.connectedCallback();
    document.addEventListener("keydown", this.#keys);
    document.addEventListener("click", this.#clicks);
  }
  override disconnectedCallback(): void {
    super.disconnectedCallback();
    document.removeEventListener("keydown", this.#keys);
    document.removeEventListener("click", this.#clicks);
  }

  #keys = (event: KeyboardEvent): void => {
    if (!(event.ctrlKey || event.metaKey) || event.key.toLowerCase() !== "k") return;
    event.preventDefault();
    this.open();
  };
  #clicks = (event: MouseEvent): void => {
    if ((event.target as Element).closest("[data-open-palette]")) this.open();
  };

  open(): void {
    const dialog = this.querySelector("dialog");
    if (!dialog || dialog.open) return;
    dialog.showModal();
    this.querySelector("input")!.select();
    void this.#search();
  }

  #typed(event: Event): void {
    this.words = (event.target as HTMLInputElement).value;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.#search(), WAIT_MS);
  }

  async #search(): Promise<void> {
    this.#abort?.abort();
    this.#abort = new AbortController();
    try {
      const reply = await send<Hit[]>("GET", `${this.src}?q=${encodeURIComponent(this.words)}`, { signal: this.#abort.signal });
      this.failed = !reply.ok;
      this.hits = reply.ok ? reply.body : [];
      this.at = 0;
    } catch (error) {
      if (!(error instanceof DOMException && error.name === "AbortError")) throw error;
    }
  }

  #move(event: KeyboardEvent): void {
    const count = this.hits?.length ?? 0;
    const step = event.key === "ArrowDown" ? 1 : event.key === "ArrowUp" ? -1 : 0;
    if (step && count) {
      event.preventDefault();
      this.at = (this.at + step + count) % count;
      void this.updateComplete.then(() => this.querySelector('[aria-selected="true"]')?.scrollIntoView({ block: "nearest" }));
    } else if (event.key === "Enter" && this.hits?.[this.at]) {
      event.preventDefault();
      location.assign(this.hits[this.at]!.href);
    }
  }

  protected override render(): TemplateResult {
    return html`<dialog class="sheet mt-[12vh]" aria-label="Find">
      <div class="flex items-center gap-3 px-4 border-b border-line">${icon("search", undefined, "text-muted")}
        <input class="grow h-13 bg-transparent outline-none" type="text" role="combobox" aria-expanded="true" aria-controls="palette-hits" aria-activedescendant=${this.hits?.length ? `palette-${this.at}` : nothing} placeholder="A page, project or person" aria-label="Find a page, project or person" .value=${this.words} @input=${this.#typed} @keydown=${this.#move}>
        <kbd class="kbd-key">Esc</kbd></div>
      <div id="palette-hits" role="listbox" aria-label="Found" class="p-2 max-h-[50vh] overflow-y-auto">
        ${this.hits?.map((hit, index) => html`<a id="palette-${index}" role="option" tabindex="-1" aria-selected=${index === this.at} class="menu-item aria-selected:bg-brand-soft" href=${hit.href} @pointermove=${() => (this.at = index)}>
          <span class="min-w-0 grow truncate">${hit.label}${hit.detail ? html`<span class="text-muted"> · ${hit.detail}</span>` : nothing}</span><span class="text-sm text-muted">${hit.kind}</span></a>`)}
        ${this.hits?.length === 0 ? html`<p class="px-3 py-6 text-center text-muted">${this.failed ? "The search did not answer. Try again in a moment." : `Nothing called “${this.words}” that you may see.`}</p>` : nothing}
      </div>
    </dialog>`;
  }
}

customElements.define("preceptor-palette", PreceptorPalette);
