/** Running code at the desk: ask, then look until it is done. */
import { send, type Problem } from "./api";
import type { CodeRun } from "./code";

const FIRST_LOOK_MS = 250;
const SLOWEST_LOOK_MS = 2_000;
const LOOKS_MAX = 200;

export type RunOutcome = { run: CodeRun } | { problem: string };

const OFFLINE = "There is no connection. What you wrote is kept; run again when it is back.";

function words(problem: Problem): string {
  return [problem.title, problem.detail, problem.next].filter(Boolean).join(" ");
}

async function ask(method: string, url: string, signal: AbortSignal, body?: unknown): Promise<RunOutcome> {
  const reply = await send<CodeRun>(method, url, body === undefined ? { signal } : { body, signal });
  if (reply.ok) return { run: reply.body };
  return { problem: "offline" in reply ? OFFLINE : words(reply.problem) };
}

/** A run that was asked for before. */
export function lookAt(url: string, id: string, signal: AbortSignal): Promise<RunOutcome> {
  return ask("GET", `${url}/${id}`, signal);
}

/** Start a run of an answer and wait for what comes of it. `started` is told the run's id at once. */
export async function runCode(url: string, answer: unknown, signal: AbortSignal): Promise<RunOutcome> {
  const started = await ask("POST", url, signal, { answer });
  return "run" in started ? waitFor(url, started.run, signal) : started;
}

export async function waitFor(url: string, run: CodeRun, signal: AbortSignal): Promise<RunOutcome> {
  let [pause, found]: [number, RunOutcome] = [FIRST_LOOK_MS, { run }];
  for (let look = 0; look < LOOKS_MAX; look++) {
    if ("run" in found && found.run.state !== "waiting") return found;
    await new Promise((done) => setTimeout(done, pause));
    if (signal.aborted) return { problem: "" };
    pause = Math.min(SLOWEST_LOOK_MS, pause * 1.3);
    const next = await lookAt(url, run.id, signal);
    if ("problem" in next && next.problem !== OFFLINE) return next;
    if ("run" in next) found = next;
  }
  return { problem: "The tests have not run yet. Nothing is lost; try again in a while." };
}
