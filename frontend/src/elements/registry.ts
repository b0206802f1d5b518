/** Custom elements by tag; each is fetched when a page uses it. */
const OWN: Record<string, () => Promise<unknown>> = {
  "preceptor-workspace": () => import("./workspace"),
  "preceptor-chart": () => import("./chart"),
  "preceptor-palette": () => import("./palette"),
  "preceptor-shortcuts": () => import("./shortcuts"),
  "preceptor-upload": () => import("./upload"),
  "preceptor-media-upload": () => import("./media-upload"),
  "preceptor-passkey": () => import("./passkey"),
  "preceptor-review": () => import("./review"),
};

/** Elements of kinds of work and of their settings: `kinds/<name>.ts` defines `preceptor-<name>`. */
const KINDS = import.meta.glob("./kinds/*.ts");

const LOADERS: Record<string, () => Promise<unknown>> = {
  ...OWN,
  ...Object.fromEntries(Object.entries(KINDS).map(([path, load]) => [`preceptor-${path.slice("./kinds/".length, -".ts".length)}`, load])),
};

/** Ready when the element is defined; an element of a plug-in defines itself by its own script. */
export async function loadElement(tag: string): Promise<void> {
  if (!customElements.get(tag)) await LOADERS[tag]?.();
}

export function loadUsedElements(root: ParentNode): void {
  for (const tag of Object.keys(LOADERS)) if (root.querySelector(tag)) void loadElement(tag);
}
