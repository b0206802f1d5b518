/** Video: boxes followed through frames, and stretches of frames on a timeline. */
import { html, nothing, render } from "lit";
import { icon } from "../../lib/dom";
import { shapeOf, valueOf, type PlaceValue, type Shape as Drawn } from "../media/geometry";
import {
  endToggled, frameAt, framesIn, keyframeBefore, keyframeToggled, placeAt, placedAt, stretches, timeOf, written, type Keyframe, type Place,
} from "../media/keyframes";
import { Notice } from "../media/loading";
import { Picture } from "../media/picture";
import { Player } from "../media/player";
import type { LayerShape } from "../media/layer";
import { ShapeLayer } from "../media/shapelayer";
import { clock, type Span } from "../media/span";
import { watchRoom } from "../media/room";
import { adoptMediaStyles } from "../media/style";
import { numberOf, textOf, urlsOf } from "../media/source";
import { playButton, position, speedAndVolume, tool } from "../media/toolbar";
import { layerShape } from "../media/tools";
import { Track, type TrackSpan } from "../media/track";
import type { Mount, ObjectContext, ObjectView, Pen, Region, Shortcut } from "../types";

const FRAME_RATE = 24;
const LEAP_FRAMES = 10;
const ZOOM_STEP = 1.5;

export const mount: Mount = (context) => new VideoView(context);

const sequenceOf = (region: Region): Keyframe[] => (region.value.sequence as Keyframe[] | undefined) ?? [];
const rangeOf = (region: Region): { start: number; end: number } | undefined => (region.value.ranges as { start: number; end: number }[] | undefined)?.[0];

class VideoView implements ObjectView {
  readonly #root = document.createElement("div");
  readonly #bar = document.createElement("div");
  readonly #line = document.createElement("div");
  readonly #noticeHost = document.createElement("div");
  readonly #notice = new Notice(this.#noticeHost);
  readonly #video = document.createElement("video");
  readonly #player: Player;
  readonly #picture: Picture;
  readonly #layer: ShapeLayer;
  readonly #track: Track;
  readonly #rate: number;
  #unwatch = (): void => {};
  #loaded = false;
  /** Where a seek is going; the picture follows. */
  #wanted: number | null = null;

  constructor(readonly context: ObjectContext) {
    adoptMediaStyles();
    const { host, session, tag, fill } = context;
    this.#rate = Math.max(numberOf(tag, "frameRate") ?? FRAME_RATE, 0.1);
    this.#root.className = "media media-video";
    this.#root.toggleAttribute("data-fill", fill);
    this.#line.className = "video-line";
    this.#video.playsInline = true;
    this.#video.muted = textOf(tag, "muted") === "true";
    this.#video.setAttribute("aria-label", "Video to annotate");
    this.#player = new Player(this.#video, session, textOf(tag, "sync"), { ready: () => this.#ready(), failed: () => this.#failed(), tick: () => this.#tick(), state: () => this.#drawBar() });
    this.#picture = new Picture(this.#video, () => this.#drawPicture());
    this.#layer = new ShapeLayer(this.#picture.turned, this.#layerHooks());
    this.#focusable(this.#picture.view, "video to annotate");
    this.#focusable(this.#line, "timeline of the video");
    this.#root.append(this.#noticeHost, this.#picture.view, this.#bar, this.#line);
    this.#track = new Track(this.#line, this.#trackHooks());
    host.append(this.#root);
    if (fill) this.#unwatch = watchRoom(this.#root);
    this.#load();
  }

  #focusable(element: HTMLElement, role: string): void {
    element.tabIndex = 0;
    element.setAttribute("role", "application");
    element.setAttribute("aria-roledescription", role);
  }

  readonly shortcuts: Shortcut[] = [
    { keys: "Space", words: "Play, pause" },
    { keys: "← →", words: "On the timeline: a frame back, on (Shift: ten); on the picture: move crosshair or box" },
    { keys: "a d", words: "A frame back, on, wherever the focus is" },
    { keys: "Enter", words: "Picture: start and finish a box. Timeline: begin and end a stretch" },
    { keys: ", .", words: "Timeline: the stretch begins here, ends here. Picture: turn the box" },
    { keys: "k x", words: "Keyframe here on or off; the box ends here or goes on" },
    { keys: "n m", words: "Keyframe before, next keyframe" },
    { keys: "s c", words: "Play the selected stretch; in a loop" },
    { keys: "+ − f", words: "Zoom in, out, show all" },
  ];

  #load(): void {
    const url = urlsOf(this.context.tag.content)[0];
    this.#loaded = false;
    this.#picture.view.hidden = this.#line.hidden = true;
    if (!url) return this.#notice.failed("This task has no video.", () => this.#load());
    this.#notice.loading("the video", () => this.#load());
    this.#player.load(url);
    this.#drawBar();
  }

  #failed(): void {
    this.#notice.failed("The video could not be loaded. It may be broken, in a format that this browser does not play, or the connection was lost.", () => this.#load());
  }

  #ready(): void {
    const { session, name } = this.context;
    session.setDuration(name, this.#player.duration);
    this.#loaded = true;
    this.#notice.clear();
    this.#picture.view.hidden = this.#line.hidden = false;
    const size = { width: this.#video.videoWidth || 640, height: this.#video.videoHeight || 360 };
    this.#picture.view.style.aspectRatio = `${size.width} / ${size.height}`;
    this.#picture.setSize(size);
    this.#track.fit();
    this.#seekFrame(1);
    this.#draw();
  }

  // ---- frames

  get #frames(): number {
    return this.#player.duration ? framesIn(this.#player.duration, this.#rate) : 0;
  }

  get #frame(): number {
    return Math.min(this.#wanted ?? frameAt(this.#player.time, this.#rate), Math.max(this.#frames, 1));
  }

  #seekFrame(frame: number): void {
    const to = Math.min(Math.max(Math.round(frame), 1), this.#frames);
    this.#player.seek(timeOf(to, this.#rate));
    this.#wanted = to;
    if (this.#track.show(to - 0.5)) this.#track.draw();
    this.#drawPicture();
    this.#tick();
  }

  #tick(): void {
    if (this.#player.playing) this.#wanted = null;
    if (!this.#loaded) return;
    if (this.#player.playing && this.#track.show(this.#frame - 0.5)) this.#track.draw();
    else this.#track.drawCursor();
    this.#drawPicture();
    this.#drawBar();
  }

  // ---- boxes on the picture

  #visible(): Region[] {
    const { session, name } = this.context;
    return session.regionsOf(name).filter((region) => !session.isHidden(region.id));
  }

  #layerHooks(): ShapeLayer["hooks"] {
    const { session, name } = this.context;
    return {
      size: () => this.#picture.size,
      turns: () => 0,
      shapes: () => (this.#loaded ? this.#shapes() : []),
      selected: () => session.selected,
      fresh: () => session.fresh,
      tool: () => (session.readonly || !session.pen(name, "videorectangle") || this.#onTimelineOnly() ? null : "box"),
      readonly: () => session.readonly,
      add: (shape) => this.#addBox(shape),
      change: (id, shape, live) => this.#changeBox(id, shape, live),
      select: (id) => session.select(id),
      say: (words) => session.say(words),
      toolMissing: () => "Choose a label first, then draw a box.",
      pan: (dx, dy) => this.#picture.pan(dx, dy),
      pinch: (factor, at, dx, dy) => (this.#picture.zoom(factor, at), this.#picture.pan(dx, dy)),
      reveal: (at) => this.#picture.reveal(at),
    };
  }

  /** The label in hand belongs to the timeline, so that a drag on the picture draws nothing. */
  #onTimelineOnly(): boolean {
    const { session, name } = this.context;
    const pen = session.pen(name);
    return session.drawersOf(name).find((each) => each.control === pen?.control)?.shape === "timeline";
  }

  #shapes(): LayerShape[] {
    return this.#visible().flatMap((region) => {
      const place = placeAt(sequenceOf(region), this.#frame);
      return place ? [layerShape(this.context.session, region, shapeOf("box", place, this.#picture.size), true)] : [];
    });
  }

  #addBox(shape: Drawn): void {
    const { session, name } = this.context;
    const pen = session.pen(name, "videorectangle");
    if (!pen) return session.say("Choose a label first, then draw a box.");
    const keyframe = { ...placeOf(valueOf(shape, this.#picture.size)), frame: this.#frame, enabled: true };
    session.add({ object: name, value: this.#boxValue([keyframe]), pen, beside: { original_length: this.#player.duration } });
  }

  #boxValue(sequence: Keyframe[]): Record<string, unknown> {
    return { framesCount: this.#frames, duration: this.#player.duration, sequence: written(sequence, this.#rate) };
  }

  #changeBox(id: string, shape: Drawn, live: boolean): void {
    const region = this.context.session.region(id);
    if (!region) return;
    this.#setSequence(region, placedAt(sequenceOf(region), this.#frame, placeOf(valueOf(shape, this.#picture.size))), live);
  }

  #setSequence(region: Region, sequence: Keyframe[], live = false): void {
    this.context.session.change(region.id, { ...region.value, ...this.#boxValue(sequence) }, { live });
    this.#drawPicture();
  }

  // ---- the timeline

  #trackHooks(): Track["hooks"] {
    const { session, name } = this.context;
    return {
      length: () => this.#frames,
      cursor: () => this.#frame - 0.5,
      least: () => 1,
      whole: true,
      listed: true,
      spans: () => this.#visible().flatMap((region) => this.#spanOf(region)),
      selected: () => session.selected,
      fresh: () => session.fresh,
      readonly: () => session.readonly,
      armed: () => session.pen(name, "timeline") !== null,
      add: (span, _row, pen) => this.#addRange(span, pen),
      drawn: () => this.#drawBar(),
      change: (id, span, live) => this.#changeRange(id, span, live),
      select: (id) => session.select(id),
      seek: (at) => this.#seekFrame(Math.floor(at) + 1),
      say: (words) => session.say(words),
      words: (at) => String(Math.floor(at) + 1),
    };
  }

  #spanOf(region: Region): TrackSpan[] {
    const { session } = this.context;
    const common = {
      id: region.id, title: session.titleOf(region), colour: session.colourOf(region), locked: session.isLocked(region.id), suggested: session.isSuggestion(region.id),
    };
    const range = rangeOf(region);
    if (range) return [{ ...common, start: range.start - 1, end: range.end }];
    const sequence = sequenceOf(region);
    if (!sequence.length) return [];
    const parts = stretches(sequence, this.#frames).map(([first, last]) => ({ start: first - 1, end: last }));
    return [{ ...common, start: parts[0]!.start, end: parts.at(-1)!.end, parts, keys: sequence.map((each) => each.frame - 0.5), fixed: true }];
  }

  #addRange(span: Span, pen = this.context.session.pen(this.context.name, "timeline")): void {
    const { session, name } = this.context;
    if (!pen) return session.say("Choose a label of the timeline first.");
    session.add({ object: name, value: { ranges: [framesOf(span)] }, pen, beside: { original_length: this.#player.duration } });
  }

  #changeRange(id: string, span: Span, live: boolean): void {
    const region = this.context.session.region(id);
    if (region) this.context.session.change(id, { ...region.value, ranges: [framesOf(span)] }, { live });
  }

  // ---- what the core asks

  refresh(): void {
    this.#draw();
  }

  reveal(id: string, focus: boolean): void {
    const region = this.context.session.region(id);
    if (!region) return;
    const range = rangeOf(region);
    const sequence = sequenceOf(region);
    if (range) this.#seekFrame(range.start);
    else if (sequence.length && !placeAt(sequence, this.#frame)) this.#seekFrame(sequence[0]!.frame);
    if (focus) (range ? this.#line : this.#picture.view).focus({ preventScroll: true });
  }

  describe(region: Region): string {
    const range = rangeOf(region);
    if (range) return range.start === range.end ? `frame ${range.start}` : `frames ${range.start} – ${range.end}`;
    const sequence = sequenceOf(region);
    return `box from frame ${sequence[0]?.frame ?? 1}, ${sequence.length} ${sequence.length === 1 ? "keyframe" : "keyframes"}`;
  }

  key(event: KeyboardEvent): boolean {
    const on = event.composedPath()[0];
    if (!this.#loaded || event.ctrlKey || event.metaKey || (on !== this.#picture.view && on !== this.#line)) return false;
    // Letters first: on the picture some of them would edit a polygon, which a video has none of.
    if (!event.altKey && !event.shiftKey && this.#frameKey(event.key)) return true;
    return on === this.#line ? this.#lineKey(event) : this.#layer.key(event) || this.#viewKey(event.key);
  }

  #lineKey(event: KeyboardEvent): boolean {
    if (this.#track.key(event, 1)) return true;
    const way = event.key === "ArrowRight" ? 1 : event.key === "ArrowLeft" ? -1 : 0;
    if (way) return this.#seekFrame(this.#frame + way * (event.shiftKey ? LEAP_FRAMES : 1)), true;
    if (event.key === "Home") return this.#seekFrame(1), true;
    return event.key === "End" && (this.#seekFrame(this.#frames), true);
  }

  #viewKey(key: string): boolean {
    if (key === "+" || key === "=") return this.#picture.zoom(ZOOM_STEP), true;
    if (key === "-") return this.#picture.zoom(1 / ZOOM_STEP), true;
    return key === "f" && (this.#picture.fit(), true);
  }

  #frameKey(key: string): boolean {
    if (key === " ") return this.#toggle(), true;
    if (key === "a" || key === "d") return this.#seekFrame(this.#frame + (key === "d" ? 1 : -1)), true;
    if (key === "k") return this.#onBox((region) => this.#setSequence(region, keyframeToggled(sequenceOf(region), this.#frame))), true;
    if (key === "x") return this.#onBox((region) => this.#setSequence(region, endToggled(sequenceOf(region), this.#frame))), true;
    if (key === "n" || key === "m") return this.#onBox((region) => this.#toKeyframe(region, key === "m")), true;
    if (key === "s") return this.#playSelected(), true;
    return key === "c" && (this.#toggleLoop(), true);
  }

  #toggle(): void {
    this.#wanted = null;
    this.#player.toggle();
  }

  #onBox(act: (region: Region) => void): void {
    const { session } = this.context;
    const region = session.selected ? session.region(session.selected) : undefined;
    if (!region || !sequenceOf(region).length) return session.say("Select a followed box first.");
    act(region);
    this.#draw();
  }

  #toKeyframe(region: Region, next: boolean): void {
    const sequence = sequenceOf(region);
    const to = next ? sequence.find((each) => each.frame > this.#frame) : keyframeBefore(sequence, this.#frame - 1);
    if (to) this.#seekFrame(to.frame);
    else this.context.session.say(next ? "No keyframe after this." : "No keyframe before this.");
  }

  #selectedSpan(): TrackSpan | undefined {
    const { session } = this.context;
    const region = session.selected ? session.region(session.selected) : undefined;
    return region && this.#spanOf(region)[0];
  }

  #playSelected(): void {
    const span = this.#selectedSpan();
    if (!span) return this.context.session.say("Select a region first.");
    this.#wanted = null;
    this.#player.playSpan(span.start / this.#rate, span.end / this.#rate);
  }

  #toggleLoop(): void {
    this.#player.loop = !this.#player.loop;
    this.context.session.say(this.#player.loop ? "Loop on." : "Loop off.");
    if (this.#player.loop && this.#selectedSpan()) this.#playSelected();
    this.#drawBar();
  }

  labelChosen(pen: Pen): boolean {
    const drawer = this.context.session.drawersOf(this.context.name).find((each) => each.control === pen.control);
    return drawer?.shape === "timeline" && this.#track.takePending(pen);
  }

  focus(): void {
    (this.#hasBoxes ? this.#picture.view : this.#line).focus({ preventScroll: true });
  }

  get #hasBoxes(): boolean {
    return this.context.session.drawersOf(this.context.name).some((each) => each.shape === "videorectangle");
  }

  destroy(): void {
    this.#unwatch();
    this.#player.destroy();
    this.#track.destroy();
    this.#picture.destroy();
    this.#root.remove();
  }

  // ---- drawing

  #drawPicture(): void {
    if (!this.#loaded) return;
    this.#layer.draw();
  }

  #draw(): void {
    const { session, name } = this.context;
    const count = session.regionsOf(name).length;
    this.#picture.view.setAttribute("aria-label", `Picture of the video, frame ${this.#frame}, ${count} ${count === 1 ? "region" : "regions"}`);
    this.#line.setAttribute("aria-label", `Timeline of ${this.#frames} frames, ${clock(this.#player.duration)}`);
    this.#drawPicture();
    this.#track.draw();
  }

  #drawBar(): void {
    const { session } = this.context;
    const region = session.selected ? session.region(session.selected) : undefined;
    const keyframe = region && sequenceOf(region).find((each) => each.frame === this.#frame);
    render(
      html`<div class="media-tools" role="toolbar" aria-label="Player">
        ${playButton(this.#player)}
        <span class="media-group">
          ${tool("A frame back", icon("step-back"), () => this.#seekFrame(this.#frame - 1))}
          ${tool("A frame on", icon("step-forward"), () => this.#seekFrame(this.#frame + 1))}
        </span>
        ${position(this.#player)}<span class="num text-sm text-muted">frame ${this.#frame} of ${this.#frames}</span>
        ${this.#hasBoxes && !session.readonly
          ? html`<span class="media-group" role="group" aria-label="Followed box">
              ${tool("Keyframe here", icon("diamond"), () => this.#frameKey("k"), keyframe !== undefined, !region || !sequenceOf(region).length)}
              ${tool("The box ends here", icon("eye-off"), () => this.#frameKey("x"), keyframe?.enabled === false, !region || !sequenceOf(region).length)}
            </span>`
          : nothing}
        <span class="media-group">
          ${tool("Play the selected stretch", icon("square-play"), () => this.#playSelected(), undefined, !region)}
          ${tool("Loop the selected stretch", icon("repeat"), () => this.#toggleLoop(), this.#player.loop)}
        </span>
        ${speedAndVolume(this.#player, () => this.#drawBar())}
        <span class="media-group ml-auto" role="group" aria-label="Timeline">
          ${tool("Zoom out", icon("zoom-out"), () => this.#track.zoom(1 / ZOOM_STEP))}
          ${tool("Zoom in", icon("zoom-in"), () => this.#track.zoom(ZOOM_STEP))}
          ${tool("Show all", icon("maximize"), () => this.#track.fit(), this.#track.fitted)}
        </span>
      </div>`,
      this.#bar,
    );
  }
}

const placeOf = (value: PlaceValue): Place => ({ x: value.x!, y: value.y!, width: value.width!, height: value.height!, rotation: value.rotation ?? 0 });

/** Frames count from 1, both ends included; on the line frame 1 lies from 0 to 1. */
const framesOf = (span: Span): { start: number; end: number } => ({ start: Math.floor(span.start) + 1, end: Math.max(Math.ceil(span.end), Math.floor(span.start) + 1) });
