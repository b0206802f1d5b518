/** PDF files by pdf.js: pages as pictures and text. Scripts, forms and links in the file are never run or shown. */
import { getDocument, GlobalWorkerOptions, TextLayer, type PDFDocumentLoadingTask, type PDFDocumentProxy, type PDFPageProxy } from "pdfjs-dist";
import workerUrl from "pdfjs-dist/build/pdf.worker.min.mjs?url";
import type { Run } from "./pagetext";
import type { Size } from "./geometry";

/** More pages are not shown; the person is told. */
export const PAGES_MAX = 1000;
/** A page is drawn with no more pixels than this, however far it is zoomed. */
const CANVAS_PIXELS_MAX = 2 ** 24;
/** Pictures inside a page larger than this many pixels are left out instead of taking all memory. */
const IMAGE_PIXELS_MAX = 2 ** 26;
/** Fonts, character maps and decoders that the build copies beside the bundle. */
const FILES = `${import.meta.env.BASE_URL}pdfjs/`;

/** `data`: the whole file; else it is fetched from `url` in parts, as pages are needed. */
export function openDocument(source: { url: string } | { data: ArrayBuffer }): PDFDocumentLoadingTask {
  GlobalWorkerOptions.workerSrc = workerUrl;
  return getDocument({
    ...source,
    // No code from the file: no eval (also refused by the page's policy), no XFA forms, no WebAssembly.
    isEvalSupported: false,
    enableXfa: false,
    useWasm: false,
    maxImageSize: IMAGE_PIXELS_MAX,
    cMapUrl: `${FILES}cmaps/`,
    cMapPacked: true,
    standardFontDataUrl: `${FILES}standard_fonts/`,
    wasmUrl: `${FILES}wasm/`,
  });
}

export type { PDFDocumentProxy, PDFPageProxy };

/** Size of a page in its own units (1/72 inch), turned as the file says. */
export function sizeOf(page: PDFPageProxy): Size {
  const { width, height } = page.getViewport({ scale: 1 });
  return { width, height };
}

/** Draws a page; returns what stops the drawing. */
export function drawPage(page: PDFPageProxy, canvas: HTMLCanvasElement, scale: number): { done: Promise<void>; cancel: () => void } {
  const size = sizeOf(page);
  const density = Math.min((devicePixelRatio || 1) * scale, Math.sqrt(CANVAS_PIXELS_MAX / (size.width * size.height)));
  const viewport = page.getViewport({ scale: density });
  Object.assign(canvas, { width: Math.floor(viewport.width), height: Math.floor(viewport.height) });
  // 0: neither annotations nor forms of the file.
  const task = page.render({ canvas, viewport, annotationMode: 0 });
  return { done: task.promise, cancel: () => task.cancel() };
}

/** Puts the text of a page over it, to be selected and read aloud. */
export async function layText(page: PDFPageProxy, container: HTMLElement): Promise<void> {
  const layer = new TextLayer({ textContentSource: page.streamTextContent(), container, viewport: page.getViewport({ scale: 1 }) });
  await layer.render();
}

/** The runs of text of a page with their places, in units of `sizeOf`. */
export async function runsOf(page: PDFPageProxy): Promise<Run[]> {
  const viewport = page.getViewport({ scale: 1 });
  const { items } = await page.getTextContent();
  return items.flatMap((item) => {
    if (!("str" in item) || !item.str.trim()) return [];
    const [x, y] = viewport.convertToViewportPoint(item.transform[4], item.transform[5]) as [number, number];
    const height = item.height || Math.hypot(item.transform[2], item.transform[3]);
    return [{ text: item.str, x, y: y - height, width: item.width, height }];
  });
}
