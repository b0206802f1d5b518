/** Measurements over time: channels one above the other, stretches marked across all of them. */
import { html, render } from "lit";
import uPlot from "uplot";
import { icon } from "../../lib/dom";
import { drawnIndices, lowerBound } from "../media/drawing";
import { Notice } from "../media/loading";
import { axisOf, BadSeries, column, columnsOf, numbersOf, SERIES_BYTES_MAX, type Columns } from "../media/series";
import type { Span } from "../media/span";
import { adoptMediaStyles, onThemeChange } from "../media/style";
import { bytesOf, NotLoaded, numberOf, textOf, TooLarge } from "../media/source";
import { tool } from "../media/toolbar";
import { Track, type TrackSpan } from "../media/track";
import type { Mount, ObjectContext, ObjectView, Option, Pen, Region, Shortcut, Tag } from "../types";

const AXIS_PX = 64;
const PLOT_PX = 130;
const ZOOM_STEP = 2;
/** Arrows go this part of what is on show. */
const STEPS = 100;
const LEAP = 10;
const COLOURS = ["--p-brand", "--color-primary", "--color-warning", "--color-error", "--p-muted"];

interface Channel {
  name: string;
  title: string;
  units: string;
  values: Float64Array;
  colour: string;
  height: number;
  low: number;
  high: number;
}

export const mount: Mount = (context) => new TimeSeriesView(context);

class TimeSeriesView implements ObjectView {
  readonly #root = document.createElement("div");
  readonly #bar = document.createElement("div");
  readonly #noticeHost = document.createElement("div");
  readonly #notice = new Notice(this.#noticeHost);
  readonly #track: Track;
  readonly #stopped = new AbortController();
  readonly #unwatch = onThemeChange(() => this.#repaint());
  readonly #format: string;
  #axis: Float64Array = new Float64Array();
  #channels: Channel[] = [];
  #plots: uPlot[] = [];
  /** Where the keyboard stands, from the first value of the axis. */
  #cursor = 0;

  constructor(readonly context: ObjectContext) {
    adoptMediaStyles();
    const { host, tag } = context;
    this.#format = textOf(tag, "timeFormat");
    this.#root.className = "media media-series";
    this.#root.tabIndex = 0;
    this.#root.setAttribute("role", "application");
    this.#root.setAttribute("aria-roledescription", "time series to annotate");
    this.#root.append(this.#bar, this.#noticeHost);
    this.#track = new Track(this.#root, this.#hooks());
    this.#track.root.hidden = true;
    host.append(this.#root);
    void this.#load();
  }

  readonly shortcuts: Shortcut[] = [
    { keys: "← →", words: "Move the cursor (Shift: ten times as far, Alt: by one measurement)" },
    { keys: "Enter", words: "Begin a stretch here; again: end it" },
    { keys: ", .", words: "Selected stretch begins here, ends here" },
    { keys: "Shift ← →", words: "Pull the end of the selected stretch (with Alt: move it)" },
    { keys: "Home End", words: "First, last measurement" },
    { keys: "+ − f", words: "Zoom in, out, show all" },
  ];

  // ---- data

  async #load(): Promise<void> {
    this.#notice.loading("the data", () => void this.#load());
    try {
      this.#take(await this.#columns());
      this.#notice.clear();
      this.#track.root.hidden = false;
      this.#track.fit();
      this.#draw();
    } catch (error) {
      if (this.#stopped.signal.aborted) return;
      if (error instanceof BadSeries) this.#notice.failed(error.message, () => void this.#load());
      else if (error instanceof TypeError) this.#notice.failed("The data could not be loaded. Perhaps the connection was lost.", () => void this.#load());
      else throw error;
    }
  }

  async #columns(): Promise<Columns> {
    const content = (this.context.tag.content ?? {}) as { columns?: Columns; url?: string };
    if (content.columns) return content.columns;
    if (!content.url) throw new BadSeries("This task has no data.");
    const text = await this.#text(content.url);
    return text.trimStart().startsWith("{") ? (JSON.parse(text) as Columns) : columnsOf(text, separatorOf(this.context.tag));
  }

  async #text(url: string): Promise<string> {
    try {
      return new TextDecoder().decode(await bytesOf(url, this.#stopped.signal, SERIES_BYTES_MAX));
    } catch (error) {
      if (error instanceof TooLarge) throw new BadSeries(`The file is larger than ${SERIES_BYTES_MAX / 2 ** 20} MB.`);
      if (error instanceof NotLoaded) throw new BadSeries("The data could not be loaded.");
      throw error;
    }
  }

  #take(columns: Columns): void {
    this.#axis = axisOf(columns, textOf(this.context.tag, "timeColumn"), this.#format);
    if (this.#axis.length < 2) throw new BadSeries("A time series needs at least two measurements.");
    this.#channels = channelsOf(this.context.tag, columns, textOf(this.context.tag, "timeColumn"));
    this.#makePlots();
  }

  #makePlots(): void {
    this.#plots.forEach((plot) => plot.destroy());
    this.#track.under.replaceChildren();
    this.#plots = this.#channels.map((channel, at) => this.#plot(channel, at === this.#channels.length - 1));
  }

  /** Plots keep the colours they were made with. */
  #repaint(): void {
    if (!this.#plots.length) return;
    this.#makePlots();
    this.#draw();
  }

  get #first(): number {
    return this.#axis[0] ?? 0;
  }

  get #length(): number {
    return (this.#axis.at(-1) ?? 0) - this.#first;
  }

  // ---- plots

  #plot(channel: Channel, last: boolean): uPlot {
    const style = getComputedStyle(document.documentElement);
    const colour = (name: string) => style.getPropertyValue(name).trim();
    const fixed = textOf(this.context.tag, "fixedScale") === "true";
    const host = document.createElement("div");
    host.className = "series-plot";
    this.#track.under.append(host);
    const font = `11px ${style.getPropertyValue("--font-sans") || "sans-serif"}`;
    const line = { stroke: colour("--p-line"), width: 1 };
    return new uPlot(
      {
        width: Math.max(this.#root.clientWidth, 200),
        height: channel.height + (last ? 22 : 0),
        padding: [6, 0, last ? 0 : 6, 0],
        legend: { show: false },
        cursor: { show: false },
        scales: { x: { time: false, auto: false }, y: fixed ? { range: [channel.low, channel.high] } : {} },
        axes: [
          { show: last, size: 22, stroke: colour("--p-muted"), font, grid: line, ticks: { show: false }, values: (_, splits) => splits.map((at) => this.#words(at - this.#first)) },
          { size: AXIS_PX, stroke: colour("--p-muted"), font, grid: line, ticks: { show: false }, space: 28 },
        ],
        series: [{}, { stroke: channel.colour.startsWith("--") ? colour(channel.colour) : channel.colour, width: 1.25, spanGaps: false, points: { show: false } }],
      },
      [[], []],
      host,
    );
  }

  #drawPlots(window: Span): void {
    const width = Math.max(this.#track.root.clientWidth - 2, 200);
    const [from, to] = [this.#first + window.start, this.#first + window.end];
    this.#channels.forEach((channel, at) => {
      const plot = this.#plots[at]!;
      if (plot.width !== width) plot.setSize({ width, height: plot.height });
      const shown = drawnIndices(this.#axis, channel.values, from, to, width - AXIS_PX);
      const pick = (row: Float64Array) => Array.from(shown, (index) => row[index]!);
      plot.batch(() => {
        plot.setData([pick(this.#axis), pick(channel.values).map((each) => (Number.isNaN(each) ? null : each))], false);
        plot.setScale("x", { min: from, max: to });
      });
    });
  }

  // ---- stretches

  #hooks(): Track["hooks"] {
    const { session, name } = this.context;
    return {
      length: () => this.#length,
      cursor: () => this.#cursor,
      least: () => (this.#axis.length > 1 ? this.#length / this.#axis.length : 0),
      spans: () => this.#spans(),
      selected: () => session.selected,
      fresh: () => session.fresh,
      readonly: () => session.readonly,
      armed: () => session.pen(name) !== null,
      add: (span, _row, pen) => this.#add(span, pen),
      change: (id, span, live) => this.#change(id, span, live),
      select: (id) => session.select(id),
      seek: (at) => this.#seek(at),
      say: (words) => session.say(words),
      words: (at) => this.#words(at),
      drawUnder: (window) => this.#drawPlots(window),
      drawn: () => this.#drawBar(),
    };
  }

  #spans(): TrackSpan[] {
    const { session, name } = this.context;
    return session
      .regionsOf(name)
      .filter((region) => !session.isHidden(region.id))
      .map((region) => ({
        id: region.id,
        start: Number(region.value.start) - this.#first,
        end: Number(region.value.end) - this.#first,
        title: session.titleOf(region),
        colour: session.colourOf(region),
        locked: session.isLocked(region.id),
        suggested: session.isSuggestion(region.id),
      }));
  }

  /** Stretches begin and end on measurements, so that they mean the same in the file. */
  #snapped(at: number): number {
    const value = this.#first + at;
    const index = lowerBound(this.#axis, value);
    const [before, after] = [this.#axis[Math.max(index - 1, 0)]!, this.#axis[Math.min(index, this.#axis.length - 1)]!];
    return Math.abs(value - before) <= Math.abs(after - value) ? before : after;
  }

  #value(span: Span): Record<string, unknown> {
    const [start, end] = [this.#snapped(span.start), this.#snapped(span.end)];
    return { start, end, instant: start === end };
  }

  #add(span: Span, pen = this.context.session.pen(this.context.name)): void {
    const { session, name } = this.context;
    if (!pen) return session.say("Choose a label first.");
    session.add({ object: name, value: this.#value(span), pen });
  }

  #change(id: string, span: Span, live: boolean): void {
    const region = this.context.session.region(id);
    if (region) this.context.session.change(id, { ...region.value, ...this.#value(span) }, { live });
  }

  #seek(at: number): void {
    this.#cursor = this.#snapped(Math.min(Math.max(at, 0), this.#length)) - this.#first;
    if (this.#track.show(this.#cursor)) this.#track.draw();
    else this.#track.drawCursor();
    this.#drawBar();
  }

  /** A place on the axis as the person reads it. */
  #words(at: number): string {
    const value = this.#first + at;
    if (!this.#format) return String(Number(value.toPrecision(9)));
    const width = this.#track.window.end - this.#track.window.start;
    const text = new Date(value).toISOString();
    if (width > 3 * 86_400_000) return text.slice(0, 10);
    return width > 120_000 ? text.slice(5, 16).replace("T", " ") : text.slice(11, 23);
  }

  // ---- what the core asks

  refresh(): void {
    this.#draw();
  }

  reveal(id: string, focus: boolean): void {
    const span = this.#spans().find((each) => each.id === id);
    if (span) this.#track.reveal(span), this.#seek(span.start);
    if (focus) this.focus();
  }

  describe(region: Region): string {
    const [start, end] = [Number(region.value.start) - this.#first, Number(region.value.end) - this.#first];
    return region.value.instant || start === end ? `at ${this.#words(start)}` : `${this.#words(start)} – ${this.#words(end)}`;
  }

  key(event: KeyboardEvent): boolean {
    if (!this.#axis.length || event.ctrlKey || event.metaKey || event.composedPath()[0] !== this.#root) return false;
    const width = this.#track.window.end - this.#track.window.start;
    const step = width / STEPS;
    if (this.#track.key(event, step)) return true;
    const way = event.key === "ArrowRight" ? 1 : event.key === "ArrowLeft" ? -1 : 0;
    if (way && event.altKey) return this.#byOne(way), true;
    if (way) return this.#seek(this.#cursor + way * step * (event.shiftKey ? LEAP : 1)), true;
    if (event.key === "Home") return this.#seek(0), true;
    return event.key === "End" && (this.#seek(this.#length), true);
  }

  #byOne(way: number): void {
    const at = lowerBound(this.#axis, this.#first + this.#cursor);
    this.#seek(this.#axis[Math.min(Math.max(at + way, 0), this.#axis.length - 1)]! - this.#first);
  }

  labelChosen(pen: Pen): boolean {
    return this.#track.takePending(pen);
  }

  focus(): void {
    this.#root.focus({ preventScroll: true });
  }

  destroy(): void {
    this.#unwatch();
    this.#stopped.abort();
    this.#plots.forEach((plot) => plot.destroy());
    this.#track.destroy();
    this.#root.remove();
  }

  // ---- drawing

  #draw(): void {
    if (!this.#axis.length) return;
    const count = this.context.session.regionsOf(this.context.name).length;
    this.#root.setAttribute("aria-label", `Time series of ${this.#channels.map((each) => each.title).join(", ")}; ${this.#axis.length} measurements, ${count} ${count === 1 ? "stretch" : "stretches"}`);
    this.#track.draw();
  }

  #drawBar(): void {
    const at = Math.min(lowerBound(this.#axis, this.#first + this.#cursor), this.#axis.length - 1);
    render(
      html`<div class="media-tools" role="toolbar" aria-label="Time series tools">
        <span class="num text-sm">${this.#words(this.#cursor)}</span>
        ${this.#channels.map((each) => html`<span class="series-value num text-sm"><span class="text-muted">${each.title}</span> ${readable(each.values[at]!)} ${each.units}</span>`)}
        <span class="media-group ml-auto" role="group" aria-label="View">
          ${tool("Zoom out", icon("zoom-out"), () => this.#track.zoom(1 / ZOOM_STEP))}
          ${tool("Zoom in", icon("zoom-in"), () => this.#track.zoom(ZOOM_STEP))}
          ${tool("Show all", icon("maximize"), () => this.#track.fit(), this.#track.fitted)}
        </span>
      </div>`,
      this.#bar,
    );
  }
}

const readable = (value: number): string => (Number.isNaN(value) ? "no value" : String(Number(value.toPrecision(6))));

const separatorOf = (tag: Tag): string => ({ tab: "\t", "\\t": "\t" })[textOf(tag, "sep")] ?? (textOf(tag, "sep") || ",");

/** The channels that the config names; every column of numbers where it names none. */
function channelsOf(tag: Tag, columns: Columns, timeColumn: string): Channel[] {
  const named = tag.options?.length ? tag.options : Object.keys(columns).filter((each) => each.toLowerCase() !== timeColumn.toLowerCase()).map((value): Option => ({ value, title: value }));
  return named.map((option, at) => {
    const cells = column(columns, option.value);
    if (!cells) throw new BadSeries(`The data has no column “${option.value}”.`);
    const asTag = { ...tag, attrs: option.attrs ?? {} };
    const values = numbersOf(cells);
    const [low, high] = rangeOf(values);
    return {
      name: option.value,
      title: textOf(asTag, "legend") || option.title || option.value,
      units: textOf(asTag, "units"),
      values,
      colour: textOf(asTag, "strokeColor") || COLOURS[at % COLOURS.length]!,
      height: Math.min(Math.max(numberOf(asTag, "height") ?? PLOT_PX, 60), 400),
      low,
      high,
    };
  });
}

function rangeOf(values: Float64Array): [number, number] {
  let [low, high] = [Infinity, -Infinity];
  for (const value of values) {
    if (value < low) low = value;
    if (value > high) high = value;
  }
  return low > high ? [0, 1] : low === high ? [low - 1, high + 1] : [low, high];
}
