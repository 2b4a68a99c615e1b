import { resolve } from "node:path";
import { defineConfig } from "vite";

const here = import.meta.dirname;

// Two builds into one folder: the shell and its host process as modules, the preload as the CommonJS a sandbox wants.
export default defineConfig(({ mode }) => {
  const preload = mode === "preload";
  return {
    root: here,
    build: {
      ssr: true,
      outDir: resolve(here, "..", "..", "dist", "shell"),
      emptyOutDir: !preload,
      target: "node24",
      minify: false,
      rolldownOptions: {
        external: ["electron", "koffi"],
        input: preload ? { preload: resolve(here, "preload.ts") } : { main: resolve(here, "main.ts"), host: resolve(here, "process", "main.ts") },
        output: preload ? { format: "cjs", entryFileNames: "[name].cjs" } : { format: "es", entryFileNames: "[name].js" },
      },
    },
    ssr: { noExternal: true },
  };
});
