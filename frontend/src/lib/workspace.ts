/** The JSON between the workspace and the server. */
export interface WorkspaceData {
  /** Where the person works. */
  project: { title: string; href?: string };
  claim: {
    id: string;
    /** A few words of the task for the person's own list; else the project's title. */
    title?: string;
    leased_until: string;
    server_now: string;
    /** Whole length of the lease; the countdown turns to attention in its last tenth. */
    lease_seconds?: number;
    /** "0.42 USD"; empty for unpaid practice. */
    pay: string;
    kind: "work" | "revision" | "assessment" | "practice";
    draft: Record<string, unknown> | null;
    draft_saved_at: string | null;
    worked_seconds?: number;
    revision_comments: { criterion?: string; comment: string; quote?: string }[];
    /** "3 of 10" in an assessment. */
    position?: { at: number; of: number };
  };
  task: { element: string; data: unknown };
  guidelines_html: string;
  rubric: Criterion[];
  /** Empty where there is nothing of the kind: practice keeps no draft, and a test has nothing to skip or flag. */
  urls: {
    draft: string;
    heartbeat: string;
    submit: string;
    skip: string;
    flag: string;
    release: string;
    next: string;
    /** Where the next task is fetched while this one is worked on; it is let go at its own `let_go`. */
    ahead?: string;
    let_go?: string;
    board: string;
  };
  /** What the desk says of itself where it is used for something else than work and tests. */
  words?: Partial<DeskWords>;
  skip_reasons: (string | { key: string; label: string })[];
  flag_reasons?: { key: string; label: string }[];
  history: HistoryEntry[];
  /** What the material may show, in words; the task is covered until the person asks for it. */
  warnings?: string[];
  /** A model's answer in shown names, which the person may begin with. */
  suggestion?: Suggestion;
}

export interface Suggestion {
  answer: Record<string, unknown>;
  /** The same in a few words. */
  words: string;
  /** As the task's file names the model; may be empty. */
  model: string;
  /** What the person pressed last. */
  used: boolean | null;
  /** Where that is told. */
  url: string;
}

export interface DeskWords {
  /** What this is, beside the title; empty for work. */
  kind: string;
  /** What becomes of the answer, where no draft is kept. */
  kept: string;
  /** Where leaving leads. */
  back: string;
  /** Where leaving leads once nothing is left. */
  leave: string;
}

const WORK: DeskWords = { kind: "", kept: "", back: "Back to the board", leave: "Find other work" };
const TEST: DeskWords = { kind: "Assessment", kept: "", back: "Back to the test", leave: "To the test" };
const WORDS: Record<WorkspaceData["claim"]["kind"], DeskWords> = {
  work: WORK,
  revision: { ...WORK, kind: "Revision" },
  assessment: TEST,
  practice: { ...TEST, kind: "Practice", kept: "Nothing is kept or counted here" },
};

/** What the desk says of itself: the page's own words before those of the kind. */
export function deskWords(work: Pick<WorkspaceData, "claim" | "words">): DeskWords {
  return { ...WORDS[work.claim.kind], ...work.words };
}

export interface Criterion {
  key: string;
  title: string;
  description: string;
  scale_min: number;
  scale_max: number;
  weight: number;
  anchors: Record<string, string>;
}

export interface HistoryEntry {
  at: string;
  title: string;
  state: string;
  href?: string;
}

/** What submit, skip and flag answer. Everything may be missing. */
export interface Outcome {
  message?: string;
  next?: WorkspaceData | null;
  /** Instead of `next`: the task that was fetched ahead has begun. */
  begun?: Begun;
  history_entry?: HistoryEntry;
  /** Practice: how the answer compares with the known one. */
  explanation?: { correct: boolean; title: string; html: string };
  /** Leave the workspace for this page, such as the result of an assessment. */
  redirect?: string;
}

/** What changes about a task that was fetched ahead when it begins. */
export interface Begun {
  claim: Pick<WorkspaceData["claim"], "id" | "leased_until" | "server_now" | "lease_seconds">;
  /** What it may show by now: the material may have been rated since it was fetched. */
  warnings: string[];
}

export interface HeartbeatReply {
  leased_until: string;
  server_now: string;
  /** The claim that is set aside as the next one, which this sign of life has kept. */
  ahead?: string | null;
}
