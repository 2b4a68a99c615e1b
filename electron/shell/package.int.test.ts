import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";

// The packaged app, made around a folder shaped as Electron's: what is packed and which fuses are blown can be seen
// without the binary itself.
const repository = resolve(import.meta.dirname, "..", "..");
const bin = (name: string): string => join(repository, "node_modules", ".bin", name);
let dir = "";
let app = "";

beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), "slipway-package-"));
  const stub = stubElectron(join(dir, "electron"));
  execFileSync(
    bin("electron-builder"),
    ["--dir", "--linux", "--x64", `-c.electronDist=${stub}`, "-c.electronVersion=45.4.1", `-c.directories.output=${join(dir, "out")}`, "--publish=never"],
    { cwd: repository, stdio: "pipe", env: { ...process.env, PATH: `${join(repository, "node_modules", ".bin")}:${process.env["PATH"]}` } },
  );
  app = join(dir, "out", "linux-unpacked");
}, 300_000);
afterAll(() => rmSync(dir, { recursive: true, force: true }));

/** A binary with a fuse wire in it and the files the builder looks for. */
function stubElectron(path: string): string {
  mkdirSync(join(path, "locales"), { recursive: true });
  const wire = Buffer.concat([Buffer.from("dL7pKGdnNz796PbbjQWNKmHXBZaB9tsX"), Buffer.from([1, 9]), Buffer.from("0".repeat(9))]);
  writeFileSync(join(path, "electron"), Buffer.concat([Buffer.from("\x7fELF"), Buffer.alloc(64), wire, Buffer.alloc(64)]), { mode: 0o755 });
  for (const name of ["LICENSE", "LICENSES.chromium.html", "resources.pak", "version", "locales/en-US.pak"]) writeFileSync(join(path, name), "45.4.1");
  return path;
}

test("the archive holds the bundles, the window and the icons, and neither sources nor node_modules", () => {
  const files = execFileSync(bin("asar"), ["list", join(app, "resources", "app.asar")], { encoding: "utf8" })
    .trim()
    .split("\n");
  expect(files).toEqual(
    expect.arrayContaining([
      "/dist/shell/main.js",
      "/dist/shell/host.js",
      "/dist/shell/preload.cjs",
      "/dist/renderer/index.html",
      "/assets/icons/tray.png",
      "/package.json",
    ]),
  );
  const tops = new Set(files.map((file) => file.split("/").slice(1, 3).join("/")));
  expect([...tops].toSorted()).toEqual(["assets", "assets/icons", "dist", "dist/renderer", "dist/shell", "package.json"]);
});

test("every fuse that turns the app into something else is blown", () => {
  const said = execFileSync(bin("electron-fuses"), ["read", "--app", join(app, "slipway")], { encoding: "utf8" });
  const on = (name: string): boolean => new RegExp(`${name} is Enabled`).test(said);
  expect({
    runAsNode: on("RunAsNode"),
    nodeOptions: on("EnableNodeOptionsEnvironmentVariable"),
    inspect: on("EnableNodeCliInspectArguments"),
    cookies: on("EnableCookieEncryption"),
    integrity: on("EnableEmbeddedAsarIntegrityValidation"),
    onlyAsar: on("OnlyLoadAppFromAsar"),
    fileProtocol: on("GrantFileProtocolExtraPrivileges"),
  }).toEqual({ runAsNode: false, nodeOptions: false, inspect: false, cookies: true, integrity: true, onlyAsar: true, fileProtocol: false });
});

test("the licence comes along, and the system image where one has been built", () => {
  expect(existsSync(join(app, "resources", "LICENSE"))).toBe(true);
  const built = existsSync(join(repository, "runtime-vm/image/out/amd64/root.img"));
  expect(existsSync(join(app, "resources/image/amd64/root.img"))).toBe(built);
});
