/** A sound or a film that plays: length, position, speed, a stretch that is played once or over and over. */
import type { Session } from "../session";
import { playable } from "./source";

/** Files recorded in a browser say their length only once their end was sought. */
const BEYOND = 1e7;
export const SPEEDS = [0.25, 0.5, 0.75, 1, 1.25, 1.5, 2, 3];

export class Player {
  duration = 0;
  loop = false;
  #until: number | null = null;
  #span: { start: number; end: number } | null = null;
  #frame = 0;
  #stop: (() => void) | undefined;
  #release: () => void = () => {};
  #group: string;

  constructor(readonly media: HTMLMediaElement, session: Session, group: string, readonly on: { ready(): void; failed(): void; tick(): void; state(): void }) {
    this.#group = group;
    media.preload = "auto";
    media.addEventListener("loadedmetadata", () => this.#measure());
    media.addEventListener("durationchange", () => this.#measure());
    media.addEventListener("error", () => media.getAttribute("src") && on.failed());
    for (const name of ["play", "pause", "ended", "ratechange", "volumechange"]) media.addEventListener(name, () => this.#state(session));
    for (const name of ["seeked", "timeupdate"]) media.addEventListener(name, () => this.on.tick());
    if (group) this.#stop = session.time(group).listen((from) => from !== this && this.#follow(session));
  }

  destroy(): void {
    cancelAnimationFrame(this.#frame);
    this.#stop?.();
    this.media.pause();
    this.media.removeAttribute("src");
    this.media.load();
    this.#release();
  }

  load(url: string): void {
    this.duration = 0;
    this.#release();
    const source = playable(url);
    this.#release = source.release;
    this.media.src = source.url;
  }

  #measure(): void {
    const { duration } = this.media;
    if (duration === Infinity) this.media.currentTime = BEYOND;
    else if (duration > 0 && duration !== this.duration) {
      const sought = this.media.currentTime >= duration;
      this.duration = duration;
      if (sought) this.media.currentTime = 0;
      this.on.ready();
    }
  }

  get time(): number {
    return Math.min(this.media.currentTime, this.duration || 0);
  }

  get playing(): boolean {
    return !this.media.paused;
  }

  seek(seconds: number): void {
    this.media.currentTime = Math.min(Math.max(seconds, 0), this.duration);
    this.#span = this.#until = null;
    this.on.tick();
  }

  toggle(): void {
    if (this.playing) return this.media.pause();
    if (this.time >= this.duration - 0.01) this.media.currentTime = 0;
    this.#play();
  }

  /** A stretch once, or over and over while `loop` is on. */
  playSpan(start: number, end: number): void {
    this.media.currentTime = start;
    this.#span = { start, end };
    this.#until = end;
    this.#play();
  }

  #play(): void {
    // A browser may refuse to play before the person has touched the page; then the button simply stays on "Play".
    this.media.play().then(undefined, () => this.on.state());
  }

  setSpeed(speed: number): void {
    this.media.playbackRate = speed;
  }

  #state(session: Session): void {
    cancelAnimationFrame(this.#frame);
    if (this.playing) this.#tick(session);
    this.on.state();
    this.#report(session);
  }

  #tick(session: Session): void {
    this.#frame = requestAnimationFrame(() => {
      if (this.#until !== null && this.media.currentTime >= this.#until) this.#reachedEnd();
      this.on.tick();
      if (this.playing) this.#tick(session);
    });
  }

  #reachedEnd(): void {
    if (this.loop && this.#span) return void (this.media.currentTime = this.#span.start);
    this.media.pause();
    this.media.currentTime = this.#until!;
    this.#until = null;
  }

  #report(session: Session): void {
    if (this.#group) session.time(this.#group).report({ time: this.time, playing: this.playing }, this);
  }

  #follow(session: Session): void {
    const bus = session.time(this.#group);
    if (Math.abs(this.time - bus.time) > 0.1) this.media.currentTime = Math.min(bus.time, this.duration || bus.time);
    if (bus.playing !== this.playing) bus.playing ? this.#play() : this.media.pause();
  }
}
