import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { OpenedLayerStore } from "#core/layers/layers.rig.ts";
import { createKernel } from "#plugins/kernel-koffi/kernel.ts";
import { openTrash } from "#plugins/trash-directory/trash.ts";
import { openLayers } from "./layers.ts";
import type { MountMethod } from "./layer-mounts.ts";
import { probeMounts } from "./probe.ts";

export const kernel = createKernel();
/** How this kernel mounts layers. */
export const supported = probed();

function probed(): MountMethod {
  const root = mkdtempSync(join(tmpdir(), "layers-probe-"));
  try {
    mkdirSync(join(root, "run"));
    return probeMounts(kernel, root, join(root, "run"), () => {});
  } finally {
    rmSync(root, { recursive: true });
  }
}

/** A store in a directory of its own, which goes with it. */
export async function openTestLayers(method?: MountMethod, outfit?: (root: string) => void): Promise<OpenedLayerStore & { readonly root: string }> {
  const root = mkdtempSync(join(tmpdir(), "layers-"));
  const paths = { layers: join(root, "layers"), snapshots: join(root, "snapshots"), layerMounts: join(root, "run"), outfits: join(root, "outfits") };
  const trash = openTrash(join(root, "trash"), () => {});
  const start = () =>
    openLayers({ paths, trash, kernel, log: () => {}, ...(method === undefined ? {} : { method }), ...(outfit === undefined ? {} : { outfit }) });
  let opened = start();
  return {
    root,
    get layers() {
      return opened.layers;
    },
    get snapshots() {
      return opened.snapshots;
    },
    mounts: () => kernel.mountsUnder(root),
    reopen: async () => {
      await opened[Symbol.asyncDispose]();
      opened = start();
    },
    async [Symbol.asyncDispose]() {
      await opened[Symbol.asyncDispose]();
      for (const mount of kernel.mountsUnder(root)) kernel.umount(mount, 2);
      await trash.drained();
      rmSync(root, { recursive: true });
    },
  };
}

/** That, and the one that works everywhere. */
export const methods: MountMethod[] = supported.kind === "directories" ? [{ kind: "directories" }] : [supported, { kind: "directories" }];
