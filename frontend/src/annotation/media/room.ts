/** How high the material may be so that it and everything asked about it are on one screen. */

/** Lower than this nothing is seen; then the page scrolls instead. */
const LEAST_PX = 256;
/** Views one below the other are at least the height of a bar of buttons apart. */
const BAR_PX = 32;
const STEPS = 4;

/** The views that share one scrolling part of the desk. */
const sharing = new WeakMap<HTMLElement, Set<HTMLElement>>();

/**
 * Keeps `--room` on `root`: the height that its material may take while the rest of the scrolling part of the desk is
 * in sight, too. Views side by side all get it, views one below the other divide it. Removed where nothing scrolls (a
 * phone, a page that shows a judgment). Returns what stops it.
 */
export function watchRoom(root: HTMLElement): () => void {
  const main = root.closest<HTMLElement>(".anno-main");
  if (!main) return () => {};
  const roots = sharing.get(main) ?? new Set();
  sharing.set(main, roots.add(root));
  const observer = new ResizeObserver(() => share(main, roots));
  observer.observe(main);
  observer.observe(root);
  return () => {
    observer.disconnect();
    roots.delete(root);
    if (roots.size) share(main, roots);
  };
}

function share(main: HTMLElement, roots: ReadonlySet<HTMLElement>): void {
  for (const root of roots) root.style.removeProperty("--room");
  const style = getComputedStyle(main);
  if (!/auto|scroll/.test(style.overflowY)) return;
  for (const root of roots) root.style.setProperty("--room", "0px");
  const inner = main.clientHeight - parseFloat(style.paddingTop) - parseFloat(style.paddingBottom);
  const rows = rowsOf([...roots].map((root) => root.getBoundingClientRect().top));
  let room = 0;
  // What stands beside a view leaves it more than what stands below it, and only laying it out tells. The whole never
  // grows by more than its rows do, so that no step goes too far.
  for (let step = 0; step < STEPS; step += 1) {
    const spare = Math.floor((inner - heightOf(main)) / rows);
    if (step > 0 && spare < 1) break;
    room = Math.max(room + spare, LEAST_PX);
    for (const root of roots) root.style.setProperty("--room", `${room}px`);
  }
}

function heightOf(main: HTMLElement): number {
  return (main.lastElementChild?.getBoundingClientRect().bottom ?? 0) - (main.firstElementChild?.getBoundingClientRect().top ?? 0);
}

/** Views whose tops are nearly the same stand side by side: one row. */
function rowsOf(tops: readonly number[]): number {
  const sorted = [...tops].sort((a, b) => a - b);
  return sorted.filter((top, at) => at === 0 || top - sorted[at - 1]! > BAR_PX).length;
}
