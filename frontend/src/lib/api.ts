/** JSON over fetch: CSRF header, problem documents as values, network failure told apart from refusal. */

export interface Problem {
  status: number;
  code: string;
  title: string;
  detail: string;
  /** What to do next, when the server said so. */
  next?: string;
  /** Every single thing that is wrong, where there are several. */
  problems?: { path?: string; message: string }[];
}

export type Reply<T> = { ok: true; status: number; body: T } | { ok: false; problem: Problem } | { ok: false; offline: true };

export function csrfToken(): string {
  return document.querySelector<HTMLMetaElement>('meta[name="csrf-token"]')?.content ?? "";
}

/** A key for a deed that may be sent again: 128 bits of chance. */
export function newKey(): string {
  return [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

interface Options {
  body?: unknown;
  headers?: Record<string, string>;
  keepalive?: boolean;
  signal?: AbortSignal;
}

export async function send<T>(method: string, url: string, options: Options = {}): Promise<Reply<T>> {
  let response: Response;
  try {
    response = await fetch(url, {
      method,
      credentials: "same-origin",
      keepalive: options.keepalive ?? false,
      signal: options.signal ?? null,
      headers: {
        Accept: "application/json",
        "X-CSRF-Token": csrfToken(),
        ...(options.body === undefined ? {} : { "Content-Type": "application/json" }),
        ...options.headers,
      },
      ...(options.body === undefined ? {} : { body: JSON.stringify(options.body) }),
    });
  } catch (error) {
    if (error instanceof DOMException && error.name === "AbortError") throw error;
    return { ok: false, offline: true };
  }
  if (response.ok) return { ok: true, status: response.status, body: (await bodyOf(response)) as T };
  return { ok: false, problem: problemOf(response.status, await bodyOf(response)) };
}

async function bodyOf(response: Response): Promise<unknown> {
  const text = await response.text();
  if (!text) return null;
  try {
    return JSON.parse(text);
  } catch {
    return null; // a proxy's HTML page, say
  }
}

/** A problem document (RFC 9457) with gaps filled, so that a message can always be shown. */
export function problemOf(status: number, body: unknown): Problem {
  const given = (typeof body === "object" && body !== null ? body : {}) as Partial<Problem>;
  return {
    status,
    code: given.code ?? `http_${status}`,
    title: given.title ?? (status >= 500 ? "The server could not do this just now." : "This was not accepted."),
    detail: given.detail ?? "",
    ...(given.next ? { next: given.next } : {}),
    ...(Array.isArray(given.problems) && given.problems.length > 1 ? { problems: given.problems } : {}),
  };
}
