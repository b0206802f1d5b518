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

/** Elements of kinds of work that come in packages of their own: the page says where their scripts are. */
function brought(): Record<string, () => Promise<unknown>> {
  const scripts = document.querySelectorAll<HTMLMetaElement>('meta[name="element-script"]');
  return Object.fromEntries([...scripts].map((each) => [each.dataset.tag!, () => import(/* @vite-ignore */ each.content)]));
}

const LOADERS: Record<string, () => Promise<unknown>> = {
  ...brought(),
  ...OWN,
  ...Object.fromEntries(Object.entries(KINDS).map(([path, load]) => [`preceptor-${path.slice("./kinds/".length, -".ts".length)}`, load])),
};

/** Ready when the element is defined. */
export async function loadElement(tag: string): Promise<void> {
  if (!customElements.get(tag)) await LOADERS[tag]?.();
}

export function loadUsedElements(root: ParentNode): void {
  for (const tag of Object.keys(LOADERS)) if (root.querySelector(tag)) void loadElement(tag);
}
