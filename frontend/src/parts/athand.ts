/**
 * Which part of a form is at hand. Focus by keys says so at once; focus by pointer only after the click, because
 * nothing may move or be drawn anew under a pointer that is down (a radio button would take its choice back).
 */
const CLICK_MS_MAX = 80;

export class AtHand<T> {
  #down = false;
  #waiting: { value: T } | null = null;

  constructor(
    host: HTMLElement,
    readonly take: (value: T) => void,
  ) {
    host.addEventListener("pointerdown", () => (this.#down = true), true);
    host.addEventListener("keydown", () => (this.#down = false), true);
    for (const sign of ["click", "pointercancel", "dragend"]) host.addEventListener(sign, () => setTimeout(this.#settle));
    host.addEventListener("pointerup", () => setTimeout(this.#settle, CLICK_MS_MAX));
  }

  /** A part has got the focus. */
  reach(value: T): void {
    if (this.#down) this.#waiting = { value };
    else this.take(value);
  }

  #settle = (): void => {
    this.#down = false;
    if (this.#waiting) this.take(this.#waiting.value);
    this.#waiting = null;
  };
}
