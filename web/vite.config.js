// How the page is built. What comes out are static files that may lie in any folder.

import { defineConfig } from "vite";

export default defineConfig({
  base: "./",
  build: {
    target: "es2022",
    // A data: URL for a script or style is what the page's CSP forbids; everything stays a file of its own.
    assetsInlineLimit: 0,
    sourcemap: true,
  },
  // `npm run dev`: the page from its sources, everything else from a `vestibule dev` that runs beside it.
  server: {
    proxy: Object.fromEntries(["/config.json", "/v1", "/u"].map((path) => [path, process.env.VESTIBULE_PAGE ?? "http://127.0.0.1:8080"])),
  },
});
