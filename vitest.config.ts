import { defineConfig } from "vitest/config";

/** What is waited for comes when it comes: a busy machine takes longer than the second that is the default. */
const patient = { poll: { timeout: 30_000 } };

/** The tree of a reference dockerd is made by the first who wants one. */
const preparationMs = process.env.SLIPWAY_TEST_REFERENCE === "1" ? 1_200_000 : 120_000;

// One project a level: `unit` needs nothing, `renderer` a DOM, `int` root and namespaces, `vm` a QEMU guest. Every file of `int` has
// engines and namespaces of its own, and waits more than it works: two at a time.
export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: "unit",
          expect: patient,
          include: ["runtime-vm/**/*.test.ts", "electron/**/*.test.ts", "e2e/**/*.test.ts", "*.test.ts"],
          exclude: ["**/*.int.test.ts", "**/*.vm.test.ts", "**/node_modules/**", "**/out/**"],
          testTimeout: 60_000,
        },
      },
      { test: { name: "renderer", expect: patient, testTimeout: 60_000, environment: "jsdom", include: ["renderer/**/*.test.ts", "renderer/**/*.test.tsx"] } },
      {
        test: {
          name: "int",
          expect: patient,
          include: ["runtime-vm/**/*.int.test.ts", "electron/**/*.int.test.ts", "e2e/**/*.int.test.ts"],
          maxWorkers: 2,
          testTimeout: 120_000,
          hookTimeout: preparationMs,
        },
      },
      {
        test: {
          name: "vm",
          expect: patient,
          include: ["runtime-vm/**/*.vm.test.ts", "e2e/**/*.vm.test.ts"],
          fileParallelism: false,
          testTimeout: 600_000,
          hookTimeout: 600_000,
        },
      },
    ],
  },
});
