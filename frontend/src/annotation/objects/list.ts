/** `List`: items to read. Where a Ranker orders them, the Ranker shows them itself. */
import { element } from "../parts";
import type { Mount } from "../types";

export interface ListItem {
  id: string;
  title: string;
  body: string;
  html?: string;
}

export function itemBody(item: ListItem): HTMLElement {
  const body = element("div", { className: "anno-item-body" }, item.title ? element("p", { className: "font-semibold", textContent: item.title }) : null);
  const text = element("div", { className: "reading" });
  if (item.html) text.innerHTML = item.html;
  else text.textContent = item.body;
  body.append(text);
  return body;
}

export const mount: Mount = ({ host, tag, name, session }) => {
  const items = (tag.content?.items ?? []) as ListItem[];
  const ranked = [...session.catalogue.controls.values()].some((control) => control.type === "ranker" && control.objects.includes(name));
  host.hidden = ranked;
  const title = String(tag.attrs.title ?? "");
  host.replaceChildren(
    ...(title ? [element("p", { className: "eyebrow", textContent: title })] : []),
    element("ol", { className: "anno-list" }, ...items.map((item) => element("li", { className: "panel" }, itemBody(item)))),
  );
  return { refresh: () => {}, reveal: () => {}, describe: () => "", destroy: () => {} };
};
