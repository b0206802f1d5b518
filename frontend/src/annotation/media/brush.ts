/** Masks over a picture: each region a canvas of its own, painted and erased pixel by pixel of the stored picture. */
import { maskBounds, stroke, tinted, type Rect } from "./mask";
import { BadMask, decodeMask, encodeMask } from "./rle";
import type { Point, Size } from "./geometry";

export interface MaskRegion {
  id: string;
  rle: number[];
  /** Of the stored picture that the mask was made for. */
  size: Size;
  colour: string;
  hidden: boolean;
  selected: boolean;
  suggested: boolean;
}

interface Layer {
  rle: number[];
  mask: Uint8Array;
  size: Size;
  shown: Size;
  colour: string;
  canvas: HTMLCanvasElement;
}

export interface MaskHooks {
  size(): Size;
  /** The mask that the next stroke goes into; null: a new one. */
  target(erasing: boolean, at: Point): string | null;
  /** Colour of a new mask. */
  colour(): string;
  commit(id: string | null, rle: number[]): void;
  say(words: string): void;
}

/** Masks of larger pictures are not made or shown: the server takes none either. */
export const MASK_PIXELS_MAX = 100_000_000;
/** Canvases are not larger than this; the masks themselves keep every pixel. */
const SHOWN_PX_MAX = 2048;
const RADIUS_PART = 80;

export class Masks {
  erasing = false;
  #radius = 0;
  #layers = new Map<string, Layer>();
  #work: { id: string | null; layer: Layer; last: Point; restore: Uint8Array } | null = null;

  constructor(readonly host: HTMLElement, readonly hooks: MaskHooks) {}

  radius(): number {
    const { width, height } = this.hooks.size();
    return (this.#radius ||= Math.max(Math.round(Math.max(width, height) / RADIUS_PART), 1));
  }

  setRadius(radius: number): void {
    const { width, height } = this.hooks.size();
    this.#radius = Math.min(Math.max(radius, 0.5), Math.max(width, height) / 4);
  }

  /** Draws what the session says; masks that did not change are left alone. */
  show(regions: readonly MaskRegion[]): void {
    const wanted = new Set(regions.map((each) => each.id));
    for (const [id, layer] of this.#layers) if (!wanted.has(id)) layer.canvas.remove(), this.#layers.delete(id);
    for (const region of regions) this.#showOne(region);
  }

  #showOne(region: MaskRegion): void {
    let layer = this.#layers.get(region.id);
    if (!layer || layer.rle !== region.rle) {
      const mask = this.#decoded(region);
      layer?.canvas.remove();
      layer = this.#layer(mask, region.size, region.colour, region.rle);
      this.#layers.set(region.id, layer);
      this.#paint(layer, { x: 0, y: 0, ...layer.shown });
    } else if (layer.colour !== region.colour) {
      layer.colour = region.colour;
      this.#paint(layer, { x: 0, y: 0, ...layer.shown });
    }
    layer.canvas.hidden = region.hidden;
    layer.canvas.dataset.region = region.id;
    layer.canvas.toggleAttribute("data-selected", region.selected);
    layer.canvas.toggleAttribute("data-suggested", region.suggested);
  }

  #decoded(region: MaskRegion): Uint8Array {
    const pixels = region.size.width * region.size.height;
    try {
      if (pixels > MASK_PIXELS_MAX) throw new BadMask("It is for a picture that is too large.");
      return decodeMask(region.rle, pixels);
    } catch (error) {
      if (!(error instanceof BadMask)) throw error;
      this.hooks.say(`A mask cannot be shown. ${error.message}`);
      return new Uint8Array(Math.min(pixels, MASK_PIXELS_MAX));
    }
  }

  #layer(mask: Uint8Array, size: Size, colour: string, rle: number[]): Layer {
    const canvas = document.createElement("canvas");
    canvas.className = "mask";
    const part = Math.min(1, SHOWN_PX_MAX / Math.max(size.width, size.height));
    const shown = { width: Math.max(Math.round(size.width * part), 1), height: Math.max(Math.round(size.height * part), 1) };
    Object.assign(canvas, shown);
    this.host.append(canvas);
    return { rle, mask, size, shown, colour, canvas };
  }

  #paint(layer: Layer, part: Rect): void {
    if (!part.width || !part.height) return;
    const pixels = tinted(layer.mask, layer.size, layer.shown, part, rgbOf(layer.colour));
    layer.canvas.getContext("2d")!.putImageData(new ImageData(pixels, part.width, part.height), part.x, part.y);
  }

  /** The topmost mask with a pixel at this point. */
  under(at: Point): string | null {
    for (const [id, layer] of [...this.#layers].reverse()) {
      if (layer.canvas.hidden) continue;
      const here = this.#onMask(layer, at);
      if (layer.mask[Math.floor(here.y) * layer.size.width + Math.floor(here.x)]) return id;
    }
    return null;
  }

  /** Where a mask is, in pixels of the picture. */
  boundsOf(id: string): Rect | null {
    const layer = this.#layers.get(id);
    const frame = layer && maskBounds(layer.mask, layer.size);
    if (!layer || !frame) return null;
    const [fx, fy] = [this.hooks.size().width / layer.size.width, this.hooks.size().height / layer.size.height];
    return { x: frame.x * fx, y: frame.y * fy, width: frame.width * fx, height: frame.height * fy };
  }

  #onMask(layer: Layer, at: Point): Point {
    const size = this.hooks.size();
    return { x: (at.x / size.width) * layer.size.width, y: (at.y / size.height) * layer.size.height };
  }

  begin(at: Point): void {
    const id = this.hooks.target(this.erasing, at);
    const held = id ? this.#layers.get(id) : undefined;
    if (!held && this.erasing) return this.hooks.say("There is no mask here to erase from.");
    const size = this.hooks.size();
    if (size.width * size.height > MASK_PIXELS_MAX) return this.hooks.say(`This image has more than ${MASK_PIXELS_MAX / 1e6} million pixels; masks cannot be painted on it.`);
    const layer = held ?? this.#layer(new Uint8Array(size.width * size.height), size, this.hooks.colour(), []);
    layer.canvas.toggleAttribute("data-selected", true);
    this.#work = { id: held ? id : null, layer, last: at, restore: held ? held.mask.slice() : layer.mask };
    this.#stroke(at);
  }

  to(at: Point): void {
    this.#stroke(at);
  }

  #stroke(at: Point): void {
    const work = this.#work;
    if (!work) return;
    const { layer } = work;
    const [from, to] = [this.#onMask(layer, work.last), this.#onMask(layer, at)];
    const radius = this.radius() * (layer.size.width / this.hooks.size().width);
    const changed = stroke(layer.mask, layer.size, from, to, radius, this.erasing ? 0 : 255);
    this.#paint(layer, shownPart(changed, layer));
    work.last = at;
  }

  end(): void {
    const work = this.#work;
    this.#work = null;
    if (!work) return;
    const rle = encodeMask(work.layer.mask);
    // A new mask gets its canvas from the session's region.
    if (work.id) work.layer.rle = rle;
    else work.layer.canvas.remove();
    this.hooks.commit(work.id, rle);
  }

  cancel(): void {
    const work = this.#work;
    this.#work = null;
    if (!work) return;
    if (!work.id) return work.layer.canvas.remove();
    work.layer.mask = work.restore;
    this.#paint(work.layer, { x: 0, y: 0, ...work.layer.shown });
  }

  resize(factor: number): void {
    const radius = this.radius() * factor;
    this.setRadius(factor > 1 ? Math.max(radius, this.radius() + 0.5) : radius);
    this.hooks.say(`Brush ${Math.round(this.radius() * 2)} pixels wide.`);
  }

  toggleEraser(): void {
    this.erasing = !this.erasing;
    this.hooks.say(this.erasing ? "Eraser." : "Brush.");
  }
}

function shownPart(changed: Rect, layer: Layer): Rect {
  const [fx, fy] = [layer.shown.width / layer.size.width, layer.shown.height / layer.size.height];
  const x = Math.max(Math.floor(changed.x * fx) - 1, 0);
  const y = Math.max(Math.floor(changed.y * fy) - 1, 0);
  const right = Math.min(Math.ceil((changed.x + changed.width) * fx) + 1, layer.shown.width);
  const bottom = Math.min(Math.ceil((changed.y + changed.height) * fy) + 1, layer.shown.height);
  return { x, y, width: Math.max(right - x, 0), height: Math.max(bottom - y, 0) };
}

let probe: CanvasRenderingContext2D | null = null;

/** Any CSS colour, a `var()` included, as three bytes. */
export function rgbOf(colour: string): [number, number, number] {
  probe ??= Object.assign(document.createElement("canvas"), { width: 1, height: 1 }).getContext("2d", { willReadFrequently: true })!;
  const name = /^var\((--[\w-]+)/.exec(colour)?.[1];
  probe.fillStyle = "gray";
  probe.fillStyle = name ? getComputedStyle(document.documentElement).getPropertyValue(name).trim() : colour;
  probe.fillRect(0, 0, 1, 1);
  const [r, g, b] = probe.getImageData(0, 0, 1, 1).data;
  return [r!, g!, b!];
}
