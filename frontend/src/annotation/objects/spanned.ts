/** What Text, HyperText and Paragraphs share: regions that are stretches of their text. */
import { attr, flag } from "../store";
import type { Granularity } from "../spans";
import type { ObjectContext, ObjectView, Pen, Region, Shortcut } from "../types";
import { Arcs } from "./arcs";
import { Surface, type Chosen } from "./surface";

/** Between a stretch of the text and the `value` of its result. */
export interface SpanCodec {
  value(chosen: Chosen, text: string): Record<string, unknown>;
  /** Null where a value fits no place in this text. */
  place(value: Record<string, unknown>, text: string): Chosen | null;
}

const WORDS_MAX = 60;
const KEYS: Shortcut[] = [
  { keys: "← → ↑ ↓", words: "Move the caret in the text; with Ctrl by words" },
  { keys: "Shift ← →", words: "Select text; a label's key then marks it" },
  { keys: "Enter", words: "Mark the selection with the label in hand" },
];

export function spanned(context: ObjectContext, blocks: HTMLElement[], codec: SpanCodec, title: string): ObjectView {
  const { session, name, tag, host } = context;
  const granularity = (attr(tag, "granularity") ?? "symbol") as Granularity;
  const draws = session.drawersOf(name).some((drawer) => drawer.shape === "span");
  const make = (chosen: Chosen, pen: Pen, select: boolean): boolean =>
    session.add({ object: name, value: codec.value(chosen, surface.text), pen, select }) !== null;
  const surface = new Surface(host, blocks, {
    label: draws && !session.readonly ? `${title}: arrows move, Shift with arrows selects` : title,
    granularity,
    readonly: session.readonly,
    selectable: draws && flag(tag, "selectionEnabled", true),
    showLabels: flag(tag, "showLabels", true),
    selected: (chosen) => {
      const pen = session.pen(name, "span");
      return pen !== null && make(chosen, pen, hasRegionQuestions(context));
    },
    clicked: (id) => session.select(id),
    said: (words) => session.say(words),
  });
  // Arcs need air between the lines.
  host.toggleAttribute("data-relations", session.catalogue.relations !== null);
  const arcs = new Arcs(host, (id) => surface.boxes(id));
  const drawn = (): void => {
    surface.draw(
      session.regionsOf(name).flatMap((region) => {
        const place = session.isHidden(region.id) ? null : codec.place(region.value, surface.text);
        return place
          ? [{ id: region.id, ...place, colour: session.colourOf(region), title: session.titleOf(region), selected: session.isSelected(region.id) || session.relating === region.id, suggestion: session.isSuggestion(region.id) }]
          : [];
      }),
    );
    const label = (value: string): string => session.catalogue.relationLabels.find((each) => each.value === value)?.title ?? value;
    arcs.draw(
      session.relations
        .filter((each) => !session.isHidden(each.from) && !session.isHidden(each.to))
        .map((each) => ({ ...each, title: each.labels.map(label).join(", "), strong: session.isSelected(each.from) || session.isSelected(each.to) })),
    );
  };
  drawn();
  return {
    refresh: drawn,
    reveal: (id) => surface.reveal(id),
    describe: (region) => words(codec.place(region.value, surface.text), surface.text, region),
    key: (event) => {
      if (event.key === "Enter" && surface.chosen && !session.readonly) {
        const pen = session.pen(name, "span");
        if (!pen) session.say("Choose a label first");
        else if (make(surface.chosen, pen, true)) surface.forget();
        return true;
      }
      return surface.key(event);
    },
    labelChosen: (pen) => {
      const { chosen } = surface;
      if (!chosen || !make(chosen, pen, true)) return false;
      surface.forget();
      return true;
    },
    focus: () => host.focus(),
    shortcuts: draws ? KEYS : [],
    destroy: () => (arcs.destroy(), surface.destroy()),
  };
}

/** Whether a region of this object has questions of its own, which then should be in sight. */
function hasRegionQuestions({ session, name }: ObjectContext): boolean {
  return [...session.catalogue.controls.values()].some((control) => control.perRegion && control.objects.includes(name));
}

function words(place: Chosen | null, text: string, region: Region): string {
  const said = place ? text.slice(place.start, place.end) : String(region.value.text ?? "");
  const line = said.replaceAll(/\s+/g, " ").trim();
  return line.length > WORDS_MAX ? `${line.slice(0, WORDS_MAX - 1)}…` : line;
}
