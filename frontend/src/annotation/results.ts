/** Label Studio's result list to a sheet of regions, answers and relations, and back. Pure. */
import { ANSWER_KEYS, type Catalogue, type Control } from "./store";
import type { Origin, Place, Region, Relation, ResultEntry } from "./types";

/** An answer of a control, where it stands. */
export interface Answered extends Place {
  control: string;
  id: string;
  value: unknown;
  origin: Origin;
}

/** Everything that a person says about a task. Never changed in place. */
export interface Sheet {
  readonly regions: readonly Region[];
  readonly answers: Readonly<Record<string, Answered>>;
  readonly relations: readonly Relation[];
}

export const EMPTY_SHEET: Sheet = { regions: [], answers: {}, relations: [] };
const ID_LENGTH = 10;
const ID_ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
const KNOWN_BESIDE = new Set(["id", "from_name", "to_name", "type", "value", "origin", "item_index", "score", "meta"]);

export function newId(): string {
  return [...crypto.getRandomValues(new Uint8Array(ID_LENGTH))].map((byte) => ID_ALPHABET[byte % ID_ALPHABET.length]).join("");
}

export function answerKey(control: string, place: Place = {}): string {
  return place.region !== undefined ? `${control}@${place.region}` : place.item !== undefined ? `${control}#${place.item}` : control;
}

/** Whether a value says anything. */
export function filled(value: unknown): boolean {
  if (value === null || value === undefined) return false;
  if (typeof value === "string") return value.trim() !== "";
  if (Array.isArray(value)) return value.some(filled);
  return typeof value === "object" ? Object.values(value).some(filled) : true;
}

/** Read results; what names no control of this config is left out. */
export function sheetOf(result: readonly ResultEntry[], catalogue: Catalogue, origin?: Origin): Sheet {
  const regions = new Map<string, Region>();
  const answers: Record<string, Answered> = {};
  const relations: Relation[] = [];
  const control = (entry: ResultEntry): Control | undefined => catalogue.controls.get(entry.from_name ?? "");
  for (const entry of result) {
    const from = control(entry);
    if (from && from.kind !== "answer") takeRegion(regions, entry, from, origin);
  }
  for (const entry of result) {
    const from = control(entry);
    if (entry.type === "relation" && entry.from_id && entry.to_id && regions.has(entry.from_id) && regions.has(entry.to_id)) {
      relations.push({ from: entry.from_id, to: entry.to_id, direction: entry.direction ?? "right", labels: entry.labels ?? [] });
    } else if (from?.kind === "answer") takeAnswer(answers, entry, from, regions, origin);
  }
  return { regions: [...regions.values()], answers, relations };
}

function takeRegion(regions: Map<string, Region>, entry: ResultEntry, control: Control, origin?: Origin): void {
  const id = entry.id ?? newId();
  const { value: given = {} } = entry;
  const { [control.type]: own, labels: plain, ...place } = given;
  const chosen = control.kind === "labels" ? (own ?? plain) : control.type === "videorectangle" ? plain : undefined;
  const region: Region = regions.get(id) ?? {
    id,
    object: entry.to_name ?? control.objects[0] ?? "",
    control: control.name,
    value: control.kind === "shape" ? given : place,
    labels: {},
    beside: Object.fromEntries(Object.entries(entry).filter(([key]) => !KNOWN_BESIDE.has(key))),
    origin: entry.origin ?? origin ?? "manual",
    ...(entry.item_index === undefined ? {} : { item: entry.item_index }),
    ...(typeof entry.score === "number" ? { score: entry.score } : {}),
    ...(entry.meta?.text?.length ? { note: entry.meta.text.join("\n") } : {}),
  };
  if (control.kind === "shape") Object.assign(region, { control: control.name, value: control.type === "videorectangle" ? without(given, "labels") : given });
  if (Array.isArray(chosen)) region.labels = { ...region.labels, [control.type === "videorectangle" ? VIDEO_LABELS : control.name]: chosen.map(String) };
  regions.set(id, region);
}

/** Labels that stand inside a videorectangle result, until `named` gives them to their control. */
const VIDEO_LABELS = "";

function without(value: Record<string, unknown>, key: string): Record<string, unknown> {
  const { [key]: _, ...rest } = value;
  return rest;
}

function takeAnswer(answers: Record<string, Answered>, entry: ResultEntry, control: Control, regions: Map<string, Region>, origin?: Origin): void {
  const value = entry.value?.[ANSWER_KEYS[control.type] ?? control.type];
  if (!filled(value)) return;
  const onRegion = control.perRegion && entry.id !== undefined && regions.has(entry.id);
  const place: Place = onRegion ? { region: entry.id! } : control.perItem ? { item: entry.item_index ?? 0 } : {};
  if (control.perRegion && !onRegion) return;
  answers[answerKey(control.name, place)] = { control: control.name, ...place, id: entry.id ?? newId(), value, origin: entry.origin ?? origin ?? "manual" };
}

/** Give the labels inside videorectangle results to the Labels control that names them. */
export function named(sheet: Sheet, catalogue: Catalogue): Sheet {
  const regions = sheet.regions.map((region) => {
    const { [VIDEO_LABELS]: inside, ...labels } = region.labels;
    if (!inside) return region;
    const owner = [...catalogue.controls.values()].find((control) => control.kind === "labels" && control.objects.includes(region.object));
    return { ...region, labels: owner && !labels[owner.name] ? { ...labels, [owner.name]: inside } : labels };
  });
  return { ...sheet, regions };
}

/** Write a sheet as results. `keeps` says which answers and regions the visible part of the config holds. */
export function resultsOf(
  sheet: Sheet,
  catalogue: Catalogue,
  keeps: { answer(answered: Answered): boolean; region(region: Region): boolean } = { answer: () => true, region: () => true },
): ResultEntry[] {
  const kept = sheet.regions.filter(keeps.region);
  const ids = new Set(kept.map((region) => region.id));
  const answers = Object.values(sheet.answers).filter((each) => filled(each.value) && keeps.answer(each));
  return [
    ...kept.flatMap((region) => [...regionEntries(region, catalogue), ...answers.filter((each) => each.region === region.id).map((each) => regionAnswer(each, region, catalogue))]),
    ...answers.filter((each) => each.region === undefined).map((each) => plainAnswer(each, catalogue)),
    ...sheet.relations.filter((each) => ids.has(each.from) && ids.has(each.to)).map(relationEntry),
  ];
}

function common(region: Region): Partial<ResultEntry> {
  return {
    ...region.beside,
    ...(region.item === undefined ? {} : { item_index: region.item }),
    ...(region.score === undefined ? {} : { score: region.score }),
    ...(region.note ? { meta: { text: [region.note] } } : {}),
    origin: region.origin,
  };
}

function regionEntries(region: Region, catalogue: Catalogue): ResultEntry[] {
  const drawer = catalogue.controls.get(region.control);
  if (!drawer) return [];
  const entry = (control: Control, value: Record<string, unknown>): ResultEntry => ({ id: region.id, from_name: control.name, to_name: region.object, type: control.type, value, ...common(region) });
  const labelled = Object.entries(region.labels).filter(([name, labels]) => labels.length && catalogue.controls.has(name));
  if (drawer.type === "videorectangle") {
    const labels = labelled.flatMap(([, chosen]) => chosen);
    return [entry(drawer, labels.length ? { ...region.value, labels } : region.value)];
  }
  const own = drawer.kind === "shape" ? [entry(drawer, region.value)] : [];
  return [...own, ...labelled.map(([name, labels]) => entry(catalogue.controls.get(name)!, { ...region.value, [catalogue.controls.get(name)!.type]: labels }))];
}

function regionAnswer(answered: Answered, region: Region, catalogue: Catalogue): ResultEntry {
  const control = catalogue.controls.get(answered.control)!;
  const value = { ...region.value, [ANSWER_KEYS[control.type] ?? control.type]: answered.value };
  const { score: _score, meta: _meta, ...rest } = common(region);
  return { ...rest, id: region.id, from_name: control.name, to_name: region.object, type: control.type, value, origin: answered.origin };
}

function plainAnswer(answered: Answered, catalogue: Catalogue): ResultEntry {
  const control = catalogue.controls.get(answered.control)!;
  return {
    id: answered.id,
    from_name: control.name,
    to_name: control.objects.join(",") || control.name,
    type: control.type,
    value: { [ANSWER_KEYS[control.type] ?? control.type]: answered.value },
    origin: answered.origin,
    ...(answered.item === undefined ? {} : { item_index: answered.item }),
  };
}

function relationEntry(relation: Relation): ResultEntry {
  return { type: "relation", from_id: relation.from, to_id: relation.to, direction: relation.direction, ...(relation.labels.length ? { labels: [...relation.labels] } : {}) };
}
