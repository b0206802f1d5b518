/** A model's answer, streamed from the desk: server-sent events over fetch. */
import { csrfToken, problemOf, type Problem } from "./api";

export interface Question {
  /** New for each question; the same one again gets the same answer. */
  key: string;
  messages: { role: "system" | "user" | "assistant"; content: string }[];
  /** The blind name of who shall answer. */
  shown_as: string;
  turn: string;
}

/** How a generation ended. `text` is what the server keeps, and what an answer must quote. */
export interface Generated {
  generation: string;
  outcome: "finished" | "cut" | "failed" | "limited";
  text: string;
  html: string;
  error: string;
  finish_reason: string | null;
  retry_after_seconds: number | null;
}

export interface Listener {
  text(piece: string): void;
  waiting(why: string): void;
}

export type Outcome = { kind: "done"; answer: Generated } | { kind: "refused"; problem: Problem } | { kind: "lost" };

/** One event out of a finished block of lines. */
export function eventOf(block: string): { name: string; data: unknown } | null {
  let name = "";
  const data: string[] = [];
  for (const line of block.split("\n")) {
    if (line.startsWith("event: ")) name = line.slice(7);
    else if (line.startsWith("data: ")) data.push(line.slice(6));
  }
  return data.length ? { name, data: JSON.parse(data.join("\n")) } : null;
}

/** Blocks that are complete, and what is left of the next one. */
export function blocksOf(buffer: string): [string[], string] {
  const parts = buffer.split("\n\n");
  return [parts.slice(0, -1), parts.at(-1)!];
}

/** Ask, and hear the text as it comes. A connection that is lost is not an end: ask again with the same key. */
export async function generate(url: string, question: Question, to: Listener, signal: AbortSignal): Promise<Outcome> {
  try {
    const response = await fetch(url, {
      method: "POST",
      credentials: "same-origin",
      signal,
      headers: { Accept: "text/event-stream, application/json", "Content-Type": "application/json", "X-CSRF-Token": csrfToken() },
      body: JSON.stringify(question),
    });
    if (!response.ok || !response.body) return { kind: "refused", problem: problemOf(response.status, await response.json().catch(() => null)) };
    return await listen(response.body, to);
  } catch (error) {
    if (error instanceof DOMException && error.name === "AbortError") throw error;
    return { kind: "lost" };
  }
}

async function listen(body: ReadableStream<Uint8Array>, to: Listener): Promise<Outcome> {
  const reader = body.pipeThrough(new TextDecoderStream() as unknown as ReadableWritablePair<string, Uint8Array>).getReader();
  let rest = "";
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return { kind: "lost" };
    const [blocks, left] = blocksOf(rest + value);
    rest = left;
    for (const block of blocks) {
      const event = eventOf(block);
      if (event?.name === "done") return { kind: "done", answer: event.data as Generated };
      if (event?.name === "waiting") to.waiting((event.data as { why: string }).why);
      else if (event?.name === "") to.text((event.data as { text: string }).text);
    }
  }
}
