/**
 * Whether XML can be parsed. Asked before the browser's parser, whose report of an error is a page with inline styles
 * that the content security policy refuses. Names and entities as labeling configs have them. Pure.
 */
const TOKEN = /<!--[\s\S]*?-->|<\?[\s\S]*?\?>|<!\[CDATA\[[\s\S]*?\]\]>|<\/([\w:.-]+)\s*>|<([A-Za-z_][\w:.-]*)((?:\s+[A-Za-z_][\w:.-]*\s*=\s*(?:"[^"<]*"|'[^'<]*'))*)\s*(\/?)>|[^<]+|</g;
const BARE_AMPERSAND = /&(?!(?:amp|lt|gt|quot|apos|#\d+|#x[\da-fA-F]+);)/;

export function wellFormed(xml: string): boolean {
  const open: string[] = [];
  let roots = 0;
  for (const [token, closing, opening, attrs, empty] of xml.trim().matchAll(TOKEN)) {
    if (token === "<") return false;
    if (closing !== undefined) {
      if (open.pop() !== closing) return false;
    } else if (opening !== undefined) {
      if (BARE_AMPERSAND.test(attrs!) || doubled(attrs!)) return false;
      if (!open.length) roots += 1;
      if (!empty) open.push(opening);
    } else if (!token.startsWith("<") && token.trim()) {
      if (!open.length || BARE_AMPERSAND.test(token) || token.includes("]]>")) return false;
    }
  }
  return !open.length && roots === 1;
}

function doubled(attrs: string): boolean {
  const names = [...attrs.matchAll(/([\w:.-]+)\s*=\s*(?:"[^"]*"|'[^']*')/g)].map((found) => found[1]);
  return new Set(names).size < names.length;
}
