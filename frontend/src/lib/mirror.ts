/** Drafts kept in this browser too, for when the server has not got them: it was killed, or we were offline. */
import { memory } from "./dom";

export type Answer = Record<string, unknown>;
export interface Mirror {
  answer: Answer;
  /** Milliseconds of the server's clock. */
  at: number;
}
const MIRROR_DAYS = 3;

/** Keep the answer to a claim in this browser; null forgets it. */
export function keepMirror(claim: string, mirror: Mirror | null): void {
  memory.set(`draft.${claim}`, mirror && JSON.stringify(mirror));
}

/** What this browser has, where it is newer than the draft that the server has. */
export function newerMirror(claim: string, savedAt: string | null): Mirror | null {
  const kept = memory.get(`draft.${claim}`);
  if (!kept) return null;
  const mirror = JSON.parse(kept) as Mirror;
  return mirror.at > Date.parse(savedAt ?? "1970-01-01") ? mirror : null;
}

/** Forget drafts that nobody came back to. */
export function pruneMirrors(): void {
  const tooOld = Date.now() - MIRROR_DAYS * 86_400_000;
  try {
    for (const key of Object.keys(localStorage).filter((each) => each.startsWith("preceptor.draft."))) {
      if ((JSON.parse(localStorage.getItem(key)!) as Mirror).at < tooOld) localStorage.removeItem(key);
    }
  } catch {
    // No storage: nothing to prune.
  }
}
