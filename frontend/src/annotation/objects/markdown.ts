/** `Markdown`: rendered and cleaned by the server. */
import type { Mount } from "../types";

export const mount: Mount = ({ host, tag }) => {
  host.classList.add("reading");
  host.innerHTML = String(tag.content?.html ?? "");
  return { refresh: () => {}, reveal: () => {}, describe: () => "", destroy: () => {} };
};
