/** The clock shared by the objects of one `sync` group. */
export class TimeBus {
  time = 0;
  playing = false;
  #listeners = new Set<(from: unknown) => void>();

  report(state: { time: number; playing: boolean }, from: unknown): void {
    Object.assign(this, state);
    for (const listener of this.#listeners) listener(from);
  }

  listen(listener: (from: unknown) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }
}
