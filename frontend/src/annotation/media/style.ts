/** What views of pictures, pages, sound, video and series share of looks. */
import { adopt } from "../../lib/dom";
import css from "../../styles/kinds/annotation-media.css?inline";

export const adoptMediaStyles = (): void => adopt(css);

/** Calls back when the page turns light or dark, for what is drawn on a canvas. Returns what stops it. */
export function onThemeChange(changed: () => void): () => void {
  const scheme = matchMedia("(prefers-color-scheme: dark)");
  const chosen = new MutationObserver(changed);
  chosen.observe(document.documentElement, { attributes: true, attributeFilter: ["data-theme"] });
  scheme.addEventListener("change", changed);
  return () => (chosen.disconnect(), scheme.removeEventListener("change", changed));
}
