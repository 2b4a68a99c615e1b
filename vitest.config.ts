import { defineConfig } from "vitest/config";

// One project a level: `unit` needs nothing, `renderer` a DOM, `int` root and namespaces, `vm` a QEMU guest. Every file of `int` has
// engines and namespaces of its own, and waits more than it works: two at a time.
export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: "unit",
          include: ["runtime-vm/**/*.test.ts", "electron/**/*.test.ts", "e2e/**/*.test.ts", "*.test.ts"],
          exclude: ["**/*.int.test.ts", "**/*.vm.test.ts", "**/node_modules/**", "**/out/**"],
          testTimeout: 60_000,
        },
      },
      { test: { name: "renderer", environment: "jsdom", include: ["renderer/**/*.test.ts", "renderer/**/*.test.tsx"] } },
      {
        test: {
          name: "int",
          include: ["runtime-vm/**/*.int.test.ts", "electron/**/*.int.test.ts", "e2e/**/*.int.test.ts"],
          maxWorkers: 2,
          testTimeout: 120_000,
          hookTimeout: 120_000,
        },
      },
      {
        test: {
          name: "vm",
          include: ["runtime-vm/**/*.vm.test.ts", "e2e/**/*.vm.test.ts"],
          fileParallelism: false,
          testTimeout: 600_000,
          hookTimeout: 600_000,
        },
      },
    ],
  },
});
