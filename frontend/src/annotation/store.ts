/** The compiled config as a catalogue of objects and controls. Pure: no page, no clock. */
import type { Drawer, LabelChoice, Option, Shape, Tag } from "./types";

export const OBJECT_TAGS = new Set(["Text", "HyperText", "Paragraphs", "Chat", "Image", "Pdf", "Audio", "Video", "TimeSeries", "Table", "List", "Markdown"]);
const SPAN_OBJECTS = new Set(["Text", "HyperText", "Paragraphs"]);
/** Types of results that hold one answer for the task, a region or an item, with the key in their `value`. */
export const ANSWER_KEYS: Record<string, string> = {
  choices: "choices",
  textarea: "text",
  rating: "rating",
  number: "number",
  datetime: "datetime",
  taxonomy: "taxonomy",
  pairwise: "selected",
  ranker: "ranker",
};
const SHAPES: Record<string, Shape> = {
  hypertextlabels: "span",
  paragraphlabels: "span",
  rectanglelabels: "rectangle",
  rectangle: "rectangle",
  ocrlabels: "rectangle",
  polygonlabels: "polygon",
  polygon: "polygon",
  ellipselabels: "ellipse",
  ellipse: "ellipse",
  keypointlabels: "keypoint",
  keypoint: "keypoint",
  brushlabels: "brush",
  brush: "brush",
  videorectangle: "videorectangle",
  timelinelabels: "timeline",
  timeserieslabels: "timeseries",
  chatmessage: "message",
};
/** Keys given in turn to labels that name none. The rest of the alphabet belongs to the desk and to objects. */
const FREE_KEYS = [..."1234567890qwetyuiop"];
const KEYED_CHOICES_MAX = 10;
/** Colours of theme.css for labels that name none. */
export const LABEL_COLOURS = Array.from({ length: 8 }, (_, at) => `var(--p-label-${at + 1})`);

export type ControlKind = "labels" | "shape" | "answer" | "relations";

export interface Control {
  name: string;
  tag: Tag;
  /** The `type` of its results. */
  type: string;
  kind: ControlKind;
  /** Objects that it speaks about. */
  objects: string[];
  perRegion: boolean;
  perItem: boolean;
  required: boolean;
  /** Tags around it, outermost first, itself last: each may carry a condition. */
  path: Tag[];
}

export interface ObjectTag {
  name: string;
  tag: Tag;
}

export interface Catalogue {
  root: Tag;
  objects: Map<string, ObjectTag>;
  controls: Map<string, Control>;
  labels: Map<string, LabelChoice[]>;
  /** Keys of the options of choice controls, by control and stored value. */
  choiceKeys: Map<string, Map<string, string>>;
  relations: Control | null;
  relationLabels: LabelChoice[];
  /** Words of a Filter tag by the control that it filters. */
  filters: Map<string, Tag>;
}

/** A text attribute, whatever the case of its name. */
export function attr(tag: Tag, name: string): string | undefined {
  const value = raw(tag, name);
  return value === undefined || value === null ? undefined : String(value);
}

function raw(tag: Tag, name: string): unknown {
  if (name in tag.attrs) return tag.attrs[name];
  const wanted = name.toLowerCase();
  return Object.entries(tag.attrs).find(([key]) => key.toLowerCase() === wanted)?.[1];
}

export function flag(tag: Tag, name: string, otherwise = false): boolean {
  const value = raw(tag, name);
  if (typeof value === "boolean") return value;
  return value === undefined || value === null ? otherwise : !["false", "no", "0", ""].includes(String(value).toLowerCase());
}

export function numberAttr(tag: Tag, name: string): number | undefined {
  const value = raw(tag, name);
  if (value === undefined || value === null || String(value).trim() === "" || Number.isNaN(Number(value))) return undefined;
  return Number(value);
}

export const isObject = (tag: Tag): boolean => OBJECT_TAGS.has(tag.tag);
export const nameOf = (tag: Tag): string => tag.name ?? `${tag.tag.toLowerCase()}-${tag.line}`;

/** Read the tree once. `palette`: colours for labels that name none. */
export function catalogueOf(root: Tag, palette: readonly string[] = LABEL_COLOURS): Catalogue {
  const catalogue: Catalogue = { root, objects: new Map(), controls: new Map(), labels: new Map(), choiceKeys: new Map(), relations: null, relationLabels: [], filters: new Map() };
  const visit = (tag: Tag, path: Tag[]): void => {
    const here = [...path, tag];
    if (isObject(tag)) catalogue.objects.set(nameOf(tag), { name: nameOf(tag), tag });
    if (tag.tag === "Filter") for (const name of tag.to ?? []) catalogue.filters.set(name, tag);
    const control = controlOf(tag, here);
    if (control?.kind === "relations") catalogue.relations = control;
    else if (control) catalogue.controls.set(control.name, control);
    for (const child of tag.children ?? []) visit(child, here);
  };
  visit(root, []);
  giveColours(catalogue, palette);
  giveHotkeys(catalogue);
  return catalogue;
}

/** The `type` of a control's results. Messages that a prediction adds to a conversation name the Chat itself. */
const typeOf = (tag: Tag): string => (tag.tag === "Chat" ? "chatmessage" : (tag.type ?? ""));

export function kindOf(tag: Tag): ControlKind | null {
  if (tag.tag === "Relations") return "relations";
  const type = typeOf(tag);
  if (!type) return null;
  if (type in ANSWER_KEYS) return "answer";
  return /labels$/.test(type) ? "labels" : type in SHAPES ? "shape" : null;
}

function controlOf(tag: Tag, path: Tag[]): Control | null {
  const kind = kindOf(tag);
  if (!kind) return null;
  const objects = tag.to ?? (isObject(tag) ? [nameOf(tag)] : []);
  const common = { name: nameOf(tag), tag, type: typeOf(tag) || "relations", kind, objects, path };
  return { ...common, perRegion: flag(tag, "perRegion"), perItem: flag(tag, "perItem"), required: flag(tag, "required") };
}

function labelOf(option: Option, colour: string): LabelChoice {
  return {
    value: option.value,
    title: option.title || option.value,
    hint: option.hint ?? "",
    colour: option.background || colour,
    hotkey: option.hotkey ?? "",
    granularity: option.granularity ?? "",
    maxUsages: option.maxUsages,
    ...(option.html ? { html: option.html } : {}),
  };
}

function giveColours(catalogue: Catalogue, palette: readonly string[]): void {
  let at = 0;
  const next = (option: Option): LabelChoice => labelOf(option, palette[at++ % palette.length] ?? "");
  for (const control of catalogue.controls.values()) {
    if (control.kind === "labels") catalogue.labels.set(control.name, (control.tag.options ?? []).map(next));
  }
  catalogue.relationLabels = (catalogue.relations?.tag.options ?? []).map(next);
}

function giveHotkeys(catalogue: Catalogue): void {
  const labels = [...catalogue.labels.values()].flat();
  const choices = [...catalogue.controls.values()].filter((control) => control.type === "choices" && control.tag.attrs.layout !== "select");
  const written = [...labels, ...choices.flatMap((control) => control.tag.options ?? [])].map((each) => each.hotkey?.toLowerCase()).filter(Boolean);
  const free = FREE_KEYS.filter((key) => !written.includes(key));
  for (const label of labels) label.hotkey ||= free.shift() ?? "";
  for (const control of choices) {
    const options = control.tag.options ?? [];
    // A long list would use up the keys of all that follow.
    const own = options.length <= KEYED_CHOICES_MAX && !options.some((option) => option.options?.length);
    catalogue.choiceKeys.set(control.name, new Map(options.map((option) => [option.value, option.hotkey || (own ? (free.shift() ?? "") : "")])));
  }
}

/** What a control draws on an object; null where it only names what another control drew. */
export function shapeOf(catalogue: Catalogue, control: Control, object: string): Shape | null {
  if (!control.objects.includes(object)) return null;
  if (control.type !== "labels") return SHAPES[control.type] ?? null;
  const tag = catalogue.objects.get(object)?.tag.tag ?? "";
  return SPAN_OBJECTS.has(tag) ? "span" : tag === "Audio" ? "audio" : null;
}

/** Controls that make regions of an object, in the order of the config. */
export function drawersOf(catalogue: Catalogue, object: string): Drawer[] {
  const found: Drawer[] = [];
  for (const control of catalogue.controls.values()) {
    const shape = shapeOf(catalogue, control, object);
    if (shape) found.push({ control: control.name, shape, tag: control.tag });
  }
  return found;
}

/** Controls whose labels a region of this object can carry, when `drawer` drew it. */
export function labellersOf(catalogue: Catalogue, object: string, drawer: string): Control[] {
  const rival = (control: Control): boolean => shapeOf(catalogue, control, object) !== null && shapeOf(catalogue, control, object) !== "span";
  return [...catalogue.controls.values()].filter(
    (control) => control.kind === "labels" && control.objects.includes(object) && (control.name === drawer || !rival(control)),
  );
}

/** Whether anything in this config makes regions. */
export const hasRegions = (catalogue: Catalogue): boolean => [...catalogue.controls.values()].some((control) => control.kind === "labels" || (control.kind === "shape" && control.type !== "chatmessage"));

/**
 * Whether a part of the tree speaks about the selected region alone: it has controls, all of them per region, and
 * no object. Such parts stand in the panel of regions instead of in the page.
 */
export function aboutRegion(tag: Tag): boolean {
  let [perRegion, other] = [0, 0];
  const visit = (each: Tag): void => {
    const kind = kindOf(each);
    if (isObject(each) || kind === "labels" || kind === "shape" || each.tag === "Filter") other += 1;
    else if (kind === "answer" && flag(each, "perRegion")) perRegion += 1;
    else if (kind === "answer") other += 1;
    each.children?.forEach(visit);
  };
  visit(tag);
  return perRegion > 0 && other === 0;
}

/** How many pages, rows, messages or paragraphs an object has; 1 where it is whole. */
export function itemCount(object: ObjectTag | undefined): number {
  const content = object?.tag.content ?? {};
  const parts = [content.pages, content.rows, content.messages, content.paragraphs, content.items].find(Array.isArray);
  return Math.max(1, parts?.length ?? 1);
}

/** What one item of an object is called. */
export function itemWord(object: ObjectTag | undefined): string {
  return { Image: "page", Pdf: "page", Table: "row", Chat: "message", Paragraphs: "paragraph" }[object?.tag.tag ?? ""] ?? "item";
}

/** A catalogue's choices of a control by stored value, nested ones included. */
export function optionByValue(tag: Tag, value: string): Option | undefined {
  const find = (options: Option[]): Option | undefined => {
    for (const option of options) {
      const found = option.value === value ? option : find(option.options ?? []);
      if (found) return found;
    }
    return undefined;
  };
  return find(tag.options ?? []);
}

/** What the config answers in advance. */
export function defaultOf(control: Control): unknown {
  const { tag, type } = control;
  if (type === "choices") {
    const chosen = (tag.options ?? []).filter((option) => option.selected).map((option) => option.value);
    return tag.attrs.allowNested ? chosen.map((each) => [each]) : chosen;
  }
  if (type === "textarea") return tag.attrs.value ? [String(tag.attrs.value)] : undefined;
  if (type === "rating" || type === "number") return tag.attrs.defaultValue === undefined || tag.attrs.defaultValue === "" ? undefined : Number(tag.attrs.defaultValue);
  return undefined;
}
