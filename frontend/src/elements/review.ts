/**
 * `<preceptor-review key="sub_...">` around the review form (see templates/review/desk.html): keys for criteria and
 * decisions, quotes from marked text, words that survive a reload. Without scripts the form works as it is.
 */
import { memory, typingIn } from "../lib/dom";
import { WorkClock } from "../lib/clock";
import { uncover, UNCOVERED } from "../parts/cover";

const QUOTE_CHARACTERS_MAX = 2000;
const VERDICTS = ["met", "not_met", "unclear"];
const KEEP_FIELDS = "textarea[name], input[type=hidden][data-quote], input[type=radio]";

class PreceptorReview extends HTMLElement {
  #clock = new WorkClock(Date.now());
  #ticks: ReturnType<typeof setInterval> | undefined;
  /** The last text that was marked in the submission: pressing a button may take the selection away. */
  #marked = "";

  connectedCallback(): void {
    // Before the comparison's own keys (a, s, x ...), which mean something else here.
    document.addEventListener("keydown", this.#keys, true);
    document.addEventListener("selectionchange", this.#remember);
    this.addEventListener("click", this.#clicks);
    this.addEventListener("input", this.#keep);
    this.addEventListener("focusin", this.#focused);
    this.#form.addEventListener("submit", this.#submitted);
    this.addEventListener("pointermove", this.#touch);
    this.addEventListener(UNCOVERED, this.#onlyDecideWhatIsSeen);
    this.#onlyDecideWhatIsSeen();
    this.#restore();
    this.#ticks = setInterval(() => this.#tick(), 1000);
  }

  disconnectedCallback(): void {
    document.removeEventListener("keydown", this.#keys, true);
    document.removeEventListener("selectionchange", this.#remember);
    clearInterval(this.#ticks);
  }

  get #form(): HTMLFormElement {
    return this.querySelector("form")!;
  }
  get #criteria(): HTMLElement[] {
    return [...this.querySelectorAll<HTMLElement>("[data-criterion]")];
  }
  get #current(): HTMLElement | null {
    return this.querySelector<HTMLElement>("[data-criterion][data-current]");
  }
  get #dialog(): HTMLDialogElement {
    return this.querySelector("dialog[data-reject]")!;
  }

  #touch = (): void => this.#clock.touch(Date.now());
  #tick(): void {
    const seconds = Math.round(this.#clock.tick(Date.now(), document.visibilityState === "visible") / 1000);
    this.querySelector<HTMLInputElement>("input[name=worked_seconds]")!.value = String(seconds);
  }

  #keys = (event: KeyboardEvent): void => {
    this.#touch();
    if (event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog[open]")) return;
    const target = event.target as HTMLElement;
    const reading = target instanceof HTMLTextAreaElement && target.readOnly;
    if (typingIn(event) && !reading) {
      if (event.key === "Escape") target.blur();
      return;
    }
    if (!this.#handle(event.key)) return;
    event.preventDefault();
    event.stopPropagation();
  };

  #handle(key: string): boolean {
    switch (key) {
      case "j":
      case "k":
        return this.#move(key === "j" ? 1 : -1);
      case "1":
      case "2":
      case "3":
        return this.#judge(VERDICTS[Number(key) - 1]!);
      case "q":
        return this.#quote(this.#current ?? this.#criteria[0] ?? null);
      case "c":
        return this.#focus((this.#current ?? this).querySelector<HTMLElement>("textarea:not([readonly])"));
      case "e":
        return this.#focus(this.querySelector<HTMLElement>("textarea[name=comment]"));
      case "a":
        return this.#press("approve");
      case "r":
        return this.#press("return");
      case "x":
        return this.#askReject();
      case "n":
        return this.#press("skip");
      case "v":
        return this.#cover !== null && this.#show();
      default:
        return false;
    }
  }

  /** Covered material, until the reviewer asks for it. */
  get #cover(): HTMLElement | null {
    return this.querySelector<HTMLElement>("[data-submission] [data-cover]");
  }

  /** Nobody decides about what they have not seen. Skipping goes on. */
  #onlyDecideWhatIsSeen = (): void => {
    const covered = this.#cover !== null;
    for (const button of this.querySelectorAll<HTMLButtonElement>("button[name=decision]")) button.disabled = covered;
  };

  #show(): boolean {
    if (this.#cover) uncover(this.#cover);
    return true;
  }

  #focus(field: HTMLElement | null): boolean {
    field?.focus();
    return field !== null;
  }

  #press(action: string): boolean {
    this.querySelector<HTMLButtonElement>(`button[data-action=${action}]`)?.click();
    return true;
  }

  #move(step: number): boolean {
    const all = this.#criteria;
    const at = all.findIndex((each) => each.hasAttribute("data-current"));
    const next = all[Math.min(all.length - 1, Math.max(0, at + step))];
    if (!next) return true;
    this.#makeCurrent(next);
    next.scrollIntoView({ block: "nearest" });
    (next.querySelector<HTMLInputElement>("input[type=radio]:checked") ?? next.querySelector<HTMLInputElement>("input[type=radio]"))?.focus({ preventScroll: true });
    return true;
  }

  #makeCurrent(criterion: HTMLElement): void {
    for (const each of this.#criteria) each.toggleAttribute("data-current", each === criterion);
  }

  #focused = (event: Event): void => {
    const criterion = (event.target as HTMLElement).closest<HTMLElement>("[data-criterion]");
    if (criterion) this.#makeCurrent(criterion);
  };

  /** A verdict on the current criterion; the first that is open when none is current. */
  #judge(verdict: string): boolean {
    const criterion = this.#current ?? this.#criteria.find((each) => !each.querySelector("input:checked")) ?? this.#criteria[0];
    if (!criterion) return true;
    this.#makeCurrent(criterion);
    criterion.scrollIntoView({ block: "nearest" });
    const radio = criterion.querySelector<HTMLInputElement>(`input[type=radio][value=${verdict}]`)!;
    radio.checked = true;
    radio.focus({ preventScroll: true });
    this.#keep();
    return true;
  }

  #remember = (): void => {
    const text = this.#selected();
    if (text) this.#marked = text;
    for (const button of this.querySelectorAll<HTMLButtonElement>("button[data-add-quote]")) button.disabled = !this.#marked;
  };

  /** Marked text of the submission; a text box keeps its own selection. */
  #selected(): string {
    const field = document.activeElement;
    if (field instanceof HTMLTextAreaElement && field.readOnly && this.contains(field)) {
      return field.value.slice(field.selectionStart, field.selectionEnd).trim().slice(0, QUOTE_CHARACTERS_MAX);
    }
    const selection = getSelection();
    const within = selection?.anchorNode?.parentElement?.closest("[data-submission]");
    if (!selection || !within || !within.contains(selection.focusNode)) return "";
    return selection.toString().trim().slice(0, QUOTE_CHARACTERS_MAX);
  }

  #quote(criterion: HTMLElement | null): boolean {
    if (!criterion) return true;
    const text = this.#selected() || this.#marked;
    const hint = criterion.querySelector<HTMLElement>("[data-quote-hint]");
    if (hint) hint.hidden = Boolean(text);
    if (!text) return true;
    this.#showQuote(criterion, text);
    this.#makeCurrent(criterion);
    this.#marked = "";
    this.#keep();
    return true;
  }

  #showQuote(criterion: HTMLElement, text: string): void {
    criterion.querySelector<HTMLInputElement>("input[data-quote]")!.value = text;
    const shown = criterion.querySelector<HTMLElement>("[data-quote-shown]")!;
    shown.hidden = !text;
    shown.querySelector("q")!.textContent = text;
  }

  #clicks = (event: Event): void => {
    const target = event.target as HTMLElement;
    const criterion = target.closest<HTMLElement>("[data-criterion]");
    if (criterion && target.closest("[data-add-quote]")) this.#quote(criterion);
    if (criterion && target.closest("[data-drop-quote]")) {
      this.#showQuote(criterion, "");
      this.#keep();
    }
    if (target.closest("button[data-action=reject]")) {
      event.preventDefault();
      this.#askReject();
    }
  };

  #askReject(): boolean {
    if (this.#cover) return true;
    const unmet = this.#criteria.filter((each) => each.querySelector("input[value=not_met]:checked"));
    const names = unmet.map((each) => each.dataset.title ?? "");
    this.#dialog.querySelector("[data-unmet]")!.textContent = names.length ? `Not met: ${names.join(", ")}.` : "";
    if (!this.#dialog.open) this.#dialog.showModal();
    this.#dialog.querySelector<HTMLElement>("button[value=reject]")?.focus();
    return true;
  }

  #submitted = (event: SubmitEvent): void => {
    this.#tick();
    // A second press while the first is on its way would only be answered "already decided".
    if (this.hasAttribute("data-sent")) return event.preventDefault();
    this.setAttribute("data-sent", "");
  };

  #keep = (): void => {
    const kept: Record<string, string> = {};
    for (const field of this.querySelectorAll<HTMLInputElement | HTMLTextAreaElement>(KEEP_FIELDS)) {
      if (!field.name || (field.type === "radio" && !(field as HTMLInputElement).checked)) continue;
      if (field.value) kept[field.name] = field.value;
    }
    memory.set(`review.${this.getAttribute("key")}`, Object.keys(kept).length ? JSON.stringify(kept) : null);
    memory.set("review.last", this.getAttribute("key"));
  };

  /** What was written before a reload. It is never older than what the server sends back: it is kept with every key. */
  #restore(): void {
    const last = memory.get("review.last");
    if (last && last !== this.getAttribute("key")) memory.set(`review.${last}`, null);
    const kept = memory.get(`review.${this.getAttribute("key")}`);
    if (!kept) return;
    const values = JSON.parse(kept) as Record<string, string>;
    for (const field of this.querySelectorAll<HTMLInputElement | HTMLTextAreaElement>(KEEP_FIELDS)) {
      const value = values[field.name] ?? "";
      if (field.type === "radio") (field as HTMLInputElement).checked = field.value === value;
      else if (field.hasAttribute("data-quote")) this.#showQuote(field.closest<HTMLElement>("[data-criterion]")!, value);
      else if (field.name) field.value = value;
    }
  }
}

customElements.define("preceptor-review", PreceptorReview);
