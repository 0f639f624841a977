import { readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { brotliCompress, constants, gzip } from "node:zlib";

import react from "@vitejs/plugin-react";
import { defineConfig, type Plugin } from "vite";

const OUT = "../src/rixin/web/static/console";
const SMALLEST = 1024; // bytes below which compression is not worth a file

/** Leaves `.br` and `.gz` files beside the assets, so that the server compresses nothing itself. */
function precompress(): Plugin {
  return {
    name: "precompress",
    apply: "build",
    async closeBundle() {
      const folder = join(import.meta.dirname, OUT, "assets");
      for (const name of await readdir(folder)) {
        const content = await readFile(join(folder, name));
        if (!/\.(js|css|svg)$/.test(name) || content.length < SMALLEST) continue;
        const quality = { params: { [constants.BROTLI_PARAM_QUALITY]: constants.BROTLI_MAX_QUALITY } };
        await writeFile(join(folder, `${name}.br`), await promisify(brotliCompress)(content, quality));
        await writeFile(join(folder, `${name}.gz`), await promisify(gzip)(content, { level: 9 }));
      }
    },
  };
}

/** Chunks of texts are told apart by their language. */
function chunkFileNames({ facadeModuleId }: { facadeModuleId: string | null }) {
  const language = /\/i18n\/(\w+)\//.exec(facadeModuleId ?? "")?.[1];
  return `assets/${language === undefined ? "" : `${language}.`}[name]-[hash].js`;
}

export default defineConfig({
  base: "/console/",
  plugins: [react(), precompress()],
  build: {
    outDir: OUT,
    emptyOutDir: true,
    assetsInlineLimit: 0, // the policy allows no script and no font in `data:`
    reportCompressedSize: false,
    chunkSizeWarningLimit: 1500,
    rolldownOptions: { output: { chunkFileNames } },
  },
  server: { proxy: Object.fromEntries(["/admin", "/v1", "/health", "/readyz"].map((path) => [path, "http://127.0.0.1:8700"])) },
});
