import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { createReadStream, existsSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { promisify } from "node:util";
import { EngineError, messageOf } from "#base/errors.ts";
import type { Arch } from "./recipe.ts";

const run = promisify(execFile);

/** One package file, as the lock pins it. */
export interface Package {
  readonly name: string;
  readonly version: string;
  readonly file: string;
  readonly sha256: string;
}

export interface Mirrors {
  readonly debian: string;
  readonly security: string;
}
export const defaultMirrors: Mirrors = { debian: "http://deb.debian.org/debian", security: "http://deb.debian.org/debian-security" };

const keyrings = ["/usr/share/keyrings/debian-archive-keyring.gpg", "/usr/share/keyrings/debian-archive-keyring.pgp"];
const outputBytesMax = 64 * 1024 * 1024;

/**
 * The host's apt, pointed at a directory of its own: it verifies Debian's signatures and fetches package files of any
 * architecture, with neither root nor a trace outside that directory. Of the host's settings only `Acquire` (proxies) is taken over.
 */
export class PrivateApt {
  readonly #env: NodeJS.ProcessEnv;

  private constructor(directory: string) {
    this.#env = { ...process.env, APT_CONFIG: join(directory, "apt.conf"), LC_ALL: "C" };
  }

  /** Writes the settings and reads the archive's current lists. */
  static async open(directory: string, { arch, mirrors, signal }: { arch: Arch; mirrors: Mirrors; signal: AbortSignal }): Promise<PrivateApt> {
    const keyring = keyrings.find((path) => existsSync(path));
    if (!keyring) throw new EngineError("unavailable", "Debian's archive keys are missing: apt-get install debian-archive-keyring");
    for (const name of ["etc/apt.conf.d", "etc/preferences.d", "state/lists/partial", "cache/archives/partial"]) {
      mkdirSync(join(directory, name), { recursive: true });
    }
    writeFileSync(join(directory, "status"), "");
    writeFileSync(join(directory, "etc/sources.list"), sources(mirrors, keyring));
    const apt = new PrivateApt(directory);
    const { stdout: host } = await command("apt-config", ["dump"], { signal });
    writeFileSync(join(directory, "apt.conf"), settings(directory, arch, host));
    await command("apt-get", ["update", "-q"], { env: apt.#env, signal });
    return apt;
  }

  /** What the archive has now. `wanted`: names, or NAME=VERSION. A name or version it does not have fails with class `notFound`. */
  async resolve(wanted: readonly string[], opts: { signal: AbortSignal }): Promise<readonly Package[]> {
    const { stdout } = await command("apt-get", ["download", "-q", "--print-uris", ...wanted], { env: this.#env, signal: opts.signal });
    return parseUris(stdout);
  }

  /** The packages a package depends on by name, alternatives left out. */
  async dependencies(name: string, opts: { signal: AbortSignal }): Promise<readonly string[]> {
    const { stdout } = await command("apt-cache", ["depends", name], { env: this.#env, signal: opts.signal });
    return [...stdout.matchAll(/^\s+Depends: (\S+)/gm)].map(([, dependency = ""]) => dependency);
  }

  /** Fetches package files into `directory`; those there already with the right digest are left alone. Class `notFound` as above. */
  async fetch(packages: readonly Package[], directory: string, opts: { signal: AbortSignal }): Promise<void> {
    mkdirSync(directory, { recursive: true });
    const missing: Package[] = [];
    for (const one of packages) if (!(await hasPackage(directory, one))) missing.push(one);
    if (missing.length === 0) return;
    const wanted = missing.map(({ name, version }) => `${name}=${version}`);
    await command("apt-get", ["download", "-q", ...wanted], { env: this.#env, cwd: directory, signal: opts.signal });
    for (const one of missing) {
      if (await hasPackage(directory, one)) continue;
      rmSync(join(directory, one.file), { force: true });
      throw new EngineError("unavailable", `${one.file} as the archive has it is not the file the lock pins (sha256 ${one.sha256})`);
    }
  }
}

export async function hasPackage(directory: string, { file, sha256 }: Package): Promise<boolean> {
  const path = join(directory, file);
  return existsSync(path) && (await sha256Of(path)) === sha256;
}

/** Lines of `apt-get --print-uris`: 'URI' FILE SIZE SHA256:HEX, the file named NAME_VERSION_ARCH.deb with its epoch's colon escaped. */
export function parseUris(text: string): readonly Package[] {
  return [...text.matchAll(/^'[^']+' (\S+) \d+ SHA256:([0-9a-f]{64})$/gm)].map(([, file = "", sha256 = ""]) => {
    const [name = "", version = ""] = file.split("_");
    return { name, version: decodeURIComponent(version), file, sha256 };
  });
}

function sources({ debian, security }: Mirrors, keyring: string): string {
  const line = (uri: string, suite: string): string => `deb [signed-by=${keyring}] ${uri} ${suite} main\n`;
  return line(debian, "trixie") + line(debian, "trixie-updates") + line(security, "trixie-security");
}

function settings(directory: string, arch: Arch, hostSettings: string): string {
  const acquire = hostSettings.split("\n").filter((line) => /^Acquire::\S+ ".+";$/.test(line) && !line.startsWith("Acquire::Languages"));
  return [
    `Dir "${directory}/";`,
    'Dir::Etc "etc";',
    'Dir::State "state";',
    `Dir::State::status "${join(directory, "status")}";`,
    'Dir::Cache "cache";',
    `APT::Architecture "${arch}";`,
    `APT::Architectures { "${arch}"; };`,
    // As root apt would give up its rights for _apt, which may not write here.
    'APT::Sandbox::User "root";',
    'Acquire::Languages "none";',
    ...acquire,
    "",
  ].join("\n");
}

interface CommandOptions {
  readonly env?: NodeJS.ProcessEnv;
  readonly cwd?: string;
  readonly signal: AbortSignal;
}

async function command(program: string, args: readonly string[], opts: CommandOptions): Promise<{ stdout: string }> {
  try {
    return await run(program, args, { ...opts, maxBuffer: outputBytesMax });
  } catch (error) {
    if (opts.signal.aborted) throw opts.signal.reason;
    const missing = error instanceof Error && "code" in error && error.code === "ENOENT";
    if (missing) throw new EngineError("unavailable", `${program} is missing: the image is made from Debian packages, on Debian or Ubuntu`, { cause: error });
    const unknown = /Unable to locate|was not found|no candidate/i.test(messageOf(error));
    throw new EngineError(unknown ? "notFound" : "unavailable", messageOf(error), { cause: error });
  }
}

export async function sha256Of(path: string): Promise<string> {
  const hash = createHash("sha256");
  await pipeline(createReadStream(path), hash);
  return hash.digest("hex");
}
