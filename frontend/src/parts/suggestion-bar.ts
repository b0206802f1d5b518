/**
 * The bar over a task for which a model suggests an answer. Nothing is filled in before the person asks for it; what
 * they have given already is replaced only after asking, and can be had back.
 */
import { html, nothing, type TemplateResult } from "lit";
import { newKey, send } from "../lib/api";
import { icon, kbd } from "../lib/dom";
import { replaces, taken } from "../lib/suggestion";
import type { Shortcut } from "../lib/view";
import type { Suggestion } from "../lib/workspace";

type Answer = Record<string, unknown>;

/** The desk that the bar belongs to. */
export interface SuggestedDesk {
  /** The answer as it stands. */
  answer(): Answer;
  /** Put this answer in place of it. */
  put(answer: Answer): void;
  requestUpdate(): void;
}

export class SuggestionBar {
  #used: boolean | null;
  #asking = false;
  #before: Answer | null = null;
  /** What the server has not confirmed yet. */
  #untold = false;
  #telling: Promise<void> = Promise.resolve();

  constructor(
    private readonly suggestion: Suggestion,
    private readonly desk: SuggestedDesk,
    begun: boolean,
  ) {
    const lost = suggestion.used === true && !begun;
    this.#used = lost ? null : suggestion.used;
    // One that was taken over and whose draft got lost is open again, for the server too: what comes is the person's.
    if (lost) [this.#untold, this.#telling] = [true, this.#tell()];
  }

  get shortcuts(): Shortcut[] {
    return [
      { keys: "Alt U", words: "Use the model's suggestion, or take it back" },
      { keys: "Alt W", words: "Do without the suggestion, or show it again" },
    ];
  }

  /** True where the key was one of the bar's. */
  pressed(event: KeyboardEvent): boolean {
    if (!event.altKey || event.ctrlKey || event.metaKey || event.shiftKey) return false;
    const letter = /^[a-z]$/i.test(event.key) ? event.key.toLowerCase() : event.code.replace(/^Key/, "").toLowerCase();
    if (letter !== "u" && letter !== "w") return false;
    event.preventDefault();
    if (letter === "u") this.#used ? this.#takeBack() : this.#use(this.#asking);
    else if (this.#used === null) this.#asking ? this.#ask(false) : this.#decline();
    else if (!this.#used) this.#set(null);
    return true;
  }

  /** Resolves once the server knows what was pressed, or cannot be told. */
  async told(): Promise<void> {
    await this.#telling;
    if (this.#untold) await this.#tell();
  }

  #use(sure: boolean): void {
    const value = this.desk.answer();
    if (!sure && replaces(value, this.suggestion.answer)) return this.#ask(true);
    this.#before = structuredClone(value);
    this.desk.put(taken(value, structuredClone(this.suggestion.answer)));
    this.#set(true);
  }

  #takeBack(): void {
    if (!this.#before) return;
    this.desk.put(this.#before);
    this.#before = null;
    this.#set(null);
  }

  #decline(): void {
    this.#set(false);
  }

  #ask(asking: boolean): void {
    this.#asking = asking;
    this.desk.requestUpdate();
  }

  #set(used: boolean | null): void {
    [this.#used, this.#asking, this.#untold] = [used, false, true];
    this.#telling = this.#telling.then(() => this.#tell());
    this.desk.requestUpdate();
  }

  async #tell(): Promise<void> {
    const used = this.#used;
    const reply = await send("POST", this.suggestion.url, { body: { used }, headers: { "Idempotency-Key": newKey() } });
    if (reply.ok && used === this.#used) this.#untold = false;
  }

  render(stopped: boolean): TemplateResult {
    return html`<section class="desk-suggestion" aria-label="A model's suggestion" ?inert=${stopped}>
      <p class="flex gap-2.5 min-w-0 grow basis-64" role="status">${icon("bot", undefined, "flex-none mt-1")}<span class="min-w-0">${this.#words()}</span></p>
      <div class="flex flex-wrap gap-2 flex-none">${this.#buttons()}</div>
    </section>`;
  }

  #words(): TemplateResult | string {
    const { words, model } = this.suggestion;
    const said = words ? html`: <strong>${words}</strong>` : nothing;
    const who = model ? html`A model (${model})` : "A model";
    if (this.#asking) return "This replaces what you have given so far.";
    if (this.#used) return html`You began with the model's suggestion${said}. Change whatever is not right.`;
    if (this.#used === false) return "You do without the model's suggestion.";
    return html`${who} suggests an answer${said}. It may be wrong: judge for yourself.`;
  }

  #buttons(): TemplateResult | typeof nothing {
    if (this.#asking) return html`${button("Replace it", "Alt U", () => this.#use(true))}${button("Keep mine", "Alt W", () => this.#ask(false))}`;
    if (this.#used) return this.#before ? button("Take it back", "Alt U", () => this.#takeBack()) : nothing;
    if (this.#used === false) return button("Show it again", "Alt W", () => this.#set(null));
    return html`${button("Use it", "Alt U", () => this.#use(false))}${button("Do without", "Alt W", () => this.#decline())}`;
  }
}

function button(words: string, keys: string, press: () => void): TemplateResult {
  return html`<button type="button" class="btn btn-plain btn-sm" aria-keyshortcuts=${keys.replace(" ", "+")} @click=${press}>${words}<span class="max-md:hidden">${kbd(keys)}</span></button>`;
}
