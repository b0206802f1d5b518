/** What a layer of shapes is told and asked by the view that it lies in. */
import type { Point, Shape, ShapeKind, Size } from "./geometry";

export interface LayerShape {
  id: string;
  shape: Shape;
  colour: string;
  title: string;
  locked: boolean;
  /** Not yet accepted by the person. */
  suggested: boolean;
  strokeWidth?: number;
  /** Turning is switched off by the config. */
  upright?: boolean;
}

/** What a pointer or the keyboard makes: a shape, or strokes of a brush. */
export type Tool = ShapeKind | "brush";

export interface Brush {
  begin(at: Point): void;
  to(at: Point): void;
  end(): void;
  cancel(): void;
  /** Radius in pixels of the material. */
  radius(): number;
  resize(factor: number): void;
  toggleEraser(): void;
}

export interface LayerHooks {
  size(): Size;
  /** Quarter turns clockwise by which the picture is shown. */
  turns(): number;
  shapes(): LayerShape[];
  selected(): string | null;
  /** The selected region was made just now: Enter goes on to the next one. */
  fresh(): boolean;
  tool(): Tool | null;
  readonly(): boolean;
  add(shape: Shape): void;
  change(id: string, shape: Shape, live: boolean): void;
  select(id: string | null): void;
  say(words: string): void;
  /** What the person should do first, where no tool is in hand. */
  toolMissing(): string;
  /** A region below a point that is not one of the shapes (a mask). */
  under?(at: Point): string | null;
  brush?: Brush;
  /** One finger or the mouse on empty ground without a tool. */
  pan?(dx: number, dy: number): void;
  pinch?(factor: number, at: { x: number; y: number }, dx: number, dy: number): void;
  /** Keep this point in sight. */
  reveal?(at: Point): void;
}
