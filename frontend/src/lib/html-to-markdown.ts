/**
 * Markdown of pasted HTML. Only text comes out, and addresses only of the web and of mail: whatever else the HTML
 * held (scripts, styles, forms, pictures) is gone, so that nothing needs to be sanitised afterwards.
 */

const NODES_MAX = 50_000;
const SKIPPED = new Set(["SCRIPT", "STYLE", "NOSCRIPT", "TEMPLATE", "IFRAME", "OBJECT", "EMBED", "SVG", "CANVAS", "BUTTON", "INPUT", "SELECT", "TEXTAREA", "HEAD", "TITLE", "META", "LINK", "AUDIO", "VIDEO"]);
const BLOCKS = new Set(["P", "DIV", "SECTION", "ARTICLE", "HEADER", "FOOTER", "MAIN", "ASIDE", "FIGURE", "FIGCAPTION", "ADDRESS", "DL", "DT", "DD", "FORM", "FIELDSET", "DETAILS", "SUMMARY"]);
const RICH = "h1,h2,h3,h4,h5,h6,ul,ol,table,pre,blockquote,a[href],strong,b,em,i,code,p,br";

interface Walk {
  left: number;
  depth: number;
}

/** Markdown, or null where the HTML says nothing that plain text does not. */
export function htmlToMarkdown(source: string): string | null {
  const { body } = new DOMParser().parseFromString(source, "text/html");
  if (!body.querySelector(RICH)) return null;
  const text = blocks(body, { left: NODES_MAX, depth: 0 });
  return text.replace(/[ \t]+\n/g, "\n").replace(/\n{3,}/g, "\n\n").trim();
}

function blocks(parent: Node, walk: Walk): string {
  let out = "";
  let line = "";
  const close = () => {
    const text = line.replace(/[ \t\u00a0]+/g, " ").replace(/ ?\n ?/g, "\n").trim();
    if (text) out += `${text}\n\n`;
    line = "";
  };
  for (const child of parent.childNodes) {
    if (walk.left-- <= 0 || walk.depth > 100) break;
    const block = child instanceof Element ? blockOf(child, { ...walk, depth: walk.depth + 1 }) : null;
    if (block === null) line += inline(child, walk);
    else {
      close();
      out += block;
    }
  }
  close();
  return out;
}

/** A block with its blank line, or null for what stands within a line. */
function blockOf(element: Element, walk: Walk): string | null {
  const tag = element.tagName.toUpperCase();
  if (SKIPPED.has(tag)) return "";
  if (/^H[1-6]$/.test(tag)) return `${"#".repeat(Number(tag[1]))} ${inlineOf(element, walk).replace(/\n/g, " ").trim()}\n\n`;
  if (tag === "UL" || tag === "OL") return `${items(element, tag === "OL", walk)}\n`;
  if (tag === "PRE") return fenced(element);
  if (tag === "BLOCKQUOTE") return `${blocks(element, walk).trim().replace(/^/gm, "> ")}\n\n`;
  if (tag === "TABLE") return tableOf(element as HTMLTableElement, walk);
  if (tag === "HR") return "---\n\n";
  if (BLOCKS.has(tag)) return blocks(element, walk);
  // Inline elements that hold blocks, as editors of other pages make them.
  return element.querySelector("p,div,ul,ol,table,pre,h1,h2,h3") ? blocks(element, walk) : null;
}

function fenced(element: Element): string {
  const language = /(?:language|lang|highlight-source)-([\w+#-]+)/.exec(`${element.className} ${element.querySelector("code")?.className ?? ""}`)?.[1] ?? "";
  const code = (element.textContent ?? "").replace(/\n$/, "");
  const marks = "`".repeat(Math.max(3, ...[...code.matchAll(/`{3,}/g)].map((found) => found[0].length + 1)));
  return `${marks}${language}\n${code}\n${marks}\n\n`;
}

function items(element: Element, numbered: boolean, walk: Walk): string {
  let out = "";
  let number = Number(element.getAttribute("start")) || 1;
  for (const item of element.children) {
    if (item.tagName !== "LI") continue;
    const mark = numbered ? `${number++}. ` : "- ";
    const text = blocks(item, { ...walk, depth: walk.depth + 1 }).trim().replace(/\n\n(?=\s*(?:[-*+]|\d+\.) )/g, "\n");
    out += mark + text.replace(/\n(?=.)/g, `\n${" ".repeat(mark.length)}`) + "\n";
  }
  return out;
}

function tableOf(table: HTMLTableElement, walk: Walk): string {
  const rows = [...table.rows].map((row) => [...row.cells].map((cell) => inlineOf(cell, walk).trim().replace(/\s+/g, " ").replaceAll("|", "\\|")));
  const width = Math.max(0, ...rows.map((row) => row.length));
  if (!width) return "";
  const line = (cells: string[]) => `| ${Array.from({ length: width }, (_, at) => cells[at] ?? "").join(" | ")} |\n`;
  const [head = [], ...rest] = rows;
  return `${line(head)}${line(Array<string>(width).fill("---"))}${rest.map(line).join("")}\n`;
}

function inlineOf(element: Element, walk: Walk): string {
  return [...element.childNodes].map((child) => inline(child, walk)).join("");
}

function inline(node: Node, walk: Walk): string {
  if (node.nodeType === Node.TEXT_NODE) return (node.textContent ?? "").replace(/\s+/g, " ");
  if (!(node instanceof Element) || walk.depth > 100) return "";
  const tag = node.tagName.toUpperCase();
  if (SKIPPED.has(tag)) return "";
  if (tag === "BR") return "\n";
  if (tag === "IMG") return node.getAttribute("alt") ?? "";
  if (tag === "CODE" || tag === "KBD" || tag === "SAMP") return code(node.textContent ?? "");
  const text = inlineOf(node, { ...walk, depth: walk.depth + 1 });
  if (tag === "B" || tag === "STRONG") return bold(node) ? marked(text, "**") : text;
  if (tag === "I" || tag === "EM") return marked(text, "_");
  if (tag === "DEL" || tag === "S") return marked(text, "~~");
  if (tag === "A") return linked(text, node.getAttribute("href") ?? "");
  return text;
}

/** Google Docs wraps everything in a `<b>` that is not bold. */
const bold = (element: Element): boolean => !/font-weight:\s*(?:normal|400)/.test(element.getAttribute("style") ?? "");

/** Marks stand at words, not at blanks. */
function marked(text: string, mark: string): string {
  const [, before, inside, after] = /^(\s*)([^]*?)(\s*)$/.exec(text)!;
  return inside ? `${before}${mark}${inside}${mark}${after}` : text;
}

function code(text: string): string {
  if (!text.trim()) return text;
  const marks = "`".repeat(Math.max(0, ...[...text.matchAll(/`+/g)].map((found) => found[0].length)) + 1);
  const gap = text.startsWith("`") || text.endsWith("`") ? " " : "";
  return `${marks}${gap}${text}${gap}${marks}`;
}

function linked(text: string, href: string): string {
  const address = href.trim();
  if (!/^(?:https?:\/\/|mailto:)[^\s<>"]+$/i.test(address) || !text.trim()) return text;
  return `[${text.trim().replace(/[[\]]/g, "\\$&")}](${address.replaceAll("(", "%28").replaceAll(")", "%29")})`;
}
