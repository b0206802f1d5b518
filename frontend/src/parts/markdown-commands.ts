/** What the buttons and keys of the Markdown editor do. Each is a command of CodeMirror and can be undone in one step. */
import { EditorSelection, type ChangeSpec, type Line } from "@codemirror/state";
import type { EditorView } from "@codemirror/view";

type Command = (view: EditorView) => boolean;

/** Put marks around the selection, or take them away where they stand already. */
export function wrap(mark: string): Command {
  return (view) => {
    if (view.state.readOnly) return false;
    const spec = view.state.changeByRange((range) => {
      const { doc } = view.state;
      const inside = doc.sliceString(range.from, range.to);
      const around = doc.sliceString(range.from - mark.length, range.from) === mark && doc.sliceString(range.to, range.to + mark.length) === mark;
      if (around) {
        const changes = [{ from: range.from - mark.length, to: range.from }, { from: range.to, to: range.to + mark.length }];
        return { changes, range: EditorSelection.range(range.from - mark.length, range.to - mark.length) };
      }
      if (inside.length > 2 * mark.length && inside.startsWith(mark) && inside.endsWith(mark)) {
        const bare = inside.slice(mark.length, -mark.length);
        return { changes: { from: range.from, to: range.to, insert: bare }, range: EditorSelection.range(range.from, range.from + bare.length) };
      }
      const changes = [{ from: range.from, insert: mark }, { from: range.to, insert: mark }];
      return { changes, range: EditorSelection.range(range.from + mark.length, range.to + mark.length) };
    });
    view.dispatch(view.state.update(spec, { userEvent: "input", scrollIntoView: true }));
    return true;
  };
}

/** Marks within a line, a fence around whole lines. */
export function fence(mark: string, open: string, close: string): Command {
  return (view) => {
    const { from, to } = view.state.selection.main;
    if (!view.state.sliceDoc(from, to).includes("\n")) return wrap(mark)(view);
    if (view.state.readOnly) return false;
    const [first, last] = [view.state.doc.lineAt(from), view.state.doc.lineAt(to)];
    const changes = [{ from: first.from, insert: `${open}\n` }, { from: last.to, insert: `\n${close}` }];
    view.dispatch({ changes, selection: { anchor: first.from + open.length }, userEvent: "input", scrollIntoView: true });
    return true;
  };
}

function selectedLines(view: EditorView): Line[] {
  const { from, to } = view.state.selection.main;
  const lines: Line[] = [];
  for (let line = view.state.doc.lineAt(from); ; line = view.state.doc.line(line.number + 1)) {
    lines.push(line);
    if (line.to >= to) return lines;
  }
}

/** Make the selected lines items of a list, or plain again. */
export function list(numbered: boolean): Command {
  return (view) => {
    if (view.state.readOnly) return false;
    const lines = selectedLines(view);
    const item = numbered ? /^(\s*)\d+[.)] / : /^(\s*)[-*+] /;
    const off = lines.every((line) => item.test(line.text));
    const changes: ChangeSpec[] = lines.map((line, at) => {
      const old = /^(\s*)(?:[-*+] |\d+[.)] )?/.exec(line.text)!;
      const mark = off ? "" : numbered ? `${at + 1}. ` : "- ";
      return { from: line.from, to: line.from + old[0].length, insert: old[1] + mark };
    });
    view.dispatch({ changes, userEvent: "input", scrollIntoView: true });
    return true;
  };
}

/** A heading one level deeper with each call; after the third plain text again. */
export const heading: Command = (view) => {
  if (view.state.readOnly) return false;
  const line = view.state.doc.lineAt(view.state.selection.main.head);
  const old = /^(#{0,6})[ \t]*/.exec(line.text)!;
  const level = old[1]!.length >= 3 ? 0 : old[1]!.length + 1;
  view.dispatch({ changes: { from: line.from, to: line.from + old[0].length, insert: level ? `${"#".repeat(level)} ` : "" }, userEvent: "input" });
  return true;
};

/** `[words](address)` with the part selected that is still to be written. */
export const link: Command = (view) => {
  if (view.state.readOnly) return false;
  const { from, to } = view.state.selection.main;
  const text = view.state.sliceDoc(from, to);
  const address = /^https?:\/\/\S+$/.test(text);
  const insert = address ? `[](${text})` : `[${text}](https://)`;
  const selection = address || !text ? { anchor: from + 1 } : { anchor: from + text.length + 3, head: from + insert.length - 1 };
  view.dispatch({ changes: { from, to, insert }, selection, userEvent: "input", scrollIntoView: true });
  return true;
};

const TABLE = "| Column | Column |\n| --- | --- |\n|  |  |\n|  |  |\n";

/** An empty table below the line of the cursor, with its first heading selected. */
export const table: Command = (view) => {
  if (view.state.readOnly) return false;
  const line = view.state.doc.lineAt(view.state.selection.main.head);
  const before = line.text.trim() ? "\n\n" : line.number > 1 && view.state.doc.line(line.number - 1).text.trim() ? "\n" : "";
  const start = line.to + before.length;
  view.dispatch({ changes: { from: line.to, insert: before + TABLE }, selection: { anchor: start + 2, head: start + 8 }, userEvent: "input", scrollIntoView: true });
  return true;
};
