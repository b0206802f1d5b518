/**
 * Files on their way to the server by the tus protocol: resumable after a pause, a lost connection and a reload.
 *
 * What was sent is remembered in this browser by name, size and date of the file, so that choosing the same file again
 * goes on where it stopped.
 */
import { Upload, type DetailedError } from "tus-js-client";
import { csrfToken, problemOf, send, type Problem } from "./api";

/** A file as the server keeps it; `url` goes into answers, `address` shows it to this person. */
export interface KeptMedia {
  id: string;
  url: string;
  name: string;
  kind: "image" | "audio" | "video" | "pdf" | "text";
  type: string;
  size_bytes: number;
  width: number | null;
  height: number | null;
  duration_seconds: number | null;
  remark: string | null;
  address: string;
}

export interface Sending {
  pause(): void;
  resume(): void;
  /** Ends the upload; the server forgets what had come. */
  cancel(): Promise<void>;
}

export interface SendingOptions {
  /** Where uploads begin, with the project or claim they are for. */
  endpoint: string;
  onProgress(sent: number, of: number): void;
  /** All bytes are there; the server looks into the file. */
  onChecking?(): void;
  onKept(media: KeptMedia): void;
  onProblem(problem: Problem): void;
}

export const PART_BYTES = 8 * 1024 * 1024;
/** Larger files are not digested here: the browser would have to hold them in memory. */
export const DIGEST_BYTES_MAX = 64 * 1024 * 1024;
const RETRY_AFTER_MS = [0, 1000, 3000, 5000, 10_000, 20_000];

/** Begins or goes on with an upload. */
export function sendFile(file: File, options: SendingOptions): Sending {
  let wanted = true;
  const upload = new Upload(file, {
    endpoint: options.endpoint,
    chunkSize: PART_BYTES,
    retryDelays: RETRY_AFTER_MS,
    removeFingerprintOnSuccess: true,
    metadata: { filename: file.name, filetype: file.type },
    headers: { "X-CSRF-Token": csrfToken(), Accept: "application/json" },
    onShouldRetry: (error) => shouldRetry(error),
    onProgress: (sent, of) => {
      options.onProgress(sent, of);
      if (of && sent === of) options.onChecking?.();
    },
    onSuccess: () => void kept(upload.url!, options),
    onError: (error) => options.onProblem(problemIn(error)),
  });
  void begin(upload, file, () => wanted);
  return {
    pause: () => {
      wanted = false;
      void upload.abort();
    },
    resume: () => {
      wanted = true;
      upload.start();
    },
    cancel: async () => {
      wanted = false;
      // An upload that the server no longer knows is as good as cancelled.
      await upload.abort(true).catch(() => undefined);
    },
  };
}

async function begin(upload: Upload, file: File, wanted: () => boolean): Promise<void> {
  const [earlier] = await upload.findPreviousUploads();
  if (earlier) upload.resumeFromPreviousUpload(earlier);
  else {
    const digest = await digestOf(file);
    if (digest) upload.options.metadata = { ...upload.options.metadata, sha256: digest };
  }
  if (wanted()) upload.start();
}

/** SHA-256 in hexadecimal, so that the server can tell whether all arrived as it is here; empty for large files. */
export async function digestOf(file: Blob): Promise<string> {
  if (file.size > DIGEST_BYTES_MAX || !globalThis.crypto?.subtle) return "";
  const digest = await crypto.subtle.digest("SHA-256", await file.arrayBuffer());
  return [...new Uint8Array(digest)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** Refusals stay refusals; what a network or a restarting server does is tried again. */
export function shouldRetry(error: DetailedError): boolean {
  const status = error.originalResponse?.getStatus() ?? 0;
  return status === 0 || status >= 500 || status === 423 || (status === 409 && problemIn(error).code === "upload_offset_differs");
}

function problemIn(error: Error | DetailedError): Problem {
  const response = "originalResponse" in error ? error.originalResponse : null;
  if (!response) return { status: 0, code: "offline", title: "The connection broke off.", detail: "What was sent is kept. Resume when you are online." };
  let body: unknown = null;
  try {
    body = JSON.parse(response.getBody());
  } catch {
    // A proxy's page, say.
  }
  return problemOf(response.getStatus(), body);
}

async function kept(url: string, options: SendingOptions): Promise<void> {
  const reply = await send<{ media: KeptMedia | null; problem: string | null }>("GET", url);
  if (reply.ok && reply.body.media) options.onKept(reply.body.media);
  else if (reply.ok) options.onProblem(problemOf(422, { title: "This file was not taken.", detail: reply.body.problem ?? "" }));
  else if ("problem" in reply) options.onProblem(reply.problem);
  else options.onProblem({ status: 0, code: "offline", title: "The connection broke off.", detail: "The file may be there already; reload the page." });
}

/** Bytes as people say them. */
export function sizeInWords(bytes: number): string {
  const units = ["B", "kB", "MB", "GB"];
  let at = 0;
  for (; bytes >= 1000 && at < units.length - 1; at++) bytes /= 1000;
  return `${bytes.toFixed(at && bytes < 10 ? 1 : 0)} ${units[at]}`;
}
