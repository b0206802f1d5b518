/** `<preceptor-shortcuts><template>rows</template></preceptor-shortcuts>`: the sheet behind `?`. */
import { html, LitElement, type TemplateResult } from "lit";
import { icon, typingIn } from "../lib/dom";

export class PreceptorShortcuts extends LitElement {
  #rows: DocumentFragment | null = null;

  protected override createRenderRoot(): HTMLElement {
    return this;
  }
  override connectedCallback(): void {
    this.#rows ??= this.querySelector("template")?.content.cloneNode(true) as DocumentFragment;
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
    if (event.key === "?" && !typingIn(event) && !document.querySelector("dialog[open]")) this.open();
  };
  #clicks = (event: MouseEvent): void => {
    if ((event.target as Element).closest("[data-open-shortcuts]")) this.open();
  };

  open(): void {
    this.querySelector("dialog")?.showModal();
  }

  protected override render(): TemplateResult {
    return html`<dialog class="sheet" aria-labelledby="shortcuts-title"><div class="p-6">
      <div class="flex items-start justify-between gap-4 mb-2"><h2 id="shortcuts-title" class="text-lg font-semibold">Keyboard</h2><button class="btn btn-quiet btn-sm btn-square -mt-1 -mr-1" type="button" data-close aria-label="Close">${icon("x")}</button></div>
      <dl>${this.#rows}</dl>
    </div></dialog>`;
  }
}

customElements.define("preceptor-shortcuts", PreceptorShortcuts);
