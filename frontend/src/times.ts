/** `<time data-time=...>` in the reader's own zone: relative, datetime, date or time; the title always has it in full. */
const full = new Intl.DateTimeFormat(undefined, { dateStyle: "full", timeStyle: "long" });
const styles: Record<string, Intl.DateTimeFormat> = {
  datetime: new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short", year: "numeric", hour: "2-digit", minute: "2-digit" }),
  date: new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short", year: "numeric" }),
  time: new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit" }),
};
const steps: [Intl.RelativeTimeFormatUnit, number][] = [["day", 86400], ["hour", 3600], ["minute", 60]];
const relative = new Intl.RelativeTimeFormat("en", { numeric: "auto", style: "short" });

/** "3 min ago", "in 2 hr."; older or later than a week as a date. */
export function relativeTime(moment: Date, now: Date): string {
  const seconds = Math.round((moment.getTime() - now.getTime()) / 1000);
  if (Math.abs(seconds) < 45) return "just now";
  if (Math.abs(seconds) > 7 * 86400) return styles.date!.format(moment);
  const [unit, size] = steps.find(([, length]) => Math.abs(seconds) >= length) ?? (["minute", 60] as const);
  return relative.format(Math.round(seconds / size) || Math.sign(seconds), unit);
}

/** "10:42" where the reader is. */
export function clockTime(moment: Date): string {
  return styles.time!.format(moment);
}

export function showTimes(root: ParentNode): void {
  for (const element of root.querySelectorAll<HTMLTimeElement>("time[data-time]")) {
    const moment = new Date(element.dateTime);
    if (Number.isNaN(moment.getTime())) continue;
    const style = element.dataset.time ?? "datetime";
    element.textContent = style === "relative" ? relativeTime(moment, new Date()) : (styles[style] ?? styles.datetime!).format(moment);
    element.title = full.format(moment);
  }
}
