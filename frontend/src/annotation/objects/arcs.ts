/** Relations between spans, drawn over the text. They are also listed in words, so these are for the eye alone. */
import type { Direction } from "../types";

export interface Arc {
  from: string;
  to: string;
  direction: Direction;
  title: string;
  strong: boolean;
}

const SVG = "http://www.w3.org/2000/svg";
const HEAD = 5;
const RISE_MAX = 26;

export class Arcs {
  readonly #svg = document.createElementNS(SVG, "svg");
  readonly #resized: ResizeObserver;
  #arcs: readonly Arc[] = [];

  constructor(
    readonly frame: HTMLElement,
    /** Boxes of a span on the screen; none where it stands in another text. */
    readonly boxes: (id: string) => DOMRect[],
  ) {
    this.#svg.classList.add("anno-arcs");
    this.#svg.setAttribute("aria-hidden", "true");
    frame.append(this.#svg);
    this.#resized = new ResizeObserver(() => this.draw(this.#arcs));
    this.#resized.observe(frame);
  }

  destroy(): void {
    this.#resized.disconnect();
  }

  draw(arcs: readonly Arc[]): void {
    this.#arcs = arcs;
    if (!arcs.length && !this.#svg.childElementCount) return;
    const origin = this.frame.getBoundingClientRect();
    const groups = arcs.flatMap((arc) => {
      const [from, to] = [this.boxes(arc.from)[0], this.boxes(arc.to)[0]];
      return from && to ? [group(arc, top(from, origin, this.frame), top(to, origin, this.frame))] : [];
    });
    this.#svg.replaceChildren(...groups);
  }
}

type Point = [x: number, y: number];

function top(box: DOMRect, origin: DOMRect, frame: HTMLElement): Point {
  return [box.left + box.width / 2 - origin.left - frame.clientLeft, box.top - origin.top - frame.clientTop + 2];
}

function group(arc: Arc, [x1, y1]: Point, [x2, y2]: Point): SVGGElement {
  const made = document.createElementNS(SVG, "g");
  const peak = Math.min(y1, y2) - Math.min(RISE_MAX, 8 + Math.abs(x2 - x1) / 14);
  const path = document.createElementNS(SVG, "path");
  path.setAttribute("d", `M${x1},${y1} C${x1},${peak} ${x2},${peak} ${x2},${y2}`);
  made.append(path);
  if (arc.direction !== "left") made.append(head(x2, y2));
  if (arc.direction !== "right") made.append(head(x1, y1));
  if (arc.title) {
    const text = document.createElementNS(SVG, "text");
    text.setAttribute("x", String((x1 + x2) / 2));
    text.setAttribute("y", String((Math.min(y1, y2) + 3 * peak) / 4 + (Math.abs(y2 - y1) > RISE_MAX ? Math.abs(y2 - y1) / 8 : 0)));
    text.textContent = arc.title;
    made.append(text);
  }
  made.toggleAttribute("data-strong", arc.strong);
  return made;
}

/** An arrow's head that points down on a word. */
function head(x: number, y: number): SVGPolygonElement {
  const made = document.createElementNS(SVG, "polygon");
  made.setAttribute("points", `${x},${y} ${x - HEAD / 1.6},${y - HEAD} ${x + HEAD / 1.6},${y - HEAD}`);
  return made;
}
