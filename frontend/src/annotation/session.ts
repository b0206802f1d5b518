/**
 * One person's work on one task: the sheet with its past, the labels in hand, the selection. Knows no page; emits
 * "change" after every change, "say" {words} for what a screen reader should hear.
 */
import { answerKey, EMPTY_SHEET, filled, named, newId, resultsOf, sheetOf, type Answered, type Sheet } from "./results";
import { keeps, problemsOf, regionLabels } from "./rules";
import { inOrder } from "./order";
import { catalogueOf, defaultOf, drawersOf, flag, itemCount, labellersOf, numberAttr, shapeOf, type Catalogue, type Control } from "./store";
import { TimeBus } from "./time";
import type { AnnotationData, AnnotationAnswer, Direction, Drawer, LabelChoice, Pen, Place, Region, Relation, ResultEntry, Shape } from "./types";

export { TimeBus } from "./time";
export const REGIONS_MAX = 10_000;
const PAST_MAX = 200;
/** The colour of a region without a label. */
export const NEUTRAL_COLOUR = "var(--p-line-strong)";

export interface NewRegion {
  object: string;
  value: Record<string, unknown>;
  pen: Pen;
  item?: number;
  beside?: Record<string, unknown>;
  /** Select it at once; true unless said. */
  select?: boolean;
}

export class Session extends EventTarget {
  readonly catalogue: Catalogue;
  readonly = false;
  #sheet: Sheet = EMPTY_SHEET;
  #past: Sheet[] = [];
  #future: Sheet[] = [];
  /** What the last step was, so that typing on becomes one step to undo. */
  #lastStep = "";
  #live = false;
  #hand: { control: string; labels: string[] } | null = null;
  #selected: string | null = null;
  /** The selected region was drawn just now with the label in hand: the next label is for the next region. */
  #fresh = false;
  #tools = new Map<string, string>();
  #hidden = new Set<string>();
  #locked = new Set<string>();
  #accepted = new Set<string>();
  #items = new Map<string, number>();
  #buses = new Map<string, TimeBus>();
  #durations = new Map<string, number>();
  /** Region from which a relation is being drawn. */
  #relating: string | null = null;
  /** The model whose suggestion this work began with. */
  readonly suggestedBy: string = "";

  constructor(data: AnnotationData, draft: AnnotationAnswer | null, options: { readonly?: boolean; palette?: readonly string[] } = {}) {
    super();
    this.catalogue = catalogueOf(data.tree, options.palette);
    this.readonly = options.readonly ?? false;
    const newest = data.suggestions?.at(-1);
    if (draft) this.#sheet = this.#read(draft.result);
    else if (newest && !this.readonly) {
      this.#sheet = this.#read(newest.result, "prediction");
      this.suggestedBy = newest.model;
    }
    if (!this.readonly && !draft) this.#sheet = this.#withDefaults(this.#sheet);
    this.#hand = this.#labelsAtHand();
  }

  #read(result: readonly ResultEntry[], origin?: "prediction"): Sheet {
    const sheet = named(sheetOf(result, this.catalogue, origin), this.catalogue);
    return origin ? { ...sheet, regions: sheet.regions.map((region) => ({ ...region, origin })) } : sheet;
  }

  /** Answers that the config gives in advance. */
  #withDefaults(sheet: Sheet): Sheet {
    const answers: Record<string, Answered> = { ...sheet.answers };
    for (const control of this.catalogue.controls.values()) {
      if (control.kind !== "answer" || control.perRegion || control.perItem || answers[control.name]) continue;
      const value = defaultOf(control);
      if (filled(value)) answers[control.name] = { control: control.name, id: newId(), value, origin: "manual" };
    }
    return { ...sheet, answers };
  }

  #labelsAtHand(): { control: string; labels: string[] } | null {
    for (const control of this.catalogue.controls.values()) {
      const chosen = control.tag.options?.filter((option) => option.selected).map((option) => option.value) ?? [];
      if (control.kind === "labels" && chosen.length) return { control: control.name, labels: chosen };
    }
    return null;
  }

  // Reading

  get sheet(): Sheet {
    return this.#sheet;
  }

  get answer(): AnnotationAnswer {
    return { result: resultsOf(this.#sheet, this.catalogue, keeps(this.#sheet, this.catalogue)) };
  }

  get problems(): string[] {
    return problemsOf(this.#sheet, this.catalogue);
  }

  get regions(): readonly Region[] {
    return this.#sheet.regions;
  }

  get relations(): readonly Relation[] {
    return this.#sheet.relations;
  }

  get selected(): string | null {
    return this.#selected;
  }

  get selectedRegion(): Region | null {
    return this.#selected === null ? null : (this.region(this.#selected) ?? null);
  }

  /** Whether the selected region was drawn just now with the label in hand. */
  get fresh(): boolean {
    return this.#fresh;
  }

  /** The shape in hand where an object offers several without labels of their own. */
  tool(object: string): string | null {
    return this.#tools.get(object) ?? null;
  }

  setTool(object: string, control: string): void {
    this.#tools.set(object, control);
    this.#tell();
  }

  get relating(): string | null {
    return this.#relating;
  }

  get hand(): { control: string; labels: string[] } | null {
    return this.#hand;
  }

  get canUndo(): boolean {
    return this.#past.length > 0;
  }

  get canRedo(): boolean {
    return this.#future.length > 0;
  }

  region(id: string): Region | undefined {
    return this.#sheet.regions.find((region) => region.id === id);
  }

  regionsOf(object: string, item?: number): Region[] {
    return this.#sheet.regions.filter((region) => region.object === object && (item === undefined || (region.item ?? 0) === item));
  }

  drawersOf(object: string): Drawer[] {
    return drawersOf(this.catalogue, object);
  }

  isSelected = (id: string): boolean => this.#selected === id;
  isHidden = (id: string): boolean => this.#hidden.has(id);
  isLocked = (id: string): boolean => this.readonly || this.#locked.has(id);
  /** A prediction that the person has not accepted or changed yet. What was submitted holds none: all were seen. */
  isSuggestion = (id: string): boolean => !this.readonly && this.region(id)?.origin === "prediction" && !this.#accepted.has(id);

  labelChoice(control: string, value: string): LabelChoice | undefined {
    return this.catalogue.labels.get(control)?.find((label) => label.value === value);
  }

  colourOf(region: Region): string {
    for (const [control, labels] of Object.entries(region.labels)) {
      const choice = labels[0] === undefined ? undefined : this.labelChoice(control, labels[0]);
      if (choice) return choice.colour;
    }
    return NEUTRAL_COLOUR;
  }

  titleOf(region: Region): string {
    const titles = Object.entries(region.labels).flatMap(([control, labels]) => labels.map((label) => this.labelChoice(control, label)?.title ?? label));
    return titles.join(", ");
  }

  /** What a new region of this object gets now; null where a label must be chosen first. */
  pen(object: string, shape?: Shape): Pen | null {
    const drawers = this.drawersOf(object).filter((drawer) => !shape || drawer.shape === shape);
    const hand = this.#hand;
    for (const drawer of drawers) {
      if (hand?.control === drawer.control && hand.labels.length) return { control: drawer.control, labels: hand.labels, labelling: drawer.control };
    }
    const tool = drawers.filter((drawer) => drawer.control === this.tool(object));
    for (const drawer of [...tool, ...drawers]) {
      const control = this.catalogue.controls.get(drawer.control)!;
      if (control.kind !== "shape") continue;
      const lends = hand && labellersOf(this.catalogue, object, drawer.control).some((each) => each.name === hand.control);
      return { control: drawer.control, labels: lends ? hand.labels : [], labelling: lends ? hand.control : "" };
    }
    return null;
  }

  answerOf(control: string, place: Place = {}): unknown {
    return this.#sheet.answers[answerKey(control, place)]?.value;
  }

  answeredOf(control: string, place: Place = {}): Answered | undefined {
    return this.#sheet.answers[answerKey(control, place)];
  }

  item(object: string): number {
    return this.#items.get(object) ?? 0;
  }

  time(group: string): TimeBus {
    let bus = this.#buses.get(group);
    if (!bus) this.#buses.set(group, (bus = new TimeBus()));
    return bus;
  }

  duration(object: string): number | undefined {
    return this.#durations.get(object);
  }

  setDuration(object: string, seconds: number): void {
    this.#durations.set(object, seconds);
  }

  // Looking: changes nothing in the answer

  select(id: string | null): void {
    if (this.#relating && id && id !== this.#relating) return this.relateTo(id);
    this.#fresh = false;
    if (this.#selected === id) return;
    this.#selected = id !== null && this.region(id) ? id : null;
    const region = this.selectedRegion;
    if (region?.item !== undefined) this.#items.set(region.object, region.item);
    this.#tell();
  }

  setItem(object: string, item: number): void {
    const last = itemCount(this.catalogue.objects.get(object)) - 1;
    // A paged document counts its pages itself.
    const paged = this.catalogue.objects.get(object)?.tag.tag === "Pdf";
    this.#items.set(object, Math.max(0, paged ? item : Math.min(item, last)));
    this.#tell();
  }

  hide(id: string, hidden = !this.#hidden.has(id)): void {
    this.#toggle(this.#hidden, id, hidden);
  }

  hideAll(hidden: boolean): void {
    this.#hidden = new Set(hidden ? this.regions.map((region) => region.id) : []);
    this.#tell();
  }

  lock(id: string, locked = !this.#locked.has(id)): void {
    this.#toggle(this.#locked, id, locked);
  }

  #toggle(set: Set<string>, id: string, on: boolean): void {
    if (on) set.add(id);
    else set.delete(id);
    this.#tell();
  }

  /** Take a label into the hand, or put it back; a control that takes several collects them. */
  take(control: string, label: string): void {
    const tag = this.catalogue.controls.get(control)?.tag;
    const held = this.#hand?.control === control ? this.#hand.labels : [];
    const several = tag?.attrs.choice === "multiple";
    const labels = held.includes(label) ? held.filter((each) => each !== label) : several ? [...held, label] : [label];
    this.#hand = labels.length ? { control, labels } : null;
    this.#tell();
  }

  dropHand(): void {
    this.#hand = null;
    this.#tell();
  }

  /** A suggestion is right as it is. */
  accept(...ids: string[]): void {
    for (const id of ids) this.#accepted.add(id);
    this.say(ids.length === 1 ? "Accepted" : `${ids.length} suggestions accepted`);
    this.#tell();
  }

  get suggestions(): Region[] {
    return this.regions.filter((region) => this.isSuggestion(region.id));
  }

  say(words: string): void {
    this.dispatchEvent(new CustomEvent("say", { detail: words }));
  }

  // Changing

  add({ object, value, pen, item, beside = {}, select = true }: NewRegion): Region | null {
    if (this.readonly || this.#full(pen)) return null;
    const drawer = this.catalogue.controls.get(pen.control);
    if (!drawer || (drawer.kind === "labels" && !pen.labels.length && !flag(drawer.tag, "allowEmpty"))) return null;
    const labels = pen.labels.length ? { [pen.labelling || pen.control]: [...pen.labels] } : {};
    const region: Region = { id: newId(), object, control: pen.control, value, labels, beside, origin: "manual", ...(item === undefined ? {} : { item }) };
    this.#commit({ ...this.#sheet, regions: [...this.#sheet.regions, region] });
    if (select) {
      this.select(region.id);
      this.#fresh = this.#hand !== null;
    }
    return region;
  }

  /** Whether a label may not be used once more; says so. */
  #full(pen: Pen): boolean {
    if (this.regions.length >= REGIONS_MAX) return this.#refuse(`A task takes ${REGIONS_MAX} regions at most.`);
    const name = pen.labelling || pen.control;
    for (const label of pen.labels) {
      const choice = this.labelChoice(name, label);
      const limit = choice?.maxUsages ?? numberAttr(this.catalogue.controls.get(name)!.tag, "maxUsages");
      const used = this.regions.filter((region) => region.labels[name]?.includes(label)).length;
      if (limit !== undefined && used >= limit) return this.#refuse(`“${choice?.title ?? label}” can be used ${limit === 1 ? "once" : `${limit} times`} only.`);
    }
    return false;
  }

  #refuse(words: string): true {
    this.say(words);
    this.dispatchEvent(new CustomEvent("refused", { detail: words }));
    return true;
  }

  change(id: string, value: Record<string, unknown>, options: { beside?: Record<string, unknown>; live?: boolean } = {}): void {
    this.#alter(id, (region) => ({ ...region, value, ...(options.beside ? { beside: { ...region.beside, ...options.beside } } : {}) }), options.live ?? false);
  }

  #alter(id: string, make: (region: Region) => Region, live = false): void {
    const region = this.region(id);
    if (!region || this.isLocked(id)) return;
    const origin = region.origin === "manual" ? "manual" : "prediction-changed";
    this.#commit({ ...this.#sheet, regions: this.#sheet.regions.map((each) => (each.id === id ? { ...make(each), origin } : each)) }, "", live);
  }

  remove(...ids: string[]): void {
    const gone = new Set(ids.filter((id) => this.region(id) && !this.isLocked(id)));
    if (!gone.size) return;
    const answers = Object.fromEntries(Object.entries(this.#sheet.answers).filter(([, each]) => each.region === undefined || !gone.has(each.region)));
    this.#commit({
      regions: this.#sheet.regions.filter((region) => !gone.has(region.id)),
      answers,
      relations: this.#sheet.relations.filter((each) => !gone.has(each.from) && !gone.has(each.to)),
    });
    this.say(gone.size === 1 ? "Region deleted" : `${gone.size} regions deleted`);
  }

  /** Give a region another label of a control, or one more (one less) where the control takes several. */
  relabel(id: string, control: string, label: string): void {
    const region = this.region(id);
    if (!region || this.isLocked(id)) return;
    const held = region.labels[control] ?? [];
    const several = this.catalogue.controls.get(control)?.tag.attrs.choice === "multiple";
    const labels = several ? (held.includes(label) ? held.filter((each) => each !== label) : [...held, label]) : [label];
    if (!labels.length && Object.entries(region.labels).every(([name, each]) => name === control || !each.length) && this.catalogue.controls.get(region.control)?.kind === "labels") return;
    if (!held.includes(label) && this.#full({ control: region.control, labelling: control, labels: [label] })) return;
    this.#alter(id, (each) => this.#drawnBy({ ...each, labels: { ...each.labels, [control]: labels } }, control));
    this.say(`Now ${this.titleOf(this.region(id)!)}`);
  }

  /** Two controls that draw the same shape stand for each other: a region has labels of one of them. */
  #drawnBy(region: Region, control: string): Region {
    const next = this.catalogue.controls.get(control)!;
    const now = this.catalogue.controls.get(region.control)!;
    if (now.name === control || now.kind !== "labels") return region;
    const shape = shapeOf(this.catalogue, next, region.object);
    if (shape && shape !== "span") return { ...region, control, labels: { [control]: region.labels[control] ?? [] } };
    return region.labels[now.name]?.length ? region : { ...region, control };
  }

  /** Controls whose labels a region can carry. */
  labellers(region: Region): Control[] {
    const shape = (control: Control): Shape | null => shapeOf(this.catalogue, control, region.object);
    const drawer = this.catalogue.controls.get(region.control);
    const same = (control: Control): boolean => drawer?.kind === "labels" && shape(control) === shape(drawer);
    return [...this.catalogue.controls.values()].filter(
      (control) => control.kind === "labels" && control.objects.includes(region.object) && (control.name === region.control || shape(control) === null || same(control)),
    );
  }

  setNote(id: string, note: string): void {
    const region = this.region(id);
    if (!region || this.isLocked(id)) return;
    this.#commit({ ...this.#sheet, regions: this.#sheet.regions.map((each) => (each.id === id ? { ...each, note } : each)) }, `note ${id}`);
  }

  /** `step` names a run of changes that undo together (typing in one field). */
  setAnswer(control: string, value: unknown, place: Place = {}, step = ""): void {
    if (this.readonly || (place.region !== undefined && this.isLocked(place.region))) return;
    const key = answerKey(control, place);
    const before = this.#sheet.answers[key];
    const { [key]: _, ...others } = this.#sheet.answers;
    const origin = before && before.origin !== "manual" ? "prediction-changed" : "manual";
    const answers = filled(value) ? { ...this.#sheet.answers, [key]: { control, ...place, id: before?.id ?? newId(), value, origin } satisfies Answered } : others;
    this.#commit({ ...this.#sheet, answers }, step && `${step} ${key}`);
  }

  // Relations

  startRelation(from: string | null): void {
    if (this.readonly || (from && !this.catalogue.relations && !this.region(from))) return;
    this.#relating = from;
    if (from) this.say(`Relation from ${this.titleOf(this.region(from)!)}: choose the other region`);
    this.#tell();
  }

  relateTo(to: string): void {
    const from = this.#relating;
    this.#relating = null;
    if (!from || from === to || !this.region(to)) return this.#tell();
    if (this.relations.some((each) => each.from === from && each.to === to)) return void this.#refuse("These two are related already."), this.#tell();
    this.#commit({ ...this.#sheet, relations: [...this.#sheet.relations, { from, to, direction: "right", labels: [] }] });
    this.say(`Related to ${this.titleOf(this.region(to)!)}`);
    this.dispatchEvent(new CustomEvent("related", { detail: this.#sheet.relations.length - 1 }));
  }

  turnRelation(at: number): void {
    const next: Record<Direction, Direction> = { right: "left", left: "bi", bi: "right" };
    this.#alterRelation(at, (each) => ({ ...each, direction: next[each.direction] }));
  }

  labelRelation(at: number, label: string): void {
    const several = this.catalogue.relations?.tag.attrs.choice === "multiple";
    this.#alterRelation(at, (each) => {
      const rest = each.labels.filter((other) => other !== label);
      return { ...each, labels: rest.length < each.labels.length ? rest : several ? [...rest, label] : [label] };
    });
  }

  removeRelation(at: number): void {
    if (this.readonly) return;
    this.#commit({ ...this.#sheet, relations: this.#sheet.relations.filter((_, index) => index !== at) });
    this.say("Relation deleted");
  }

  #alterRelation(at: number, make: (relation: Relation) => Relation): void {
    if (this.readonly) return;
    this.#commit({ ...this.#sheet, relations: this.#sheet.relations.map((each, index) => (index === at ? make(each) : each)) });
  }

  // Past and future

  #commit(next: Sheet, step = "", live = false): void {
    if (this.readonly) return;
    const goesOn = this.#live || (step !== "" && step === this.#lastStep);
    if (!goesOn) this.#past = [...this.#past.slice(1 - PAST_MAX), this.#sheet];
    this.#live = live;
    this.#lastStep = step;
    this.#future = [];
    this.#show(next);
  }

  undo(): void {
    const before = this.#past.pop();
    if (!before || this.readonly) return;
    this.#future.push(this.#sheet);
    this.say("Undone");
    this.#travel(before);
  }

  redo(): void {
    const after = this.#future.pop();
    if (!after || this.readonly) return;
    this.#past.push(this.#sheet);
    this.say("Done again");
    this.#travel(after);
  }

  #travel(sheet: Sheet): void {
    this.#lastStep = "";
    this.#live = false;
    this.#show(sheet);
  }

  #show(sheet: Sheet): void {
    this.#sheet = sheet;
    if (this.#selected && !this.region(this.#selected)) this.#selected = null;
    if (this.#relating && !this.region(this.#relating)) this.#relating = null;
    this.#tell(true);
  }

  #tell(answer = false): void {
    this.dispatchEvent(new CustomEvent("change", { detail: { answer } }));
  }

  /** Regions in the order of the page. */
  inOrder(): Region[] {
    return inOrder(this.regions, [...this.catalogue.objects.keys()]);
  }

  /** Whether a region says something beyond its place. */
  isNamed = (region: Region): boolean => regionLabels(region).length > 0;
}
