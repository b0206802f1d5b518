/** Every page: htmx, theme-independent page habits, and custom elements fetched when a page uses them. */
import "./styles/app.css";
import "htmx.org";
import { loadUsedElements } from "./elements/registry";
import { csrfToken } from "./lib/api";
import { startPageHabits } from "./page";
import { startCovers } from "./parts/cover";
import { startRows } from "./rows";
import { showTimes } from "./times";

document.addEventListener("htmx:config:request", (event) => {
  const { ctx } = (event as CustomEvent<{ ctx: { request: { headers: Record<string, string> } } }>).detail;
  ctx.request.headers["X-CSRF-Token"] = csrfToken();
});
document.addEventListener("htmx:after:swap", () => {
  loadUsedElements(document);
  showTimes(document);
});

loadUsedElements(document);
showTimes(document);
setInterval(() => showTimes(document), 30_000);
startPageHabits();
startCovers();
startRows();
