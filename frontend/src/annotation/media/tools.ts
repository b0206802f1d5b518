/** From regions of the session to shapes of a layer and back: what image, PDF and video share. */
import { numberOf, textOf } from "./source";
import { shapeOnTurned, type PlaceValue, type ShapeKind, type Size } from "./geometry";
import type { LayerShape, Tool } from "./layer";
import type { Session } from "../session";
import type { Drawer, Pen, Region, Shape } from "../types";

const TOOLS: Partial<Record<Shape, Tool>> = { rectangle: "box", videorectangle: "box", polygon: "polygon", ellipse: "ellipse", keypoint: "mark", brush: "brush" };

export const toolOf = (shape: Shape): Tool | null => TOOLS[shape] ?? null;

/** What a stored region is, told by its value: every kind has keys of its own. */
export function kindOf(value: Record<string, unknown>): Tool | null {
  if (Array.isArray(value.rle)) return "brush";
  if (Array.isArray(value.points)) return "polygon";
  if ("radiusX" in value) return "ellipse";
  if ("width" in value && "height" in value) return "box";
  return "x" in value && "y" in value ? "mark" : null;
}

/** Which tool is in hand on one object: that of the label in hand, or of the shape that was chosen. */
export class Toolbox {
  /** The person only picks and moves; nothing is drawn. */
  picking = false;

  constructor(readonly session: Session, readonly object: string) {}

  get drawers(): Drawer[] {
    return this.session.drawersOf(this.object);
  }

  pen(): { pen: Pen; shape: Shape } | null {
    if (this.picking || this.session.readonly) return null;
    const pen = this.session.pen(this.object);
    const drawer = pen && this.drawers.find((each) => each.control === pen.control);
    return pen && drawer ? { pen, shape: drawer.shape } : null;
  }

  tool(): Tool | null {
    const held = this.pen();
    return held && toolOf(held.shape);
  }

  missing(): string {
    return this.picking ? "Selecting. Press v to draw again." : "Choose a label first, then draw.";
  }
}

/** The visible regions that are shapes, as the layer draws them. */
export function layerShapes(session: Session, regions: readonly Region[], size: Size, titles: boolean): LayerShape[] {
  const found: LayerShape[] = [];
  for (const region of regions) {
    const kind = kindOf(region.value);
    if (!kind || kind === "brush" || session.isHidden(region.id)) continue;
    found.push(layerShape(session, region, shapeIn(region, kind as ShapeKind, size), titles));
  }
  return found;
}

/** Where a region lies on the picture as it is stored. */
export const shapeIn = (region: Region, kind: ShapeKind, size: Size): LayerShape["shape"] => shapeOnTurned(kind, region.value as PlaceValue, Number(region.beside.image_rotation ?? 0), size);

export function layerShape(session: Session, region: Region, shape: LayerShape["shape"], titles: boolean): LayerShape {
  const tag = session.drawersOf(region.object).find((each) => each.control === region.control)?.tag;
  return {
    id: region.id,
    shape,
    colour: session.colourOf(region),
    title: titles || session.isSelected(region.id) ? session.titleOf(region) : "",
    locked: session.isLocked(region.id),
    suggested: session.isSuggestion(region.id),
    strokeWidth: tag && numberOf(tag, "strokeWidth"),
    upright: tag !== undefined && textOf(tag, "canRotate") === "false",
  };
}

const percent = (value: unknown): string => `${Math.round(Number(value) || 0)} %`;

/** A shape in words, for the list of regions. */
export function inWords(value: Record<string, unknown>): string {
  const at = `at ${percent(value.x)}, ${percent(value.y)}`;
  switch (kindOf(value)) {
    case "box":
      return `box ${percent(value.width)} × ${percent(value.height)} ${at}`;
    case "ellipse":
      return `ellipse ${at}`;
    case "mark":
      return `point ${at}`;
    case "polygon":
      return `polygon of ${(value.points as unknown[]).length} points`;
    case "brush":
      return "mask";
    default:
      return "region";
  }
}
