import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { lstatSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { DockerContext } from "./context.ts";

let dir = "";
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "slipway-context-"));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

const configPath = (): string => join(dir, "docker", "config.json");
const metaPath = (): string => join(dir, "docker", "contexts", "meta", createHash("sha256").update("slipway").digest("hex"), "meta.json");
const open = (endpoint = "unix:///run/a.sock", hiddenBy?: string): DockerContext =>
  new DockerContext({ directory: join(dir, "docker"), statePath: join(dir, "state.json"), endpoint, hiddenBy });
function writeConfig(value: unknown): void {
  mkdirSync(join(dir, "docker"), { recursive: true });
  writeFileSync(configPath(), typeof value === "string" ? value : JSON.stringify(value), { mode: 0o600 });
}
const config = (): Record<string, unknown> => JSON.parse(readFileSync(configPath(), "utf8")) as Record<string, unknown>;

test("the context is made at the first start, and nothing else is touched", async () => {
  const context = open();
  await context.ensure();
  expect(JSON.parse(readFileSync(metaPath(), "utf8"))).toEqual({
    Name: "slipway",
    Metadata: { Description: "Slipway" },
    Endpoints: { docker: { Host: "unix:///run/a.sock", SkipTLSVerify: false } },
  });
  expect(() => statSync(configPath())).toThrow("ENOENT");
  expect(await context.status()).toEqual({ created: true, current: "default" });
});

test("becoming the default keeps every other key, the mode 0600, and the former default, which comes back", async () => {
  writeConfig({ auths: { "r.example": { auth: "eA==" } }, currentContext: "desktop-linux", somethingNew: [1] });
  const context = open();
  await context.ensure();
  expect(await context.use(true)).toEqual({ created: true, current: "slipway" });
  expect(config()).toEqual({ auths: { "r.example": { auth: "eA==" } }, somethingNew: [1], currentContext: "slipway" });
  expect(statSync(configPath()).mode & 0o777).toBe(0o600);
  expect(await context.use(false)).toEqual({ created: true, current: "desktop-linux" });
  expect(config()).toEqual({ auths: { "r.example": { auth: "eA==" } }, somethingNew: [1], currentContext: "desktop-linux" });
});

test("without a former default the key goes away again", async () => {
  writeConfig({ psFormat: "x" });
  const context = open();
  await context.ensure();
  await context.use(true);
  await context.use(false);
  expect(config()).toEqual({ psFormat: "x" });
});

test("asking twice to be the default does not forget the former one", async () => {
  writeConfig({ currentContext: "colima" });
  const context = open();
  await context.ensure();
  await context.use(true);
  await context.use(true);
  await context.use(false);
  expect(config()["currentContext"]).toBe("colima");
});

test("quitting gives the former default back, and the next start takes the consented place again", async () => {
  writeConfig({ currentContext: "colima" });
  const first = open();
  await first.ensure();
  await first.use(true);
  await first.release();
  expect(config()["currentContext"]).toBe("colima");
  const second = open();
  await second.ensure();
  expect(config()["currentContext"]).toBe("slipway");
  await second.release();
  expect(config()["currentContext"]).toBe("colima");
});

test("a default that the user changed meanwhile is left alone, at quitting and at the next start", async () => {
  writeConfig({ currentContext: "colima" });
  const first = open();
  await first.ensure();
  await first.use(true);
  writeConfig({ currentContext: "other" });
  await first.release();
  expect(config()["currentContext"]).toBe("other");
  await open().ensure();
  expect(config()["currentContext"]).toBe("other");
});

test("without consent neither start nor quit touches the default", async () => {
  writeConfig({ currentContext: "colima" });
  const context = open();
  await context.ensure();
  await context.release();
  expect(config()).toEqual({ currentContext: "colima" });
});

test("a broken config.json is named and never overwritten", async () => {
  writeConfig("{ not json");
  const context = open();
  await expect(context.use(true)).rejects.toMatchObject({ class: "conflict", message: expect.stringContaining(configPath()) as string });
  expect(readFileSync(configPath(), "utf8")).toBe("{ not json");
});

test("a config.json that is a link into the user's dot-files stays a link", async () => {
  mkdirSync(join(dir, "docker"));
  writeFileSync(join(dir, "real.json"), "{}");
  symlinkSync(join(dir, "real.json"), configPath());
  const context = open();
  await context.ensure();
  await context.use(true);
  expect(lstatSync(configPath()).isSymbolicLink()).toBe(true);
  expect(JSON.parse(readFileSync(join(dir, "real.json"), "utf8"))).toEqual({ currentContext: "slipway" });
});

test("a context of a running Slipway elsewhere is left to it, one of a gone Slipway is taken over", async () => {
  const other = join(dir, "other.sock");
  const server = createServer().listen(other);
  try {
    await open(`unix://${other}`).ensure();
    const mine = open("unix:///run/mine.sock");
    await mine.ensure();
    expect((await mine.status()).created).toBe(false);
  } finally {
    await new Promise((resolve) => server.close(resolve));
  }
  const mine = open("unix:///run/mine.sock");
  await mine.ensure();
  expect((await mine.status()).created).toBe(true);
});

test("the variable that hides contexts is told", async () => {
  expect(await open("unix:///x", "DOCKER_HOST").status()).toMatchObject({ hiddenBy: "DOCKER_HOST" });
});

const docker = ((): string | undefined => {
  for (const path of ["docker", join(import.meta.dirname, "../../e2e/out/clients/docker")]) {
    try {
      execFileSync(path, ["--version"], { stdio: "ignore" });
      return path;
    } catch {
      continue;
    }
  }
  return undefined;
})();

test.skipIf(docker === undefined)("the stock docker CLI reads the context and the default we set", async () => {
  const context = open("unix:///run/slipway-test.sock");
  await context.ensure();
  await context.use(true);
  const env: NodeJS.ProcessEnv = { ...process.env, DOCKER_CONFIG: join(dir, "docker") };
  delete env["DOCKER_HOST"];
  delete env["DOCKER_CONTEXT"];
  const run = (...args: string[]): string => execFileSync(docker ?? "", args, { env, encoding: "utf8" }).trim();
  expect(run("context", "show")).toBe("slipway");
  expect(run("context", "inspect", "slipway", "--format", "{{.Endpoints.docker.Host}}")).toBe("unix:///run/slipway-test.sock");
});
