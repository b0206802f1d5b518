/**
 * Material that stays covered until somebody asks for it (templates/components/cover.html). It lies in a `<template>`,
 * so that before that nothing is fetched, drawn or read out.
 */
import { loadUsedElements } from "../elements/registry";
import { showTimes } from "../times";

/** Sent from what has been uncovered, once it stands in the page. */
export const UNCOVERED = "preceptor-uncovered";

export function startCovers(): void {
  document.addEventListener("click", (event) => {
    const asked = (event.target as Element).closest("[data-uncover]")?.closest<HTMLElement>("[data-cover]");
    if (asked) uncover(asked);
  });
}

/** Put the material in the place of its cover and the focus on it; without any, nothing happens. */
export function uncover(cover: HTMLElement): void {
  const template = cover.querySelector<HTMLTemplateElement>(":scope > template");
  if (!template) return;
  cover.replaceChildren(template.content.cloneNode(true));
  cover.removeAttribute("data-cover");
  cover.classList.remove("cover");
  cover.tabIndex = -1;
  cover.focus({ preventScroll: true });
  loadUsedElements(cover);
  showTimes(cover);
  cover.dispatchEvent(new CustomEvent(UNCOVERED, { bubbles: true }));
}
