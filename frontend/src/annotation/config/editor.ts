/** The XML of a config in an editor, with the lines that were found wrong marked. */
import { defaultKeymap, history, historyKeymap, indentWithTab } from "@codemirror/commands";
import { xml } from "@codemirror/lang-xml";
import { bracketMatching, defaultHighlightStyle, foldGutter, HighlightStyle, indentOnInput, syntaxHighlighting } from "@codemirror/language";
import { EditorState, RangeSetBuilder, StateEffect, StateField } from "@codemirror/state";
import { Decoration, drawSelection, EditorView, highlightActiveLine, keymap, lineNumbers, type DecorationSet } from "@codemirror/view";
import { tags } from "@lezer/highlight";

export interface LineNote {
  line: number;
  level: "error" | "note";
  message: string;
}

const setNotes = StateEffect.define<readonly LineNote[]>();
const notes = StateField.define<DecorationSet>({
  create: () => Decoration.none,
  update: (marks, transaction) => {
    const effect = transaction.effects.find((each) => each.is(setNotes));
    return effect ? marksOf(transaction.state, effect.value as readonly LineNote[]) : marks.map(transaction.changes);
  },
  provide: (field) => EditorView.decorations.from(field),
});

function marksOf(state: EditorState, found: readonly LineNote[]): DecorationSet {
  const builder = new RangeSetBuilder<Decoration>();
  const byLine = new Map<number, LineNote[]>();
  for (const note of found) byLine.set(note.line, [...(byLine.get(note.line) ?? []), note]);
  for (const line of [...byLine.keys()].sort((a, b) => a - b)) {
    if (line < 1 || line > state.doc.lines) continue;
    const here = byLine.get(line)!;
    const level = here.some((note) => note.level === "error") ? "error" : "note";
    const { from } = state.doc.line(line);
    builder.add(from, from, Decoration.line({ attributes: { class: `cm-found-${level}`, title: here.map((note) => note.message).join("\n") } }));
  }
  return builder.finish();
}

// The page's tokens reach into the editor's shadow root, so both themes are one.
const look = EditorView.theme({
  "&": { fontSize: "0.875rem", backgroundColor: "var(--color-base-100)", color: "var(--color-base-content)", height: "100%" },
  "&.cm-focused": { outline: "2px solid var(--color-primary)", outlineOffset: "-1px" },
  ".cm-content": { fontFamily: "var(--font-mono)", caretColor: "var(--color-base-content)" },
  ".cm-cursor": { borderLeftColor: "var(--color-base-content)" },
  ".cm-gutters": { backgroundColor: "var(--color-base-300)", color: "var(--color-muted)", border: "none" },
  ".cm-activeLine, .cm-activeLineGutter": { backgroundColor: "var(--color-base-300)" },
  "&.cm-focused > .cm-scroller > .cm-selectionLayer .cm-selectionBackground, .cm-selectionBackground": { backgroundColor: "color-mix(in oklab, var(--color-primary) 30%, transparent)" },
  ".cm-found-error": { backgroundColor: "var(--color-harm-soft)", boxShadow: "inset 3px 0 0 var(--color-harm)" },
  ".cm-found-note": { backgroundColor: "var(--color-attention-soft)", boxShadow: "inset 3px 0 0 var(--color-attention)" },
});
const colours = HighlightStyle.define([
  { tag: tags.tagName, color: "var(--color-brand-ink)", fontWeight: "600" },
  { tag: tags.attributeName, color: "var(--color-attention-ink)" },
  { tag: tags.attributeValue, color: "var(--color-action-ink)" },
  { tag: tags.comment, color: "var(--color-muted)", fontStyle: "italic" },
  { tag: tags.angleBracket, color: "var(--color-muted)" },
]);

export interface XmlEditor {
  set(text: string): void;
  mark(found: readonly LineNote[]): void;
  go(line: number): void;
  destroy(): void;
}

export function xmlEditor(host: HTMLElement, text: string, readonly: boolean, changed: (text: string) => void): XmlEditor {
  // In a shadow root the editor brings its styles as constructed sheets, which a strict content policy allows.
  const root = host.shadowRoot ?? host.attachShadow({ mode: "open" });
  const help = Object.assign(document.createElement("p"), { id: "help", hidden: true, textContent: "XML. Press Escape and then Tab to leave the editor." });
  root.replaceChildren(help);
  const view = new EditorView({
    root,
    parent: root,
    state: EditorState.create({
      doc: text,
      extensions: [
        lineNumbers(),
        foldGutter(),
        history(),
        drawSelection(),
        highlightActiveLine(),
        indentOnInput(),
        bracketMatching(),
        xml(),
        syntaxHighlighting(colours),
        syntaxHighlighting(defaultHighlightStyle, { fallback: true }),
        notes,
        look,
        EditorView.lineWrapping,
        EditorState.readOnly.of(readonly),
        keymap.of([...defaultKeymap.filter((binding) => binding.key !== "Mod-Enter"), ...historyKeymap, indentWithTab]),
        EditorView.contentAttributes.of({ "aria-label": "Labeling config, XML", "aria-describedby": "help", spellcheck: "false", tabindex: "0" }),
        EditorView.updateListener.of((update) => update.docChanged && changed(update.state.doc.toString())),
      ],
    }),
  });
  return {
    set: (next) => next !== view.state.doc.toString() && view.dispatch({ changes: { from: 0, to: view.state.doc.length, insert: next } }),
    mark: (found) => view.dispatch({ effects: setNotes.of(found) }),
    go: (line) => {
      const at = view.state.doc.line(Math.max(1, Math.min(line, view.state.doc.lines))).from;
      view.dispatch({ selection: { anchor: at }, scrollIntoView: true });
      view.focus();
    },
    destroy: () => view.destroy(),
  };
}
