/** `Paragraphs`: a dialogue or a list of paragraphs, marked inside and across paragraphs; in step with its sound. */
import { attr, flag } from "../store";
import type { Mount, ObjectContext } from "../types";
import { element } from "../parts";
import { spanned, type SpanCodec } from "./spanned";

interface Paragraph {
  author: string;
  text: string;
  start?: number;
  end?: number;
}

const SPEAKER_COLOURS = 8;

export const mount: Mount = (context) => {
  const { host, tag, session, name } = context;
  const paragraphs = (tag.content?.paragraphs ?? []) as Paragraph[];
  const authors = [...new Set(paragraphs.map((each) => each.author))];
  host.classList.add("anno-text", "anno-paragraphs");
  if (attr(tag, "layout") === "dialogue") host.dataset.dialogue = "";
  const rows = paragraphs.map((paragraph, at) => {
    const text = element("p", { className: "anno-plain reading", textContent: paragraph.text });
    const row = element("div", { className: "anno-paragraph" }, paragraph.author ? element("span", { className: "anno-author", textContent: paragraph.author }) : null, text);
    row.style.setProperty("--speaker", `var(--p-label-${(authors.indexOf(paragraph.author) % SPEAKER_COLOURS) + 1})`);
    row.addEventListener("click", () => session.setItem(name, at));
    return { row, text };
  });
  host.replaceChildren(...rows.map(({ row }) => row));
  const view = spanned(context, rows.map(({ text }) => text), paragraphCodec(paragraphs), "Paragraphs");
  const sound = follow(context, paragraphs, rows.map(({ row }) => row));
  const mark = (): void => rows.forEach(({ row }, at) => row.toggleAttribute("data-current", perItem(context) && session.item(name) === at));
  mark();
  return {
    ...view,
    refresh: () => (view.refresh(), mark()),
    destroy: () => (sound.stop(), view.destroy()),
    key: (event) => (event.key === " " && sound.toggle ? (sound.toggle(), true) : (view.key?.(event) ?? false)),
    shortcuts: [...(view.shortcuts ?? []), ...(sound.toggle ? [{ keys: "Space", words: "Play or pause the dialogue" }] : [])],
  };
};

function perItem({ session, name }: ObjectContext): boolean {
  return [...session.catalogue.controls.values()].some((control) => control.perItem && control.objects.includes(name));
}

/** Paragraph numbers and the offsets inside them; the text of two paragraphs meets at one position. */
export function paragraphCodec(paragraphs: readonly { text: string }[]): SpanCodec {
  const starts = paragraphs.reduce<number[]>((all, each) => [...all, all.at(-1)! + each.text.length + 1], [0]);
  const at = (offset: number): number => Math.max(0, starts.findLastIndex((start, index) => index < paragraphs.length && start <= offset));
  return {
    value: ({ start, end }, text) => {
      const [from, to] = [at(start), at(end)];
      return { start: String(from), end: String(to), startOffset: start - starts[from]!, endOffset: end - starts[to]!, text: text.slice(start, end) };
    },
    place: (value) => {
      const [from, to] = [Number(value.start), Number(value.end)];
      if (!paragraphs[from] || !paragraphs[to]) return null;
      const [startOffset, endOffset] = [Number(value.startOffset ?? 0), Number(value.endOffset ?? paragraphs[to].text.length)];
      if (startOffset > paragraphs[from].text.length || endOffset > paragraphs[to].text.length) return null;
      const [start, end] = [starts[from]! + startOffset, starts[to]! + endOffset];
      return start < end ? { start, end } : null;
    },
  };
}

/** Keep the paragraph that is heard in sight, and let a click on a speaker play from there. */
function follow({ tag, session, host }: ObjectContext, paragraphs: Paragraph[], rows: HTMLElement[]): { stop(): void; toggle?: () => void } {
  const url = typeof tag.content?.audio === "string" ? tag.content.audio : "";
  const group = attr(tag, "sync");
  if (!url && !group) return { stop: () => {} };
  const player = url ? element("audio", { src: url, controls: true, preload: "metadata", className: "anno-player" }) : null;
  player?.setAttribute("aria-label", "Sound of the dialogue");
  if (player && (flag(tag, "showPlayer", true) || !group)) host.prepend(player);
  const bus = group ? session.time(group) : null;
  const heard = (time: number): void => {
    rows.forEach((row, at) => {
      const { start, end = paragraphs[at + 1]?.start ?? Infinity } = paragraphs[at]!;
      const on = start !== undefined && time >= start && time < end;
      if (on && !row.hasAttribute("data-heard")) row.scrollIntoView({ block: "nearest" });
      row.toggleAttribute("data-heard", on);
    });
  };
  player?.addEventListener("timeupdate", () => (heard(player.currentTime), bus?.report({ time: player.currentTime, playing: !player.paused }, host)));
  const stop = bus?.listen((from) => {
    if (from === host) return;
    heard(bus.time);
  });
  const playFrom = (time: number): void => {
    if (player) (player.currentTime = time), void player.play();
    else bus?.report({ time, playing: true }, host);
  };
  rows.forEach((row, at) => {
    const start = paragraphs[at]!.start;
    if (start === undefined) return;
    const button = element("button", { type: "button", className: "anno-from btn btn-quiet btn-xs", textContent: "▶" });
    button.setAttribute("aria-label", `Play from paragraph ${at + 1}`);
    button.addEventListener("click", () => playFrom(start));
    row.prepend(button);
  });
  const toggle = (): void => {
    if (player) void (player.paused ? player.play() : player.pause());
    else if (bus) bus.report({ time: bus.time, playing: !bus.playing }, host);
  };
  return { stop: () => (player?.pause(), stop?.()), toggle };
}
