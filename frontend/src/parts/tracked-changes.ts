/** Changes against a first text, shown live in a CodeMirror editor: insertions marked, deletions in their old place. */
import { StateEffect, StateField, type Extension, type Range } from "@codemirror/state";
import { Decoration, EditorView, ViewPlugin, WidgetType, type DecorationSet, type ViewUpdate } from "@codemirror/view";
import { changesOf, editScript, type Changes } from "../lib/edits";

/** One change: what now stands at `from`–`to`, and what stood there. */
export interface Change {
  from: number;
  to: number;
  deleted: string;
  inserted: string;
}

export interface Tracked {
  changes: readonly Change[];
  sums: Changes;
}

const SMALL = 20_000;
const WAIT_MS = 60;
const WAIT_LARGE_MS = 400;

/** Compares two texts once. */
export function track(before: string, after: string): Tracked {
  const script = editScript(before, after);
  const changes: Change[] = [];
  let at = 0;
  let open: Change | null = null;
  for (const { op, text } of script) {
    if (op === "keep") {
      open = null;
      at += text.length;
      continue;
    }
    if (!open) changes.push((open = { from: at, to: at, deleted: "", inserted: "" }));
    if (op === "delete") open.deleted += text;
    else {
      open.inserted += text;
      at += text.length;
      open.to = at;
    }
  }
  return { changes, sums: changesOf(script) };
}

class Deleted extends WidgetType {
  constructor(private readonly text: string) {
    super();
  }
  override eq(other: Deleted): boolean {
    return other.text === this.text;
  }
  override toDOM(): HTMLElement {
    const del = document.createElement("del");
    del.className = "cm-deleted";
    // A line end that went away is shown by its sign: it would tear the line apart.
    del.textContent = this.text.replaceAll("\n", "¶");
    return del;
  }
}

const setMarks = StateEffect.define<DecorationSet>();

const marks = StateField.define<DecorationSet>({
  create: () => Decoration.none,
  update(shown, transaction) {
    for (const effect of transaction.effects) if (effect.is(setMarks)) return effect.value;
    return shown.map(transaction.changes);
  },
  provide: (field) => EditorView.decorations.from(field),
});

function marksOf(changes: readonly Change[]): DecorationSet {
  const ranges: Range<Decoration>[] = [];
  for (const { from, to, deleted } of changes) {
    if (deleted) ranges.push(Decoration.widget({ widget: new Deleted(deleted), side: -1 }).range(from));
    if (to > from) ranges.push(Decoration.mark({ tagName: "ins", class: "cm-inserted" }).range(from, to));
  }
  return Decoration.set(ranges, true);
}

/** Shows changes against `before` and reports them, shortly after the typing pauses. */
export function trackedChanges(before: string, report: (tracked: Tracked) => void): Extension {
  const plugin = ViewPlugin.fromClass(
    class {
      timer: ReturnType<typeof setTimeout> | undefined;
      constructor(readonly view: EditorView) {
        this.plan(0);
      }
      update(update: ViewUpdate): void {
        if (update.docChanged) this.plan(update.state.doc.length + before.length < SMALL ? WAIT_MS : WAIT_LARGE_MS);
      }
      plan(wait: number): void {
        clearTimeout(this.timer);
        this.timer = setTimeout(() => {
          const tracked = track(before, this.view.state.doc.toString());
          this.view.dispatch({ effects: setMarks.of(marksOf(tracked.changes)) });
          report(tracked);
        }, wait);
      }
      destroy(): void {
        clearTimeout(this.timer);
      }
    },
  );
  return [marks, plugin];
}

/** Put back what stood there before. The change must be of the text as it now stands. */
export function revert(view: EditorView, change: Change): void {
  if (view.state.sliceDoc(change.from, change.to) !== change.inserted) return;
  view.dispatch({ changes: { from: change.from, to: change.to, insert: change.deleted }, selection: { anchor: change.from + change.deleted.length }, userEvent: "input.revert", scrollIntoView: true });
}

/** The change at or after the cursor (before it with `step` -1), round the ends. */
export function neighbour(changes: readonly Change[], at: number, step: 1 | -1): Change | undefined {
  const found = step > 0 ? changes.find((each) => each.from > at) : changes.findLast((each) => each.from < at);
  return found ?? changes.at(step > 0 ? 0 : -1);
}
