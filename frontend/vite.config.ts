import { cpSync, readFileSync, readdirSync, statSync } from "node:fs";
import { createHash } from "node:crypto";
import { basename, join, resolve } from "node:path";
import tailwindcss from "@tailwindcss/vite";
import { defineConfig, type Plugin } from "vite";

const here = import.meta.dirname;
const templates = resolve(here, "../src/preceptor/web/templates");
const outDir = resolve(here, "../src/preceptor/web/static/dist");

function filesUnder(folder: string): string[] {
  return readdirSync(folder).flatMap((name) => {
    const path = join(folder, name);
    return statSync(path).isDirectory() ? filesUnder(path) : [path];
  });
}

/** Icon names: the list that Python code may choose from, and every literal use in templates and elements. */
function iconNames(): string[] {
  const names = new Set<string>(JSON.parse(readFileSync(join(here, "src/icons.json"), "utf8")));
  const sources = [...filesUnder(templates), ...filesUnder(join(here, "src"))];
  for (const path of sources.filter((p) => /\.(html|ts)$/.test(p))) {
    for (const [, name] of readFileSync(path, "utf8").matchAll(/\bicon(?:\(\s*|\s*=\s*)["']([a-z0-9-]+)["']/g)) {
      names.add(name!);
    }
  }
  return [...names].sort();
}

/** Lucide icons as one SVG file of symbols, used as `<use href="icons.svg#name">`. */
function sprite(): string {
  const symbols = iconNames().map((name) => {
    const path = join(here, "node_modules/lucide-static/icons", `${name}.svg`);
    const svg = readFileSync(path, "utf8");
    const body = svg.replace(/<!--[\s\S]*?-->/g, "").match(/<svg[^>]*>([\s\S]*)<\/svg>/)![1]!;
    return `<symbol id="${name}" viewBox="0 0 24 24" fill="none" stroke="currentColor" stroke-width="1.75" stroke-linecap="round" stroke-linejoin="round">${body.replace(/\s*\n\s*/g, "")}</symbol>`;
  });
  return `<svg xmlns="http://www.w3.org/2000/svg">${symbols.join("")}</svg>\n`;
}

/**
 * Emits the icon sprite and the files of `static/`, and writes `assets.json`:
 * plain name to built file ("app.js" to "app-1a2b3c.js"), which Jinja's `asset()` reads.
 */
function pageAssets(): Plugin {
  return {
    name: "preceptor-page-assets",
    enforce: "post",
    generateBundle(_options, bundle) {
      const hashed = (name: string, source: string | Buffer) => {
        const [stem, ext] = [name.slice(0, name.lastIndexOf(".")), name.slice(name.lastIndexOf("."))];
        const digest = createHash("sha256").update(source).digest("hex").slice(0, 8);
        this.emitFile({ type: "asset", fileName: `${stem}-${digest}${ext}`, source });
        return `${stem}-${digest}${ext}`;
      };
      const assets: Record<string, string> = { "icons.svg": hashed("icons.svg", sprite()) };
      for (const path of filesUnder(join(here, "static"))) {
        assets[basename(path)] = hashed(basename(path), readFileSync(path));
      }
      for (const [file, chunk] of Object.entries(bundle)) {
        if (chunk.type === "chunk" && chunk.isEntry) assets[`${chunk.name}.js`] = file;
        // All styles are one file, which the bundler names only at the very end.
        if (chunk.type === "asset" && file.endsWith(".css")) assets["app.css"] = file;
        else if (chunk.type === "asset") for (const name of chunk.names) assets[name] = file;
      }
      const sorted = Object.fromEntries(Object.entries(assets).sort());
      this.emitFile({ type: "asset", fileName: "assets.json", source: JSON.stringify(sorted, null, 1) + "\n" });
    },
  };
}

/** Fonts, character maps and a picture decoder that pdf.js fetches by name, beside the bundle. */
function pdfFiles(): Plugin {
  const from = join(here, "node_modules/pdfjs-dist");
  return {
    name: "preceptor-pdf-files",
    writeBundle(options) {
      for (const folder of ["cmaps", "standard_fonts"]) cpSync(join(from, folder), join(options.dir!, "pdfjs", folder), { recursive: true });
      for (const name of ["openjpeg_nowasm_fallback.js", "LICENSE_OPENJPEG", "LICENSE_PDFJS_OPENJPEG"]) cpSync(join(from, "wasm", name), join(options.dir!, "pdfjs/wasm", name));
    },
  };
}

const elements = ["workspace", "chart", "palette", "shortcuts", "upload", "passkey", "review"];
/** Elements of kinds of work, by file name: adding one touches nothing here. */
const kinds = filesUnder(join(here, "src/elements/kinds")).map((path) => basename(path, ".ts"));

export default defineConfig({
  base: "/static/dist/",
  publicDir: false,
  plugins: [tailwindcss(), pageAssets(), pdfFiles()],
  build: {
    outDir,
    emptyOutDir: true,
    target: "es2022",
    // Fonts and pictures stay files: a strict content security policy allows no data: URLs.
    assetsInlineLimit: 0,
    cssCodeSplit: false,
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
    rolldownOptions: {
      input: {
        app: join(here, "src/app.ts"),
        theme: join(here, "src/theme.ts"),
        ...Object.fromEntries(elements.map((name) => [name, join(here, `src/elements/${name}.ts`)])),
        ...Object.fromEntries(kinds.map((name) => [name, join(here, `src/elements/kinds/${name}.ts`)])),
      },
      output: {
        entryFileNames: "[name]-[hash].js",
        chunkFileNames: "chunk-[name]-[hash].js",
        assetFileNames: "[name]-[hash][extname]",
      },
    },
  },
});
