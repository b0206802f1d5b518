/** Small pieces that object views share. */
import type { ObjectView } from "./types";

/** An element with properties and children. */
export function element<K extends keyof HTMLElementTagNameMap>(
  name: K,
  properties: Partial<Omit<HTMLElementTagNameMap[K], "style">> = {},
  ...children: (Node | string | null)[]
): HTMLElementTagNameMap[K] {
  const made = document.createElement(name);
  Object.assign(made, properties);
  made.append(...children.filter((child): child is Node | string => child !== null));
  return made;
}

/** The text behind a URL; null where it could not be had. */
export async function fetchedText(url: string): Promise<string | null> {
  try {
    const response = await fetch(url, { credentials: "same-origin" });
    return response.ok ? await response.text() : null;
  } catch (error) {
    // The network's failure: every other error is a mistake of ours.
    if (error instanceof TypeError) return null;
    throw error;
  }
}

/** A view that says why there is nothing to see, with a way to try again. `again` mounts the object anew. */
export function failed(host: HTMLElement, words: string, again = false as unknown): ObjectView {
  const note = element("div", { className: "note items-start" }, element("p", { textContent: words }));
  note.dataset.tone = "error";
  note.setAttribute("role", "alert");
  if (again) {
    const button = element("button", { type: "button", className: "btn btn-plain btn-sm", textContent: "Try again" });
    // The element that hosts the object listens and mounts it anew.
    button.addEventListener("click", () => host.dispatchEvent(new CustomEvent("object-again", { bubbles: true })));
    note.append(button);
  }
  host.replaceChildren(note);
  return { refresh: () => {}, reveal: () => {}, describe: () => "", destroy: () => {} };
}
