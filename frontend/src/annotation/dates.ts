/** Dates and times in the strftime form that a config asks for, and back to the ISO form of browsers' fields. Pure. */

const PARTS: Record<string, { of(date: Parts): string; pattern: string; key: keyof Parts }> = {
  Y: { of: (date) => date.year, pattern: "(\\d{4})", key: "year" },
  m: { of: (date) => date.month, pattern: "(\\d{2})", key: "month" },
  d: { of: (date) => date.day, pattern: "(\\d{2})", key: "day" },
  H: { of: (date) => date.hour, pattern: "(\\d{2})", key: "hour" },
  M: { of: (date) => date.minute, pattern: "(\\d{2})", key: "minute" },
  S: { of: (date) => date.second, pattern: "(\\d{2})", key: "second" },
};

interface Parts {
  year: string;
  month: string;
  day: string;
  hour: string;
  minute: string;
  second: string;
}

const EMPTY: Parts = { year: "", month: "", day: "", hour: "", minute: "", second: "" };

/** Whether every part of a form is one that can be written and read here. */
export const readable = (form: string): boolean => [...form.matchAll(/%(.)/g)].every(([, letter]) => letter! in PARTS);

/** `2026-03-01T13:45` by the form; the ISO value itself where there is no form, or none that can be read. */
export function written(iso: string, form: string): string {
  if (!form || !iso || !readable(form)) return iso;
  const found = /^(?:(\d{4})(?:-(\d{2}))?(?:-(\d{2}))?)?T?(?:(\d{2}):(\d{2})(?::(\d{2}))?)?/.exec(iso);
  const [year = "1900", month = "01", day = "01", hour = "00", minute = "00", second = "00"] = (found?.slice(1) ?? []) as (string | undefined)[];
  return form.replaceAll(/%(.)/g, (_, letter: string) => PARTS[letter]!.of({ year, month, day, hour, minute, second }));
}

/** The ISO value of what was written by the form; what cannot be read stays as it is. */
export const isoOf = (value: string, form: string): string => readBy(value, form) ?? value;

/** The ISO value of what was written by the form; null where it was not. */
export function readBy(value: string, form: string): string | null {
  if (!form || !value || !readable(form)) return null;
  const keys: (keyof Parts)[] = [];
  const pattern = form.replaceAll(/%(.)|[.*+?^${}()|[\]\\]/g, (found, letter?: string) => {
    if (letter === undefined) return `\\${found}`;
    keys.push(PARTS[letter]!.key);
    return PARTS[letter]!.pattern;
  });
  const read = new RegExp(`^${pattern}$`).exec(value);
  if (!read) return null;
  const parts = { ...EMPTY, ...Object.fromEntries(keys.map((key, at) => [key, read[at + 1]!])) };
  const date = [parts.year, parts.month, parts.day].filter(Boolean).join("-");
  const time = [parts.hour, parts.minute, parts.second].filter(Boolean).join(":");
  return [date, time].filter(Boolean).join("T");
}
