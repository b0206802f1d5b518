/** What the server makes of the leaves of a task's view (src/preceptor/tasktypes/view.py), and what a task's element is. */

/** Markdown or a message: safe HTML, and the text it was made of. */
export interface Rendered {
  html: string;
  text: string;
}

export interface RenderedMessage extends Rendered {
  role: string;
}

/** What the desk offers an element beside its data: addresses of services ("generate", "run", "similar", "preview"). */
export interface Desk {
  urls: Record<string, string>;
  /** Nothing is kept, counted or charged here, and services may be missing. */
  practice: boolean;
}

export interface Shortcut {
  keys: string;
  words: string;
}

export interface AnswerChanged<Answer = unknown> {
  answer: Answer;
  problems: string[];
}

/** A task's own element: it shows the task and emits `answer-changed` at every change by the person. */
export interface TaskElement extends HTMLElement {
  desk?: Desk;
  data: unknown;
  draft: unknown;
  readonly: boolean;
  /** Take the height given by the parent; the material scrolls inside. */
  fill: boolean;
  /** Show one half: "material" to read, "answer" to judge or to show a judgment beside others. */
  only?: "" | "material" | "answer";
  /** The answer as it stands, and what it still lacks. */
  readonly value: unknown;
  readonly problems: string[];
  readonly shortcuts?: Shortcut[];
}
