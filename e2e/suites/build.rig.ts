import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { expect } from "vitest";
import { clients } from "../fixtures/clients.mjs";
import { type Result, type StockDocker, stockDocker } from "../fixtures/docker.ts";
import { busybox, dockerArchive } from "../fixtures/image.ts";
import { startEngine } from "../fixtures/program.ts";
import { startRegistry } from "../fixtures/registry.ts";

/** An engine that has busybox, with the stock clients, and a registry beside it. */
export interface BuildRig extends AsyncDisposable {
  readonly docker: StockDocker;
  /** Scratch for whatever a test writes. */
  readonly dir: string;
  readonly root: string;
  /** The engine's network namespace. */
  readonly netns: string;
  /** `127.0.0.1:PORT`. */
  readonly registry: string;
  /** A new directory with these files. */
  context(files: Readonly<Record<string, string>>): string;
  /** `docker buildx build` of a directory with these files; rejects when it fails. */
  build(files: Readonly<Record<string, string>>, ...args: readonly string[]): Promise<Result>;
}

export async function openBuildRig(name: string): Promise<BuildRig> {
  await using undo = new AsyncDisposableStack();
  const netns = `slipway-${name}${process.pid}`;
  const engine = undo.use(await startEngine({ isolate: netns }));
  const docker = stockDocker({ socket: engine.socket, netns });
  const dir = mkdtempSync(join(tmpdir(), `${name}-`));
  undo.defer(() => rmSync(dir, { recursive: true, force: true }));
  const registry = undo.use(await startRegistry({ dir, port: 5000, netns }));
  writeFileSync(join(dir, "image.tar"), await dockerArchive([await busybox("busybox:latest")]));
  await docker.ok("load", "-i", join(dir, "image.tar"));
  const context = (files: Readonly<Record<string, string>>): string => {
    const made = mkdtempSync(join(dir, "c-"));
    for (const [path, text] of Object.entries(files)) {
      mkdirSync(dirname(join(made, path)), { recursive: true });
      writeFileSync(join(made, path), text);
    }
    return made;
  };
  const open = undo.move();
  return {
    docker,
    dir,
    root: engine.root,
    netns,
    registry: registry.address,
    context,
    async build(files, ...args) {
      const result = await docker("buildx", "build", "--progress=plain", ...args, context(files));
      expect(result.code, `${clients.docker} buildx build ${args.join(" ")}: ${result.stderr}`).toBe(0);
      return result;
    },
    [Symbol.asyncDispose]: () => open.disposeAsync(),
  };
}
