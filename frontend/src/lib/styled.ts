/**
 * Styles set property by property. Lit's `styleMap` writes a style attribute at first, which a content security
 * policy without inline styles refuses.
 */
import { nothing } from "lit";
import { Directive, directive, PartType, type ElementPart, type PartInfo } from "lit/directive.js";

class Styled extends Directive {
  #before: readonly string[] = [];

  constructor(info: PartInfo) {
    super(info);
    if (info.type !== PartType.ELEMENT) throw new Error("`styled` stands in the tag of an element");
  }

  override update(part: ElementPart, [style]: [Record<string, string>]): typeof nothing {
    const own = (part.element as HTMLElement | SVGElement).style;
    for (const name of this.#before) if (!(name in style)) own.removeProperty(name);
    for (const [name, value] of Object.entries(style)) own.setProperty(name, value);
    this.#before = Object.keys(style);
    return nothing;
  }

  render(_style: Record<string, string>): typeof nothing {
    return nothing;
  }
}

/** Put into a tag: `<div ${styled({ left: "3px" })}>`; names as in CSS. */
export const styled = directive(Styled);
