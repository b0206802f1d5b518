// Runs in the head before the first paint, so that a chosen theme never flashes. A classic script: no imports.
(() => {
  const chosen = (): string => {
    try {
      return localStorage.getItem("preceptor.theme") ?? "system";
    } catch {
      return "system"; // storage switched off: follow the system
    }
  };
  const show = (choice: string) => {
    const root = document.documentElement;
    if (choice === "system") root.removeAttribute("data-theme");
    else root.setAttribute("data-theme", choice === "dark" ? "night" : "paper");
    for (const button of document.querySelectorAll("[data-theme-choice]")) {
      button.setAttribute("aria-pressed", String(button.getAttribute("data-theme-choice") === choice));
    }
  };
  show(chosen());
  document.addEventListener("DOMContentLoaded", () => show(chosen()));
  addEventListener("storage", (event) => event.key === "preceptor.theme" && show(chosen()));
  document.addEventListener("click", (event) => {
    const choice = (event.target as Element | null)?.closest?.("[data-theme-choice]")?.getAttribute("data-theme-choice");
    if (!choice) return;
    try {
      localStorage.setItem("preceptor.theme", choice);
    } catch {
      // Not remembered, but shown.
    }
    show(choice);
    document.dispatchEvent(new CustomEvent("theme-changed"));
  });
})();
