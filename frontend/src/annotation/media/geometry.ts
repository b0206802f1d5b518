/**
 * Shapes on a picture, a page or a video frame.
 *
 * A shape is held in pixels of the material as it is stored (not as it is shown), so that angles and circles are
 * true whatever the proportions. Results keep percent of the material's width and height (0-100), and a turned box or
 * ellipse keeps its clockwise angle in degrees: a box turns about its top left corner, an ellipse about its centre.
 */

export interface Point {
  x: number;
  y: number;
}
export interface Size {
  width: number;
  height: number;
}
export interface Box extends Point, Size {
  kind: "box";
  rotation: number;
}
export interface Ellipse extends Point {
  kind: "ellipse";
  rx: number;
  ry: number;
  rotation: number;
}
export interface Polygon {
  kind: "polygon";
  points: Point[];
}
export interface Mark extends Point {
  kind: "mark";
  /** Diameter in pixels. */
  size: number;
}
export type Shape = Box | Ellipse | Polygon | Mark;
export type ShapeKind = Shape["kind"];

/** What a shape is in a result: percent of the material. */
export interface PlaceValue {
  x?: number;
  y?: number;
  width?: number;
  height?: number;
  rotation?: number;
  radiusX?: number;
  radiusY?: number;
  points?: [number, number][];
  closed?: boolean;
}

/** A box smaller than this many shown pixels on both sides is a click, not a box. */
export const SMALLEST_SHOWN = 3;
const MARK_PERCENT = 0.5;
const DEGREES = Math.PI / 180;

export function shapeOf(kind: ShapeKind, value: PlaceValue, size: Size): Shape {
  const [sx, sy] = [size.width / 100, size.height / 100];
  const [x, y, rotation] = [(value.x ?? 0) * sx, (value.y ?? 0) * sy, value.rotation ?? 0];
  if (kind === "box") return { kind, x, y, width: (value.width ?? 0) * sx, height: (value.height ?? 0) * sy, rotation };
  if (kind === "ellipse") return { kind, x, y, rx: (value.radiusX ?? 0) * sx, ry: (value.radiusY ?? 0) * sy, rotation };
  if (kind === "mark") return { kind, x, y, size: (value.width ?? MARK_PERCENT) * sx };
  return { kind, points: (value.points ?? []).map(([px, py]) => ({ x: px * sx, y: py * sy })) };
}

/**
 * The shape of a result that was made on a turned picture: such a result counts percent on the picture as it was
 * shown. `degrees`: a multiple of 90, clockwise; `size`: of the picture as stored.
 */
export function shapeOnTurned(kind: ShapeKind, value: PlaceValue, degrees: number, size: Size): Shape {
  const turns = ((Math.round(degrees / 90) % 4) + 4) % 4;
  if (!turns) return shapeOf(kind, value, size);
  const shape = shapeOf(kind, value, turns % 2 ? { width: size.height, height: size.width } : size);
  const back = ({ x, y }: Point): Point => [{ x, y }, { x: y, y: size.height - x }, { x: size.width - x, y: size.height - y }, { x: size.width - y, y: x }][turns]!;
  if (shape.kind === "polygon") return { ...shape, points: shape.points.map(back) };
  if (shape.kind === "mark") return { ...shape, ...back(shape) };
  return { ...shape, ...back(shape), rotation: angle(shape.rotation - 90 * turns) };
}

/** The part of a result's value that says where a shape lies, in percent. */
export function valueOf(shape: Shape, size: Size): PlaceValue {
  const [sx, sy] = [100 / size.width, 100 / size.height];
  if (shape.kind === "polygon") return { points: shape.points.map((each) => [exact(each.x * sx), exact(each.y * sy)]), closed: true };
  const at = { x: exact(shape.x * sx), y: exact(shape.y * sy) };
  if (shape.kind === "mark") return { ...at, width: exact(shape.size * sx) };
  if (shape.kind === "box") return { ...at, width: exact(shape.width * sx), height: exact(shape.height * sy), rotation: shape.rotation };
  return { ...at, radiusX: exact(shape.rx * sx), radiusY: exact(shape.ry * sy), rotation: shape.rotation };
}

/** Percent to a ten-millionth: finer than any pixel, and without the tail of binary fractions. */
export const exact = (value: number): number => Math.round(value * 1e7) / 1e7;

export const clamp = (value: number, low: number, high: number): number => Math.min(Math.max(value, low), high);

export const inside = (point: Point, size: Size): Point => ({ x: clamp(point.x, 0, size.width), y: clamp(point.y, 0, size.height) });

/** A point turned clockwise (y grows downwards) about another. */
export function turned(point: Point, about: Point, degrees: number): Point {
  const [cos, sin] = [Math.cos(degrees * DEGREES), Math.sin(degrees * DEGREES)];
  const [dx, dy] = [point.x - about.x, point.y - about.y];
  return { x: about.x + dx * cos - dy * sin, y: about.y + dx * sin + dy * cos };
}

/** Corners of a box, clockwise from its top left one. */
export function corners(box: Box): [Point, Point, Point, Point] {
  const { x, y, width, height, rotation } = box;
  const at = (px: number, py: number) => turned({ x: px, y: py }, { x, y }, rotation);
  return [at(x, y), at(x + width, y), at(x + width, y + height), at(x, y + height)];
}

export function boxBetween(a: Point, b: Point): Box {
  return { kind: "box", x: Math.min(a.x, b.x), y: Math.min(a.y, b.y), width: Math.abs(a.x - b.x), height: Math.abs(a.y - b.y), rotation: 0 };
}

export function ellipseBetween(centre: Point, edge: Point): Ellipse {
  return { kind: "ellipse", ...centre, rx: Math.abs(edge.x - centre.x), ry: Math.abs(edge.y - centre.y), rotation: 0 };
}

export function centreOf(shape: Shape): Point {
  if (shape.kind === "box") {
    const [a, , c] = corners(shape);
    return { x: (a.x + c.x) / 2, y: (a.y + c.y) / 2 };
  }
  if (shape.kind !== "polygon") return { x: shape.x, y: shape.y };
  const { x, y, width, height } = boundsOf(shape);
  return { x: x + width / 2, y: y + height / 2 };
}

/** The upright frame around a shape. */
export function boundsOf(shape: Shape): Point & Size {
  if (shape.kind === "ellipse") {
    const [cos, sin] = [Math.cos(shape.rotation * DEGREES), Math.sin(shape.rotation * DEGREES)];
    const [w, h] = [Math.hypot(shape.rx * cos, shape.ry * sin), Math.hypot(shape.rx * sin, shape.ry * cos)];
    return { x: shape.x - w, y: shape.y - h, width: 2 * w, height: 2 * h };
  }
  if (shape.kind === "mark") return { x: shape.x - shape.size / 2, y: shape.y - shape.size / 2, width: shape.size, height: shape.size };
  const points = shape.kind === "box" ? corners(shape) : shape.points;
  const [xs, ys] = [points.map((each) => each.x), points.map((each) => each.y)];
  const [x, y] = [Math.min(...xs), Math.min(...ys)];
  return { x, y, width: Math.max(...xs) - x, height: Math.max(...ys) - y };
}

/** The shape pushed by (dx, dy), stopped where its frame would leave the material. */
export function moved<S extends Shape>(shape: S, dx: number, dy: number, size: Size): S {
  const mark: Shape = shape;
  const frame = mark.kind === "mark" ? { x: mark.x, y: mark.y, width: 0, height: 0 } : boundsOf(shape);
  const right = Math.max(size.width - frame.width, 0);
  const bottom = Math.max(size.height - frame.height, 0);
  return shifted(shape, clamp(frame.x + dx, 0, right) - frame.x, clamp(frame.y + dy, 0, bottom) - frame.y);
}

function shifted<S extends Shape>(shape: S, dx: number, dy: number): S {
  if (shape.kind === "polygon") return { ...shape, points: shape.points.map((each) => ({ x: each.x + dx, y: each.y + dy })) };
  return { ...shape, x: shape.x + dx, y: shape.y + dy };
}

/** The shape turned in place, about its centre. */
export function rotated<S extends Shape>(shape: S, degrees: number): S {
  const centre = centreOf(shape);
  if (shape.kind === "mark") return shape;
  if (shape.kind === "polygon") return { ...shape, points: shape.points.map((each) => turned(each, centre, degrees)) };
  const corner = shape.kind === "box" ? turned(shape, centre, degrees) : centre;
  return { ...shape, x: corner.x, y: corner.y, rotation: angle(shape.rotation + degrees) };
}

const angle = (degrees: number): number => ((Math.round(degrees * 1e6) / 1e6) % 360 + 360) % 360;

/** The shape made wider and higher by that much, its first corner or centre staying; never below one pixel. */
export function grown<S extends Shape>(shape: S, dw: number, dh: number, size: Size): S {
  if (shape.kind === "mark") return { ...shape, size: clamp(shape.size + dw + dh, 1, size.width) };
  if (shape.kind === "ellipse") return { ...shape, rx: clamp(shape.rx + dw, 1, size.width / 2), ry: clamp(shape.ry + dh, 1, size.height / 2) };
  if (shape.kind === "box") {
    const [width, height] = [Math.max(shape.width + dw, 1), Math.max(shape.height + dh, 1)];
    if (shape.rotation) return { ...shape, width, height };
    return { ...shape, width: Math.min(width, size.width - shape.x), height: Math.min(height, size.height - shape.y) };
  }
  const frame = boundsOf(shape);
  const [fx, fy] = [Math.max(frame.width + dw, 1) / Math.max(frame.width, 1), Math.max(frame.height + dh, 1) / Math.max(frame.height, 1)];
  const points = shape.points.map((each) => inside({ x: frame.x + (each.x - frame.x) * fx, y: frame.y + (each.y - frame.y) * fy }, size));
  return { ...shape, points };
}

export interface Handle extends Point {
  name: string;
}

/** What can be gripped: corners and sides of a box, ends of an ellipse's axes, points of a polygon, `turn` where `away` says how far off. */
export function handlesOf(shape: Shape, away: number): Handle[] {
  if (shape.kind === "mark") return [];
  if (shape.kind === "polygon") return shape.points.map((each, at) => ({ name: `p${at}`, ...each }));
  if (shape.kind === "ellipse") {
    const at = (name: string, dx: number, dy: number) => ({ name, ...turned({ x: shape.x + dx, y: shape.y + dy }, shape, shape.rotation) });
    return [at("e", shape.rx, 0), at("s", 0, shape.ry), at("w", -shape.rx, 0), at("n", 0, -shape.ry), at("turn", 0, -shape.ry - away)];
  }
  const [nw, ne, se, sw] = corners(shape);
  const half = (a: Point, b: Point) => ({ x: (a.x + b.x) / 2, y: (a.y + b.y) / 2 });
  const top = half(nw, ne);
  const turn = turned({ x: top.x, y: top.y - away }, top, shape.rotation);
  return [
    { name: "nw", ...nw }, { name: "n", ...top }, { name: "ne", ...ne }, { name: "e", ...half(ne, se) },
    { name: "se", ...se }, { name: "s", ...half(se, sw) }, { name: "sw", ...sw }, { name: "w", ...half(sw, nw) },
    { name: "turn", ...turn },
  ];
}

/** The shape after one of its handles was taken to a point. The opposite side of a box stays where it is. */
export function dragged<S extends Shape>(shape: S, handle: string, to: Point, size: Size): S {
  if (handle === "turn") return rotated(shape, bearing(centreOf(shape), to) - ("rotation" in shape ? shape.rotation : 0));
  if (shape.kind === "polygon") {
    const index = Number(handle.slice(1));
    return { ...shape, points: shape.points.map((each, at) => (at === index ? inside(to, size) : each)) };
  }
  if (shape.kind === "ellipse") return stretchedEllipse(shape, handle, to) as S;
  return shape.kind === "box" ? (stretchedBox(shape, handle, inside(to, size)) as S) : shape;
}

/** Clockwise angle from straight up. */
const bearing = (from: Point, to: Point): number => Math.atan2(to.x - from.x, from.y - to.y) / DEGREES;

function stretchedEllipse(shape: Ellipse, handle: string, to: Point): Ellipse {
  const flat = turned(to, shape, -shape.rotation);
  return /[ew]/.test(handle) ? { ...shape, rx: Math.max(Math.abs(flat.x - shape.x), 1) } : { ...shape, ry: Math.max(Math.abs(flat.y - shape.y), 1) };
}

function stretchedBox(box: Box, handle: string, to: Point): Box {
  // In the box's own frame, whose origin is its top left corner.
  const flat = turned(to, box, -box.rotation);
  let [left, top, right, bottom] = [0, 0, box.width, box.height];
  if (handle.includes("w")) left = flat.x - box.x;
  if (handle.includes("e")) right = flat.x - box.x;
  if (handle.includes("n")) top = flat.y - box.y;
  if (handle.includes("s")) bottom = flat.y - box.y;
  // Dragged past the opposite side: the box turns over instead of growing negative.
  [left, right] = [Math.min(left, right), Math.max(left, right)];
  [top, bottom] = [Math.min(top, bottom), Math.max(top, bottom)];
  const corner = turned({ x: box.x + left, y: box.y + top }, box, box.rotation);
  return { ...box, ...corner, width: Math.max(right - left, 1), height: Math.max(bottom - top, 1) };
}

/** A polygon with one more point, put on the side nearest to it. */
export function withPoint(polygon: Polygon, point: Point): Polygon {
  const { points } = polygon;
  let best = { at: points.length, gap: Infinity };
  points.forEach((from, at) => {
    const gap = distanceToSide(point, from, points[(at + 1) % points.length]!);
    if (gap < best.gap) best = { at: at + 1, gap };
  });
  return { ...polygon, points: [...points.slice(0, best.at), point, ...points.slice(best.at)] };
}

/** A polygon without one of its points; a triangle keeps all. */
export function withoutPoint(polygon: Polygon, index: number): Polygon {
  return polygon.points.length <= 3 ? polygon : { ...polygon, points: polygon.points.filter((_, at) => at !== index) };
}

export function distanceToSide(point: Point, a: Point, b: Point): number {
  const [dx, dy] = [b.x - a.x, b.y - a.y];
  const length = dx * dx + dy * dy;
  const part = length ? clamp(((point.x - a.x) * dx + (point.y - a.y) * dy) / length, 0, 1) : 0;
  return Math.hypot(point.x - a.x - part * dx, point.y - a.y - part * dy);
}

/** SVG path of a polygon, open or closed. */
export function pathOf(points: readonly Point[], closed = true): string {
  return points.map((each, at) => `${at ? "L" : "M"}${each.x} ${each.y}`).join("") + (closed && points.length > 2 ? "Z" : "");
}

/** Whether a point is in a shape, or within `slack` of it. */
export function hits(shape: Shape, at: Point, slack: number): boolean {
  if (shape.kind === "mark") return Math.hypot(at.x - shape.x, at.y - shape.y) <= shape.size / 2 + slack;
  if (shape.kind === "ellipse") {
    const upright = turned(at, shape, -shape.rotation);
    return ((upright.x - shape.x) / (shape.rx + slack)) ** 2 + ((upright.y - shape.y) / (shape.ry + slack)) ** 2 <= 1;
  }
  if (shape.kind === "box") {
    const flat = turned(at, shape, -shape.rotation);
    return flat.x >= shape.x - slack && flat.y >= shape.y - slack && flat.x <= shape.x + shape.width + slack && flat.y <= shape.y + shape.height + slack;
  }
  return within(shape.points, at);
}

/** Even-odd rule. */
function within(points: readonly Point[], at: Point): boolean {
  let inside = false;
  points.forEach((a, index) => {
    const b = points[(index + 1) % points.length]!;
    if (a.y > at.y !== b.y > at.y && at.x < ((b.x - a.x) * (at.y - a.y)) / (b.y - a.y) + a.x) inside = !inside;
  });
  return inside;
}

export function areaOf(shape: Shape): number {
  const { width, height } = boundsOf(shape);
  return shape.kind === "mark" ? 0 : width * height;
}

/** Whether a drawn shape is more than a click. `scale`: shown pixels per stored pixel. */
export function bigEnough(shape: Shape, scale: number): boolean {
  const { width, height } = boundsOf(shape);
  return width * scale >= SMALLEST_SHOWN || height * scale >= SMALLEST_SHOWN;
}
