/** The base of a kind's element: properties, embedded data, the answer and its event. Light DOM, no styles of its own. */
import { LitElement, type PropertyValues } from "lit";
import { embeddedJson } from "./dom";
import type { AnswerChanged, Desk, Shortcut, TaskElement } from "./view";

/**
 * Subclasses give `emptyAnswer`, `problemsOf` and `render`; they change the answer by `change`.
 *
 * Data comes by properties, or as a `<script type="application/json">` child {data, draft, readonly}.
 */
export abstract class KindElement<Data, Answer extends object> extends LitElement implements TaskElement {
  static override properties = {
    desk: { attribute: false },
    data: { attribute: false },
    draft: { attribute: false },
    readonly: { type: Boolean, reflect: true },
    fill: { type: Boolean },
    only: {},
    answer: { state: true },
  };
  declare desk?: Desk;
  declare data: Data | null;
  declare draft: Partial<Answer> | null;
  declare readonly: boolean;
  /** Take the height given by the parent; the material scrolls inside. */
  declare fill: boolean;
  /** Show one half: "material" to read, "answer" to judge or to show a judgment beside others. */
  declare only: "" | "material" | "answer";
  declare protected answer: Answer;

  constructor() {
    super();
    this.data = null;
    this.draft = null;
    this.readonly = false;
    this.fill = false;
    this.only = "";
    this.answer = this.emptyAnswer(null);
  }

  /** An answer that says nothing yet; `data` is null before there is any. */
  protected abstract emptyAnswer(data: Data | null): Answer;

  /** What the answer still lacks, in sentences, by the same rules as the server's `check`. */
  protected abstract problemsOf(data: Data, answer: Answer): string[];

  /** Keys for the shortcut sheet. */
  get shortcuts(): Shortcut[] {
    return [];
  }

  /** Keys pressed anywhere on the page while this task is on the desk; not called where `readonly`. */
  protected pressed(_event: KeyboardEvent): void {}

  get value(): Answer {
    return this.answer;
  }

  get problems(): string[] {
    return this.data ? this.problemsOf(this.data, this.answer) : [];
  }

  protected change(part: Partial<Answer>): void {
    if (this.readonly) return;
    this.answer = { ...this.answer, ...part };
    const detail: AnswerChanged<Answer> = { answer: this.value, problems: this.problems };
    this.dispatchEvent(new CustomEvent("answer-changed", { detail, bubbles: true }));
  }

  protected override createRenderRoot(): HTMLElement {
    return this;
  }

  readonly #keys = (event: KeyboardEvent): void => {
    if (!this.readonly && this.data && !document.querySelector("dialog[open]")) this.pressed(event);
  };

  override connectedCallback(): void {
    const given = embeddedJson<{ data: Data; draft?: Partial<Answer>; readonly?: boolean }>(this);
    if (given && !this.data) {
      this.data = given.data;
      this.draft = given.draft ?? null;
      this.readonly = given.readonly ?? this.readonly;
    }
    super.connectedCallback();
    document.addEventListener("keydown", this.#keys);
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    document.removeEventListener("keydown", this.#keys);
  }

  protected override willUpdate(changed: PropertyValues): void {
    if (changed.has("data") || changed.has("draft")) {
      this.answer = { ...this.emptyAnswer(this.data), ...structuredClone(this.draft ?? {}) };
    }
  }
}
