/** `HyperText`: HTML that the server has cleaned, marked by offsets in its text and by XPath. */
import { failed, fetchedText } from "../parts";
import type { Mount } from "../types";
import { spanned, type SpanCodec } from "./spanned";
import type { Chosen } from "./surface";

export const mount: Mount = async (context) => {
  const { host, tag } = context;
  host.classList.add("anno-text", "reading", "anno-hyper");
  const content = tag.content ?? {};
  const block = document.createElement("div");
  if (content.html !== undefined) block.innerHTML = String(content.html);
  else {
    // Fetched pages have not been cleaned by the server: their text alone is shown.
    const text = await fetchedText(String(content.url));
    if (text === null) return failed(host, "The page could not be loaded.", () => mount(context));
    block.textContent = new DOMParser().parseFromString(text, "text/html").body.textContent;
  }
  const original = block.cloneNode(true) as HTMLElement;
  host.replaceChildren(block);
  return spanned(context, [block], hyperCodec(original), "Page");
};

/** Positions in the document as it came, before any mark was drawn. */
export function hyperCodec(original: HTMLElement): SpanCodec {
  return {
    value: ({ start, end }, text) => {
      const [from, to] = [pointAt(original, start, true), pointAt(original, end, false)];
      return {
        start: pathOf(original, from.node),
        end: pathOf(original, to.node),
        startOffset: from.offset,
        endOffset: to.offset,
        globalOffsets: { start, end },
        text: text.slice(start, end),
      };
    },
    place: (value, text) => {
      const given = value.globalOffsets as Chosen | undefined;
      const start = given?.start ?? offsetAt(original, String(value.start), Number(value.startOffset));
      const end = given?.end ?? offsetAt(original, String(value.end), Number(value.endOffset));
      return start !== null && end !== null && start >= 0 && start < end && end <= text.length ? { start, end } : null;
    },
  };
}

function texts(root: HTMLElement): Text[] {
  const walker = document.createTreeWalker(root, NodeFilter.SHOW_TEXT);
  const found: Text[] = [];
  for (let node = walker.nextNode(); node; node = walker.nextNode()) found.push(node as Text);
  return found;
}

/** Of two nodes that meet at a position, a beginning takes the later and an end the earlier. */
function pointAt(root: HTMLElement, offset: number, beginning: boolean): { node: Text; offset: number } {
  let rest = offset;
  const nodes = texts(root);
  for (const node of nodes) {
    if (beginning ? rest < node.data.length : rest <= node.data.length) return { node, offset: rest };
    rest -= node.data.length;
  }
  const last = nodes.at(-1)!;
  return { node: last, offset: last.data.length };
}

/** `/div[1]/p[2]/text()[1]`, counted among siblings of the same name from 1. */
function pathOf(root: HTMLElement, node: Node): string {
  const steps: string[] = [];
  for (let each: Node = node; each !== root; each = each.parentNode!) {
    const name = each.nodeType === Node.TEXT_NODE ? "text()" : each.nodeName.toLowerCase();
    const same = [...each.parentNode!.childNodes].filter((other) => other.nodeName === each.nodeName);
    steps.unshift(`${name}[${same.indexOf(each as ChildNode) + 1}]`);
  }
  return `/${steps.join("/")}`;
}

function offsetAt(root: HTMLElement, path: string, offset: number): number | null {
  let node: Node = root;
  for (const step of path.split("/").filter(Boolean)) {
    const found = /^([\w-]+|text\(\))(?:\[(\d+)\])?$/.exec(step);
    if (!found) return null;
    const wanted = found[1] === "text()" ? "#text" : found[1]!;
    const next = [...node.childNodes].filter((each) => each.nodeName.toLowerCase() === wanted)[Number(found[2] ?? 1) - 1];
    if (!next) return null;
    node = next;
  }
  const range = document.createRange();
  range.selectNodeContents(root);
  if (offset > (node.nodeType === Node.TEXT_NODE ? (node as Text).data.length : node.childNodes.length)) return null;
  range.setEnd(node, offset);
  return range.toString().length;
}
