/** Draft saving: at most once a second, never two at a time, and a status that tells the truth. */
import type { Reply } from "./api";

export type SaveState =
  | { kind: "clean" }
  | { kind: "pending" }
  | { kind: "saving" }
  | { kind: "saved"; at: Date }
  | { kind: "failed"; retryAt: number };

const EVERY_MS = 1_000;
const RETRY_MS_MAX = 15_000;

export class Autosave<T> {
  state: SaveState = { kind: "clean" };
  #latest: T | undefined;
  #dirty = false;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #running: Promise<void> | undefined;
  #lastStart = -Infinity;
  #failures = 0;
  #stopped = false;

  constructor(
    private readonly save: (value: T) => Promise<Reply<{ saved_at?: string } | null>>,
    private readonly changed: () => void,
    /** A refusal that trying again cannot mend, such as a lost lease. */
    private readonly refused: (reply: Extract<Reply<unknown>, { ok: false }>) => boolean,
    private readonly now: () => number = Date.now,
  ) {}

  get unsaved(): boolean {
    return this.#dirty || this.#running !== undefined;
  }

  change(value: T): void {
    if (this.#stopped) return;
    this.#latest = value;
    this.#dirty = true;
    if (this.state.kind !== "failed") this.#show({ kind: "pending" });
    this.#plan(Math.max(0, this.#lastStart + EVERY_MS - this.now()) || 400);
  }

  /** Save what is unsaved now, and wait for it. */
  async flush(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    await this.#running;
    if (this.#dirty && !this.#stopped) await this.#start();
  }

  /** What is not on the server yet, for a last attempt while the page goes away. */
  takeUnsaved(): T | undefined {
    return this.unsaved ? this.#latest : undefined;
  }

  stop(): void {
    this.#stopped = true;
    this.#dirty = false;
    clearTimeout(this.#timer);
  }

  #plan(ms: number): void {
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      if (this.#running === undefined) void this.#start();
    }, ms);
  }

  #start(): Promise<void> {
    this.#running = this.#run().finally(() => {
      this.#running = undefined;
    });
    return this.#running;
  }

  async #run(): Promise<void> {
    this.#dirty = false;
    this.#lastStart = this.now();
    this.#show({ kind: "saving" });
    const reply = await this.save(this.#latest as T);
    if (this.#stopped) return;
    if (reply.ok) {
      this.#failures = 0;
      this.#show(this.#dirty ? { kind: "pending" } : { kind: "saved", at: new Date(reply.body?.saved_at ?? this.now()) });
      if (this.#dirty) this.#plan(EVERY_MS);
      return;
    }
    this.#dirty = true;
    if (this.refused(reply)) return this.stop();
    const wait = Math.min(RETRY_MS_MAX, EVERY_MS * 2 ** this.#failures++);
    this.#show({ kind: "failed", retryAt: this.now() + wait });
    this.#plan(wait);
  }

  #show(state: SaveState): void {
    this.state = state;
    this.changed();
  }
}
