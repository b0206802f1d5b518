/**
 * `<preceptor-media-upload endpoint="/media/uploads?project=…">`: drop files or choose them; each shows how far it is and
 * can be paused, resumed and cancelled. A child `<script type="application/json">` lists uploads that an earlier visit
 * left unfinished: choosing the same file again goes on where it stopped.
 *
 * Emits `media-kept` (detail: the file) for each file that the server keeps.
 */
import { html, LitElement, nothing, type TemplateResult } from "lit";
import { repeat } from "lit/directives/repeat.js";
import type { Problem } from "../lib/api";
import { send } from "../lib/api";
import { embeddedJson, icon } from "../lib/dom";
import { sendFile, sizeInWords, type KeptMedia, type Sending } from "../lib/media-upload";

interface Unfinished {
  address: string;
  name: string;
  offset: number;
  length: number;
}

interface Line {
  key: number;
  name: string;
  size: number;
  sent: number;
  state: "sending" | "paused" | "checking" | "kept" | "failed";
  problem?: Problem;
  remark?: string | null;
  sending?: Sending;
}

const SENDING_AT_ONCE = 3;
const WORDS: Record<Line["state"], string> = { sending: "Sending", paused: "Paused", checking: "Checking the file", kept: "Kept", failed: "Not taken" };

export class PreceptorMediaUpload extends LitElement {
  static override properties = { endpoint: { type: String }, accept: { type: String }, over: { state: true }, lines: { state: true }, left: { state: true } };
  declare endpoint: string;
  declare accept: string;
  declare protected over: boolean;
  declare protected lines: Line[];
  declare protected left: Unfinished[];
  #waiting: { file: File; key: number }[] = [];
  #number = 0;

  constructor() {
    super();
    this.endpoint = "/media/uploads";
    this.accept = "";
    this.over = false;
    this.lines = [];
    this.left = [];
  }
  protected override createRenderRoot(): HTMLElement {
    return this;
  }
  override connectedCallback(): void {
    this.left = embeddedJson<Unfinished[]>(this) ?? [];
    super.connectedCallback();
    window.addEventListener("beforeunload", this.#leaving);
  }
  override disconnectedCallback(): void {
    super.disconnectedCallback();
    window.removeEventListener("beforeunload", this.#leaving);
    for (const line of this.lines) if (line.state === "sending") line.sending?.pause();
  }

  #leaving = (event: BeforeUnloadEvent): void => {
    if (this.lines.some((line) => line.state === "sending")) event.preventDefault();
  };

  /** Takes files in, three at a time. */
  take(files: Iterable<File>): void {
    for (const file of files) {
      const key = ++this.#number;
      this.left = this.left.filter((each) => each.name !== file.name || each.length !== file.size);
      this.lines = [...this.lines, { key, name: file.name, size: file.size, sent: 0, state: "sending" }];
      this.#waiting.push({ file, key });
    }
    this.#next();
  }

  #next(): void {
    while (this.#waiting.length && this.lines.filter((line) => line.state === "sending" && line.sending).length < SENDING_AT_ONCE) {
      const { file, key } = this.#waiting.shift()!;
      const sending = sendFile(file, {
        endpoint: this.endpoint,
        onProgress: (sent) => this.#change(key, { sent, state: "sending" }),
        onChecking: () => this.#change(key, { state: "checking" }),
        onKept: (media) => this.#kept(key, media),
        onProblem: (problem) => this.#ended(key, problem.status === 0 ? { state: "paused", problem } : { state: "failed", problem }),
      });
      this.#change(key, { sending });
    }
  }

  #change(key: number, change: Partial<Line>): void {
    this.lines = this.lines.map((line) => (line.key === key ? { ...line, ...change } : line));
  }
  #kept(key: number, media: KeptMedia): void {
    this.#ended(key, { state: "kept", sent: media.size_bytes, remark: media.remark });
    this.dispatchEvent(new CustomEvent<KeptMedia>("media-kept", { detail: media, bubbles: true }));
  }
  #ended(key: number, change: Partial<Line>): void {
    this.#change(key, change);
    this.#next();
  }
  #toggle(line: Line): void {
    if (line.state === "sending") {
      line.sending?.pause();
      this.#ended(line.key, { state: "paused" });
    } else {
      this.#change(line.key, { state: "sending", problem: undefined });
      line.sending?.resume();
    }
  }
  async #remove(line: Line): Promise<void> {
    this.#waiting = this.#waiting.filter((each) => each.key !== line.key);
    this.lines = this.lines.filter((each) => each.key !== line.key);
    if (line.state === "sending" || line.state === "paused") await line.sending?.cancel();
    this.#next();
  }
  async #forget(one: Unfinished): Promise<void> {
    this.left = this.left.filter((each) => each !== one);
    await send("DELETE", one.address, { headers: { "Tus-Resumable": "1.0.0" } });
  }

  #dropped(event: DragEvent): void {
    event.preventDefault();
    this.over = false;
    this.take(event.dataTransfer?.files ?? []);
  }
  #choose(): void {
    this.querySelector<HTMLInputElement>('input[type="file"]')?.click();
  }
  #picked(event: Event): void {
    const input = event.target as HTMLInputElement;
    this.take([...(input.files ?? [])]);
    input.value = "";
  }

  protected override render(): TemplateResult {
    return html`<div class="drop-area px-5 py-6 flex flex-col items-center text-center gap-1" ?data-over=${this.over}
        @dragover=${(event: DragEvent) => (event.preventDefault(), (this.over = true))} @dragleave=${() => (this.over = false)} @drop=${this.#dropped}>
        ${icon("upload", undefined, "text-xl text-muted")}
        <p class="font-medium">Drop files here</p>
        <input type="file" multiple class="sr-only" tabindex="-1" aria-label="Files to upload" accept=${this.accept || nothing} @change=${this.#picked} />
        <button type="button" class="btn btn-plain btn-sm mt-1" @click=${this.#choose}>Choose files</button>
      </div>
      ${this.left.length ? this.#unfinished() : nothing}
      ${this.lines.length ? html`<ul class="upload-lines" aria-label="Uploads">${repeat(this.lines, (line) => line.key, (line) => this.#line(line))}</ul>` : nothing}
      <p class="sr-only" role="status">${this.#summary()}</p>`;
  }

  #summary(): string {
    const kept = this.lines.filter((line) => line.state === "kept").length;
    const failed = this.lines.filter((line) => line.state === "failed").length;
    if (!this.lines.length) return "";
    return `${kept} of ${this.lines.length} files kept${failed ? `, ${failed} not taken` : ""}.`;
  }

  #unfinished(): TemplateResult {
    return html`<div class="note mt-3" data-tone="info">${icon("history")}<div class="min-w-0 flex-1"><b>Unfinished uploads.</b> Choose the same file again, and it goes on where it stopped.
      <ul class="mt-2 grid gap-1">${this.left.map(
        (one) => html`<li class="flex items-center gap-3"><span class="min-w-0 truncate">${one.name}</span><span class="text-muted num whitespace-nowrap">${Math.floor((100 * one.offset) / one.length)} % of ${sizeInWords(one.length)}</span>
          <button type="button" class="btn btn-quiet btn-xs" @click=${() => this.#forget(one)}>Discard<span class="sr-only"> ${one.name}</span></button></li>`,
      )}</ul></div></div>`;
  }

  #line(line: Line): TemplateResult {
    const moving = line.state === "sending" || line.state === "paused";
    return html`<li class="upload-line" data-state=${line.state}>
      ${icon(line.state === "kept" ? "circle-check" : line.state === "failed" ? "circle-alert" : "file-text", undefined, "text-muted")}
      <div class="min-w-0 flex-1">
        <div class="flex justify-between gap-3"><span class="min-w-0 truncate font-medium">${line.name}</span><span class="text-sm text-muted num whitespace-nowrap">${WORDS[line.state]}${moving ? ` · ${this.#share(line)} % of ${sizeInWords(line.size)}` : ` · ${sizeInWords(line.size)}`}</span></div>
        ${line.state === "kept" || line.state === "failed" ? nothing : html`<progress class="bar mt-1.5" max="1" value=${line.state === "checking" ? nothing : line.size ? line.sent / line.size : 0} aria-label="Sent of ${line.name}"></progress>`}
        ${line.problem ? html`<p class="text-sm mt-1 ${line.state === "failed" ? "text-harm-ink" : "text-muted"}" role="alert">${line.problem.detail || line.problem.title}</p>` : nothing}
        ${line.remark ? html`<p class="text-sm mt-1 text-muted">${line.remark}</p>` : nothing}
      </div>
      ${moving ? html`<button type="button" class="btn btn-quiet btn-sm" @click=${() => this.#toggle(line)}>${icon(line.state === "sending" ? "pause" : "play")}${line.state === "sending" ? "Pause" : "Resume"}<span class="sr-only"> ${line.name}</span></button>` : nothing}
      ${line.state === "checking" ? nothing : html`<button type="button" class="btn btn-quiet btn-sm btn-square" aria-label="${moving ? "Cancel" : "Put away"} ${line.name}" @click=${() => this.#remove(line)}>${icon("x")}</button>`}
    </li>`;
  }

  #share(line: Line): number {
    return line.size ? Math.floor((100 * line.sent) / line.size) : 0;
  }
}

customElements.define("preceptor-media-upload", PreceptorMediaUpload);
