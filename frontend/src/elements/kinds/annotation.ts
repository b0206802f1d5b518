/**
 * `<preceptor-annotation>`: a labeling config as a page to work on. Properties `data` (AnnotationData), `draft`
 * ({result}), `readonly`, `fill`; or a `<script type="application/json">` child {data, draft, readonly}.
 * Emits `answer-changed` {answer, complete, problems} after every change by the person.
 */
import { html, LitElement, nothing, type PropertyValues, type TemplateResult } from "lit";
import { AnnotationKeys } from "../../annotation/keys";
import { renderTag } from "../../annotation/layout";
import { panel, undoButtons, type PanelDesk } from "../../annotation/panel";
import { failed } from "../../annotation/parts";
import { Session } from "../../annotation/session";
import { drawersOf, hasRegions, LABEL_COLOURS, type Control } from "../../annotation/store";
import type { AnnotationAnswer, AnnotationData, Mount, ObjectView, Shortcut } from "../../annotation/types";
import { adopt, embeddedJson } from "../../lib/dom";
import css from "../../styles/kinds/annotation.css?inline";

/** Views of objects, each fetched when a config uses it. */
const VIEWS = import.meta.glob<{ mount: Mount }>("../../annotation/objects/*.ts");
let instances = 0;

export class PreceptorAnnotation extends LitElement implements PanelDesk {
  static override properties = {
    data: { attribute: false },
    draft: { attribute: false },
    readonly: { type: Boolean, reflect: true },
    fill: { type: Boolean },
    only: {},
    refusal: { state: true },
    dark: { state: true },
  };
  declare data: AnnotationData | null;
  declare draft: AnnotationAnswer | null;
  declare readonly: boolean;
  /** Take the height given by the parent; the material scrolls inside. */
  declare fill: boolean;
  /** "material" leaves out labels and questions; the answer cannot be shown without its material. */
  declare only: "" | "material" | "answer";
  desk?: { urls: Record<string, string>; practice: boolean };
  /** Why the last deed was not done. */
  declare protected refusal: string;
  declare protected dark: boolean;

  readonly uid = `anno${++instances}`;
  readonly ui = new Map<string, unknown>();
  session!: Session;
  #views = new Map<string, ObjectView>();
  #mounting = new Set<string>();
  #filters = new Map<string, string>();
  #sheet: CSSStyleSheet | null = null;
  #keys = new AnnotationKeys(this);
  #themes = new MutationObserver(() => this.#look());
  #scheme = matchMedia("(prefers-color-scheme: dark)");

  constructor() {
    super();
    this.data = null;
    this.draft = null;
    this.readonly = false;
    this.fill = false;
    this.only = "";
    this.refusal = "";
    this.dark = false;
  }

  protected override createRenderRoot(): HTMLElement {
    return this;
  }

  override connectedCallback(): void {
    adopt(css);
    const given = embeddedJson<{ data: AnnotationData; draft?: AnnotationAnswer; readonly?: boolean }>(this);
    if (given && !this.data) {
      this.data = given.data;
      this.draft = given.draft ?? null;
      this.readonly = given.readonly ?? this.readonly;
    }
    super.connectedCallback();
    this.#keys.start();
    this.#themes.observe(document.documentElement, { attributes: true, attributeFilter: ["data-theme"] });
    this.#scheme.addEventListener("change", this.#look);
    this.addEventListener("object-again", this.#again);
    this.#look();
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.#keys.stop();
    this.#themes.disconnect();
    this.#scheme.removeEventListener("change", this.#look);
    this.removeEventListener("object-again", this.#again);
    this.#dropViews();
    this.#wear("");
  }

  /** The answer as it stands. */
  get value(): AnnotationAnswer {
    return this.#ready ? this.session.answer : { result: [] };
  }

  /** What it still lacks, in words. */
  get problems(): string[] {
    return this.#ready ? this.session.problems : [];
  }

  get shortcuts(): Shortcut[] {
    return this.#ready ? this.#keys.shortcuts([...this.#views.values()]) : [];
  }

  get #ready(): boolean {
    this.#begin();
    return this.session !== undefined;
  }

  #begun: unknown[] = [];

  /** A session for what was given; asked for before the first drawing, too. */
  #begin(): void {
    if (!this.data || (this.#begun[0] === this.data && this.#begun[1] === this.draft)) return;
    this.#begun = [this.data, this.draft];
    this.#dropViews();
    this.ui.clear();
    this.session = new Session(this.data, this.draft, { readonly: this.readonly, palette: this.#palette() });
    this.session.addEventListener("change", (event) => this.#changed((event as CustomEvent<{ answer: boolean }>).detail.answer));
    this.session.addEventListener("say", (event) => this.#say((event as CustomEvent<string>).detail));
    this.session.addEventListener("refused", (event) => (this.refusal = (event as CustomEvent<string>).detail));
    this.session.addEventListener("related", (event) => this.#showRelation((event as CustomEvent<number>).detail));
  }

  protected override willUpdate(changed: PropertyValues<this>): void {
    this.#begin();
    if (this.session && changed.has("readonly")) {
      this.session.readonly = this.readonly;
      // Views decide at their mounting what can be changed.
      if (changed.get("readonly") !== undefined) this.#dropViews();
    }
  }

  // Looks

  #look = (): void => {
    this.dark = getComputedStyle(document.documentElement).colorScheme.includes("dark");
    this.#wear(this.data?.css ?? "");
  };

  /** The theme's colours for labels as plain colours, which a canvas understands, too. */
  #palette(): string[] {
    const style = getComputedStyle(document.documentElement);
    return LABEL_COLOURS.map((colour) => style.getPropertyValue(colour.slice("var(".length, -1)).trim() || colour);
  }

  /** The config's own rules. Their colours are for a light page: a dark one leaves them out. */
  #wear(rules: string): void {
    if (this.#sheet) document.adoptedStyleSheets = document.adoptedStyleSheets.filter((sheet) => sheet !== this.#sheet);
    this.#sheet = null;
    if (!rules || !this.isConnected) return;
    this.#sheet = new CSSStyleSheet();
    this.#sheet.replaceSync(rules);
    for (const rule of this.dark ? this.#sheet.cssRules : []) {
      if (!(rule instanceof CSSStyleRule)) continue;
      for (const property of [...rule.style]) if (/color|background|shadow/.test(property)) rule.style.removeProperty(property);
    }
    document.adoptedStyleSheets = [...document.adoptedStyleSheets, this.#sheet];
  }

  // Views of objects

  #dropViews(): void {
    for (const view of this.#views.values()) view.destroy();
    this.#views.clear();
    this.#mounting.clear();
    for (const host of this.querySelectorAll<HTMLElement>("[data-object]")) {
      const bare = host.cloneNode(false) as HTMLElement;
      bare.className = "anno-object";
      host.replaceWith(bare);
    }
  }

  #again = (event: Event): void => {
    const host = (event.target as Element).closest<HTMLElement>("[data-object]");
    if (!host) return;
    this.#views.get(host.dataset.object!)?.destroy();
    this.#views.delete(host.dataset.object!);
    this.#mounting.delete(host.dataset.object!);
    this.requestUpdate();
  };

  protected override updated(changed: PropertyValues<this>): void {
    if (!this.session) return;
    if (changed.has("data")) this.#wear(this.data?.css ?? "");
    for (const { name } of this.session.catalogue.objects.values()) if (!this.#mounting.has(name)) void this.#mount(name);
    for (const view of this.#views.values()) view.refresh();
    this.#stack();
  }

  async #mount(name: string): Promise<void> {
    const host = this.querySelector<HTMLElement>(`[data-object="${CSS.escape(name)}"]`);
    const { tag } = this.session.catalogue.objects.get(name)!;
    if (!host) return;
    this.#mounting.add(name);
    const { session } = this;
    const load = VIEWS[`../../annotation/objects/${tag.tag.toLowerCase()}.ts`];
    const view = load ? await this.#loaded(host, load, name) : failed(host, `This material (${tag.tag}) cannot be shown here: its view is not installed.`);
    if (session !== this.session || !this.#mounting.has(name)) return view.destroy();
    this.#views.set(name, view);
    view.refresh();
    this.requestUpdate();
  }

  async #loaded(host: HTMLElement, load: () => Promise<{ mount: Mount }>, name: string): Promise<ObjectView> {
    const { tag } = this.session.catalogue.objects.get(name)!;
    let module: { mount: Mount };
    try {
      module = await load();
    } catch (error) {
      if (!(error instanceof TypeError)) throw error;
      return failed(host, `The view of this material (${tag.tag}) could not be loaded. Is the server reachable?`, true);
    }
    return module.mount({ host, tag, name, session: this.session, fill: this.fill });
  }

  viewOf = (object: string): ObjectView | undefined => this.#views.get(object);

  /** The view that holds the keyboard focus. */
  get focusedView(): ObjectView | undefined {
    const name = document.activeElement?.closest<HTMLElement>("[data-object]")?.dataset.object;
    return name !== undefined && this.contains(document.activeElement) ? this.#views.get(name) : undefined;
  }

  /** Bars of labels stay in sight one under the other. */
  #stack(): void {
    const tops = new Map<Element, number>();
    for (const bar of this.querySelectorAll<HTMLElement>(".anno-main .anno-labels")) {
      const around = bar.parentElement!;
      const top = tops.get(around) ?? 0;
      bar.style.top = `${top}px`;
      tops.set(around, top + bar.offsetHeight);
    }
  }

  // Deeds

  #changed(answer: boolean): void {
    this.refusal = "";
    this.requestUpdate();
    if (!answer) return;
    const { problems } = this;
    this.dispatchEvent(new CustomEvent("answer-changed", { detail: { answer: this.value, complete: problems.length === 0, problems }, bubbles: true }));
  }

  #say(words: string): void {
    const live = this.querySelector("[data-live]");
    if (live) live.textContent = words;
  }

  refresh(): void {
    this.requestUpdate();
  }

  filterOf(control: string): string {
    return this.#filters.get(control) ?? "";
  }

  setFilter(control: string, words: string): void {
    this.#filters.set(control, words);
    this.requestUpdate();
  }

  /** A label goes to the selection in hand, else to the selected region, else into the hand. */
  chooseLabel(control: Control, label: string): void {
    const { session } = this;
    if (session.readonly) return;
    if (this.#markSelection(control, label)) return;
    const region = session.selectedRegion;
    if (region && !session.fresh && session.labellers(region).some((each) => each.name === control.name)) return session.relabel(region.id, control.name, label);
    if (session.fresh) session.select(null);
    session.take(control.name, label);
  }

  #markSelection(control: Control, label: string): boolean {
    const { session } = this;
    const several = control.tag.attrs.choice === "multiple" && session.hand?.control === control.name;
    const labels = several ? [...new Set([...session.hand!.labels, label])] : [label];
    return control.objects.some((object) => {
      const drawers = drawersOf(session.catalogue, object);
      const drawer = drawers.find((each) => each.control === control.name)?.control ?? session.pen(object)?.control ?? drawers[0]?.control;
      return drawer !== undefined && (this.#views.get(object)?.labelChosen?.({ control: drawer, labels, labelling: control.name }) ?? false);
    });
  }

  selectRegion(id: string | null): void {
    this.session.select(id);
    const region = id === null ? undefined : this.session.region(id);
    if (region) void this.updateComplete.then(() => this.#views.get(region.object)?.reveal(region.id, false));
  }

  /** After a relation was made the next question is its kind. */
  #showRelation(at: number): void {
    void this.updateComplete.then(() => {
      const row = this.querySelector(`[data-relation="${at}"]`);
      row?.scrollIntoView({ block: "nearest" });
      (row?.querySelector<HTMLElement>(".anno-relabel button") ?? row?.querySelector<HTMLElement>(".anno-arrow"))?.focus();
    });
  }

  protected override render(): TemplateResult | typeof nothing {
    if (!this.data || !this.session) return nothing;
    const material = this.only === "material";
    const regions = !material && (hasRegions(this.session.catalogue) || this.session.regions.length > 0);
    const drawn = { inPanel: false, dark: this.dark, material };
    return html`<div class="anno" ?data-fill=${this.fill} ?data-regions=${regions} ?data-readonly=${this.readonly}>
      <div class="anno-main" tabindex=${this.fill ? "0" : nothing} role="group" aria-label="Task">
        ${this.refusal ? html`<p class="note anno-refusal" data-tone="warning" role="alert">${this.refusal}</p>` : nothing}
        ${renderTag(this, this.data.tree, drawn)}
        ${regions || this.readonly ? nothing : html`<div class="anno-tools">${undoButtons(this)}</div>`}
      </div>
      ${regions ? panel(this, drawn) : nothing}
      <div class="sr-only" aria-live="polite" data-live></div>
    </div>`;
  }
}

customElements.define("preceptor-annotation", PreceptorAnnotation);
