/** Habits of every page: list keys, menus, dialogs, copying, toasts, Markdown tabs. Everything works by delegation. */

const typing = (target: EventTarget | null): boolean =>
  target instanceof HTMLElement && (target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName));

function rowsOfList(): HTMLTableRowElement[] {
  return [...document.querySelectorAll<HTMLTableRowElement>("table[data-list] tbody tr")];
}

function moveInList(step: number): void {
  const rows = rowsOfList();
  const at = rows.findIndex((row) => row.hasAttribute("data-current"));
  const next = rows[Math.min(rows.length - 1, Math.max(0, at + step))];
  if (!next) return;
  rows[at]?.removeAttribute("data-current");
  next.setAttribute("data-current", "");
  next.scrollIntoView({ block: "nearest" });
  // Where a row leads, before what marks it.
  (next.querySelector<HTMLElement>("a") ?? next.querySelector<HTMLElement>("button, input"))?.focus({ preventScroll: true });
}

function listKeys(event: KeyboardEvent): void {
  if (event.ctrlKey || event.metaKey || event.altKey || typing(event.target)) return;
  if (event.key === "/") {
    const box = document.querySelector<HTMLInputElement>("[data-search]");
    if (!box) return;
    event.preventDefault();
    box.focus();
    box.select();
  } else if (event.key === "j" || event.key === "k") {
    moveInList(event.key === "j" ? 1 : -1);
  } else if (event.key === "Enter" && !(event.target as Element).closest?.("a, button, summary")) {
    const row = document.querySelector<HTMLTableRowElement>("table[data-list] tr[data-current]");
    const href = row?.dataset.href ?? row?.querySelector("a")?.href;
    if (href) location.assign(href);
  }
}

function clicks(event: MouseEvent): void {
  const target = event.target as Element;
  for (const menu of document.querySelectorAll<HTMLDetailsElement>("details.menu-pop[open]")) {
    if (!menu.contains(target)) menu.open = false;
  }
  const opener = target.closest<HTMLElement>("[data-dialog]");
  if (opener) (document.getElementById(opener.dataset.dialog!) as HTMLDialogElement | null)?.showModal();
  if (target.closest("[data-close]")) target.closest("dialog")?.close();
  if (target instanceof HTMLDialogElement && target.classList.contains("sheet")) closeOnBackdrop(target, event);
  const copy = target.closest<HTMLElement>("[data-copy]");
  if (copy) void copyText(copy);
  const tab = target.closest<HTMLElement>("[data-markdown] [data-tab]");
  if (tab) showMarkdownTab(tab);
}

function closeOnBackdrop(dialog: HTMLDialogElement, event: MouseEvent): void {
  const box = dialog.getBoundingClientRect();
  const inside = event.clientX >= box.left && event.clientX <= box.right && event.clientY >= box.top && event.clientY <= box.bottom;
  if (!inside) dialog.close();
}

async function copyText(button: HTMLElement): Promise<void> {
  await navigator.clipboard.writeText(button.dataset.copy!);
  const words = button.querySelector("span") ?? button;
  const before = words.textContent;
  words.textContent = "Copied";
  setTimeout(() => (words.textContent = before), 1600);
}

function showMarkdownTab(tab: HTMLElement): void {
  const field = tab.closest("[data-markdown]")!;
  const preview = tab.dataset.tab === "preview";
  field.querySelector("textarea")!.hidden = preview;
  field.querySelector<HTMLElement>("[role=tabpanel]")!.hidden = !preview;
  for (const other of field.querySelectorAll("[data-tab]")) other.setAttribute("aria-selected", String(other === tab));
}

function namedConfirmation(event: SubmitEvent): void {
  const form = event.target as HTMLFormElement;
  const wanted = form.dataset.confirmName;
  const box = form.elements.namedItem("confirm_name");
  if (!wanted || !(box instanceof HTMLInputElement)) return;
  box.setCustomValidity(box.value.trim() === wanted ? "" : `Type ${wanted} exactly to confirm.`);
  if (!form.reportValidity()) event.preventDefault();
  box.addEventListener("input", () => box.setCustomValidity(""), { once: true });
}

function toastsLeave(): void {
  const region = document.getElementById("toasts");
  if (!region) return;
  new MutationObserver(() => {
    for (const toast of region.querySelectorAll("[data-toast]:not([data-leaving])")) {
      toast.setAttribute("data-leaving", "");
      setTimeout(() => toast.remove(), 5000);
    }
  }).observe(region, { childList: true, subtree: true });
}

export function startPageHabits(): void {
  document.addEventListener("keydown", listKeys);
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    const menu = (event.target as Element).closest?.<HTMLDetailsElement>("details.menu-pop[open]");
    if (menu) {
      menu.open = false;
      menu.querySelector("summary")?.focus();
    }
  });
  document.addEventListener("click", clicks);
  document.addEventListener("submit", namedConfirmation);
  document.addEventListener("change", (event) => {
    const select = event.target;
    if (select instanceof HTMLSelectElement) select.closest<HTMLFormElement>("form[data-autosubmit]")?.requestSubmit();
  });
  toastsLeave();
}
