/** Image, of one page or several: boxes, polygons, ellipses, points and masks. */
import { html, nothing, render, type TemplateResult } from "lit";
import { icon } from "../../lib/dom";
import { Masks, type MaskRegion } from "../media/brush";
import { boundsOf, valueOf, type Point, type Shape as Drawn, type ShapeKind, type Size } from "../media/geometry";
import { Notice } from "../media/loading";
import { Picture } from "../media/picture";
import { ShapeLayer } from "../media/shapelayer";
import { watchRoom } from "../media/room";
import { adoptMediaStyles } from "../media/style";
import { flagOf, textOf, urlsOf } from "../media/source";
import { tool } from "../media/toolbar";
import { inWords, kindOf, layerShapes, shapeIn, Toolbox } from "../media/tools";
import type { Mount, ObjectContext, ObjectView, Pen, Region, Shortcut } from "../types";

const ZOOM_STEP = 1.25;
export const mount: Mount = (context) => new ImageView(context);

class ImageView implements ObjectView {
  readonly #root = document.createElement("div");
  readonly #bar = document.createElement("div");
  readonly #noticeHost = document.createElement("div");
  readonly #image = new Image();
  readonly #maskHost = document.createElement("div");
  readonly #notice = new Notice(this.#noticeHost);
  readonly #picture: Picture;
  readonly #layer: ShapeLayer;
  readonly #masks: Masks;
  readonly #tools: Toolbox;
  readonly #pages: string[];
  #unwatch = (): void => {};
  #page = -1;
  #loaded = false;
  #titles = true;
  #light = { brightness: 100, contrast: 100 };

  constructor(readonly context: ObjectContext) {
    adoptMediaStyles();
    const { host, session, name, tag, fill } = context;
    this.#pages = urlsOf(tag.content);
    this.#tools = new Toolbox(session, name);
    this.#root.className = "media media-image";
    this.#root.toggleAttribute("data-fill", fill);
    this.#bar.className = "media-bar";
    this.#image.className = "picture";
    this.#image.decoding = "async";
    this.#image.draggable = false;
    this.#image.onload = () => this.#arrived();
    this.#image.onerror = () => this.#failed();
    this.#maskHost.className = "masks";
    this.#picture = new Picture(this.#image, () => this.#draw());
    this.#picture.turned.append(this.#maskHost);
    this.#masks = new Masks(this.#maskHost, this.#maskHooks());
    this.#layer = new ShapeLayer(this.#picture.turned, this.#layerHooks());
    this.#dressView();
    this.#root.append(this.#bar, this.#noticeHost, this.#picture.view);
    host.append(this.#root);
    if (fill) this.#unwatch = watchRoom(this.#root);
    this.#showPage();
  }

  #dressView(): void {
    const { view } = this.#picture;
    view.tabIndex = 0;
    view.setAttribute("role", "application");
    view.setAttribute("aria-roledescription", "image to annotate");
    view.addEventListener("focus", () => this.#draw());
  }

  get shortcuts(): Shortcut[] {
    const drawing = this.context.session.readonly ? [] : DRAWING_KEYS;
    return [...drawing, ...VIEW_KEYS, ...(this.#pages.length > 1 ? [{ keys: "PageUp PageDown", words: "Page before, next page" }] : [])];
  }

  // ---- the picture

  get #item(): number {
    return this.#pages.length > 1 ? this.context.session.item(this.context.name) : 0;
  }

  #showPage(): void {
    const url = this.#pages[this.#item];
    this.#page = this.#item;
    this.#loaded = false;
    this.#image.alt = this.#pages.length > 1 ? `Page ${this.#page + 1} of ${this.#pages.length}` : textOf(this.context.tag, "alt") || "Image to annotate";
    this.#picture.view.hidden = true;
    if (!url) return this.#notice.failed("This task has no image.", () => this.#showPage());
    this.#notice.loading("the image", () => this.#again());
    this.#image.src = url;
  }

  #again(): void {
    this.#image.removeAttribute("src");
    this.#showPage();
    this.#draw();
  }

  #failed(): void {
    if (!this.#image.getAttribute("src")) return;
    this.#notice.failed("The image could not be loaded. It may be broken, or the connection was lost.", () => this.#again());
  }

  #arrived(): void {
    if (!this.#image.naturalWidth) return this.#failed();
    this.#loaded = true;
    this.#notice.clear();
    this.#picture.view.hidden = false;
    this.#layer.cross = null;
    this.#picture.view.style.aspectRatio = `${this.#image.naturalWidth} / ${this.#image.naturalHeight}`;
    this.#picture.setSize({ width: this.#image.naturalWidth, height: this.#image.naturalHeight });
  }

  get #size(): Size {
    return this.#picture.size;
  }

  get #regions(): Region[] {
    const { session, name } = this.context;
    return this.#pages.length > 1 ? session.regionsOf(name, this.#page) : session.regionsOf(name);
  }

  // ---- drawing

  #layerHooks(): ShapeLayer["hooks"] {
    const { session } = this.context;
    return {
      size: () => this.#size,
      turns: () => this.#picture.turns,
      shapes: () => (this.#loaded ? layerShapes(session, this.#regions, this.#size, this.#titles) : []),
      selected: () => session.selected,
      fresh: () => session.fresh,
      tool: () => this.#tools.tool(),
      readonly: () => session.readonly,
      add: (shape) => this.#add(valueOf(shape, this.#size)),
      change: (id, shape, live) => this.#change(id, shape, live),
      select: (id) => session.select(id),
      say: (words) => session.say(words),
      toolMissing: () => this.#tools.missing(),
      under: (at) => this.#masks.under(at),
      brush: {
        begin: (at) => this.#masks.begin(at),
        to: (at) => this.#masks.to(at),
        end: () => this.#masks.end(),
        cancel: () => this.#masks.cancel(),
        radius: () => this.#masks.radius(),
        resize: (factor) => this.#masks.resize(factor),
        toggleEraser: () => (this.#masks.toggleEraser(), this.#drawBar()),
      },
      pan: (dx, dy) => this.#picture.pan(dx, dy),
      pinch: (factor, at, dx, dy) => (this.#picture.zoom(factor, at), this.#picture.pan(dx, dy)),
      reveal: (at) => this.#picture.reveal(at),
    };
  }

  #maskHooks(): Masks["hooks"] {
    const { session } = this.context;
    return {
      size: () => this.#size,
      target: (erasing, at) => this.#maskTarget(erasing, at),
      colour: () => this.#penColour(),
      commit: (id, rle) => (id ? session.change(id, { format: "rle", rle }) : this.#add({ format: "rle", rle })),
      say: (words) => session.say(words),
    };
  }

  /** The selected mask goes on, if it may be changed; the eraser also takes the one below it. */
  #maskTarget(erasing: boolean, at: Point): string | null {
    const { session } = this.context;
    const usable = (id: string | null) => id !== null && !session.isLocked(id) && this.#regions.some((each) => each.id === id && kindOf(each.value) === "brush");
    if (usable(session.selected)) return session.selected;
    const below = erasing ? this.#masks.under(at) : null;
    if (!usable(below)) return null;
    session.select(below);
    return below;
  }

  /** A region that is not there yet, to ask for its colour. */
  #penColour(): string {
    const { session, name } = this.context;
    const held = this.#tools.pen();
    if (!held) return "var(--color-primary)";
    return session.colourOf({ id: "", object: name, control: held.pen.control, value: {}, labels: { [held.pen.labelling]: held.pen.labels }, beside: {}, origin: "manual" });
  }

  #add(value: object): void {
    const { session, name } = this.context;
    const held = this.#tools.pen();
    if (!held) return session.say(this.#tools.missing());
    const beside = { original_width: this.#size.width, original_height: this.#size.height, image_rotation: 0 };
    session.add({ object: name, value: value as Record<string, unknown>, pen: held.pen, beside, ...(this.#pages.length > 1 ? { item: this.#page } : {}) });
    this.#draw();
  }

  #change(id: string, shape: Drawn, live: boolean): void {
    const region = this.context.session.region(id);
    if (!region) return;
    this.context.session.change(id, { ...region.value, ...valueOf(shape, this.#size) }, { live, beside: { image_rotation: 0 } });
    this.#draw();
  }

  // ---- what the core asks

  refresh(): void {
    if (this.#item !== this.#page) this.#showPage();
    this.#draw();
  }

  reveal(id: string, focus: boolean): void {
    const region = this.context.session.region(id);
    if (!region) return;
    if (region.item !== undefined && region.item !== this.#page && this.#pages.length > 1) this.context.session.setItem(this.context.name, region.item);
    const frame = this.#frame(region);
    if (frame) this.#picture.reveal({ x: frame.x + frame.width / 2, y: frame.y + frame.height / 2 });
    if (focus) this.#picture.view.focus({ preventScroll: true });
  }

  #frame(region: Region): (Point & Size) | null {
    const kind = kindOf(region.value);
    if (!kind) return null;
    return kind === "brush" ? this.#masks.boundsOf(region.id) : boundsOf(shapeIn(region, kind as ShapeKind, this.#size));
  }

  describe(region: Region): string {
    const page = this.#pages.length > 1 ? `page ${(region.item ?? 0) + 1}, ` : "";
    return page + inWords(region.value);
  }

  key(event: KeyboardEvent): boolean {
    if (!this.#loaded || event.composedPath()[0] !== this.#picture.view) return false;
    return this.#layer.key(event) || (!event.ctrlKey && !event.metaKey && !event.altKey && this.#viewKey(event.key));
  }

  #viewKey(key: string): boolean {
    if (key === "+" || key === "=") return this.#picture.zoom(ZOOM_STEP), true;
    if (key === "-") return this.#picture.zoom(1 / ZOOM_STEP), true;
    if (key === "f") return this.#picture.fit(), true;
    if (key === "z") return this.#picture.turn(), true;
    if (key === "v") return this.#pick(), true;
    if (key === "b") return (this.#titles = !this.#titles), this.#draw(), true;
    const step = key === "PageDown" ? 1 : key === "PageUp" ? -1 : 0;
    return step !== 0 && this.#pages.length > 1 && (this.#go(this.#page + step), true);
  }

  #pick(): void {
    this.#tools.picking = !this.#tools.picking;
    this.context.session.say(this.#tools.picking ? "Selecting." : "Drawing.");
    this.#draw();
  }

  #go(page: number): void {
    if (page < 0 || page >= this.#pages.length) return;
    this.context.session.setItem(this.context.name, page);
    this.refresh();
  }

  labelChosen(_pen: Pen): boolean {
    this.#tools.picking = false;
    this.#draw();
    return false;
  }

  focus(): void {
    this.#picture.view.focus({ preventScroll: true });
  }

  destroy(): void {
    this.#unwatch();
    this.#picture.destroy();
    this.#root.remove();
  }

  // ---- redrawing

  #draw(): void {
    this.#drawBar();
    if (!this.#loaded) return;
    const count = this.#regions.length;
    this.#picture.view.setAttribute("aria-label", `${this.#image.alt}, ${count} ${count === 1 ? "region" : "regions"}`);
    this.#masks.show(this.#maskRegions());
    this.#layer.draw();
    this.#image.style.filter = this.#light.brightness === 100 && this.#light.contrast === 100 ? "" : `brightness(${this.#light.brightness}%) contrast(${this.#light.contrast}%)`;
  }

  #maskRegions(): MaskRegion[] {
    const { session } = this.context;
    return this.#regions
      .filter((region) => kindOf(region.value) === "brush")
      .map((region) => ({
        id: region.id,
        rle: region.value.rle as number[],
        size: { width: Number(region.beside.original_width) || this.#size.width, height: Number(region.beside.original_height) || this.#size.height },
        colour: session.colourOf(region),
        hidden: session.isHidden(region.id),
        selected: session.isSelected(region.id),
        suggested: session.isSuggestion(region.id),
      }));
  }

  #drawBar(): void {
    const { session, tag } = this.context;
    const brush = this.#tools.tool() === "brush" && !session.readonly;
    render(
      html`<div class="media-tools" role="toolbar" aria-label="Image tools">
        ${session.readonly || !this.#tools.drawers.length ? nothing : this.#renderTools()}${brush ? this.#renderBrush() : nothing}
        <span class="media-group ml-auto" role="group" aria-label="View">
          ${tool("Zoom out", icon("zoom-out"), () => this.#picture.zoom(1 / ZOOM_STEP))}
          <span class="num text-xs text-muted media-percent" aria-live="off">${Math.round(this.#picture.scale * 100)} %</span>
          ${tool("Zoom in", icon("zoom-in"), () => this.#picture.zoom(ZOOM_STEP))}
          ${tool("Fit the image", icon("maximize"), () => this.#picture.fit(), this.#picture.fitted)}
          ${tool("Turn by 90 degrees", icon("rotate-cw"), () => this.#picture.turn())}
          ${this.#tools.drawers.length ? tool("Names on regions", icon("tag"), () => ((this.#titles = !this.#titles), this.#draw()), this.#titles) : nothing}
          ${this.#renderLight(!flagOf(tag, "brightnessControl") && textOf(tag, "brightnessControl") === "false")}
        </span>
        ${this.#pages.length > 1 ? this.#renderPages() : nothing}
      </div>`,
      this.#bar,
    );
  }

  #renderTools(): TemplateResult {
    return html`<span class="media-group" role="group" aria-label="Hand">${tool("Select and move only", icon("mouse-pointer-2"), () => this.#pick(), this.#tools.picking)}</span>`;
  }

  #renderBrush(): TemplateResult {
    const widest = Math.max(Math.round(Math.max(this.#size.width, this.#size.height) / 10), 20);
    return html`<span class="media-group" role="group" aria-label="Brush">
      ${tool("Eraser", icon("eraser"), () => (this.#masks.toggleEraser(), this.#draw()), this.#masks.erasing)}
      <label class="media-slider"><span>Size</span><input type="range" class="range range-xs" min="1" max=${widest} .value=${String(Math.round(this.#masks.radius() * 2))}
        aria-valuetext="${Math.round(this.#masks.radius() * 2)} pixels" @input=${(event: Event) => (this.#masks.setRadius(Number((event.target as HTMLInputElement).value) / 2), this.#draw())}></label>
    </span>`;
  }

  #renderLight(off: boolean): TemplateResult | typeof nothing {
    if (off) return nothing;
    const slider = (words: string, key: "brightness" | "contrast") => html`<label class="media-slider"><span>${words}</span><input type="range" class="range range-xs" min="30" max="300" step="10" .value=${String(this.#light[key])}
      aria-valuetext="${this.#light[key]} percent" @input=${(event: Event) => ((this.#light[key] = Number((event.target as HTMLInputElement).value)), this.#draw())}></label>`;
    return html`<details class="media-more"><summary class="media-tool" title="Light" aria-label="Light">${icon("sun")}</summary>
      <div class="media-menu">${slider("Brightness", "brightness")}${slider("Contrast", "contrast")}
        <button type="button" class="btn btn-sm btn-plain" @click=${() => ((this.#light = { brightness: 100, contrast: 100 }), this.#draw())}>As it was</button></div></details>`;
  }

  #renderPages(): TemplateResult {
    return html`<span class="media-group" role="group" aria-label="Pages">
      ${tool("Page before", icon("chevron-left"), () => this.#go(this.#page - 1), undefined, this.#page === 0)}
      <span class="num text-sm" aria-live="polite">${this.#page + 1} of ${this.#pages.length}</span>
      ${tool("Next page", icon("chevron-right"), () => this.#go(this.#page + 1), undefined, this.#page === this.#pages.length - 1)}
    </span>`;
  }
}

const DRAWING_KEYS: Shortcut[] = [
  { keys: "← → ↑ ↓", words: "Move the crosshair, or the selected region (Alt: one pixel)" },
  { keys: "Enter", words: "Start and finish a shape; a point of a polygon; brush down and up" },
  { keys: "Shift ← → ↑ ↓", words: "Make the selected region larger or smaller; crosshair in leaps" },
  { keys: ", .", words: "Turn the selected region (Alt: by one degree); brush smaller, larger" },
  { keys: "n m x", words: "Next point of a polygon, one more after it, without it; x with the brush: eraser" },
  { keys: "v", words: "Select only, or draw" },
];
const VIEW_KEYS: Shortcut[] = [
  { keys: "+ −", words: "Zoom in, out" },
  { keys: "f", words: "Fit" },
  { keys: "z", words: "Turn the view by 90 degrees" },
  { keys: "b", words: "Names on regions" },
];
