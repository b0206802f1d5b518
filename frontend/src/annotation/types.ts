/**
 * What the annotation element, its controls and its object views share. The server compiles the labeling config into
 * the tree of `Tag`s; answers are Label Studio's `result` list. Positions in text are UTF-16 offsets throughout.
 */

/** The element's `data`. */
export interface AnnotationData {
  tree: Tag;
  /** Rules of the config's Style tags, cleaned and prefixed by the server. */
  css: string;
  suggestions: Suggestion[];
  material?: Record<string, unknown>;
}

export interface Suggestion {
  model: string;
  score: number | null;
  result: ResultEntry[];
}

export interface AnnotationAnswer {
  result: ResultEntry[];
}

/** One compiled tag of the config. */
export interface Tag {
  /** Canonical name: "Choices", "RectangleLabels", "View". */
  tag: string;
  line: number;
  /** Every object and control has one. */
  name?: string;
  /** Controls: names of their objects. */
  to?: string[];
  /** Controls: the `type` of their results. */
  type?: string;
  /** Typed, with defaults filled in. */
  attrs: Record<string, unknown>;
  style?: Record<string, string>;
  className?: string;
  when?: When;
  options?: Option[];
  content?: Record<string, unknown>;
  children?: Tag[];
}

/** A condition under which a tag and all inside it is shown, required and kept. */
export interface When {
  kind: "region-selected" | "no-region-selected" | "choice-selected" | "choice-unselected";
  tag?: string;
  labels?: string[];
  choices?: string[];
  role?: string[];
}

export interface Option {
  /** What is stored. */
  value: string;
  title: string;
  html?: string;
  hint?: string;
  hotkey?: string;
  background?: string;
  selected?: boolean;
  selectable?: boolean;
  maxUsages?: number;
  granularity?: string;
  category?: string;
  default?: boolean;
  options?: Option[];
  attrs?: Record<string, unknown>;
}

/** One entry of an annotation's `result` list. */
export interface ResultEntry {
  id?: string;
  from_name?: string;
  to_name?: string;
  type: string;
  value?: Record<string, unknown>;
  origin?: Origin;
  item_index?: number;
  score?: number;
  meta?: { text?: string[] };
  from_id?: string;
  to_id?: string;
  direction?: Direction;
  labels?: string[];
  [further: string]: unknown;
}

export type Origin = "manual" | "prediction" | "prediction-changed";
export type Direction = "right" | "left" | "bi";

/** A marked part of an object: a span, a box, a stretch of time. */
export interface Region {
  id: string;
  /** Name of the object tag. */
  object: string;
  /** Name of the control that made it. */
  control: string;
  /** Where it is: the result's `value` without labels and without per-region answers. */
  value: Record<string, unknown>;
  /** Chosen labels by control; a region drawn without a label has none. */
  labels: Record<string, string[]>;
  /** Page of a multi-page picture, from 0. */
  item?: number;
  /** Further keys that stand beside `value` in the result (original_width, image_rotation, ...). */
  beside: Record<string, unknown>;
  origin: Origin;
  score?: number;
  /** The person's note on the region (result's `meta.text`). */
  note?: string;
}

export interface Relation {
  from: string;
  to: string;
  direction: Direction;
  labels: string[];
}

/** Where an answer of a control stands: on the whole task (neither), on a region, or on an item. */
export interface Place {
  region?: string;
  item?: number;
}

/** A label of a labelling control, with what the person needs to choose it. */
export interface LabelChoice {
  value: string;
  title: string;
  hint: string;
  /** A CSS colour. */
  colour: string;
  hotkey: string;
  granularity: string;
  maxUsages: number | undefined;
  html?: string;
}

/** Which control draws a new region, and the labels that it gets. */
export interface Pen {
  control: string;
  labels: string[];
  /** The control that the labels belong to: `control` itself, or a Labels tag beside a bare shape. */
  labelling: string;
}

/** A control that can make regions of an object, and the shape that it draws. */
export interface Drawer {
  control: string;
  shape: Shape;
  tag: Tag;
}

export type Shape = "span" | "rectangle" | "polygon" | "ellipse" | "keypoint" | "brush" | "videorectangle" | "timeline" | "timeseries" | "audio" | "message";

export interface Shortcut {
  keys: string;
  words: string;
}

/** What an object view is given. */
export interface ObjectContext {
  /** An empty element of its own; nobody else writes into it. */
  host: HTMLElement;
  tag: Tag;
  name: string;
  session: import("./session").Session;
  /** One element fills the desk: a view may take more height than it would in a page. */
  fill: boolean;
}

/** The living view of one object tag. */
export interface ObjectView {
  /** Regions, labels in hand, selection, hiding, locking or the item changed: draw what `session` now says. */
  refresh(): void;
  /** Bring a region into sight; with `focus` also move the keyboard focus to it. */
  reveal(id: string, focus: boolean): void;
  /** A region in a few words, for the list of regions ("Marie Curie", "0:03.2 to 0:05.0", "box 40 x 12 %"). */
  describe(region: Region): string;
  /** A key pressed while the focus is inside the object; true where it was used. Label keys come after this. */
  key?(event: KeyboardEvent): boolean;
  /** A label was chosen while no region is selected: what to do with a selection in hand. True where it became a region. */
  labelChosen?(pen: Pen): boolean;
  /** Take the keyboard focus. */
  focus?(): void;
  shortcuts?: Shortcut[];
  destroy(): void;
}

/** Every file `objects/<kind>.ts` exports this as `mount`. */
export type Mount = (context: ObjectContext) => ObjectView | Promise<ObjectView>;
