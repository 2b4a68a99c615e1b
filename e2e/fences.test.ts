import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";

// A green lint run means nothing unless a wrong import turns it red: each fence gets one planted violation here.
const root = resolve(import.meta.dirname, "..");
const bin = (name: string) => join(root, "node_modules", ".bin", name);

const planted: Readonly<Record<string, string>> = {
  "runtime-vm/base/planted.ts": "#api/events.ts",
  "runtime-vm/api/planted.ts": "#core/kernel/kernel.ts",
  "runtime-vm/client/planted.ts": "#link/host.ts",
  "runtime-vm/link/planted.ts": "#api/events.ts",
  "runtime-vm/machine/planted.ts": "#core/paths.ts",
  "runtime-vm/guest/planted.ts": "#client/client.ts",
  "runtime-vm/image/planted.ts": "#guest/init.ts",
  "runtime-vm/engine/core/x/planted.ts": "#plugins/kernel-koffi/kernel.ts",
  "runtime-vm/engine/plugins/x/planted.ts": "#server/router.ts",
  "runtime-vm/engine/plugins/y/planted.ts": "#plugins/kernel-koffi/kernel.ts",
  "runtime-vm/engine/server/planted.ts": "#plugins/kernel-koffi/kernel.ts",
  "electron/bridge/planted.ts": "node:fs",
  "electron/host/planted.ts": "electron",
  "electron/web/planted.ts": "#shell/main.ts",
  "electron/shell/planted.ts": "#machine/machine.ts",
  "renderer/core/planted.ts": "#host/host.ts",
  "renderer/views/planted.tsx": "node:os",
  "e2e/planted.ts": "#plugins/kernel-koffi/kernel.ts",
};

let dir = "";
let report: { diagnostics: { code?: string; filename: string; message: string }[] };

beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), "slipway-fences-"));
  const config = JSON.parse(readFileSync(join(root, ".oxlintrc.json"), "utf8")) as { options: { typeAware: boolean } };
  config.options.typeAware = false;
  writeFileSync(join(dir, ".oxlintrc.json"), JSON.stringify(config));
  for (const [file, target] of Object.entries(planted)) {
    mkdirSync(dirname(join(dir, file)), { recursive: true });
    writeFileSync(join(dir, file), `import type { Planted } from "${target}";\nexport type Own = Planted;\n`);
  }
  report = JSON.parse(run(bin("oxlint"), ["--format=json", "."], dir)) as typeof report;
});

afterAll(() => rmSync(dir, { recursive: true, force: true }));

/** Standard output of a command that may fail: the failing is what is tested. */
function run(command: string, args: readonly string[], cwd: string): string {
  try {
    return execFileSync(command, args, { cwd, encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });
  } catch (error) {
    return String((error as { stdout?: unknown }).stdout);
  }
}

test.each(Object.entries(planted))("%s may not import %s", (file) => {
  const found = report.diagnostics.filter((d) => d.filename === file && d.code?.includes("no-restricted-imports"));
  expect(found.length).toBeGreaterThan(0);
});

test("files that import each other in a circle are refused", () => {
  const circle = mkdtempSync(join(tmpdir(), "slipway-circle-"));
  try {
    writeFileSync(join(circle, ".oxlintrc.json"), readFileSync(join(dir, ".oxlintrc.json")));
    writeFileSync(join(circle, "a.ts"), 'import { b } from "./b.ts";\nexport const a = () => b;\n');
    writeFileSync(join(circle, "b.ts"), 'import { a } from "./a.ts";\nexport const b = () => a;\n');
    expect(run(bin("oxlint"), ["--format=json", "."], circle)).toContain("no-cycle");
  } finally {
    rmSync(circle, { recursive: true, force: true });
  }
});

test.each([
  ["runtime-vm/engine/core", "document.title;"],
  ["runtime-vm/base", "process.pid;"],
  ["electron/bridge", "process.pid;"],
  ["renderer", "process.pid;"],
])("the compiler refuses in %s: %s", (area, statement) => {
  const own = mkdtempSync(join(tmpdir(), "slipway-tsc-"));
  try {
    writeFileSync(join(own, "planted.ts"), `export const planted = ${statement}\n`);
    const tsconfig = {
      extends: join(root, area, "tsconfig.json"),
      compilerOptions: { composite: false, emitDeclarationOnly: false, noEmit: true, rootDir: "/", typeRoots: [join(root, "node_modules/@types")] },
      include: [join(own, "planted.ts")],
      references: [],
    };
    writeFileSync(join(own, "tsconfig.json"), JSON.stringify(tsconfig));
    expect(run(bin("tsc"), ["-p", own], own)).toMatch(/Cannot find name '(document|process)'/);
  } finally {
    rmSync(own, { recursive: true, force: true });
  }
});
