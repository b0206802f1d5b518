/**
 * Small tables in forms: `data-add-row="template id" data-into="list id"` adds a row made from a <template>,
 * `data-remove-row` inside a `[data-row]` takes that row away. Rows that are left empty are ignored by the server.
 */
function addRow(button: HTMLElement): void {
  const template = document.getElementById(button.dataset.addRow!) as HTMLTemplateElement | null;
  const list = document.getElementById(button.dataset.into!);
  const row = template?.content.firstElementChild?.cloneNode(true);
  if (!list || !(row instanceof HTMLElement)) return;
  list.append(row);
  row.querySelector<HTMLElement>("input:not([type=hidden]), textarea")?.focus();
}

function removeRow(button: HTMLElement): void {
  const row = button.closest<HTMLElement>("[data-row]");
  const beside = row?.nextElementSibling ?? row?.previousElementSibling;
  row?.remove();
  beside?.querySelector<HTMLElement>("input:not([type=hidden])")?.focus();
}

export function startRows(): void {
  document.addEventListener("click", (event) => {
    const target = event.target as Element;
    const add = target.closest<HTMLElement>("[data-add-row]");
    if (add) addRow(add);
    const remove = target.closest<HTMLElement>("[data-remove-row]");
    if (remove) removeRow(remove);
  });
}
