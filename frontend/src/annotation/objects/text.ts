/** `Text`: plain text, marked by offsets. */
import { fetchedText, failed } from "../parts";
import type { Mount } from "../types";
import { spanned, type SpanCodec } from "./spanned";

const codec: SpanCodec = {
  value: ({ start, end }, text) => ({ start, end, text: text.slice(start, end) }),
  place: (value, text) => {
    const [start, end] = [Number(value.start), Number(value.end)];
    return start >= 0 && end <= text.length && start < end ? { start, end } : null;
  },
};

export const mount: Mount = async (context) => {
  const { host, tag } = context;
  host.classList.add("anno-text", "reading");
  const text = tag.content?.url === undefined ? String(tag.content?.text ?? "") : await fetchedText(String(tag.content.url));
  if (text === null) return failed(host, "The text could not be loaded.", () => mount(context));
  const block = document.createElement("div");
  block.className = "anno-plain";
  block.textContent = text;
  host.replaceChildren(block);
  return spanned(context, [block], codec, "Text");
};
