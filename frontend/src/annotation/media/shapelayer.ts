/**
 * Shapes over a picture, a page or a video frame: drawn, gripped, moved and turned by mouse, touch and keys.
 *
 * One SVG layer of our own instead of an annotation library: boxes and ellipses that turn, key points, masks,
 * pre-labels, locking and hiding, the keyboard and 90-degree views all follow one model of shapes here, and the
 * page's content security policy (no inline styles) holds. Coordinates are pixels of the material as stored.
 */
import { nothing, render, svg } from "lit";
import { repeat } from "lit/directives/repeat.js";
import {
  areaOf, bigEnough, boxBetween, dragged, ellipseBetween, grown, handlesOf, hits, inside, moved, rotated, SMALLEST_SHOWN, withoutPoint, withPoint,
  type Handle, type Point, type Polygon, type Shape,
} from "./geometry";
import type { LayerHooks, LayerShape, Tool } from "./layer";
import { cross, draft, handles, HANDLE_PX, shapeOn } from "./shapedraw";

interface Grip {
  pointer: number;
  kind: "draw" | "move" | "handle" | "brush" | "pan" | "press";
  from: Point;
  client: { x: number; y: number };
  id?: string;
  handle?: string;
  shape?: Shape;
  moved: boolean;
}

const TOUCH_HANDLE_PX = 16;
const TURN_PX = 24;
const CLOSE_PX = 10;
const STEP_PX = 10;
const LEAP_PX = 60;
const MARK_PX = 6;
const TURN_STEP = 5;
const ARROWS: Record<string, [number, number]> = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

export class ShapeLayer {
  readonly svg: SVGSVGElement;
  #grip: Grip | null = null;
  #pointers = new Map<number, { x: number; y: number }>();
  /** The shape that is being made, before it is a region. */
  #draft: Shape | null = null;
  #anchor: Point | null = null;
  #hover: Point | null = null;
  #byKeys = false;
  #penDown = false;
  #point = 0;
  #showCross = false;
  cross: Point | null = null;

  constructor(readonly host: HTMLElement, readonly hooks: LayerHooks) {
    this.svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
    this.svg.setAttribute("class", "shape-layer");
    this.svg.setAttribute("aria-hidden", "true");
    host.append(this.svg);
    this.svg.addEventListener("pointerdown", (event) => this.#down(event));
    this.svg.addEventListener("pointermove", (event) => this.#move(event));
    this.svg.addEventListener("pointerup", (event) => this.#up(event));
    this.svg.addEventListener("pointercancel", (event) => this.#cancelPointer(event));
    this.svg.addEventListener("pointerleave", () => this.#setHover(null));
    this.svg.addEventListener("dblclick", (event) => this.#doubleClick(event));
  }

  destroy(): void {
    this.svg.remove();
  }

  /** Whether something is being made that Escape should end. */
  get busy(): boolean {
    return this.#draft !== null || this.#penDown;
  }

  /** Shown pixels per pixel of the material. */
  get scale(): number {
    const { width, height } = this.hooks.size();
    const rect = this.svg.getBoundingClientRect();
    return (this.hooks.turns() % 2 ? rect.width / height : rect.width / width) || 1;
  }

  /** A place on the screen in pixels of the material. */
  at(client: { clientX: number; clientY: number }): Point {
    const rect = this.svg.getBoundingClientRect();
    const [u, v] = [(client.clientX - rect.left) / rect.width, (client.clientY - rect.top) / rect.height];
    const { width, height } = this.hooks.size();
    const [x, y] = [[u, v], [v, 1 - u], [1 - u, 1 - v], [1 - v, u]][((this.hooks.turns() % 4) + 4) % 4]!;
    return { x: x! * width, y: y! * height };
  }

  /** A step on the screen as a step on the material. */
  #onMaterial(dx: number, dy: number): [number, number] {
    return ([[dx, dy], [dy, -dx], [-dx, -dy], [-dy, dx]] as [number, number][])[((this.hooks.turns() % 4) + 4) % 4]!;
  }

  #selected(): LayerShape | undefined {
    const id = this.hooks.selected();
    return id ? this.hooks.shapes().find((each) => each.id === id) : undefined;
  }

  #editable(item: LayerShape | undefined): item is LayerShape {
    return item !== undefined && !item.locked && !this.hooks.readonly();
  }

  // ---- pointers

  #down(event: PointerEvent): void {
    if (event.button > 1) return;
    // No selection of text and no dragging of pictures; the focus that this would have brought is given by hand.
    event.preventDefault();
    this.host.closest<HTMLElement>("[tabindex]")?.focus({ preventScroll: true });
    this.#showCross = false;
    this.#pointers.set(event.pointerId, { x: event.clientX, y: event.clientY });
    if (this.#pointers.size === 2) return this.#startPinch();
    this.svg.setPointerCapture(event.pointerId);
    const from = this.at(event);
    const grip: Grip = { pointer: event.pointerId, kind: "press", from, client: { x: event.clientX, y: event.clientY }, moved: false };
    this.#grip = event.button === 1 ? { ...grip, kind: "pan" } : { ...grip, ...this.#gripFor(event, from) };
    if (this.#grip.kind === "brush") this.hooks.brush?.begin(from);
  }

  #gripFor(event: PointerEvent, at: Point): Partial<Grip> {
    const tool = this.hooks.readonly() ? null : this.hooks.tool();
    const item = this.#selected();
    const polygonOpen = this.#draft?.kind === "polygon";
    if (this.#editable(item) && !polygonOpen) {
      const handle = this.#handleAt(item, at, event.pointerType === "touch" ? TOUCH_HANDLE_PX : HANDLE_PX + 3);
      if (handle) return { kind: "handle", id: item.id, handle: handle.name, shape: item.shape };
      if (tool !== "brush" && hits(item.shape, at, this.#slack(event))) return { kind: "move", id: item.id, shape: item.shape };
    }
    if (tool === "brush") return { kind: "brush" };
    if (tool) return { kind: "draw" };
    return { kind: this.hooks.pan ? "pan" : "press" };
  }

  #slack(event: PointerEvent): number {
    return (event.pointerType === "touch" ? TOUCH_HANDLE_PX : MARK_PX) / this.scale;
  }

  #handles(item: LayerShape): Handle[] {
    return handlesOf(item.shape, TURN_PX / this.scale).filter((each) => each.name !== "turn" || !item.upright);
  }

  #handleAt(item: LayerShape, at: Point, reach: number): Handle | undefined {
    const near = this.#handles(item)
      .map((each) => ({ each, gap: Math.hypot(each.x - at.x, each.y - at.y) * this.scale }))
      .filter(({ gap }) => gap <= reach)
      .sort((a, b) => a.gap - b.gap);
    return near[0]?.each;
  }

  #move(event: PointerEvent): void {
    const before = this.#pointers.get(event.pointerId);
    if (this.#pointers.size === 2 && before) return this.#pinched(event, before);
    if (before) this.#pointers.set(event.pointerId, { x: event.clientX, y: event.clientY });
    const at = this.at(event);
    const grip = this.#grip;
    if (!grip || grip.pointer !== event.pointerId) return this.#setHover(at);
    if (!grip.moved && Math.hypot(event.clientX - grip.client.x, event.clientY - grip.client.y) < SMALLEST_SHOWN) return;
    grip.moved = true;
    this.#follow(grip, event, at);
  }

  #follow(grip: Grip, event: PointerEvent, at: Point): void {
    const size = this.hooks.size();
    if (grip.kind === "move") this.hooks.change(grip.id!, moved(grip.shape!, at.x - grip.from.x, at.y - grip.from.y, size), true);
    if (grip.kind === "handle") this.hooks.change(grip.id!, dragged(grip.shape!, grip.handle!, at, size), true);
    if (grip.kind === "draw") this.#stretch(inside(grip.from, size), inside(at, size));
    if (grip.kind === "brush") for (const each of event.getCoalescedEvents?.() ?? [event]) this.hooks.brush?.to(this.at(each));
    if (grip.kind === "pan") {
      this.hooks.pan?.(event.clientX - grip.client.x, event.clientY - grip.client.y);
      grip.client = { x: event.clientX, y: event.clientY };
    }
    this.#setHover(at);
  }

  #stretch(from: Point, to: Point): void {
    const tool = this.hooks.tool();
    if (tool === "box") this.#draft = boxBetween(from, to);
    if (tool === "ellipse") this.#draft = ellipseBetween(from, to);
    this.draw();
  }

  #up(event: PointerEvent): void {
    this.#pointers.delete(event.pointerId);
    const grip = this.#grip;
    if (!grip || grip.pointer !== event.pointerId) return;
    this.#grip = null;
    if (grip.kind === "brush") return this.hooks.brush?.end();
    if (!grip.moved) return this.#click(grip, event);
    if (grip.kind === "move" || grip.kind === "handle") {
      const item = this.hooks.shapes().find((each) => each.id === grip.id);
      if (item) this.hooks.change(item.id, item.shape, false);
    }
    if (grip.kind === "draw") this.#finishDrag(grip, event);
  }

  #finishDrag(grip: Grip, event: PointerEvent): void {
    const tool = this.hooks.tool();
    if (tool === "polygon" || tool === "mark") return this.#click(grip, event);
    this.#commit();
  }

  #cancelPointer(event: PointerEvent): void {
    this.#pointers.delete(event.pointerId);
    if (this.#grip?.kind === "brush") this.hooks.brush?.cancel();
    this.#grip = null;
    if (this.#draft?.kind !== "polygon") this.#draft = null;
    this.draw();
  }

  #startPinch(): void {
    if (this.#grip?.kind === "brush") this.hooks.brush?.cancel();
    this.#grip = null;
    if (this.#draft?.kind !== "polygon") this.#draft = null;
    this.draw();
  }

  #pinched(event: PointerEvent, before: { x: number; y: number }): void {
    const other = [...this.#pointers].find(([id]) => id !== event.pointerId)![1];
    const now = { x: event.clientX, y: event.clientY };
    const gap = Math.hypot(before.x - other.x, before.y - other.y) || 1;
    const factor = Math.hypot(now.x - other.x, now.y - other.y) / gap;
    this.#pointers.set(event.pointerId, now);
    this.hooks.pinch?.(factor, { x: (now.x + other.x) / 2, y: (now.y + other.y) / 2 }, (now.x - before.x) / 2, (now.y - before.y) / 2);
  }

  #click(grip: Grip, event: PointerEvent): void {
    const at = inside(grip.from, this.hooks.size());
    const tool = this.hooks.readonly() ? null : this.hooks.tool();
    if (grip.kind === "handle" || grip.kind === "move") return;
    if (tool === "polygon") return this.#polygonPoint(at);
    if (tool === "mark") return this.#addMark(at);
    this.hooks.select(this.topmost(at, this.#slack(event)));
  }

  /** The smallest shape under a point. */
  topmost(at: Point, slack: number): string | null {
    const found = this.hooks
      .shapes()
      .filter((each) => hits(each.shape, at, slack))
      .map((each) => ({ id: each.id, area: areaOf(each.shape) }))
      .sort((a, b) => a.area - b.area);
    return found[0]?.id ?? this.hooks.under?.(at) ?? null;
  }

  #doubleClick(event: MouseEvent): void {
    const item = this.#selected();
    if (this.#draft?.kind === "polygon") return this.#closePolygon();
    if (!this.#editable(item) || item.shape.kind !== "polygon") return;
    const point = this.at(event);
    const handle = this.#handleAt(item, point, HANDLE_PX + 3);
    const shape = handle ? withoutPoint(item.shape, Number(handle.name.slice(1))) : withPoint(item.shape, point);
    this.hooks.change(item.id, shape, false);
  }

  #setHover(at: Point | null): void {
    this.#hover = at;
    if (this.#draft?.kind === "polygon" || this.hooks.tool() === "brush") this.draw();
  }

  // ---- making shapes

  #addMark(at: Point): void {
    this.hooks.add({ kind: "mark", x: at.x, y: at.y, size: MARK_PX / this.scale });
  }

  #polygonPoint(at: Point): void {
    const draft = this.#draft?.kind === "polygon" ? this.#draft : { kind: "polygon" as const, points: [] };
    const first = draft.points[0];
    const last = draft.points.at(-1);
    const near = (point: Point | undefined) => point && Math.hypot(point.x - at.x, point.y - at.y) * this.scale < CLOSE_PX;
    if (draft.points.length >= 3 && near(first)) return this.#closePolygon();
    // The second press of a double click is not a second point.
    if (!near(last)) this.#draft = { ...draft, points: [...draft.points, at] };
    else if (this.#byKeys) return this.#closePolygon();
    this.draw();
  }

  #closePolygon(): void {
    const draft = this.#draft as Polygon;
    if (draft.points.length < 3) return this.hooks.say("A polygon needs at least three points.");
    this.#draft = null;
    this.hooks.add(draft);
  }

  #commit(): void {
    const draft = this.#draft;
    this.#draft = null;
    this.#anchor = null;
    if (draft && bigEnough(draft, this.scale)) this.hooks.add(draft);
    this.draw();
  }

  /** Ends what is being made without keeping it; false where nothing was. */
  cancel(): boolean {
    if (!this.busy) return false;
    if (this.#penDown) this.hooks.brush?.cancel();
    this.#draft = this.#anchor = null;
    this.#penDown = false;
    this.hooks.say("Cancelled.");
    this.draw();
    return true;
  }

  // ---- keys

  key(event: KeyboardEvent): boolean {
    if (event.ctrlKey || event.metaKey) return false;
    const step = ARROWS[event.key];
    if (event.key === "Escape") return this.cancel();
    const item = this.busy ? undefined : this.#selected();
    if (step) return this.#arrow(event, step, item);
    if (event.key === "Enter" && item && this.hooks.fresh()) return this.hooks.select(null), this.#enter(undefined);
    if (event.key === "Enter") return this.#enter(item);
    if (event.key === "Backspace" || event.key === "Delete") return this.#takeBack();
    if (this.hooks.tool() === "brush" && !this.hooks.readonly()) {
      if (event.key === "," || event.key === ".") return this.hooks.brush?.resize(event.key === "." ? 1.25 : 0.8), this.draw(), true;
      if (event.key === "x") return this.hooks.brush?.toggleEraser(), true;
    }
    return this.#editable(item) && this.#editKey(event, item);
  }

  #arrow(event: KeyboardEvent, [dx, dy]: [number, number], item: LayerShape | undefined): boolean {
    const stride = event.altKey ? 1 : Math.max((event.shiftKey && !item ? LEAP_PX : STEP_PX) / this.scale, 1);
    const [mx, my] = this.#onMaterial(dx, dy).map((each) => each * stride) as [number, number];
    if (!item) return this.#moveCross(mx, my), true;
    if (!this.#editable(item)) return this.hooks.say("This region is locked."), true;
    const size = this.hooks.size();
    const { shape } = item;
    if (shape.kind === "polygon" && this.#point > 0 && !event.shiftKey) {
      const name = `p${(this.#point - 1) % shape.points.length}`;
      const from = shape.points[Number(name.slice(1))]!;
      this.hooks.change(item.id, dragged(shape, name, { x: from.x + mx, y: from.y + my }, size), true);
    } else this.hooks.change(item.id, event.shiftKey ? grown(shape, mx, my, size) : moved(shape, mx, my, size), true);
    return this.#settle(item.id), true;
  }

  /** Steps by keys are one change until the person pauses. */
  #settling: ReturnType<typeof setTimeout> | undefined;
  #settle(id: string): void {
    clearTimeout(this.#settling);
    this.#settling = setTimeout(() => {
      const item = this.hooks.shapes().find((each) => each.id === id);
      if (item) this.hooks.change(id, item.shape, false);
    }, 400);
  }

  #editKey(event: KeyboardEvent, item: LayerShape): boolean {
    const { shape, id } = item;
    if ((event.key === "," || event.key === ".") && !item.upright && shape.kind !== "mark") {
      const by = (event.altKey ? 1 : TURN_STEP) * (event.key === "," ? -1 : 1);
      this.hooks.change(id, rotated(shape, by), true);
      return this.#settle(id), true;
    }
    if (shape.kind !== "polygon") return false;
    if (event.key === "n") return (this.#point = (this.#point % shape.points.length) + 1), this.hooks.say(`Point ${this.#point} of ${shape.points.length}.`), this.draw(), true;
    const index = this.#point - 1;
    if (index < 0 || index >= shape.points.length) return false;
    if (event.key === "x") return this.hooks.change(id, withoutPoint(shape, index), false), true;
    if (event.key !== "m") return false;
    const [a, b] = [shape.points[index]!, shape.points[(index + 1) % shape.points.length]!];
    const points = [...shape.points.slice(0, index + 1), { x: (a.x + b.x) / 2, y: (a.y + b.y) / 2 }, ...shape.points.slice(index + 1)];
    return this.hooks.change(id, { ...shape, points }, false), true;
  }

  #moveCross(dx: number, dy: number): void {
    const size = this.hooks.size();
    const from = this.cross ?? { x: size.width / 2, y: size.height / 2 };
    this.cross = inside({ x: from.x + dx, y: from.y + dy }, size);
    this.#showCross = true;
    this.hooks.reveal?.(this.cross);
    if (this.#penDown) this.hooks.brush?.to(this.cross);
    if (this.#anchor) this.#stretch(this.#anchor, this.cross);
    this.#hover = this.cross;
    this.draw();
  }

  #enter(item: LayerShape | undefined): boolean {
    if (item) return false;
    const size = this.hooks.size();
    const at = (this.cross ??= { x: size.width / 2, y: size.height / 2 });
    this.#showCross = true;
    const tool = this.hooks.readonly() ? null : this.hooks.tool();
    if (!tool) return this.#pick(at), true;
    this.#byKeys = true;
    if (tool === "mark") this.#addMark(at);
    else if (tool === "polygon") this.#polygonPoint(at);
    else if (tool === "brush") this.#pen(at);
    else if (this.#anchor) this.#commit();
    else this.#begin(at, tool);
    this.#byKeys = false;
    this.draw();
    return true;
  }

  #pick(at: Point): void {
    const id = this.topmost(at, MARK_PX / this.scale);
    if (id) this.hooks.select(id);
    else this.hooks.say(this.hooks.readonly() ? "No region here." : this.hooks.toolMissing());
  }

  #begin(at: Point, tool: Tool): void {
    this.#anchor = at;
    this.#stretch(at, at);
    this.hooks.say(`${tool === "box" ? "Box" : "Ellipse"} started. Arrows stretch it, Enter keeps it, Escape drops it.`);
  }

  #pen(at: Point): void {
    this.#penDown = !this.#penDown;
    if (this.#penDown) this.hooks.brush?.begin(at);
    else this.hooks.brush?.end();
    this.hooks.say(this.#penDown ? "Brush down. Arrows paint, Enter lifts it." : "Brush lifted.");
  }

  #takeBack(): boolean {
    if (this.#draft?.kind !== "polygon") return this.busy;
    const points = this.#draft.points.slice(0, -1);
    this.#draft = points.length ? { ...this.#draft, points } : null;
    this.draw();
    return true;
  }

  // ---- drawing

  draw(): void {
    this.#dropForeign();
    const { width, height } = this.hooks.size();
    this.svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
    this.svg.dataset.tool = (!this.hooks.readonly() && this.hooks.tool()) || "none";
    const selected = this.#selected();
    if (!selected) this.#point = 0;
    const px = 1 / this.scale;
    const brush = this.hooks.tool() === "brush" && !this.hooks.readonly() ? this.hooks.brush : undefined;
    const at = this.#showCross ? this.cross : null;
    const current = selected?.shape.kind === "polygon" ? `p${this.#point - 1}` : "";
    render(
      svg`${repeat(this.hooks.shapes(), (each) => each.id, (each) => shapeOn(each, each.id === selected?.id, px, this.hooks.turns()))}
        ${selected && this.#editable(selected) ? handles(this.#handles(selected), current, px) : nothing}
        ${this.#draft ? draft(this.#draft, this.#hover, px) : nothing}
        ${cross(at, brush ? (at ?? this.#hover) : null, brush?.radius() ?? 0, this.hooks.size(), px)}`,
      this.svg as unknown as HTMLElement,
    );
  }

  /** Another label was taken in the middle of a shape: the shape is given up. */
  #dropForeign(): void {
    const tool = this.hooks.tool();
    if (this.#draft && this.#draft.kind !== tool) this.#draft = this.#anchor = null;
    if (this.#penDown && tool !== "brush") (this.#penDown = false), this.hooks.brush?.cancel();
  }
}
