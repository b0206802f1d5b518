/** The keys of the annotation element. Objects and fields take theirs first. */
import { typingIn } from "../lib/dom";
import type { PanelDesk } from "./panel";
import { counts } from "./rules";
import { chosenPaths, pressed } from "./controls/choices";
import type { ObjectView, Shortcut } from "./types";

export interface KeyedDesk extends PanelDesk {
  readonly focusedView: ObjectView | undefined;
  checkVisibility(): boolean;
  contains(node: Node | null): boolean;
  querySelector(selectors: string): Element | null;
  updateComplete: Promise<boolean>;
}

/** Whether a key event is the one a config names: "a", "shift+a", "ctrl+1", also as alternatives "a,b". */
export function isKey(event: Pick<KeyboardEvent, "key" | "ctrlKey" | "shiftKey" | "altKey" | "metaKey">, named: string): boolean {
  return named.split(",").some((each) => {
    const parts = each.trim().toLowerCase().split("+");
    const key = parts.pop() ?? "";
    const has = (name: string): boolean => parts.includes(name);
    if (!key || (event.ctrlKey || event.metaKey) !== (has("ctrl") || has("command") || has("meta")) || event.altKey !== has("alt")) return false;
    // Capital letters and signs come with Shift without being asked for it.
    const shifted = has("shift") === event.shiftKey || (!has("shift") && key.length === 1 && !/[a-z0-9]/.test(key));
    return shifted && event.key.toLowerCase() === key;
  });
}

export class AnnotationKeys {
  constructor(readonly desk: KeyedDesk) {}

  start(): void {
    document.addEventListener("keydown", this.#pressed);
  }

  stop(): void {
    document.removeEventListener("keydown", this.#pressed);
  }

  #pressed = (event: KeyboardEvent): void => {
    const { desk } = this;
    if (!desk.session || event.defaultPrevented || typingIn(event) || document.querySelector("dialog[open]") || !desk.checkVisibility()) return;
    // Two elements on one page (a review beside a gold answer): keys go to the one in focus.
    const elsewhere = document.activeElement?.closest("preceptor-annotation");
    if (elsewhere && !desk.contains(elsewhere) && !elsewhere.contains(desk as unknown as Node)) return;
    if (desk.focusedView?.key?.(event) || this.#own(event)) event.preventDefault();
  };

  #own(event: KeyboardEvent): boolean {
    const { session } = this.desk;
    const { key } = event;
    if ((event.ctrlKey || event.metaKey) && key.toLowerCase() === "z") return event.shiftKey ? session.redo() : session.undo(), true;
    if ((event.ctrlKey || event.metaKey) && key.toLowerCase() === "y") return session.redo(), true;
    if (this.#hotkey(event)) return true;
    if (event.ctrlKey || event.metaKey || event.altKey) return false;
    if (key === "Escape") return this.#escape();
    if (key === "]" || key === "[") return this.#walk(key === "]" ? 1 : -1);
    return this.#onRegion(event);
  }

  #onRegion({ key, target }: KeyboardEvent): boolean {
    const { session } = this.desk;
    const id = session.selected;
    if (!id) return false;
    const onButton = (target as Element).closest("button, a, summary, input") !== null;
    switch (key) {
      case "Backspace":
      case "Delete":
        if (onButton && (target as Element).closest("input")) return false;
        return session.remove(id), true;
      case "r":
        if (session.regions.length < 2) return false;
        return session.startRelation(id), true;
      case "h":
        return session.hide(id), true;
      case "l":
        return session.lock(id), true;
      case "Enter":
        if (session.relating && this.#aim) return session.relateTo(this.#aim), (this.#aim = null), true;
        if (onButton || !session.isSuggestion(id)) return false;
        return session.accept(id), true;
      default:
        return false;
    }
  }

  /** The region that a relation being drawn points at. */
  #aim: string | null = null;

  #escape(): boolean {
    const { session } = this.desk;
    if (session.relating) return session.startRelation(null), true;
    if (session.selected) return session.select(null), true;
    if (session.hand) return session.dropHand(), true;
    return false;
  }

  #walk(step: 1 | -1): boolean {
    const { session } = this.desk;
    const regions = session.inOrder();
    if (!regions.length) return false;
    const from = session.relating ? (this.#aim ?? session.relating) : session.selected;
    const now = regions.findIndex((region) => region.id === from);
    let next = regions[now < 0 ? (step > 0 ? 0 : regions.length - 1) : (now + step + regions.length) % regions.length]!;
    if (session.relating && next.id === session.relating) next = regions[(regions.indexOf(next) + step + regions.length) % regions.length]!;
    this.#aim = session.relating ? next.id : null;
    const words = `${session.titleOf(next) || "no label"}: ${this.desk.viewOf(next.object)?.describe(next) ?? ""}`;
    if (session.relating) this.desk.viewOf(next.object)?.reveal(next.id, false);
    else this.desk.selectRegion(next.id);
    this.desk.ui.set("aim", this.#aim);
    this.desk.refresh();
    session.say(words);
    return true;
  }

  #hotkey(event: KeyboardEvent): boolean {
    const { session } = this.desk;
    if (session.readonly) return false;
    if (this.#relationKey(event)) return true;
    for (const [name, labels] of session.catalogue.labels) {
      const label = labels.find((each) => each.hotkey && isKey(event, each.hotkey));
      if (label) return this.desk.chooseLabel(session.catalogue.controls.get(name)!, label.value), true;
    }
    return this.#choiceKey(event) || this.#pairKey(event);
  }

  /** Inside a relation's row, digits choose its kind. */
  #relationKey(event: KeyboardEvent): boolean {
    const { session } = this.desk;
    const row = (event.target as Element).closest<HTMLElement>("[data-relation]");
    const label = row && /^[1-9]$/.test(event.key) ? session.catalogue.relationLabels[Number(event.key) - 1] : undefined;
    if (!label) return false;
    session.labelRelation(Number(row!.dataset.relation), label.value);
    return true;
  }

  #choiceKey(event: KeyboardEvent): boolean {
    const { session } = this.desk;
    for (const [name, keys] of session.catalogue.choiceKeys) {
      const option = [...keys].find(([, key]) => key && isKey(event, key))?.[0];
      const control = session.catalogue.controls.get(name)!;
      const region = control.perRegion ? session.selectedRegion : null;
      if (option === undefined || (control.perRegion && !region) || !counts(control, session.sheet, session.catalogue, region ?? undefined)) continue;
      const place = region ? { region: region.id } : control.perItem ? { item: session.item(control.objects[0] ?? "") } : {};
      const value = session.answerOf(name, place);
      const path = chosenPaths(value).find((each) => each.at(-1) === option) ?? [option];
      return session.setAnswer(name, pressed(control, value, path), place), true;
    }
    return false;
  }

  #pairKey({ key }: KeyboardEvent): boolean {
    const { session } = this.desk;
    const side = key === "<" ? "left" : key === ">" ? "right" : null;
    const pair = [...session.catalogue.controls.values()].find((control) => control.type === "pairwise");
    if (!side || !pair) return false;
    session.setAnswer(pair.name, session.answerOf(pair.name) === side ? undefined : side);
    return true;
  }

  /** What the sheet of shortcuts shows. */
  shortcuts(views: ObjectView[]): Shortcut[] {
    const { catalogue } = this.desk.session;
    const labels = [...catalogue.labels.values()].flat().map((label) => label.hotkey).filter(Boolean);
    const choices = [...catalogue.choiceKeys.values()].flatMap((keys) => [...keys.values()]).filter(Boolean);
    const span = (keys: string[]): string => (keys.length > 2 ? `${keys[0]} … ${keys.at(-1)}` : keys.join(" "));
    const found: Shortcut[] = [];
    if (labels.length) found.push({ keys: span(labels), words: "Label: mark the selection, change the region, or take it in hand" });
    if (choices.length) found.push({ keys: span(choices), words: "Choose an answer" });
    for (const shortcut of views.flatMap((view) => view.shortcuts ?? [])) if (!found.some((each) => each.keys === shortcut.keys)) found.push(shortcut);
    if (labels.length || [...catalogue.controls.values()].some((control) => control.kind === "shape")) {
      found.push(
        { keys: "[ ]", words: "Walk through the regions" },
        { keys: "Backspace", words: "Delete the region" },
        { keys: "r", words: "Relate it to another region" },
        { keys: "h l", words: "Hide, lock the region" },
        { keys: "Enter", words: "Keep a suggestion" },
      );
    }
    if ([...catalogue.controls.values()].some((control) => control.type === "ranker")) found.push({ keys: "Shift ↑ ↓ ← →", words: "Move an item" });
    return [...found, { keys: "Ctrl Z", words: "Undo; with Shift do it again" }];
  }
}
