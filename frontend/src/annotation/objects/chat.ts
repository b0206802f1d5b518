/**
 * `Chat`: a conversation to read. Messages of the task are chosen as items, for questions per message; messages of a
 * prediction are regions, for questions per region.
 */
import { element } from "../parts";
import { attr } from "../store";
import type { Mount, Region } from "../types";

interface Message {
  role: string;
  html: string;
  text: string;
}

const DESCRIBED_MAX = 60;

export const mount: Mount = ({ host, tag, name, session }) => {
  const messages = (tag.content?.messages ?? []) as Message[];
  const asks = [...session.catalogue.controls.values()].some((control) => control.perItem && control.objects.includes(name));
  host.classList.add("anno-chat");
  const list = element("ol", { className: "anno-messages" });
  const added = element("ol", { className: "anno-messages" });
  list.replaceChildren(...messages.map((message, at) => item(message, at)));
  host.replaceChildren(list, added);

  function item(message: Message, at: number): HTMLElement {
    const body = element("div", { className: "reading" });
    body.innerHTML = message.html;
    const row = element("li", { className: "anno-message" }, element("span", { className: "eyebrow", textContent: message.role }), body);
    row.dataset.role = message.role;
    if (asks) {
      const button = element("button", { type: "button", className: "anno-pick", textContent: `Message ${at + 1}` });
      button.addEventListener("click", () => session.setItem(name, at));
      row.prepend(button);
      row.addEventListener("click", () => session.item(name) !== at && session.setItem(name, at));
    }
    return row;
  }

  function spoken(region: Region): HTMLElement {
    const said = region.value.chatmessage as { role?: string; content?: string } | undefined;
    const text = element("button", { type: "button", className: "anno-said reading", textContent: said?.content ?? "" });
    text.addEventListener("click", () => session.select(region.id));
    text.setAttribute("aria-pressed", String(session.isSelected(region.id)));
    const row = element("li", { className: "anno-message" }, element("span", { className: "eyebrow", textContent: said?.role ?? "" }), text);
    row.dataset.role = said?.role ?? "";
    row.dataset.id = region.id;
    row.toggleAttribute("data-current", session.isSelected(region.id));
    row.toggleAttribute("data-suggestion", session.isSuggestion(region.id));
    row.hidden = session.isHidden(region.id);
    return row;
  }

  const refresh = (): void => {
    [...list.children].forEach((row, at) => {
      const on = asks && session.item(name) === at;
      row.toggleAttribute("data-current", on);
      row.querySelector(".anno-pick")?.setAttribute("aria-pressed", String(on));
    });
    added.replaceChildren(...session.regionsOf(name).map(spoken));
    added.hidden = !added.childElementCount;
  };
  host.style.setProperty("--chat-height", attr(tag, "height") ?? "none");
  refresh();
  return {
    refresh,
    reveal: (id, focus) => {
      const row = added.querySelector<HTMLElement>(`[data-id="${CSS.escape(id)}"]`);
      row?.scrollIntoView({ block: "nearest" });
      if (focus) row?.querySelector<HTMLElement>("button")?.focus();
    },
    describe: (region) => {
      const content = (region.value.chatmessage as { content?: string } | undefined)?.content ?? "";
      return content.length > DESCRIBED_MAX ? `${content.slice(0, DESCRIBED_MAX - 1)}…` : content;
    },
    destroy: () => {},
  };
};
