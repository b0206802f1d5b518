/** How shapes look: SVG in pixels of the material; `px` is one shown pixel in them, so that lines and handles keep their size. */
import { nothing, svg, type SVGTemplateResult } from "lit";
import { boundsOf, clamp, corners, pathOf, type Handle, type Point, type Shape, type Size } from "./geometry";
import type { LayerShape } from "./layer";

/** Thinner lines than this are lost on a photograph, whatever the config says. */
const LINE_PX = 2;
export const HANDLE_PX = 5;
const MARK_PX = 6;
const LETTER_PX = 6.4;

export function shapeOn(item: LayerShape, selected: boolean, px: number, turns: number): SVGTemplateResult {
  const { shape, colour, title } = item;
  return svg`<g class="shape" data-region=${item.id} ?data-selected=${selected} ?data-suggested=${item.suggested} ?data-locked=${item.locked}>
    ${outline(shape, colour, px, item.strokeWidth)}${title ? titleOn(shape, title, colour, px, turns) : nothing}
  </g>`;
}

function titleOn(shape: Shape, title: string, colour: string, px: number, turns: number): SVGTemplateResult {
  return svg`<g class="shape-tag" transform=${tagAt(shape, boundsOf(shape), px, turns)}>
    <rect class="shape-tag-ground" x="0" y="-18" width=${title.length * LETTER_PX + 14} height="17" rx="3"></rect>
    <rect x="0" y="-18" width="4" height="17" rx="2" fill=${colour}></rect><text x="9" y="-5">${title}</text></g>`;
}

export function handles(all: readonly Handle[], current: string, px: number): SVGTemplateResult {
  return svg`<g class="shape-handles">${all.map((each) => {
    const own = each.name === current;
    return svg`<circle class="shape-handle" data-handle=${each.name} ?data-current=${own} cx=${each.x} cy=${each.y} r=${(own ? HANDLE_PX * 1.5 : HANDLE_PX) * px}></circle>`;
  })}</g>`;
}

/** A shape that is being made; of a polygon the line also goes to where the pointer is. */
export function draft(shape: Shape, hover: Point | null, px: number): SVGTemplateResult {
  if (shape.kind !== "polygon") return svg`<g class="shape" data-draft>${outline(shape, "var(--color-primary)", px)}</g>`;
  const points = hover ? [...shape.points, hover] : shape.points;
  return svg`<g class="shape" data-draft><path class="shape-line" d=${pathOf(points, false)} stroke="var(--color-primary)"></path>
    ${shape.points.map((each, at) => svg`<circle class="shape-handle" ?data-current=${at === 0 && shape.points.length > 2} cx=${each.x} cy=${each.y} r=${HANDLE_PX * px}></circle>`)}</g>`;
}

/** The keyboard's crosshair, and the ring of a brush. */
export function cross(at: Point | null, ring: Point | null, radius: number, { width, height }: Size, px: number): SVGTemplateResult {
  const lines = at ? `M0 ${at.y}H${width}M${at.x} 0V${height}` : "";
  return svg`${ring ? svg`<circle class="shape-ring" cx=${ring.x} cy=${ring.y} r=${Math.max(radius, px)}></circle>` : nothing}
    ${at ? svg`<g class="shape-cross"><path d=${lines}></path><path data-over d=${lines}></path><circle cx=${at.x} cy=${at.y} r=${4 * px}></circle></g>` : nothing}`;
}

/** Where the title stands: above the frame, upright and as large as text, whatever the zoom and the turn. */
function tagAt(shape: Shape, frame: Point & Size, px: number, turns: number): string {
  const turn = ((turns % 4) + 4) % 4;
  const corner = [
    { x: frame.x, y: frame.y },
    { x: frame.x, y: frame.y + frame.height },
    { x: frame.x + frame.width, y: frame.y + frame.height },
    { x: frame.x + frame.width, y: frame.y },
  ][turn]!;
  const at = shape.kind === "box" && !shape.rotation && !turn ? corners(shape)[0] : corner;
  return `translate(${at.x} ${at.y}) scale(${px}) rotate(${-90 * turn})`;
}

function outline(shape: Shape, colour: string, px: number, width = LINE_PX): SVGTemplateResult {
  if (shape.kind === "mark") return svg`<circle class="shape-mark" cx=${shape.x} cy=${shape.y} r=${Math.max(shape.size / 2, MARK_PX * px * 0.75)} fill=${colour}></circle>`;
  return svgLine(shape, colour, clamp(width, LINE_PX, 12));
}

function svgLine(shape: Exclude<Shape, { kind: "mark" }>, colour: string, width: number): SVGTemplateResult {
  if (shape.kind === "polygon") return svg`<path class="shape-line" d=${pathOf(shape.points)} fill=${colour} stroke=${colour} stroke-width=${width}></path>`;
  const turn = `rotate(${shape.rotation} ${shape.x} ${shape.y})`;
  return shape.kind === "box"
    ? svg`<rect class="shape-line" x=${shape.x} y=${shape.y} width=${shape.width} height=${shape.height} transform=${turn} fill=${colour} stroke=${colour} stroke-width=${width}></rect>`
    : svg`<ellipse class="shape-line" cx=${shape.x} cy=${shape.y} rx=${shape.rx} ry=${shape.ry} transform=${turn} fill=${colour} stroke=${colour} stroke-width=${width}></ellipse>`;
}
