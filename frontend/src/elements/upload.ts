/**
 * `<preceptor-upload><input type="file" name="..."></preceptor-upload>` inside a form: drop a file, see what it is, and see
 * how much has been sent. The form's submit goes by XHR (fetch tells no upload progress); the page that answers is shown.
 * A JSON answer {redirect} is followed; a problem document is shown in place.
 */
import { html, LitElement, nothing, type TemplateResult } from "lit";
import { csrfToken, problemOf, type Problem } from "../lib/api";
import { icon } from "../lib/dom";

export class PreceptorUpload extends LitElement {
  static override properties = { over: { state: true }, file: { state: true }, sent: { state: true }, problem: { state: true } };
  declare protected over: boolean;
  declare protected file: File | null;
  /** Part sent, 0..1; null when nothing is on its way. */
  declare protected sent: number | null;
  declare protected problem: Problem | null;
  #input: HTMLInputElement | null = null;
  #request: XMLHttpRequest | null = null;
  #form: HTMLFormElement | null = null;

  constructor() {
    super();
    this.over = false;
    this.file = null;
    this.sent = null;
    this.problem = null;
  }
  protected override createRenderRoot(): HTMLElement {
    return this;
  }
  override connectedCallback(): void {
    this.#input = this.querySelector('input[type="file"]');
    if (this.#input) this.#input.className = "sr-only";
    super.connectedCallback();
    this.#input?.addEventListener("change", this.#picked);
    // A quick hand picks a file before this element is there.
    if (this.#input?.files?.length) this.#picked();
    this.#form = this.closest("form");
    this.#form?.addEventListener("submit", this.#submit);
  }
  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.#form?.removeEventListener("submit", this.#submit);
    this.#request?.abort();
  }

  #picked = (): void => {
    this.file = this.#input?.files?.[0] ?? null;
    this.problem = null;
  };

  #dropped(event: DragEvent): void {
    event.preventDefault();
    this.over = false;
    if (!this.#input || !event.dataTransfer?.files.length) return;
    this.#input.files = event.dataTransfer.files;
    this.#picked();
    this.#input.dispatchEvent(new Event("change", { bubbles: true }));
  }

  #submit = (event: SubmitEvent): void => {
    if (!this.file || !this.#form) return;
    event.preventDefault();
    const request = new XMLHttpRequest();
    this.#request = request;
    this.sent = 0;
    this.problem = null;
    request.upload.addEventListener("progress", (progress) => (this.sent = progress.lengthComputable ? progress.loaded / progress.total : 0));
    request.addEventListener("load", () => this.#answered(request));
    request.addEventListener("error", () => this.#failed("The connection broke off. Nothing was imported; try again."));
    request.open("POST", this.#form.action);
    request.setRequestHeader("X-CSRF-Token", csrfToken());
    request.setRequestHeader("Accept", "application/json, text/html;q=0.9");
    request.send(new FormData(this.#form));
  };

  #answered(request: XMLHttpRequest): void {
    const json = /json/.test(request.getResponseHeader("Content-Type") ?? "");
    const body: unknown = json && request.responseText ? JSON.parse(request.responseText) : null;
    if (request.status < 400) {
      location.assign((body as { redirect?: string } | null)?.redirect ?? request.responseURL);
      return;
    }
    this.sent = null;
    this.problem = problemOf(request.status, body);
  }

  #failed(detail: string): void {
    this.sent = null;
    this.problem = { status: 0, code: "offline", title: "Not sent.", detail };
  }

  #size(bytes: number): string {
    const units = ["B", "kB", "MB", "GB"];
    let at = 0;
    for (; bytes >= 1000 && at < units.length - 1; at++) bytes /= 1000;
    return `${bytes.toFixed(at && bytes < 10 ? 1 : 0)} ${units[at]}`;
  }

  protected override render(): TemplateResult {
    return html`<div class="drop-area px-5 py-6 flex flex-col items-center text-center gap-1" ?data-over=${this.over}
      @dragover=${(event: DragEvent) => (event.preventDefault(), (this.over = true))} @dragleave=${() => (this.over = false)} @drop=${this.#dropped}>
      ${this.file ? icon("file-text", undefined, "text-xl text-muted") : icon("upload", undefined, "text-xl text-muted")}
      ${this.file ? html`<p class="font-medium break-all">${this.file.name} <span class="text-muted font-normal num">${this.#size(this.file.size)}</span></p>` : html`<p class="font-medium">Drop a file here</p>`}
      <button type="button" class="btn btn-plain btn-sm mt-1" ?disabled=${this.sent !== null} @click=${() => this.#input?.click()}>${this.file ? "Choose another" : "Choose a file"}</button>
      ${this.sent === null ? nothing : html`<div class="w-full max-w-md mt-3" role="status"><div class="flex justify-between text-sm text-muted mb-1"><span>${this.sent < 1 ? "Sending" : "Checking the file"}</span><span class="num">${Math.round(this.sent * 100)} %</span></div><progress class="bar" max="1" value=${this.sent < 1 ? this.sent : nothing}></progress></div>`}
      ${this.problem ? html`<div class="note mt-3 text-start" data-tone="error" role="alert">${icon("circle-alert")}<div><b>${this.problem.title}</b> ${this.problem.detail} ${this.problem.next ?? nothing}</div></div>` : nothing}
    </div>`;
  }
}

customElements.define("preceptor-upload", PreceptorUpload);
