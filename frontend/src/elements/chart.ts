/**
 * `<preceptor-chart heading="..." height="220">` with JSON inside (see components/plots.html): a quiet line or bar chart,
 * labelled at the lines, in the page's colours, with the table behind it one click away.
 */
import { html, LitElement, nothing, type TemplateResult } from "lit";
import uPlot from "uplot";
import { embeddedJson, icon } from "../lib/dom";

interface Series {
  label: string;
  values: (number | null)[];
  low?: (number | null)[];
  high?: (number | null)[];
}
interface ChartData {
  kind: "line" | "bar";
  x: (number | string)[];
  x_kind?: "time" | "number" | "category";
  series: Series[];
  unit?: string;
  y_min?: number;
  y_max?: number;
}

const TABLE_ROWS_MAX = 500;
const COLOURS = ["--color-primary", "--p-brand", "--color-warning", "--p-muted"];
const DASHES = [[], [6, 4], [2, 3], [10, 3, 2, 3]];

/** One word a line where a category has little room. */
function fitted(label: string, room: number): string {
  return label.length * 7 > room ? label.replaceAll(" ", "\n") : label;
}

/** "16 Nov" where days are apart, "14:00" within a day. */
function timeLabels(_: uPlot, splits: number[]): string[] {
  const days = splits.length > 1 && splits[1]! - splits[0]! >= 43_200;
  const style: Intl.DateTimeFormatOptions = days ? { day: "numeric", month: "short" } : { hour: "2-digit", minute: "2-digit" };
  const labels = splits.map((at) => new Date(at * 1000).toLocaleString("en-GB", style));
  return labels.map((label, index) => (label === labels[index - 1] ? "" : label));
}

export class PreceptorChart extends LitElement {
  static override properties = { heading: {}, height: { type: Number }, table: { state: true } };
  declare heading: string;
  declare height: number;
  declare protected table: boolean;
  #data: ChartData | null = null;
  #plot: uPlot | null = null;
  #width = new ResizeObserver(() => this.#resize());
  #scheme = matchMedia("(prefers-color-scheme: dark)");

  constructor() {
    super();
    this.heading = "";
    this.height = 220;
    this.table = false;
  }
  protected override createRenderRoot(): HTMLElement {
    return this;
  }
  override connectedCallback(): void {
    this.#data = embeddedJson<ChartData>(this);
    super.connectedCallback();
    document.addEventListener("theme-changed", this.#redraw);
    this.#scheme.addEventListener("change", this.#redraw);
  }
  override disconnectedCallback(): void {
    super.disconnectedCallback();
    document.removeEventListener("theme-changed", this.#redraw);
    this.#scheme.removeEventListener("change", this.#redraw);
    this.#width.disconnect();
    this.#plot?.destroy();
    this.#plot = null;
  }
  protected override updated(): void {
    this.#draw();
  }

  #redraw = (): void => this.#draw();

  #resize(): void {
    const box = this.querySelector<HTMLElement>("[data-plot]");
    if (box?.clientWidth && this.#plot && box.clientWidth !== this.#plot.width) this.#plot.setSize({ width: box.clientWidth, height: this.height });
  }

  #draw(): void {
    const box = this.querySelector<HTMLElement>("[data-plot]");
    this.#plot?.destroy();
    this.#plot = null;
    this.#width.disconnect();
    if (!box || !this.#data) return;
    const { options, columns } = this.#options(this.#data, box.clientWidth || 600);
    this.#plot = new uPlot(options, columns, box);
    this.#width.observe(box);
  }

  #options(data: ChartData, width: number): { options: uPlot.Options; columns: uPlot.AlignedData } {
    const colour = (name: string) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
    const category = data.x_kind === "category";
    const columns: (number | null)[][] = [category ? data.x.map((_, index) => index) : (data.x as number[])];
    const series: uPlot.Series[] = [{}];
    const bands: uPlot.Band[] = [];
    data.series.forEach((each, index) => {
      const stroke = colour(COLOURS[index % COLOURS.length]!);
      const bars = data.kind === "bar" ? { paths: uPlot.paths.bars!({ size: [0.6, 48], radius: 0.15 }), fill: stroke } : {};
      columns.push(each.values);
      series.push({ label: each.label, stroke, width: data.kind === "bar" ? 0 : 2, dash: DASHES[index % DASHES.length]!, points: { show: data.kind === "line" && data.x.length < 30, size: 5, fill: stroke }, ...bars });
      if (!each.low || !each.high) return;
      columns.push(each.high, each.low);
      series.push({ stroke: "transparent", points: { show: false } }, { stroke: "transparent", points: { show: false } });
      bands.push({ series: [columns.length - 2, columns.length - 1], fill: `color-mix(in srgb, ${stroke} 18%, transparent)` });
    });
    const axis: uPlot.Axis = { stroke: colour("--p-muted"), font: "12px 'Inter Variable', sans-serif", grid: { stroke: colour("--p-line"), width: 1 }, ticks: { show: false } };
    const names = category ? { values: (_: uPlot, splits: number[]) => splits.map((at) => fitted(String(data.x[at] ?? ""), (width - 80) / data.x.length)), splits: () => data.x.map((_, index) => index) } : {};
    return {
      columns: columns as unknown as uPlot.AlignedData,
      options: {
        width,
        height: this.height,
        series,
        bands,
        legend: { show: false },
        cursor: { y: false, drag: { x: false, y: false } },
        padding: [8, 24, 0, 0],
        scales: {
          x: { time: data.x_kind === "time", ...(data.kind === "bar" ? { range: (_: uPlot, min: number, max: number): [number, number] => [min - 0.6, max + 0.6] } : {}) },
          y: { range: (_: uPlot, min: number, max: number): [number, number] => [data.y_min ?? Math.min(0, min), data.y_max ?? (max * 1.08 || 1)] },
        },
        axes: [{ ...axis, grid: { show: false }, space: 70, size: category ? 44 : 30, ...(data.x_kind === "time" ? { values: timeLabels } : {}), ...names }, { ...axis, size: 52, values: (_: uPlot, splits: number[]) => splits.map((value) => this.#number(value)) }],
      },
    };
  }

  #number(value: number | null | undefined): string {
    return value === null || value === undefined ? "–" : `${value.toLocaleString("en", { maximumFractionDigits: 3 })}${this.#data?.unit ?? ""}`;
  }

  #moment(value: number | string): string {
    return this.#data?.x_kind === "time" ? new Date(Number(value) * 1000).toLocaleString("en-GB", { dateStyle: "medium", timeStyle: "short" }) : String(value);
  }

  protected override render(): TemplateResult | typeof nothing {
    const data = this.#data;
    if (!data) return nothing;
    return html`<figure>
      <figcaption class="flex flex-wrap items-center gap-x-4 gap-y-1 mb-2">
        <span class="font-semibold text-[0.9375rem]">${this.heading}</span>
        ${data.series.length > 1 || data.series[0]?.low ? data.series.map((each, index) => html`<span class="inline-flex items-center gap-1.5 text-sm text-muted"><svg class="w-5 h-2.5" aria-hidden="true"><line x1="0" x2="20" y1="5" y2="5" class="chart-key-${index % COLOURS.length}" stroke-width="2.5" stroke-dasharray=${DASHES[index % DASHES.length]!.join(" ")}></line></svg>${each.label}${each.low ? " with interval" : ""}</span>`) : nothing}
        <button type="button" class="btn btn-quiet btn-xs text-muted ml-auto" aria-pressed=${this.table} @click=${() => (this.table = !this.table)}>${this.table ? icon("chart-line") : icon("table")}${this.table ? "Chart" : "Table"}</button>
      </figcaption>
      ${this.table ? this.#renderTable(data) : html`<div data-plot role="img" aria-label="${this.heading}. ${this.#summary(data)}"></div>`}
    </figure>`;
  }

  #summary(data: ChartData): string {
    return data.series.map((each) => `${each.label}: last ${this.#number(each.values.at(-1))}`).join("; ");
  }

  #renderTable(data: ChartData): TemplateResult {
    return html`<div class="max-h-80 overflow-auto panel"><table class="grid-table"><thead><tr><th scope="col"></th>${data.series.map((each) => html`<th scope="col" data-align="end">${each.label}</th>`)}</tr></thead>
      <tbody>${data.x.slice(0, TABLE_ROWS_MAX).map((x, row) => html`<tr><td>${this.#moment(x)}</td>${data.series.map((each) => html`<td data-label=${each.label} data-align="end">${this.#number(each.values[row])}${each.low ? html` <span class="text-muted">(${this.#number(each.low[row])}–${this.#number(each.high?.[row])})</span>` : nothing}</td>`)}</tr>`)}</tbody></table></div>`;
  }
}

customElements.define("preceptor-chart", PreceptorChart);
