/**
 * A line of time with stretches on it: what sound, video and series share.
 *
 * Units are the caller's (seconds, frames, units of a time column); the line runs from 0 to `length`. Stretches are
 * drawn by dragging or by two marks from the keyboard, pulled by their ends, and moved when they are selected.
 */
import { html, nothing, render, type TemplateResult } from "lit";
import { repeat } from "lit/directives/repeat.js";
import { clamp } from "./geometry";
import { styled } from "../../lib/styled";
import type { Pen } from "../types";
import { lanesOf, pulled, showing, ticksOf, windowAt, zoomed, type Edge, type Span } from "./span";

export interface TrackSpan extends Span {
  id: string;
  title: string;
  colour: string;
  locked: boolean;
  suggested: boolean;
  /** Its ends are not pulled here (a followed box, whose keyframes say where it is). */
  fixed?: boolean;
  /** Keyframes to show on it. */
  keys?: readonly number[];
  /** Parts on which it is in sight; the rest is drawn thin. */
  parts?: readonly Span[];
  /** Row of a channel; stretches of other rows do not cover it. */
  row?: number;
}

export interface TrackHooks {
  length(): number;
  cursor(): number;
  /** Smallest width on show, and smallest stretch. */
  least(): number;
  /** Whole units only. */
  whole?: boolean;
  /** Stretches side by side in rows of text instead of over the whole height. */
  listed?: boolean;
  rows?(): number;
  spans(): TrackSpan[];
  selected(): string | null;
  /** The selected stretch was made just now: Enter goes on to the next one. */
  fresh(): boolean;
  readonly(): boolean;
  /** A label is in hand. */
  armed(): boolean;
  /** `pen`: a label that was chosen for a stretch that waited; else the one in hand. */
  add(span: Span, row: number, pen?: Pen): void;
  change(id: string, span: Span, live: boolean): void;
  select(id: string | null): void;
  seek(at: number): void;
  say(words: string): void;
  words(at: number): string;
  /** What lies under the stretches is to be drawn for this window. */
  drawUnder?(window: Span): void;
  /** The window on show may have changed. */
  drawn?(): void;
}

const DRAG_PX = 4;
const ZOOM_STEP = 1.5;
const LABEL_PX = 80;

interface Grip {
  pointer: number;
  kind: "draw" | "pull" | "press" | "seek" | "overview";
  from: number;
  clientX: number;
  id?: string;
  edge?: Edge;
  span?: Span;
  row: number;
  moved: boolean;
}

export class Track {
  readonly root = document.createElement("div");
  /** For the caller: lies under the stretches. */
  readonly under = document.createElement("div");
  readonly #ruler = document.createElement("div");
  readonly #body = document.createElement("div");
  readonly #over = document.createElement("div");
  readonly #overview = document.createElement("div");
  readonly #watch = new ResizeObserver(() => this.draw());
  window: Span = { start: 0, end: 0 };
  /** A stretch that waits for its label. */
  pending: (Span & { row: number }) | null = null;
  #mark: number | null = null;
  #draft: (Span & { row: number }) | null = null;
  #grip: Grip | null = null;
  #pointers = new Map<number, number>();
  #length = 0;

  constructor(host: HTMLElement, readonly hooks: TrackHooks) {
    this.root.className = "track";
    this.#ruler.className = "track-ruler";
    this.#body.className = "track-body";
    this.under.className = "track-under";
    this.#over.className = "track-over";
    this.#overview.className = "track-overview";
    for (const each of [this.#ruler, this.#over, this.#overview]) each.setAttribute("aria-hidden", "true");
    this.#body.append(this.under, this.#over);
    this.root.append(this.#ruler, this.#body, this.#overview);
    host.append(this.root);
    for (const [element, kind] of [[this.#ruler, "seek"], [this.#over, "press"], [this.#overview, "overview"]] as const) {
      element.addEventListener("pointerdown", (event) => this.#down(event, kind));
      element.addEventListener("pointermove", (event) => this.#move(event));
      element.addEventListener("pointerup", (event) => this.#up(event));
      element.addEventListener("pointercancel", (event) => this.#lost(event));
    }
    this.#body.addEventListener("wheel", (event) => this.#wheel(event), { passive: false });
    this.#watch.observe(this.#body);
  }

  destroy(): void {
    this.#watch.disconnect();
    this.root.remove();
  }

  get width(): number {
    return this.#over.clientWidth || 1;
  }

  // ---- the window on show

  fit(): void {
    this.window = { start: 0, end: this.hooks.length() };
    this.draw();
  }

  get fitted(): boolean {
    return this.window.end - this.window.start >= this.hooks.length() - 1e-9;
  }

  zoom(factor: number, about = this.hooks.cursor()): void {
    const middle = about >= this.window.start && about <= this.window.end ? about : (this.window.start + this.window.end) / 2;
    this.window = zoomed(this.window, factor, middle, this.hooks.length(), this.hooks.least());
    this.draw();
  }

  /** Brings a value into the window; true where the window moved. */
  show(at: number): boolean {
    const next = showing(this.window, at, this.hooks.length());
    const moved = next !== this.window;
    this.window = next;
    return moved;
  }

  reveal(span: Span): void {
    if (span.start >= this.window.start && span.end <= this.window.end) return;
    const width = Math.max(this.window.end - this.window.start, (span.end - span.start) * 1.2);
    this.window = windowAt((span.start + span.end - width) / 2, width, this.hooks.length(), this.hooks.least());
    this.draw();
  }

  #wheel(event: WheelEvent): void {
    const sideways = event.shiftKey ? event.deltaY : event.deltaX;
    if (event.ctrlKey || event.metaKey) {
      event.preventDefault();
      this.zoom(Math.exp(-clamp(event.deltaY, -120, 120) / 200), this.#at(event));
    } else if (sideways && !this.fitted) {
      event.preventDefault();
      this.#scroll((sideways / this.width) * (this.window.end - this.window.start));
    }
  }

  #scroll(by: number): void {
    this.window = windowAt(this.window.start + by, this.window.end - this.window.start, this.hooks.length(), this.hooks.least());
    this.draw();
  }

  // ---- pointers

  #at(event: { clientX: number }): number {
    const box = this.#over.getBoundingClientRect();
    const at = this.window.start + ((event.clientX - box.left) / box.width) * (this.window.end - this.window.start);
    return clamp(at, 0, this.hooks.length());
  }

  #rowAt(event: PointerEvent): number {
    const rows = this.hooks.rows?.() ?? 1;
    const box = this.#over.getBoundingClientRect();
    return clamp(Math.floor(((event.clientY - box.top) / box.height) * rows), 0, rows - 1);
  }

  #down(event: PointerEvent, kind: Grip["kind"]): void {
    if (event.button !== 0) return;
    event.preventDefault();
    this.root.closest<HTMLElement>("[tabindex]")?.focus({ preventScroll: true });
    this.#pointers.set(event.pointerId, event.clientX);
    if (this.#pointers.size === 2) return void (this.#grip = this.#draft = null);
    (event.currentTarget as HTMLElement).setPointerCapture(event.pointerId);
    const grip: Grip = { pointer: event.pointerId, kind, from: this.#at(event), clientX: event.clientX, row: this.#rowAt(event), moved: false };
    this.#grip = kind === "press" ? { ...grip, ...this.#pressed(event) } : grip;
    if (kind === "seek") this.hooks.seek(grip.from);
    if (kind === "overview") this.#toOverview(event);
  }

  #pressed(event: PointerEvent): Partial<Grip> {
    const target = event.target as HTMLElement;
    const id = target.closest<HTMLElement>("[data-region]")?.dataset.region;
    const span = this.hooks.spans().find((each) => each.id === id);
    const movable = span && !span.locked && !span.fixed && !this.hooks.readonly();
    const edge = target.dataset.edge as Edge | undefined;
    if (movable && edge) return { kind: "pull", id: span.id, edge, span };
    if (movable && span.id === this.hooks.selected()) return { kind: "pull", id: span.id, edge: "both", span };
    return { kind: this.hooks.readonly() ? "seek" : "draw", ...(span ? { id: span.id } : {}) };
  }

  #move(event: PointerEvent): void {
    const before = this.#pointers.get(event.pointerId);
    if (this.#pointers.size === 2 && before !== undefined) return this.#pinched(event, before);
    const grip = this.#grip;
    if (!grip || grip.pointer !== event.pointerId) return;
    if (!grip.moved && Math.abs(event.clientX - grip.clientX) < DRAG_PX) return;
    grip.moved = true;
    const at = this.#at(event);
    if (grip.kind === "seek") this.hooks.seek(at);
    if (grip.kind === "overview") this.#toOverview(event);
    if (grip.kind === "pull") this.hooks.change(grip.id!, this.#pull(grip.span!, grip.edge!, at - grip.from), true);
    if (grip.kind === "draw") {
      this.#draft = { ...this.#rounded({ start: Math.min(grip.from, at), end: Math.max(grip.from, at) }), row: grip.row };
      this.draw();
    }
  }

  #pinched(event: PointerEvent, before: number): void {
    const other = [...this.#pointers].find(([id]) => id !== event.pointerId)![1];
    this.#pointers.set(event.pointerId, event.clientX);
    const factor = (Math.abs(event.clientX - other) || 1) / (Math.abs(before - other) || 1);
    this.zoom(clamp(factor, 0.5, 2), this.#at({ clientX: (event.clientX + other) / 2 }));
  }

  #pull(span: Span, edge: Edge, by: number): Span {
    return this.#rounded(pulled(span, edge, by, this.hooks.length(), this.hooks.least()));
  }

  #rounded(span: Span): Span {
    if (!this.hooks.whole) return { start: span.start, end: span.end };
    const start = Math.floor(span.start + 1e-6);
    return { start, end: Math.max(Math.ceil(span.end - 1e-6), start + 1) };
  }

  #up(event: PointerEvent): void {
    this.#pointers.delete(event.pointerId);
    const grip = this.#grip;
    if (!grip || grip.pointer !== event.pointerId) return;
    this.#grip = null;
    if (!grip.moved && grip.kind !== "seek" && grip.kind !== "overview") this.#click(grip);
    else if (grip.kind === "pull") this.hooks.change(grip.id!, this.hooks.spans().find((each) => each.id === grip.id)!, false);
    else if (grip.kind === "draw") this.#finish(this.#draft);
    this.#draft = null;
    this.draw();
  }

  #lost(event: PointerEvent): void {
    this.#pointers.delete(event.pointerId);
    this.#grip = this.#draft = null;
    this.draw();
  }

  #click(grip: Grip): void {
    this.pending = null;
    this.hooks.seek(grip.from);
    this.hooks.select(grip.id ?? null);
  }

  #finish(span: (Span & { row: number }) | null): void {
    if (!span) return;
    if (this.hooks.armed()) return this.hooks.add({ start: span.start, end: span.end }, span.row);
    this.hooks.select(null);
    this.pending = span;
    this.hooks.say(`${this.hooks.words(span.start)} to ${this.hooks.words(span.end)} chosen. Choose a label.`);
  }

  #toOverview(event: PointerEvent): void {
    const box = this.#overview.getBoundingClientRect();
    const at = ((event.clientX - box.left) / box.width) * this.hooks.length();
    const width = this.window.end - this.window.start;
    this.window = windowAt(at - width / 2, width, this.hooks.length(), this.hooks.least());
    this.draw();
  }

  /** The stretch that waits becomes a region now that there is a label. */
  takePending(pen: Pen): boolean {
    const span = this.pending;
    this.pending = null;
    if (!span) return false;
    this.hooks.add({ start: span.start, end: span.end }, span.row, pen);
    return true;
  }

  // ---- keys

  /** `step`: what one arrow moves. */
  key(event: KeyboardEvent, step: number): boolean {
    if (event.ctrlKey || event.metaKey) return false;
    if (event.key === "Escape") return this.#cancel();
    if (event.key === "Enter") return this.#enter();
    if (event.key === "+" || event.key === "=") return this.zoom(ZOOM_STEP), true;
    if (event.key === "-") return this.zoom(1 / ZOOM_STEP), true;
    if (event.key === "f") return this.fit(), true;
    const span = this.hooks.spans().find((each) => each.id === this.hooks.selected());
    if (!span || span.fixed || this.hooks.readonly()) return false;
    return this.#spanKey(event, span, step);
  }

  #spanKey(event: KeyboardEvent, span: TrackSpan, step: number): boolean {
    const cursor = this.hooks.cursor();
    const by = event.key === "ArrowRight" ? step : event.key === "ArrowLeft" ? -step : 0;
    const [edge, way]: [Edge, number] | [null, 0] =
      event.key === "," ? ["start", cursor - span.start] : event.key === "." ? ["end", cursor - span.end] : by && event.shiftKey ? [event.altKey ? "both" : "end", by] : [null, 0];
    if (!edge) return false;
    if (span.locked) return this.hooks.say("This region is locked."), true;
    const next = this.#pull(span, edge, way);
    this.hooks.change(span.id, next, false);
    this.hooks.say(`${this.hooks.words(next.start)} to ${this.hooks.words(next.end)}`);
    return true;
  }

  #enter(): boolean {
    if (this.hooks.readonly() || (this.hooks.selected() && !this.hooks.fresh())) return false;
    this.hooks.select(null);
    const at = this.hooks.cursor();
    if (this.#mark === null) {
      this.#mark = at;
      this.hooks.say(`Begins at ${this.hooks.words(at)}. Go on and press Enter for the end.`);
      this.draw();
      return true;
    }
    const span = { ...this.#rounded({ start: Math.min(this.#mark, at), end: Math.max(this.#mark, at) }), row: 0 };
    this.#mark = null;
    this.#finish(span);
    this.draw();
    return true;
  }

  #cancel(): boolean {
    const busy = this.#mark !== null || this.pending !== null || this.#draft !== null;
    this.#mark = this.pending = this.#draft = null;
    if (busy) this.hooks.say("Cancelled."), this.draw();
    return busy;
  }

  // ---- drawing

  #part(at: number): number {
    return (at - this.window.start) / (this.window.end - this.window.start || 1);
  }

  draw(): void {
    const length = this.hooks.length();
    if (length !== this.#length) {
      this.#length = length;
      this.window = { start: 0, end: length };
    }
    if (!length) return;
    this.hooks.drawUnder?.(this.window);
    const spans = this.hooks.spans();
    const lanes = lanesOf(spans);
    const most = Math.max(...lanes, 0) + 1;
    if (this.hooks.listed) this.#body.style.height = `${Math.min(Math.max(most, 2), 8) * 26 + 6}px`;
    const selected = this.hooks.selected();
    render(
      html`${repeat(spans, (each) => each.id, (each, at) => this.#drawSpan(each, lanes[at]!, most, each.id === selected))}
        ${[this.#draft, this.pending].map((each) => (each ? html`<div class="span" data-draft ${styled(this.#place(each, each.row))}></div>` : nothing))}
        ${this.#mark === null ? nothing : html`<div class="track-mark" ${styled({ left: `${this.#part(this.#mark) * 100}%` })}></div>`}
        <div class="track-cursor" ${styled({ left: `${this.#part(this.hooks.cursor()) * 100}%` })}></div>`,
      this.#over,
    );
    this.#drawRuler();
    this.#drawOverview(length);
    this.hooks.drawn?.();
  }

  #place(span: Span, row: number | undefined, lane = 0, lanes = 1): Record<string, string> {
    const [left, right] = [clamp(this.#part(span.start), -0.1, 1.1), clamp(this.#part(span.end), -0.1, 1.1)];
    const across = { left: `${left * 100}%`, width: `${Math.max(right - left, 0) * 100}%` };
    if (this.hooks.listed) return { ...across, top: `${lane * 26 + 3}px`, height: "23px" };
    const rows = this.hooks.rows?.() ?? 1;
    const [top, height] = [((row ?? 0) * 100) / rows, 100 / rows];
    const shift = rows > 1 ? 0 : Math.min(lane, 5) * Math.min(14, 60 / lanes);
    return { ...across, top: rows > 1 ? `${top}%` : `${shift}px`, height: rows > 1 ? `${height}%` : `calc(100% - ${shift}px)` };
  }

  #drawSpan(span: TrackSpan, lane: number, lanes: number, selected: boolean): TemplateResult | typeof nothing {
    if (span.end < this.window.start || span.start > this.window.end) return nothing;
    const pulls = !span.locked && !span.fixed && !this.hooks.readonly();
    const part = (at: number) => `${((at - span.start) / (span.end - span.start || 1)) * 100}%`;
    return html`<div class="span" data-region=${span.id} ?data-selected=${selected} ?data-suggested=${span.suggested} ?data-locked=${span.locked} ?data-parts=${span.parts !== undefined}
      ${styled({ ...this.#place(span, span.row, lane, lanes), "--span": span.colour })}>
      ${(span.parts ?? []).map((each) => html`<i class="span-part" ${styled({ left: part(each.start), width: `${((each.end - each.start) / (span.end - span.start || 1)) * 100}%` })}></i>`)}
      ${(span.keys ?? []).map((each) => html`<i class="span-key" ${styled({ left: part(each) })}></i>`)}
      ${span.title ? html`<span class="span-title">${span.title}</span>` : nothing}
      ${pulls ? html`<i class="span-grip" data-edge="start"></i><i class="span-grip" data-edge="end"></i>` : nothing}
    </div>`;
  }

  #drawRuler(): void {
    const ticks = ticksOf(this.window, Math.max(Math.floor(this.width / LABEL_PX), 2), this.hooks.whole);
    render(html`${ticks.map((at) => html`<span class="track-tick num" ${styled({ left: `${this.#part(at) * 100}%` })}>${this.hooks.words(at)}</span>`)}`, this.#ruler);
  }

  #drawOverview(length: number): void {
    this.#overview.hidden = this.fitted;
    const place = { left: `${(this.window.start / length) * 100}%`, width: `${((this.window.end - this.window.start) / length) * 100}%` };
    render(html`<i ${styled(place)}></i>`, this.#overview);
  }

  /** Only the cursor moved: cheap enough for every frame of playing. */
  drawCursor(): void {
    const cursor = this.#over.querySelector<HTMLElement>(".track-cursor");
    if (cursor) cursor.style.left = `${this.#part(this.hooks.cursor()) * 100}%`;
  }
}
