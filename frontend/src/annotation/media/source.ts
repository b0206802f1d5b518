/** What the config says about an object and where its material is. */
import type { Tag } from "../types";

/** An attribute as text, whatever the case of its name; "" where it is missing. */
export function textOf(tag: Tag, name: string): string {
  const wanted = name.toLowerCase();
  const attrs = tag.attrs as Record<string, unknown>;
  const found = name in attrs ? attrs[name] : Object.entries(attrs).find(([key]) => key.toLowerCase() === wanted)?.[1];
  return found === undefined || found === null ? "" : String(found);
}

export function numberOf(tag: Tag, name: string): number | undefined {
  const text = textOf(tag, name).trim();
  return text === "" || Number.isNaN(Number(text)) ? undefined : Number(text);
}

export const flagOf = (tag: Tag, name: string): boolean => /^(true|yes|1)$/i.test(textOf(tag, name));

/** Addresses of the material: one, or one for each page. */
export function urlsOf(value: unknown): string[] {
  if (typeof value === "string") return value ? [value] : [];
  if (Array.isArray(value)) return value.filter((each): each is string => typeof each === "string" && each !== "");
  if (typeof value !== "object" || value === null) return [];
  const content = value as { url?: unknown; pages?: unknown };
  return urlsOf(content.url ?? content.pages);
}

/** Material that has not come after this long is said to be slow; it may still come. */
export const SLOW_SECONDS = 8;

/** Where a `data:` address is: its bytes and type; null for every other address. */
export function within(url: string): Blob | null {
  const found = /^data:([\w/+.-]+);base64,(.*)$/s.exec(url);
  if (!found) return null;
  return new Blob([Uint8Array.from(atob(found[2]!), (letter) => letter.charCodeAt(0))], { type: found[1]! });
}

/** An address that a player may load: the page's policy allows no `data:` sound or film. Release it when done. */
export function playable(url: string): { url: string; release: () => void } {
  const blob = within(url);
  if (!blob) return { url, release: () => {} };
  const made = URL.createObjectURL(blob);
  return { url: made, release: () => URL.revokeObjectURL(made) };
}

export class TooLarge extends Error {}
export class NotLoaded extends Error {}

/** What is behind an address, as it arrives. Throws `TooLarge` before loading, `NotLoaded` for a refusal, TypeError without a connection. */
export async function streamOf(url: string, cancelled: AbortSignal, most: number): Promise<ReadableStream<Uint8Array>> {
  const blob = within(url);
  if (blob) return blob.stream();
  const answer = await fetch(url, { signal: cancelled });
  if (!answer.ok || !answer.body) throw new NotLoaded(`The server answered ${answer.status}.`);
  if (Number(answer.headers.get("content-length")) > most) {
    await answer.body.cancel();
    throw new TooLarge(`More than ${most / 2 ** 20} MB.`);
  }
  return answer.body;
}

/** All of it at once. */
export async function bytesOf(url: string, cancelled: AbortSignal, most: number): Promise<ArrayBuffer> {
  return new Response((await streamOf(url, cancelled, most)) as ReadableStream<Uint8Array<ArrayBuffer>>).arrayBuffer();
}
