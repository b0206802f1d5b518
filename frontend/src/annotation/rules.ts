/** What is visible, what is kept, and what an answer still lacks: the same rules as the server's check. Pure. */
import { answerKey, filled, type Answered, type Sheet } from "./results";
import { readable, readBy } from "./dates";
import { flag, itemCount, itemWord, numberAttr, attr, optionByValue, type Catalogue, type Control } from "./store";
import type { Region, Tag, When } from "./types";

export const regionLabels = (region: Region): string[] => Object.values(region.labels).flat();

/** What a control says, as plain words to compare with conditions. */
export function saidBy(sheet: Sheet, catalogue: Catalogue, name: string, region?: Region): string[] {
  const control = catalogue.controls.get(name);
  if (control?.kind === "labels") return region ? (region.labels[name] ?? []) : sheet.regions.flatMap((each) => each.labels[name] ?? []);
  const own = region && control?.perRegion ? [sheet.answers[answerKey(name, { region: region.id })]] : Object.values(sheet.answers).filter((each) => each.control === name);
  return own.flatMap((answered) => wordsOf(answered?.value));
}

function wordsOf(value: unknown): string[] {
  if (value === null || value === undefined) return [];
  if (!Array.isArray(value)) return typeof value === "object" ? [] : [String(value)];
  return value.flatMap((each) => (Array.isArray(each) ? [String(each.at(-1)), each.join("/")] : [String(each)]));
}

function regionFits(when: When, region: Region): boolean {
  if (when.tag && when.tag !== region.object && when.tag !== region.control && !(when.tag in region.labels)) return false;
  if (when.labels?.length && !when.labels.some((label) => regionLabels(region).includes(label))) return false;
  const role = (region.value.chatmessage as { role?: string } | undefined)?.role;
  return !when.role?.length || (role !== undefined && when.role.includes(role));
}

/** Whether one condition holds while `region` is the selected one. */
export function holds(when: When, sheet: Sheet, catalogue: Catalogue, region: Region | null): boolean {
  switch (when.kind) {
    case "region-selected":
      return region !== null && regionFits(when, region);
    case "no-region-selected":
      return region === null;
    case "choice-selected":
      return chosen(when, sheet, catalogue, region);
    case "choice-unselected":
      return !chosen(when, sheet, catalogue, region);
  }
}

function chosen(when: When, sheet: Sheet, catalogue: Catalogue, region: Region | null): boolean {
  const names = when.tag ? [when.tag] : [...catalogue.controls.values()].filter((control) => control.type === "choices").map((control) => control.name);
  const said = names.flatMap((name) => saidBy(sheet, catalogue, name, region ?? undefined));
  return when.choices?.length ? when.choices.some((choice) => said.includes(choice)) : said.length > 0;
}

/** Whether a tag with everything around it is shown. */
export function shown(path: readonly Tag[], sheet: Sheet, catalogue: Catalogue, region: Region | null): boolean {
  return path.every((tag) => !tag.when || holds(tag.when, sheet, catalogue, region));
}

/**
 * Whether an answer of this control counts at the end, when no region is selected any more: conditions on regions are
 * met by the region that it stands on, or by any region where it stands on none.
 */
export function counts(control: Control, sheet: Sheet, catalogue: Catalogue, region?: Region): boolean {
  return control.path.every(({ when }) => {
    if (!when) return true;
    if (when.kind === "no-region-selected") return true;
    if (when.kind !== "region-selected" || region) return holds(when, sheet, catalogue, region ?? null);
    return sheet.regions.some((each) => regionFits(when, each));
  });
}

export function keeps(sheet: Sheet, catalogue: Catalogue): { answer(answered: Answered): boolean; region(region: Region): boolean } {
  return {
    answer: (answered) => {
      const control = catalogue.controls.get(answered.control);
      const region = sheet.regions.find((each) => each.id === answered.region);
      return control !== undefined && counts(control, sheet, catalogue, region);
    },
    region: (region) => {
      const control = catalogue.controls.get(region.control);
      return control !== undefined && counts(control, sheet, catalogue, region);
    },
  };
}

/** The header that stands right before a control, over a list that the control shows itself. */
export function headerOf(control: Control): Tag | null {
  const around = control.path.at(-2)?.children ?? [];
  let at = around.indexOf(control.tag) - 1;
  if (control.type === "ranker" && around[at]?.tag === "List") at -= 1;
  // A small header under another one explains it.
  if (around[at]?.tag === "Header" && around[at - 1]?.tag === "Header" && Number(around[at]!.attrs.size) >= 5) at -= 1;
  return around[at]?.tag === "Header" ? around[at]! : null;
}

/** How a control is called in messages and for screen readers: its own title, the header before it, or its name. */
export function titleOf(control: Control): string {
  const own = attr(control.tag, "label") ?? attr(control.tag, "title");
  if (own) return own;
  const header = headerOf(control);
  if (header) return String(header.content?.text ?? "").replace(/[:：]\s*$/, "");
  const words = control.name.replaceAll(/[_-]+/g, " ").trim();
  return words.charAt(0).toUpperCase() + words.slice(1);
}

/** What still keeps the sheet from being submitted, in the words that the person reads. */
export function problemsOf(sheet: Sheet, catalogue: Catalogue): string[] {
  const found = [...catalogue.controls.values()].flatMap((control) => {
    if (control.kind === "answer") return answerProblems(control, sheet, catalogue);
    return control.kind === "labels" ? labelProblems(control, sheet, catalogue) : [];
  });
  return found.length || !saysNothing(sheet, catalogue) ? [...new Set(found)] : ["Nothing is marked or answered yet."];
}

function saysNothing(sheet: Sheet, catalogue: Catalogue): boolean {
  // A config that requires some things says by that what may be left empty; what it requires of regions says nothing
  // about having none.
  const required = [...catalogue.controls.values()].some((control) => control.required && !control.perRegion);
  if (required || flag(catalogue.root, "allowEmpty") || !catalogue.controls.size) return false;
  return !sheet.regions.length && !Object.values(sheet.answers).some((each) => filled(each.value));
}

/** Ranker and Pairwise ask a question that cannot be left open. What shows only while nothing is selected is never owed. */
function isRequired(control: Control): boolean {
  const owed = control.required || control.type === "ranker" || control.type === "pairwise";
  return owed && !control.path.some((tag) => tag.when?.kind === "no-region-selected");
}

function answerProblems(control: Control, sheet: Sheet, catalogue: Catalogue): string[] {
  const title = titleOf(control);
  const object = catalogue.objects.get(control.objects[0] ?? "");
  const message = attr(control.tag, "requiredMessage");
  const problems: string[] = [];
  const look = (value: unknown, where: string): void => {
    if (filled(value)) problems.push(...limitProblems(control, value).map((words) => `“${title}”${where}: ${words}`));
    else if (isRequired(control)) problems.push(message || `“${title}”${where} needs an answer.`);
  };
  if (control.perRegion) {
    for (const region of sheet.regions) {
      if (!control.objects.includes(region.object) || !counts(control, sheet, catalogue, region)) continue;
      look(sheet.answers[answerKey(control.name, { region: region.id })]?.value, ` of ${regionLabels(region).join(", ") || "a region"}`);
    }
  } else if (counts(control, sheet, catalogue)) {
    if (!control.perItem) look(sheet.answers[control.name]?.value, "");
    else for (let item = 0; item < itemCount(object); item++) look(sheet.answers[answerKey(control.name, { item })]?.value, ` of ${itemWord(object)} ${item + 1}`);
  }
  return problems;
}

function limitProblems(control: Control, value: unknown): string[] {
  const most = (count: number, key: string, words: string): string[] => {
    const limit = numberAttr(control.tag, key);
    return limit !== undefined && count > limit ? [`${words} ${limit} at most.`] : [];
  };
  if (control.type === "number") return numberProblems(control.tag, Number(value));
  if (control.type === "textarea") return [...most((value as string[]).length, "maxSubmissions", "texts:"), ...doubleProblems(control.tag, value as string[])];
  if (control.type === "datetime") return dateProblems(control.tag, String(value));
  if (control.type === "taxonomy") return [...most((value as string[][]).length, "maxUsages", "choices:"), ...leafProblems(control.tag, value as string[][])];
  return [];
}

function numberProblems(tag: Tag, value: number): string[] {
  const [min, max, step] = [numberAttr(tag, "min"), numberAttr(tag, "max"), numberAttr(tag, "step")];
  if (min !== undefined && value < min) return [`not below ${min}.`];
  if (max !== undefined && value > max) return [`not above ${max}.`];
  const steps = step ? (value - (min ?? 0)) / step : 0;
  return Math.abs(steps - Math.round(steps)) > 1e-6 ? [`in steps of ${step}.`] : [];
}

function doubleProblems(tag: Tag, texts: string[]): string[] {
  const plain = texts.map((text) => text.trim());
  return flag(tag, "skipDuplicates") && new Set(plain).size < plain.length ? ["the same text stands there twice."] : [];
}

/** Dates and times are written so that their order is that of their letters. */
function dateProblems(tag: Tag, value: string): string[] {
  const form = attr(tag, "format");
  if (form) return readable(form) && readBy(value, form) === null ? [`written as ${form}.`] : [];
  const [min, max] = [attr(tag, "min"), attr(tag, "max")];
  if (min && value < min) return [`not before ${min}.`];
  return max && value.slice(0, max.length) > max ? [`not after ${max}.`] : [];
}

function leafProblems(tag: Tag, paths: string[][]): string[] {
  if (!flag(tag, "leafsOnly")) return [];
  return paths.some((path) => optionByValue(tag, path.at(-1) ?? "")?.options?.length) ? ["choose the most exact entries only."] : [];
}

function labelProblems(control: Control, sheet: Sheet, catalogue: Catalogue): string[] {
  const title = titleOf(control);
  const regions = sheet.regions.filter((region) => region.labels[control.name]?.length);
  const problems: string[] = [];
  if (isRequired(control) && !regions.length && counts(control, sheet, catalogue)) problems.push(attr(control.tag, "requiredMessage") || `“${title}”: mark at least one.`);
  if (!flag(control.tag, "allowEmpty") && sheet.regions.some((region) => region.control === control.name && !regionLabels(region).length)) problems.push(`“${title}”: a region has no label.`);
  if (attr(control.tag, "choice") !== "multiple" && regions.some((region) => region.labels[control.name]!.length > 1)) problems.push(`“${title}”: one label for a region.`);
  for (const label of catalogue.labels.get(control.name) ?? []) {
    const limit = label.maxUsages ?? numberAttr(control.tag, "maxUsages");
    const used = regions.filter((region) => region.labels[control.name]!.includes(label.value)).length;
    if (limit !== undefined && used > limit) problems.push(`${label.title}: ${limit} at most.`);
  }
  return problems;
}
