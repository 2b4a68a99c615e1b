import { chmodSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { createInterface } from "node:readline";
import { parseArgs } from "node:util";
import { Worker } from "node:worker_threads";
import type { FileChange } from "#link/calls.ts";
import { Deeds } from "./deeds.ts";
import { Teller } from "./tell.ts";
import type { ShareJob } from "./share.worker.ts";

const usage = `node shares.mjs [--owners] [--socket PATH] DEVICE:FOLDER:PATH...

Serves folders of the host, which are mounted at FOLDER, to the guest's programs at PATH, where the descriptor DEVICE of /dev/fuse is
mounted. --owners: all of the host's files belong to one user; who owns them in the guest is kept beside them. At PATH of --socket, lines
of JSON say what the host has changed.`;

interface Share {
  readonly device: number;
  readonly folder: string;
  readonly path: string;
}

function shareOf(text: string): Share {
  const [device = "", folder = "", ...path] = text.split(":");
  if (!/^\d+$/.test(device) || folder === "" || path.length === 0) throw new Error(`${text}: a share is DEVICE:FOLDER:PATH\n\n${usage}`);
  return { device: Number(device), folder, path: path.join(":") };
}

const { values, positionals } = parseArgs({ options: { owners: { type: "boolean", default: false }, socket: { type: "string" } }, allowPositionals: true });
const shares = positionals.map(shareOf).map((share) => ({ ...share, flag: new Int32Array(new SharedArrayBuffer(4)), deeds: Deeds.log() }));
const file = new URL(import.meta.url.endsWith(".ts") ? "./share.worker.ts" : "./share.worker.mjs", import.meta.url);
// Modes are the containers' own, which the kernel has taken their masks from.
process.umask(0);
let serving = shares.length;
for (const { device, folder, flag, deeds } of shares) {
  const workerData: ShareJob = { device, folder, flag, deeds, keepsOwners: values.owners, teller: process.pid };
  // What a share that ends with an error was for cannot go on: its programs are to see errors, not to wait.
  new Worker(file, { workerData }).on("exit", (code) => {
    serving -= 1;
    if (code !== 0 || serving === 0) process.exit(code);
  });
}

if (values.socket !== undefined) {
  const teller = new Teller(shares.map((share) => ({ ...share, deeds: new Deeds(share.deeds) })));
  rmSync(values.socket, { force: true });
  const server = createServer((connection) => {
    connection.on("error", () => {});
    createInterface({ input: connection }).on("line", (line) => {
      try {
        teller.tell(JSON.parse(line) as FileChange[]);
      } catch (error) {
        // Watchers that were not told are no reason to take everybody's files away.
        console.error(`shares: ${String(error)}`);
      }
    });
  });
  server.listen(values.socket, () => chmodSync(values.socket ?? "", 0o600));
}
