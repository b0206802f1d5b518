/** `Table`: rows to read; a row is chosen where questions are asked per row. */
import { element } from "../parts";
import type { Mount } from "../types";

export const mount: Mount = ({ host, tag, name, session }) => {
  const head = (tag.content?.head ?? []) as string[];
  const rows = (tag.content?.rows ?? []) as string[][];
  const asks = [...session.catalogue.controls.values()].some((control) => control.perItem && control.objects.includes(name));
  const cells = (row: string[]): HTMLElement[] => row.map((cell) => element("td", { textContent: cell }));
  const lines = rows.map((row, at) => {
    const line = element("tr", {}, ...cells(row));
    if (asks) {
      const button = element("button", { type: "button", className: "anno-pick", textContent: String(at + 1) });
      button.setAttribute("aria-label", `Row ${at + 1}`);
      line.prepend(element("th", { scope: "row" }, button));
      line.addEventListener("click", () => session.setItem(name, at));
    }
    return line;
  });
  const titles = [...(asks ? [element("th", { scope: "col", textContent: "Row" })] : []), ...head.map((title) => element("th", { scope: "col", textContent: title }))];
  const table = element("table", {}, element("thead", {}, element("tr", {}, ...titles)), element("tbody", {}, ...lines));
  const frame = element("div", { className: "anno-table reading", tabIndex: 0 }, table);
  frame.setAttribute("role", "region");
  frame.setAttribute("aria-label", "Table");
  host.replaceChildren(frame);
  const refresh = (): void =>
    lines.forEach((line, at) => {
      const on = asks && session.item(name) === at;
      line.toggleAttribute("data-current", on);
      line.querySelector("button")?.setAttribute("aria-pressed", String(on));
    });
  refresh();
  return { refresh, reveal: () => {}, describe: () => "", destroy: () => {} };
};
