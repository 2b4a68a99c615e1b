import { chmodSync, chownSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { generateId } from "../containers/names.ts";
import type { SpecMount } from "../specs/builder.ts";
import type { BuildBackends } from "./backends.ts";
import type { BuildRequest } from "./request.ts";
import { execute } from "./run.ts";

/** What fetching for a build stands on. */
export interface GitAccess extends Pick<BuildRequest, "secret" | "ssh" | "signal"> {
  readonly backends: BuildBackends;
  /** A new name for a directory. */
  readonly scratch: () => string;
  /** Told what git says, as it says it. */
  readonly output: (chunk: Buffer) => void | Promise<void>;
}

export interface GitRun {
  readonly script: string;
  /** `$1` and so on of the script. */
  readonly args: readonly string[];
  readonly env: readonly string[];
  /** Where it may write, and begins. */
  readonly directory: string;
  /** Of the client's agent. */
  readonly agent: string | undefined;
}

export interface GitRan {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Nobody's id, in no container's passwd but this one's. */
const gitUser = 65_532;
const saidBytesMax = 256 * 1024;

const accounts = { passwd: `root:x:0:0:root:/:/bin/false\ngit:x:${gitUser}:${gitUser}:git:/tmp:/bin/sh\n`, group: `root:x:0:\ngit:x:${gitUser}:\n` };
const usualEnv = [
  "PATH=/usr/bin:/usr/sbin",
  "HOME=/tmp",
  "LC_ALL=C",
  "GIT_TERMINAL_PROMPT=0",
  "GIT_CONFIG_NOSYSTEM=1",
  "GIT_TEMPLATE_DIR=/etc/git",
  "GIT_ALLOW_PROTOCOL=http:https:git:ssh",
];
/** Else git asks for the name of its host, and a resolver may take long to say that it knows none. */
const identity = ["AUTHOR", "COMMITTER"].flatMap((role) => [`GIT_${role}_NAME=git`, `GIT_${role}_EMAIL=git@localhost`]);
/** The keys of hosts are taken as they come, as BuildKit takes them. */
const ssh = "ssh -o StrictHostKeyChecking=accept-new -o UserKnownHostsFile=/tmp/known_hosts -o BatchMode=yes";

/**
 * Runs a script with the tool tree's git as a user without rights, in a container that has the tool tree's programs, the
 * network of this machine, and of its files nothing but `directory`.
 */
export async function runGit(access: GitAccess, { script, args, env, directory, agent }: GitRun): Promise<GitRan> {
  const { backends, signal, output } = access;
  const rootfs = access.scratch();
  makeRoot(rootfs);
  try {
    chownSync(directory, gitUser, gitUser);
    const mounts: SpecMount[] = [
      { type: "bind", source: "/usr", destination: "/usr", readOnly: true, nonRecursive: true },
      { type: "tmpfs", destination: "/usr/lib/slipway", readOnly: true },
      { type: "bind", source: "/etc/ssl", destination: "/etc/ssl", readOnly: true, nonRecursive: true },
      { type: "bind", source: directory, destination: "/work", readOnly: false },
      { type: "tmpfs", destination: "/tmp", readOnly: false, options: ["size=16m", "mode=1777"] },
    ];
    if (agent !== undefined) {
      chownSync(agent, gitUser, gitUser);
      chmodSync(agent, 0o600);
      mounts.push({ type: "bind", source: agent, destination: "/run/agent", readOnly: false });
    }
    const said = { stdout: new Said(), stderr: new Said() };
    const id = generateId();
    const request = {
      args: ["/usr/bin/busybox", "sh", "-c", script, "git", ...args],
      env: [...usualEnv, ...identity, `GIT_SSH_COMMAND=${ssh}`, ...(agent === undefined ? [] : ["SSH_AUTH_SOCK=/run/agent"]), ...env],
      user: `${gitUser}:${gitUser}`,
      workdir: "/work",
      hostname: "git",
      hostConfig: { NetworkMode: "host", CapDrop: ["ALL"], SecurityOpt: ["no-new-privileges"], ReadonlyRootfs: true },
      mounts,
      userns: undefined,
      output: async (stream: "stdout" | "stderr", chunk: Buffer) => {
        said[stream].add(chunk);
        await output(chunk);
      },
      signal,
    };
    const { exitCode: code } = await execute(backends, { id, rootfs }, request);
    signal.throwIfAborted();
    return { code, stdout: said.stdout.text, stderr: said.stderr.text };
  } finally {
    rmSync(rootfs, { recursive: true, force: true });
  }
}

function makeRoot(rootfs: string): void {
  for (const name of ["usr", "etc/ssl", "etc/git", "dev", "proc", "sys", "run", "tmp", "work"]) mkdirSync(join(rootfs, name), { recursive: true, mode: 0o755 });
  for (const name of ["bin", "lib", "lib64"]) symlinkSync(`usr/${name}`, join(rootfs, name));
  for (const [name, text] of Object.entries(accounts)) writeFileSync(join(rootfs, "etc", name), text);
}

/** The beginning of what a program says. */
class Said {
  readonly #chunks: Buffer[] = [];
  #bytes = 0;

  add(chunk: Buffer): void {
    if (this.#bytes >= saidBytesMax) return;
    this.#chunks.push(chunk.subarray(0, saidBytesMax - this.#bytes));
    this.#bytes += chunk.length;
  }

  get text(): string {
    return Buffer.concat(this.#chunks).toString("utf8");
  }
}
