/** Markdown as it is written here: code fences coloured by their language, formulas marked, colours of the theme. */
import { markdown, markdownLanguage } from "@codemirror/lang-markdown";
import { HighlightStyle, LanguageDescription, syntaxHighlighting, syntaxTree } from "@codemirror/language";
import { RangeSetBuilder, type Extension } from "@codemirror/state";
import { Decoration, EditorView, ViewPlugin, type DecorationSet, type ViewUpdate } from "@codemirror/view";
import { Tag, tags } from "@lezer/highlight";

const math = Tag.define();
type MarkdownOptions = NonNullable<Parameters<typeof markdown>[0]>;
type MarkdownExtension = Extract<NonNullable<MarkdownOptions["extensions"]>, { parseInline?: unknown }>;
type Inline = NonNullable<MarkdownExtension["parseInline"]>[number];

/** Each language is fetched when a fence names it. */
const FENCED = [
  LanguageDescription.of({ name: "python", alias: ["py", "python3"], load: async () => (await import("@codemirror/lang-python")).python() }),
  LanguageDescription.of({ name: "javascript", alias: ["js", "jsx"], load: async () => (await import("@codemirror/lang-javascript")).javascript({ jsx: true }) }),
  LanguageDescription.of({ name: "typescript", alias: ["ts", "tsx"], load: async () => (await import("@codemirror/lang-javascript")).javascript({ jsx: true, typescript: true }) }),
  LanguageDescription.of({ name: "json", load: async () => (await import("@codemirror/lang-json")).json() }),
  LanguageDescription.of({ name: "xml", alias: ["html", "svg"], load: async () => (await import("@codemirror/lang-xml")).xml() }),
];

const DOLLAR = 36;
const BACKSLASH = 92;

/** `$…$`, `$$…$$`, `\(…\)` and `\[…\]` within a paragraph, as the server reads them. */
const mathInline: Inline = {
  name: "Math",
  before: "Escape",
  parse(context, next, at) {
    if (next !== DOLLAR && next !== BACKSLASH) return -1;
    const text = context.slice(at, context.end);
    const found = /^(?:\$\$[^]+?\$\$|\$(?=[^\s$])[^$]*?[^\s$\\]\$(?!\d)|\$[^\s$]\$(?!\d)|\\\([^]+?\\\)|\\\[[^]+?\\\])/.exec(text);
    return found ? context.addElement(context.elt("Math", at, at + found[0].length)) : -1;
  },
};

const colours = HighlightStyle.define([
  { tag: tags.heading, fontWeight: "650" },
  { tag: tags.strong, fontWeight: "700" },
  { tag: tags.emphasis, fontStyle: "italic" },
  { tag: tags.strikethrough, textDecoration: "line-through" },
  { tag: [tags.link, tags.url], color: "var(--color-brand-ink)" },
  { tag: [tags.monospace, math], fontFamily: "var(--font-mono)", fontSize: "0.9em" },
  { tag: math, color: "var(--color-brand-ink)" },
  { tag: [tags.processingInstruction, tags.contentSeparator, tags.quote, tags.comment, tags.meta, tags.labelName], color: "var(--color-muted)" },
  { tag: [tags.keyword, tags.tagName, tags.operatorKeyword], color: "var(--color-brand-ink)", fontWeight: "600" },
  { tag: [tags.string, tags.special(tags.string), tags.attributeValue], color: "var(--color-action-ink)" },
  { tag: [tags.number, tags.bool, tags.null], color: "var(--color-attention-ink)" },
  { tag: [tags.function(tags.variableName), tags.className, tags.attributeName, tags.definition(tags.propertyName)], fontWeight: "600" },
]);

const codeLine = Decoration.line({ class: "cm-code" });

/** Lines of code fences stand in the type of code, whatever their language. */
const codeLines = ViewPlugin.fromClass(
  class {
    decorations: DecorationSet;
    constructor(view: EditorView) {
      this.decorations = codeLinesOf(view);
    }
    update(update: ViewUpdate): void {
      if (update.docChanged || update.viewportChanged || syntaxTree(update.startState) !== syntaxTree(update.state)) this.decorations = codeLinesOf(update.view);
    }
  },
  { decorations: (plugin) => plugin.decorations },
);

function codeLinesOf(view: EditorView): DecorationSet {
  const builder = new RangeSetBuilder<Decoration>();
  for (const { from, to } of view.visibleRanges) {
    syntaxTree(view.state).iterate({
      from,
      to,
      enter: (node) => {
        if (node.name !== "FencedCode") return node.name === "Document" || /^(?:Blockquote|.*List|ListItem)$/.test(node.name);
        for (let line = view.state.doc.lineAt(Math.max(from, node.from)); line.from <= Math.min(to, node.to); line = view.state.doc.line(line.number + 1)) {
          builder.add(line.from, line.from, codeLine);
          if (line.number === view.state.doc.lines) break;
        }
        return false;
      },
    });
  }
  return builder.finish();
}

const theme = EditorView.theme({
  ".cm-code": { fontFamily: "var(--font-mono)", fontSize: "0.875em" },
  "&": { height: "100%", flex: "1 1 0", minWidth: "0", backgroundColor: "var(--color-base-100)", color: "var(--color-base-content)", fontSize: "1rem" },
  "&.cm-focused": { outline: "2px solid var(--color-primary)", outlineOffset: "-2px", borderRadius: "var(--radius-field)" },
  ".cm-scroller": { fontFamily: "var(--font-sans)", lineHeight: "1.55", overflow: "auto" },
  ".cm-content": { padding: "0.625rem 0.875rem", caretColor: "var(--color-base-content)", minHeight: "100%" },
  ".cm-cursor, .cm-dropCursor": { borderLeftColor: "var(--color-base-content)", borderLeftWidth: "2px" },
  "& > .cm-scroller > .cm-selectionLayer .cm-selectionBackground, &.cm-focused > .cm-scroller > .cm-selectionLayer .cm-selectionBackground": { backgroundColor: "color-mix(in oklab, var(--color-primary) 26%, transparent)" },
  ".cm-placeholder": { color: "var(--color-muted)" },
  ".cm-searchMatch": { backgroundColor: "var(--color-attention-soft)", outline: "1px solid var(--color-attention)" },
  ".cm-searchMatch-selected": { backgroundColor: "color-mix(in oklab, var(--color-attention) 45%, transparent)" },
  ".cm-panels": { backgroundColor: "var(--color-base-300)", color: "var(--color-base-content)", borderColor: "var(--color-line)" },
  ".cm-panels-top": { borderBottom: "1px solid var(--color-line)" },
  ".cm-panel.cm-search": { padding: "0.4rem 2rem 0.4rem 0.6rem", fontFamily: "var(--font-sans)", fontSize: "0.875rem" },
  ".cm-textfield": { backgroundColor: "var(--color-base-100)", color: "inherit", border: "1px solid var(--color-line-strong)", borderRadius: "6px", padding: "0.2rem 0.45rem", fontSize: "0.875rem" },
  ".cm-button": { backgroundImage: "none", backgroundColor: "var(--color-base-100)", color: "inherit", border: "1px solid var(--color-line-strong)", borderRadius: "6px", padding: "0.2rem 0.55rem", fontSize: "0.8125rem" },
  ".cm-panel.cm-search [name=close]": { color: "inherit", fontSize: "1.1rem", padding: "0 0.4rem" },
  ".cm-panel.cm-search label": { fontSize: "0.8125rem" },
  "ins.cm-inserted": { backgroundColor: "var(--color-action-soft)", color: "var(--color-action-ink)", textDecorationThickness: "1px", textUnderlineOffset: "2px", borderRadius: "2px" },
  "del.cm-deleted": { backgroundColor: "var(--color-harm-soft)", color: "var(--color-harm-ink)", textDecorationThickness: "1px", borderRadius: "2px", whiteSpace: "pre-wrap", userSelect: "none" },
});

/** Everything that makes plain text look like the Markdown it is. */
export function markdownLook(): Extension {
  const extension = { defineNodes: [{ name: "Math", style: math }], parseInline: [mathInline] } as unknown as MarkdownExtension;
  return [markdown({ base: markdownLanguage, codeLanguages: FENCED, extensions: extension, addKeymap: true, completeHTMLTags: false, pasteURLAsLink: true }), syntaxHighlighting(colours), codeLines, theme];
}
