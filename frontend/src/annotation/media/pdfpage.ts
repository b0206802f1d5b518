/** A page of a document on the desk: its elements, one laid over the other, as large and as turned as it is shown. */
import { sizeOf, type PDFPageProxy } from "./document";
import { exact, type PlaceValue, type Point, type Size } from "./geometry";
import { around } from "./pagetext";
import type { ShapeLayer } from "./shapelayer";
import { layTurned } from "./turning";

export interface Page {
  number: number;
  /** What is seen, in the row of pages. */
  root: HTMLElement;
  /** Holds canvas, text and shapes; turned inside `root`. */
  sheet: HTMLElement;
  canvas: HTMLCanvasElement;
  text: HTMLElement;
  layer: ShapeLayer;
  /** In the page's own units, as the file turns it. */
  size: Size;
  proxy: PDFPageProxy | null;
  near: boolean;
  drawnAt: number;
  laid: boolean;
  stop: (() => void) | null;
}

/** The elements of a page; `layerOn` puts the shapes on its sheet. */
export function newPage(number: number, size: Size, layerOn: (page: Page) => ShapeLayer): Page {
  const root = document.createElement("div");
  root.className = "pdf-page";
  root.dataset.page = String(number);
  const sheet = document.createElement("div");
  sheet.className = "pdf-sheet";
  const canvas = document.createElement("canvas");
  const text = document.createElement("div");
  text.className = "pdf-text";
  sheet.append(canvas, text);
  root.append(sheet);
  const page: Page = { number, root, sheet, canvas, text, layer: null as unknown as ShapeLayer, size, proxy: null, near: false, drawnAt: 0, laid: false, stop: null };
  page.layer = layerOn(page);
  return page;
}

/** Size and turn of a page on the screen. */
export function placePage(page: Page, scale: number, turns: number): void {
  layTurned(page.root, page.sheet, { width: page.size.width * scale, height: page.size.height * scale }, turns);
  page.root.style.setProperty("--total-scale-factor", String(scale));
  page.layer.draw();
}

/** Whether the page has another size than was thought: a page other than the first shows it only when it is read. */
export function measured(page: Page): boolean {
  const size = sizeOf(page.proxy!);
  if (size.width === page.size.width && size.height === page.size.height) return false;
  page.size = size;
  return true;
}

/** A page out of sight gives its memory back. */
export function forget(page: Page): void {
  page.stop?.();
  page.stop = null;
  page.drawnAt = 0;
  Object.assign(page.canvas, { width: 0, height: 0 });
}

/** The words that are selected with the mouse, and the frame around them in units of their page. */
export function chosenText(pages: readonly Page[]): { page: Page; words: string; frame: Point & Size } | null {
  const selection = getSelection();
  const words = selection?.toString().trim();
  if (!selection?.rangeCount || !words) return null;
  const page = pages.find((each) => each.text.contains(selection.anchorNode));
  if (!page) return null;
  const rects = [...selection.getRangeAt(0).getClientRects()].filter((each) => each.width && each.height);
  const frame = around(rects.map((rect) => onPage(page, rect)));
  selection.removeAllRanges();
  return frame && { page, words, frame };
}

function onPage(page: Page, rect: DOMRect): Point & Size {
  const [a, b] = [page.layer.at({ clientX: rect.left, clientY: rect.top }), page.layer.at({ clientX: rect.right, clientY: rect.bottom })];
  return { x: Math.min(a.x, b.x), y: Math.min(a.y, b.y), width: Math.abs(a.x - b.x), height: Math.abs(a.y - b.y) };
}

/** The place of a result in other parts of the page: percent as parts of 1, or back. */
export function scaled(value: PlaceValue, by: number): PlaceValue {
  if (by === 1) return value;
  const kept = { ...value };
  for (const key of ["x", "y", "width", "height", "radiusX", "radiusY"] as const) if (kept[key] !== undefined) kept[key] = exact(kept[key] * by);
  return kept.points ? { ...kept, points: kept.points.map(([x, y]) => [exact(x * by), exact(y * by)]) } : kept;
}
