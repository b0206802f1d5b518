/** A picture that is zoomed, panned and turned inside a scrolling frame; layers lie over it in its own pixels. */
import { clamp, type Point, type Size } from "./geometry";
import { layTurned, nextTurn, shownAt, shownSize } from "./turning";

const ZOOM_MAX = 16;
const ZOOM_MIN_PART = 0.25;
/** From here on single pixels are shown sharp. */
const PIXELATED_FROM = 3;

export class Picture {
  /** Scrolls; has the keyboard focus. */
  readonly view = document.createElement("div");
  /** As large as the picture is shown, turned. */
  readonly sheet = document.createElement("div");
  /** As large as the picture is shown, before turning: layers go in here. */
  readonly turned = document.createElement("div");
  size: Size = { width: 1, height: 1 };
  turns = 0;
  /** Shown pixels per stored pixel. */
  scale = 1;
  #fitted = true;
  #watch = new ResizeObserver(() => this.#resized());

  constructor(readonly content: HTMLElement, readonly changed: () => void) {
    this.view.className = "picture-view";
    this.sheet.className = "picture-sheet";
    this.turned.className = "picture-turned";
    this.turned.append(content);
    this.sheet.append(this.turned);
    this.view.append(this.sheet);
    this.view.addEventListener("wheel", (event) => this.#wheel(event), { passive: false });
    this.#watch.observe(this.view);
  }

  destroy(): void {
    this.#watch.disconnect();
  }

  setSize(size: Size): void {
    this.size = size;
    this.fit();
  }

  get fitScale(): number {
    const { width, height } = shownSize(this.size, this.turns);
    const room = { width: this.view.clientWidth || 1, height: this.view.clientHeight || 1 };
    return Math.min(room.width / width, room.height / height, 4);
  }

  get fitted(): boolean {
    return this.#fitted;
  }

  fit(): void {
    this.#fitted = true;
    this.#apply(this.fitScale);
  }

  #resized(): void {
    if (this.#fitted) this.fit();
    else this.changed();
  }

  turn(): void {
    this.turns = nextTurn(this.turns);
    this.fit();
  }

  /** Zooms by a factor; a place on the screen stays where it is (the middle, if none is given). */
  zoom(factor: number, about?: { x: number; y: number }): void {
    const box = this.view.getBoundingClientRect();
    const at = about ?? { x: box.left + box.width / 2, y: box.top + box.height / 2 };
    const before = this.sheet.getBoundingClientRect();
    const [u, v] = [(at.x - before.left) / before.width, (at.y - before.top) / before.height];
    const fit = this.fitScale;
    const scale = clamp(this.scale * factor, Math.min(fit * ZOOM_MIN_PART, 1), Math.max(ZOOM_MAX, fit));
    this.#fitted = false;
    this.#apply(scale);
    const after = this.sheet.getBoundingClientRect();
    this.view.scrollBy(after.left + u * after.width - at.x, after.top + v * after.height - at.y);
  }

  pan(dx: number, dy: number): void {
    this.view.scrollBy(-dx, -dy);
  }

  /** Scrolls so that a place of the picture is in sight. */
  reveal(at: Point): void {
    const box = this.view.getBoundingClientRect();
    const sheet = this.sheet.getBoundingClientRect();
    const shown = this.shownAt(at);
    const [x, y] = [sheet.left + shown.x - box.left, sheet.top + shown.y - box.top];
    const over = (value: number, room: number) => (value < 20 ? value - room / 4 : value > room - 20 ? value - (room * 3) / 4 : 0);
    this.view.scrollBy(over(x, box.width), over(y, box.height));
  }

  /** A place of the picture on the sheet as it is shown. */
  shownAt(place: Point): Point {
    const shown = shownAt(place, this.size, this.turns);
    return { x: shown.x * this.scale, y: shown.y * this.scale };
  }

  #wheel(event: WheelEvent): void {
    if (!event.ctrlKey && !event.metaKey) return;
    event.preventDefault();
    this.zoom(Math.exp(-clamp(event.deltaY, -120, 120) / 300), { x: event.clientX, y: event.clientY });
  }

  #apply(scale: number): void {
    this.scale = scale;
    layTurned(this.sheet, this.turned, { width: this.size.width * scale, height: this.size.height * scale }, this.turns);
    this.turned.toggleAttribute("data-sharp", scale >= PIXELATED_FROM);
    this.changed();
  }
}
