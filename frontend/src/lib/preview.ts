/** Rendered Markdown from the server, so that a preview is the same safe HTML that readers get. */
import { send } from "./api";

export const PREVIEW_URL = "/preview";
const WAIT_MS = 250;

/** Renders the latest text given, one request at a time, and never faster than the server answers. */
export class Preview {
  html = "";
  /** Why there is no preview just now; empty where there is one. */
  problem = "";
  #wanted: string | null = null;
  #shown: string | null = null;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #running = false;
  #took = 0;

  constructor(private readonly changed: () => void, private readonly url = PREVIEW_URL) {}

  want(text: string): void {
    if (text === this.#shown || text === this.#wanted) return;
    this.#wanted = text;
    this.#plan();
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#wanted = null;
  }

  #plan(): void {
    if (this.#running || this.#timer !== undefined) return;
    // Long texts take the server long: leave it twice as much rest as work.
    this.#timer = setTimeout(() => void this.#run(), this.#shown === null ? 0 : Math.max(WAIT_MS, 2 * this.#took));
  }

  async #run(): Promise<void> {
    this.#timer = undefined;
    const text = this.#wanted;
    if (text === null) return;
    this.#wanted = null;
    this.#running = true;
    const start = performance.now();
    const rendered = await renderMarkdown(text, this.url);
    this.#took = performance.now() - start;
    this.#running = false;
    if ("html" in rendered) [this.html, this.problem, this.#shown] = [rendered.html, "", text];
    else this.problem = rendered.problem;
    this.changed();
    if (this.#wanted !== null) this.#plan();
  }
}

export async function renderMarkdown(text: string, url = PREVIEW_URL): Promise<{ html: string } | { problem: string }> {
  if (!text.trim()) return { html: "" };
  const reply = await send<{ html: string }>("POST", url, { body: { text } });
  if (reply.ok) return { html: reply.body.html };
  return { problem: "problem" in reply ? [reply.problem.title, reply.problem.detail].filter(Boolean).join(" ") : "The preview needs the server, which cannot be reached just now." };
}
