/**
 * The next task, fetched while the present one is worked on: its payload, its element's script and its files. Nothing
 * of it is shown, and nothing of it counts, before the server says that it is begun.
 */
import { loadElement } from "../elements/registry";
import { csrfToken, send } from "./api";
import type { Begun, WorkspaceData } from "./workspace";

/** Files of a task that are fetched ahead, at most. */
export const FILES_MAX = 12;
/** A file up to this size is fetched whole; of a longer one the beginning, so that it plays at once. */
export const WHOLE_BYTES_MAX = 8 * 2 ** 20;
export const BEGINNING_BYTES = 512 * 2 ** 10;

const ADDRESS = /\/media\/med_[0-9a-f]{32}\/[a-z]+\?expires=\d+(?:&amp;|&)signature=[0-9a-f]+/g;

/** Addresses of our files anywhere in a task, in the order in which they appear, each once. */
export function mediaIn(task: unknown): string[] {
  const found = JSON.stringify(task ?? null).match(ADDRESS) ?? [];
  return [...new Set(found.map((each) => each.replaceAll("&amp;", "&")))].slice(0, FILES_MAX);
}

/** How to fetch a file of this type and length: a picture to be decoded, all of it, its beginning. */
export function manner(type: string, bytes: number): "picture" | "whole" | "beginning" {
  if (bytes > WHOLE_BYTES_MAX) return "beginning";
  return type.startsWith("image/") ? "picture" : "whole";
}

export class Ahead {
  #asked = false;
  #held: WorkspaceData | null = null;
  /** Decoded pictures stay so while somebody holds them. */
  #pictures: HTMLImageElement[] = [];
  #stop = new AbortController();

  /** The claim of the task that has arrived. */
  get id(): string | undefined {
    return this.#held?.claim.id;
  }

  /** Fetch the next task once; asking again changes nothing, until it was forgotten or taken. */
  async fetch(url: string | undefined): Promise<void> {
    if (!url || this.#asked) return;
    this.#asked = true;
    const stop = this.#stop;
    const reply = await send<WorkspaceData | null>("POST", url);
    if (!reply.ok || !reply.body) return;
    // Begun meanwhile by Submit, which could not name it: that reply has brought it whole.
    if (stop.signal.aborted) return;
    this.#held = reply.body;
    // Of a task that will be covered no file is fetched before the person asks to see it.
    const files = reply.body.warnings?.length ? null : reply.body.task.data;
    await Promise.all([loadElement(reply.body.task.element), this.#files(files, stop.signal)]);
  }

  /** The task that has arrived, with its times and warnings as the server began it; null where it is another one. */
  begun({ claim, warnings }: Begun): WorkspaceData | null {
    const held = this.#held?.claim.id === claim.id ? this.#held : null;
    this.forget();
    return held && { ...held, claim: { ...held.claim, ...claim }, warnings };
  }

  /** The server has let it go, or another task came. It may be fetched again. */
  forget(): void {
    this.#stop.abort();
    this.#stop = new AbortController();
    this.#asked = false;
    this.#held = null;
  }

  /** The page is left: the task goes back to the queue at once. */
  letGo(): void {
    const url = this.#held?.urls.let_go;
    // Whether it arrives or not: a task whose desk is silent is let go by itself.
    if (url) void fetch(url, { method: "POST", keepalive: true, headers: { "X-CSRF-Token": csrfToken() } }).catch(() => undefined);
    this.forget();
  }

  async #files(task: unknown, signal: AbortSignal): Promise<void> {
    const saving = (navigator as Navigator & { connection?: { saveData?: boolean } }).connection?.saveData;
    if (saving) return;
    this.#pictures = [];
    for (const url of mediaIn(task)) {
      if (signal.aborted) return;
      // One after another, and whatever fails is fetched again by the task itself.
      await this.#file(url, signal).catch(() => undefined);
    }
  }

  async #file(url: string, signal: AbortSignal): Promise<void> {
    const head = await fetch(url, { method: "HEAD", signal });
    if (!head.ok) return;
    const how = manner(head.headers.get("content-type") ?? "", Number(head.headers.get("content-length")));
    if (how === "picture") {
      const picture = new Image();
      picture.src = url;
      this.#pictures.push(picture);
      return picture.decode();
    }
    const range = how === "beginning" ? { headers: { Range: `bytes=0-${BEGINNING_BYTES - 1}` } } : {};
    await (await fetch(url, { ...range, signal })).arrayBuffer();
  }
}
