/** Sound with its waveform: stretches with labels, by mouse, touch and keys. */
import { html, nothing, render } from "lit";
import { icon } from "../../lib/dom";
import { Notice } from "../media/loading";
import { Player, SPEEDS } from "../media/player";
import { clock, type Span } from "../media/span";
import { adoptMediaStyles, onThemeChange } from "../media/style";
import { flagOf, numberOf, textOf, urlsOf } from "../media/source";
import { playButton, position, speedAndVolume, tool } from "../media/toolbar";
import { Track, type TrackSpan } from "../media/track";
import { drawWaveform, NoWaveform, waveformOf } from "../media/waveform";
import type { Mount, ObjectContext, ObjectView, Pen, Region, Shortcut } from "../types";

/** Milliseconds are kept. */
const SCALE = 1000;
const LEAST_SECONDS = 0.02;
const WINDOW_LEAST_SECONDS = 0.25;
const SEEK_SECONDS = 1;
const FINE_SECONDS = 0.05;
const LEAP_SECONDS = 5;
/** From this length on drawing the waveform takes long enough to say so. */
const LONG_SECONDS = 300;
const ZOOM_STEP = 1.5;

export const mount: Mount = (context) => new AudioView(context);

class AudioView implements ObjectView {
  readonly #root = document.createElement("div");
  readonly #bar = document.createElement("div");
  readonly #noticeHost = document.createElement("div");
  readonly #notice = new Notice(this.#noticeHost);
  readonly #audio = document.createElement("audio");
  readonly #canvases = document.createElement("div");
  readonly #player: Player;
  readonly #track: Track;
  readonly #stopped = new AbortController();
  readonly #unwatch = onThemeChange(() => this.#draw());
  #peaks: Float32Array[] = [];
  #split: boolean;
  #gain = 1;

  constructor(readonly context: ObjectContext) {
    adoptMediaStyles();
    const { host, session, tag } = context;
    this.#split = flagOf(tag, "splitChannels");
    this.#root.className = "media media-audio";
    this.#root.tabIndex = 0;
    this.#root.setAttribute("role", "application");
    this.#root.setAttribute("aria-roledescription", "sound to annotate");
    this.#canvases.className = "waveforms";
    this.#player = new Player(this.#audio, session, textOf(tag, "sync"), {
      ready: () => this.#ready(),
      failed: () => this.#failed(),
      tick: () => this.#tick(),
      state: () => this.#drawBar(),
    });
    this.#root.append(this.#bar, this.#noticeHost);
    this.#track = new Track(this.#root, this.#hooks());
    this.#track.under.append(this.#canvases);
    this.#canvases.style.height = `${Math.min(Math.max(numberOf(tag, "height") ?? 96, 64), 400)}px`;
    host.append(this.#root);
    this.#audio.volume = Math.min(Math.max(numberOf(tag, "volume") ?? numberOf(tag, "defaultVolume") ?? 1, 0), 1);
    this.#load();
  }

  readonly shortcuts: Shortcut[] = [
    { keys: "Space", words: "Play, pause" },
    { keys: "← →", words: "Back and on by a second (Shift: 5 s, Alt: 0.05 s)" },
    { keys: "Enter", words: "Begin a stretch here; again: end it" },
    { keys: ", .", words: "Selected stretch begins here, ends here" },
    { keys: "Shift ← →", words: "Pull the end of the selected stretch (with Alt: move it)" },
    { keys: "s c", words: "Play the selected stretch; play it in a loop" },
    { keys: "j k", words: "Slower, faster" },
    { keys: "+ − f", words: "Zoom in, out, show all" },
  ];

  #load(): void {
    const url = urlsOf(this.context.tag.content)[0];
    this.#track.root.hidden = true;
    if (!url) return this.#notice.failed("This task has no sound.", () => this.#load());
    this.#notice.loading("the sound", () => this.#load());
    this.#player.load(url);
    this.#drawBar();
  }

  #failed(): void {
    this.#notice.failed("The sound could not be loaded. It may be broken, in a format that this browser does not play, or the connection was lost.", () => this.#load());
  }

  #ready(): void {
    const { session, name, tag } = this.context;
    session.setDuration(name, this.#player.duration);
    this.#notice.clear();
    this.#track.root.hidden = false;
    const speed = numberOf(tag, "speed") ?? numberOf(tag, "defaultSpeed");
    if (speed && SPEEDS.includes(speed)) this.#player.setSpeed(speed);
    this.#track.fit();
    this.#draw();
    void this.#drawSound();
  }

  async #drawSound(): Promise<void> {
    const url = urlsOf(this.context.tag.content)[0]!;
    if (this.#player.duration > LONG_SECONDS) this.#notice.tell("The waveform is being drawn. The sound can be played already.");
    try {
      this.#peaks = await waveformOf(url, this.#player.duration, this.#stopped.signal);
      this.#notice.clear();
    } catch (error) {
      if (this.#stopped.signal.aborted) return;
      if (error instanceof NoWaveform) this.#notice.tell(error.message);
      else if (error instanceof TypeError) this.#notice.tell("The waveform could not be loaded; the sound itself can be played.");
      else throw error;
    }
    this.#draw();
  }

  // ---- stretches

  #hooks(): Track["hooks"] {
    const { session, name } = this.context;
    return {
      length: () => this.#player.duration,
      cursor: () => this.#player.time,
      least: () => LEAST_SECONDS,
      rows: () => this.#rows,
      spans: () => this.#spans(),
      selected: () => session.selected,
      fresh: () => session.fresh,
      readonly: () => session.readonly,
      armed: () => session.pen(name) !== null,
      add: (span, row, pen) => this.#add(span, row, pen),
      change: (id, span, live) => this.#change(id, span, live),
      select: (id) => session.select(id),
      seek: (at) => this.#player.seek(at),
      say: (words) => session.say(words),
      words: (at) => clock(at, this.#decimals),
      drawUnder: (window) => this.#drawWaves(window),
      drawn: () => this.#drawBar(),
    };
  }

  get #decimals(): number {
    const width = this.#track.window.end - this.#track.window.start;
    return width > 120 ? 0 : width > 10 ? 1 : 2;
  }

  get #rows(): number {
    return this.#split ? Math.max(this.#peaks.length, 1) : 1;
  }

  #spans(): TrackSpan[] {
    const { session, name } = this.context;
    return session
      .regionsOf(name)
      .filter((region) => !session.isHidden(region.id))
      .map((region) => ({
        id: region.id,
        start: Number(region.value.start),
        end: Number(region.value.end),
        title: session.titleOf(region),
        colour: session.colourOf(region),
        locked: session.isLocked(region.id),
        suggested: session.isSuggestion(region.id),
        row: this.#split ? Number(region.value.channel ?? 0) : 0,
      }));
  }

  #add(span: Span, row: number, pen = this.context.session.pen(this.context.name)): void {
    const { session, name } = this.context;
    if (!pen) return session.say("Choose a label first.");
    session.add({ object: name, value: { ...exactSpan(span), channel: row }, pen, beside: { original_length: this.#player.duration } });
  }

  #change(id: string, span: Span, live: boolean): void {
    const region = this.context.session.region(id);
    if (region) this.context.session.change(id, { ...region.value, ...exactSpan(span) }, { live });
  }

  // ---- what the core asks

  refresh(): void {
    this.#draw();
  }

  reveal(id: string, focus: boolean): void {
    const span = this.#spans().find((each) => each.id === id);
    if (span) {
      this.#track.reveal(span);
      if (!this.#player.playing) this.#player.seek(span.start);
    }
    if (focus) this.focus();
  }

  describe(region: Region): string {
    return `${clock(Number(region.value.start))} – ${clock(Number(region.value.end))}`;
  }

  key(event: KeyboardEvent): boolean {
    if (!this.#player.duration || event.ctrlKey || event.metaKey || event.composedPath()[0] !== this.#root) return false;
    const step = event.altKey ? FINE_SECONDS : SEEK_SECONDS;
    if (this.#track.key(event, event.shiftKey ? FINE_SECONDS * 2 : step)) return true;
    const way = event.key === "ArrowRight" ? 1 : event.key === "ArrowLeft" ? -1 : 0;
    if (way) return this.#seek(this.#player.time + way * (event.shiftKey ? LEAP_SECONDS : step)), true;
    if (event.altKey || event.shiftKey) return false;
    return this.#playKey(event.key);
  }

  #playKey(key: string): boolean {
    if (key === " ") return this.#player.toggle(), true;
    if (key === "Home") return this.#seek(0), true;
    if (key === "End") return this.#seek(this.#player.duration), true;
    if (key === "s") return this.#playSelected(), true;
    if (key === "c") return this.#toggleLoop(), true;
    if (key === "j" || key === "k") return this.#faster(key === "k" ? 1 : -1), true;
    return false;
  }

  #seek(at: number): void {
    this.#player.seek(at);
    if (this.#track.show(this.#player.time)) this.#track.draw();
  }

  #faster(way: number): void {
    const at = SPEEDS.indexOf(this.#audio.playbackRate);
    const speed = SPEEDS[Math.min(Math.max(at + way, 0), SPEEDS.length - 1)]!;
    this.#player.setSpeed(speed);
    this.context.session.say(`Speed ${speed}.`);
  }

  #playSelected(): void {
    const span = this.#spans().find((each) => each.id === this.context.session.selected);
    if (span) this.#player.playSpan(span.start, span.end);
    else this.context.session.say("Select a stretch first.");
  }

  #toggleLoop(): void {
    this.#player.loop = !this.#player.loop;
    this.context.session.say(this.#player.loop ? "Loop on." : "Loop off.");
    if (this.#player.loop && this.context.session.selected) this.#playSelected();
    this.#drawBar();
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
    this.#player.destroy();
    this.#track.destroy();
    this.#root.remove();
  }

  // ---- drawing

  #tick(): void {
    if (this.#player.playing && this.#track.show(this.#player.time)) this.#track.draw();
    else this.#track.drawCursor();
    this.#drawBar();
  }

  #draw(): void {
    const count = this.context.session.regionsOf(this.context.name).length;
    this.#root.setAttribute("aria-label", `Sound of ${clock(this.#player.duration)}, ${count} ${count === 1 ? "stretch" : "stretches"}`);
    this.#track.draw();
  }

  #drawWaves(window: Span): void {
    const rows = this.#rows;
    while (this.#canvases.children.length > rows) this.#canvases.lastElementChild!.remove();
    while (this.#canvases.children.length < rows) this.#canvases.append(document.createElement("canvas"));
    if (!this.#peaks.length) return;
    [...this.#canvases.children].forEach((canvas, row) => {
      drawWaveform(canvas as HTMLCanvasElement, this.#split ? [this.#peaks[row]!] : this.#peaks, window, this.#player.duration, this.#gain);
    });
  }

  #drawBar(): void {
    const { session } = this.context;
    render(
      html`<div class="media-tools" role="toolbar" aria-label="Player">
        ${playButton(this.#player)} ${position(this.#player)}
        <span class="media-group">
          ${tool("Play the selected stretch", icon("square-play"), () => this.#playSelected(), undefined, !session.selected)}
          ${tool("Loop the selected stretch", icon("repeat"), () => this.#toggleLoop(), this.#player.loop)}
        </span>
        ${speedAndVolume(this.#player, () => this.#drawBar())}
        <span class="media-group ml-auto" role="group" aria-label="View">
          ${this.#peaks.length > 1 ? tool("Channels apart", icon("rows-2"), () => ((this.#split = !this.#split), this.#draw()), this.#split) : nothing}
          ${tool("Taller waveform", icon("unfold-vertical"), () => ((this.#gain = this.#gain >= 8 ? 1 : this.#gain * 2), this.#draw()), this.#gain > 1)}
          ${tool("Zoom out", icon("zoom-out"), () => this.#track.zoom(1 / ZOOM_STEP))}
          ${tool("Zoom in", icon("zoom-in"), () => this.#zoomIn())}
          ${tool("Show all", icon("maximize"), () => this.#track.fit(), this.#track.fitted)}
        </span>
      </div>`,
      this.#bar,
    );
  }

  #zoomIn(): void {
    if (this.#track.window.end - this.#track.window.start > WINDOW_LEAST_SECONDS) this.#track.zoom(ZOOM_STEP);
  }
}

const exactSpan = (span: Span): Span => ({ start: Math.round(span.start * SCALE) / SCALE, end: Math.round(span.end * SCALE) / SCALE });
