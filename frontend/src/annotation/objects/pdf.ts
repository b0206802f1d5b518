/** A PDF: pages one below the other, shapes on them, and the text under a box. */
import { html, nothing, render, type TemplateResult } from "lit";
import { icon } from "../../lib/dom";
import { drawPage, layText, openDocument, PAGES_MAX, runsOf, sizeOf, type PDFDocumentProxy } from "../media/document";
import { boundsOf, clamp, shapeOf, valueOf, type PlaceValue, type Point, type Shape as Drawn, type ShapeKind, type Size } from "../media/geometry";
import { Notice } from "../media/loading";
import { textWithin } from "../media/pagetext";
import { chosenText, forget, measured, newPage, placePage, scaled, type Page } from "../media/pdfpage";
import type { LayerShape } from "../media/layer";
import { ShapeLayer } from "../media/shapelayer";
import { watchRoom } from "../media/room";
import { adoptMediaStyles } from "../media/style";
import { urlsOf, within } from "../media/source";
import { tool } from "../media/toolbar";
import { nextTurn, shownAt, shownSize } from "../media/turning";
import { inWords, kindOf, layerShape, Toolbox } from "../media/tools";
import type { Mount, ObjectContext, ObjectView, Pen, Region, Shortcut } from "../types";

const ZOOM_STEP = 1.25;
const ZOOM_MIN = 0.25;
const ZOOM_MAX = 8;
/** Pages this far outside the view are drawn ahead. */
const AHEAD = "600px";

export const mount: Mount = (context) => new PdfView(context);

class PdfView implements ObjectView {
  readonly #root = document.createElement("div");
  readonly #bar = document.createElement("div");
  readonly #noticeHost = document.createElement("div");
  readonly #notice = new Notice(this.#noticeHost);
  readonly #view = document.createElement("div");
  readonly #tools: Toolbox;
  readonly #near: IntersectionObserver;
  readonly #watch = new ResizeObserver(() => this.#resized());
  #document: PDFDocumentProxy | null = null;
  #pages: Page[] = [];
  #current = 1;
  #unwatch = (): void => {};
  #zoom = 1;
  #turns = 0;
  #selectingText = false;
  #destroyed = false;

  constructor(readonly context: ObjectContext) {
    adoptMediaStyles();
    const { host, session, name, fill } = context;
    this.#tools = new Toolbox(session, name);
    this.#root.className = "media media-pdf";
    this.#root.toggleAttribute("data-fill", fill);
    this.#view.className = "pdf-view";
    this.#view.tabIndex = 0;
    this.#view.setAttribute("role", "application");
    this.#view.setAttribute("aria-roledescription", "document to annotate");
    this.#view.addEventListener("scroll", () => this.#scrolled(), { passive: true });
    this.#view.addEventListener("pointerup", () => this.#textChosen());
    this.#view.addEventListener("wheel", (event) => this.#wheel(event), { passive: false });
    this.#near = new IntersectionObserver((entries) => this.#seen(entries), { root: this.#view, rootMargin: `${AHEAD} 0px` });
    this.#watch.observe(this.#view);
    this.#root.append(this.#bar, this.#noticeHost, this.#view);
    host.append(this.#root);
    if (fill) this.#unwatch = watchRoom(this.#root);
    void this.#load();
  }

  get shortcuts(): Shortcut[] {
    return [
      { keys: "PageUp PageDown", words: "Page before, next page" },
      { keys: "← → ↑ ↓", words: "Move the crosshair, or the selected region (Alt: a fine step)" },
      { keys: "Enter", words: "Start and finish a shape" },
      { keys: "Shift ← → ↑ ↓", words: "Make the selected region larger or smaller; crosshair in leaps" },
      { keys: "c", words: "Select text, or draw" },
      { keys: "v", words: "Select only, or draw" },
      { keys: "+ − f", words: "Zoom in, out, fit the width" },
      { keys: "z", words: "Turn the pages by 90 degrees" },
    ];
  }

  // ---- the document

  async #load(): Promise<void> {
    const url = urlsOf(this.context.tag.content)[0];
    this.#view.hidden = true;
    if (!url) return this.#notice.failed("This task has no document.", () => void this.#load());
    this.#notice.loading("the document", () => void this.#load());
    const inline = within(url);
    const task = openDocument(inline ? { data: await inline.arrayBuffer() } : { url });
    try {
      const opened = await task.promise;
      if (this.#destroyed) return void (await task.destroy());
      this.#document = opened;
      await this.#lay();
    } catch (error) {
      if (this.#destroyed) return;
      const words = error instanceof Error && error.name === "PasswordException" ? "This document is locked with a password and cannot be shown." : "The document could not be opened. It may be broken, or the connection was lost.";
      this.#notice.failed(words, () => void this.#load());
    }
  }

  async #lay(): Promise<void> {
    const opened = this.#document!;
    const first = sizeOf(await opened.getPage(1));
    this.#pages.forEach((page) => page.root.remove());
    this.#pages = Array.from({ length: Math.min(opened.numPages, PAGES_MAX) }, (_, at) => this.#page(at + 1, first));
    this.#notice.clear();
    if (opened.numPages > PAGES_MAX) this.#notice.tell(`This document has ${opened.numPages} pages. The first ${PAGES_MAX} are shown.`);
    this.#view.hidden = false;
    this.#place();
    this.#draw();
  }

  #page(number: number, size: Size): Page {
    const page = newPage(number, size, (made) => new ShapeLayer(made.sheet, this.#hooks(made)));
    page.root.addEventListener("pointerdown", () => this.#setCurrent(number), { capture: true });
    this.#view.append(page.root);
    this.#near.observe(page.root);
    return page;
  }

  get #scale(): number {
    const widest = Math.max(...this.#pages.map((each) => shownSize(each.size, this.#turns).width), 1);
    return clamp(((this.#view.clientWidth - 24) / widest) * this.#zoom, 0.05, 20);
  }

  #place(): void {
    const scale = this.#scale;
    for (const page of this.#pages) placePage(page, scale, this.#turns);
  }

  #resized(): void {
    if (!this.#pages.length) return;
    this.#place();
    for (const page of this.#pages) if (page.near) void this.#drawPage(page);
  }

  #seen(entries: readonly IntersectionObserverEntry[]): void {
    for (const entry of entries) {
      const page = this.#pages[Number((entry.target as HTMLElement).dataset.page) - 1];
      if (!page) continue;
      page.near = entry.isIntersecting;
      if (page.near) void this.#drawPage(page);
      else forget(page);
    }
  }

  async #drawPage(page: Page): Promise<void> {
    const scale = this.#scale;
    if (page.drawnAt === scale || !this.#document) return;
    page.drawnAt = scale;
    page.stop?.();
    page.proxy ??= await this.#document.getPage(page.number);
    if (measured(page)) this.#place();
    const drawing = drawPage(page.proxy, page.canvas, this.#scale);
    page.stop = drawing.cancel;
    try {
      await drawing.done;
      if (!page.laid) (page.laid = true), await layText(page.proxy, page.text);
    } catch (error) {
      if (error instanceof Error && error.name === "RenderingCancelledException") return;
      if (!this.#destroyed) this.#notice.tell(`Page ${page.number} could not be drawn in full.`);
    }
  }

  #scrolled(): void {
    const middle = this.#view.getBoundingClientRect().top + this.#view.clientHeight / 2;
    const page = this.#pages.find((each) => each.root.getBoundingClientRect().bottom > middle) ?? this.#pages.at(-1);
    if (page && page.number !== this.#current) this.#setCurrent(page.number);
  }

  #setCurrent(number: number): void {
    if (this.#current === number) return;
    this.#current = number;
    this.context.session.setItem(this.context.name, number - 1);
    this.#drawBar();
  }

  #go(number: number): void {
    const page = this.#pages[clamp(number, 1, this.#pages.length) - 1]!;
    this.#view.scrollTo({ top: page.root.offsetTop - 8 });
    this.#setCurrent(page.number);
  }

  #setZoom(zoom: number): void {
    const part = this.#view.scrollTop / (this.#view.scrollHeight || 1);
    this.#zoom = clamp(zoom, ZOOM_MIN, ZOOM_MAX);
    this.#resized();
    this.#view.scrollTop = part * this.#view.scrollHeight;
    this.#drawBar();
  }

  /** All pages by a quarter clockwise. Regions stay where they are on their page, and can be drawn as before. */
  #turn(): void {
    this.#turns = nextTurn(this.#turns);
    this.#resized();
    this.#go(this.#current);
    this.context.session.say(this.#turns ? `Pages are turned by ${this.#turns * 90} degrees.` : "Pages are upright.");
    this.#drawBar();
  }

  #wheel(event: WheelEvent): void {
    if (!event.ctrlKey && !event.metaKey) return;
    event.preventDefault();
    this.#setZoom(this.#zoom * Math.exp(-clamp(event.deltaY, -120, 120) / 300));
  }

  // ---- shapes

  #hooks(page: Page): ShapeLayer["hooks"] {
    const { session } = this.context;
    return {
      size: () => page.size,
      turns: () => this.#turns,
      shapes: () => this.#shapesOn(page),
      selected: () => session.selected,
      fresh: () => session.fresh,
      tool: () => (this.#selectingText ? null : this.#tools.tool()),
      readonly: () => session.readonly,
      add: (shape) => void this.#add(page, shape),
      change: (id, shape, live) => this.#change(page, id, shape, live),
      select: (id) => session.select(id),
      say: (words) => session.say(words),
      toolMissing: () => this.#tools.missing(),
      pan: (dx, dy) => this.#view.scrollBy(-dx, -dy),
      pinch: (factor, _at, dx, dy) => (this.#setZoom(this.#zoom * factor), this.#view.scrollBy(-dx, -dy)),
      reveal: (at) => this.#reveal(page, at),
    };
  }

  /** OCR labels keep parts of the page from 0 to 1; everything else percent. */
  #whole(region: Pick<Region, "control">): number {
    const tag = this.#tools.drawers.find((each) => each.control === region.control)?.tag;
    return tag?.type === "ocrlabels" ? 100 : 1;
  }

  #place100(region: Region): PlaceValue {
    return scaled(region.value as PlaceValue, this.#whole(region));
  }

  #pageOf(region: Region): number {
    return Number(region.value.pageIndex ?? region.item ?? 1);
  }

  #shapesOn(page: Page): LayerShape[] {
    const { session, name } = this.context;
    return session
      .regionsOf(name)
      .filter((region) => this.#pageOf(region) === page.number && !session.isHidden(region.id) && kindOf(region.value))
      .map((region) => layerShape(session, region, shapeOf(kindOf(region.value) as ShapeKind, this.#place100(region), page.size), true));
  }

  async #add(page: Page, shape: Drawn, text?: string): Promise<void> {
    const { session, name } = this.context;
    const held = this.#tools.pen();
    if (!held) return session.say(this.#tools.missing());
    const place = scaled(valueOf(shape, page.size), 1 / this.#whole(held.pen));
    const ocr = this.#whole(held.pen) === 100;
    const ocrtext = ocr ? (text ?? (await this.#textUnder(page, shape))) : undefined;
    session.add({ object: name, value: { ...place, pageIndex: page.number, ...(ocrtext === undefined ? {} : { ocrtext }) }, pen: held.pen });
    this.#draw();
  }

  async #textUnder(page: Page, shape: Drawn): Promise<string> {
    page.proxy ??= await this.#document!.getPage(page.number);
    return textWithin(await runsOf(page.proxy), boundsOf(shape));
  }

  #change(page: Page, id: string, shape: Drawn, live: boolean): void {
    const region = this.context.session.region(id);
    if (!region) return;
    this.context.session.change(id, { ...region.value, ...scaled(valueOf(shape, page.size), 1 / this.#whole(region)) }, { live });
    this.#draw();
  }

  /** Text that was selected with the mouse becomes a box around it. */
  #textChosen(): void {
    if (!this.#selectingText || this.context.session.readonly || !getSelection()?.toString().trim()) return;
    if (!this.#tools.pen()) return this.context.session.say("Choose a label first.");
    const chosen = chosenText(this.#pages);
    if (chosen) void this.#add(chosen.page, { kind: "box", ...chosen.frame, rotation: 0 }, chosen.words);
  }

  #reveal(page: Page, at: Point): void {
    const box = this.#view.getBoundingClientRect();
    const origin = page.root.getBoundingClientRect();
    const scale = this.#scale;
    const shown = shownAt(at, page.size, this.#turns);
    const over = (value: number, room: number) => (value < 20 ? value - room / 4 : value > room - 20 ? value - (room * 3) / 4 : 0);
    this.#view.scrollBy(over(origin.left + shown.x * scale - box.left, box.width), over(origin.top + shown.y * scale - box.top, box.height));
  }

  // ---- what the core asks

  refresh(): void {
    this.#draw();
  }

  reveal(id: string, focus: boolean): void {
    const region = this.context.session.region(id);
    const page = region && this.#pages[this.#pageOf(region) - 1];
    const kind = region && kindOf(region.value);
    if (page && kind) {
      const { x, y, width, height } = boundsOf(shapeOf(kind as ShapeKind, this.#place100(region), page.size));
      this.#reveal(page, { x: x + width / 2, y: y + height / 2 });
      this.#setCurrent(page.number);
    }
    if (focus) this.focus();
  }

  describe(region: Region): string {
    const text = typeof region.value.ocrtext === "string" && region.value.ocrtext ? `“${region.value.ocrtext.slice(0, 60)}”` : inWords({ ...region.value, ...this.#place100(region) });
    return `page ${this.#pageOf(region)}, ${text}`;
  }

  key(event: KeyboardEvent): boolean {
    if (!this.#pages.length || event.ctrlKey || event.metaKey || event.composedPath()[0] !== this.#view) return false;
    const selected = this.context.session.selected && this.context.session.region(this.context.session.selected);
    const page = this.#pages[(selected ? this.#pageOf(selected) : this.#current) - 1];
    if (!event.altKey && this.#viewKey(event.key)) return true;
    return page?.layer.key(event) ?? false;
  }

  #viewKey(key: string): boolean {
    if (key === "PageDown" || key === "PageUp") return this.#go(this.#current + (key === "PageDown" ? 1 : -1)), true;
    if (key === "Home" || key === "End") return this.#go(key === "Home" ? 1 : this.#pages.length), true;
    if (key === "+" || key === "=") return this.#setZoom(this.#zoom * ZOOM_STEP), true;
    if (key === "-") return this.#setZoom(this.#zoom / ZOOM_STEP), true;
    if (key === "f") return this.#setZoom(1), true;
    if (key === "z") return this.#turn(), true;
    if (key === "c") return this.#toggleText(), true;
    if (key !== "v") return false;
    this.#tools.picking = !this.#tools.picking;
    this.context.session.say(this.#tools.picking ? "Selecting." : "Drawing.");
    return this.#draw(), true;
  }

  #hand(picking: boolean): void {
    this.#selectingText = false;
    this.#tools.picking = picking;
    this.#draw();
  }

  #toggleText(): void {
    this.#selectingText = !this.#selectingText;
    this.context.session.say(this.#selectingText ? "Selecting text." : "Drawing.");
    this.#draw();
  }

  labelChosen(_pen: Pen): boolean {
    this.#tools.picking = false;
    this.#draw();
    return false;
  }

  focus(): void {
    this.#view.focus({ preventScroll: true });
  }

  destroy(): void {
    this.#unwatch();
    this.#destroyed = true;
    this.#near.disconnect();
    this.#watch.disconnect();
    this.#pages.forEach(forget);
    void this.#document?.loadingTask.destroy();
    this.#root.remove();
  }

  // ---- drawing

  #draw(): void {
    const count = this.context.session.regionsOf(this.context.name).length;
    this.#view.setAttribute("aria-label", `Document of ${this.#pages.length} ${this.#pages.length === 1 ? "page" : "pages"}, ${count} ${count === 1 ? "region" : "regions"}`);
    this.#view.toggleAttribute("data-text", this.#selectingText);
    for (const page of this.#pages) page.layer.draw();
    this.#drawBar();
  }

  #drawBar(): void {
    const { session } = this.context;
    const draws = this.#tools.drawers.length > 0;
    render(
      html`<div class="media-tools" role="toolbar" aria-label="Document tools">
        ${session.readonly || !draws
          ? nothing
          : html`<span class="media-group" role="group" aria-label="Draw">
              ${tool("Select and move", icon("mouse-pointer-2"), () => this.#hand(true), this.#tools.picking && !this.#selectingText)}
              ${tool("Draw", icon("square-dashed-mouse-pointer"), () => this.#hand(false), !this.#tools.picking && !this.#selectingText)}
              ${tool("Select text", icon("text-cursor"), () => this.#toggleText(), this.#selectingText)}
            </span>`}
        ${this.#renderText()}
        <span class="media-group ml-auto" role="group" aria-label="View">
          ${tool("Page before", icon("chevron-up"), () => this.#go(this.#current - 1), undefined, this.#current <= 1)}
          <span class="num text-sm">Page ${this.#current} of ${this.#pages.length}</span>
          ${tool("Next page", icon("chevron-down"), () => this.#go(this.#current + 1), undefined, this.#current >= this.#pages.length)}
          ${tool("Zoom out", icon("zoom-out"), () => this.#setZoom(this.#zoom / ZOOM_STEP))}
          ${tool("Zoom in", icon("zoom-in"), () => this.#setZoom(this.#zoom * ZOOM_STEP))}
          ${tool("Fit the width", icon("move-horizontal"), () => this.#setZoom(1), this.#zoom === 1)}
          ${tool("Turn by 90 degrees", icon("rotate-cw"), () => this.#turn())}
        </span>
      </div>`,
      this.#bar,
    );
  }

  /** The text of the selected box, as read from the page, to be put right. */
  #renderText(): TemplateResult | typeof nothing {
    const { session } = this.context;
    const region = session.selected ? session.region(session.selected) : undefined;
    if (!region || region.object !== this.context.name || typeof region.value.ocrtext !== "string") return nothing;
    const set = (event: Event, live: boolean) => session.change(region.id, { ...session.region(region.id)!.value, ocrtext: (event.target as HTMLInputElement).value }, { live });
    return html`<label class="media-slider pdf-ocr"><span>Text</span><input class="input input-sm" .value=${region.value.ocrtext} ?readonly=${session.isLocked(region.id)}
      @input=${(event: Event) => set(event, true)} @change=${(event: Event) => set(event, false)}></label>`;
  }
}
