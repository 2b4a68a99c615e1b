import {
  type CopySyncOptions,
  constants,
  copyFileSync,
  cpSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { EngineError } from "#base/errors.ts";
import { appletsOf } from "./busybox.ts";
import { readElfNeeds } from "./elf.ts";
import { type Arch, directories, files, links, loader, recipe, triplet } from "./recipe.ts";

/**
 * Assembles the tool tree: the programs of the recipe with the libraries they link to, out of unpacked packages that
 * were never configured, so that everything maintainer scripts would do is done here.
 */
export function assembleTree(unpacked: string, target: string, { arch, node }: { arch: Arch; node: string }): void {
  for (const name of directories) mkdirSync(join(target, name), { recursive: true });
  for (const [path, to] of links(arch)) link(target, path, to);
  for (const [path, text] of files) writeFileSync(join(target, path), text);
  const tree = new Tree(unpacked, target, arch);
  for (const program of recipe(arch).programs) tree.add(program);
  tree.addForeign(node, "usr/bin/node");
  for (const [from, to] of recipe(arch).data) place(join(unpacked, from), join(target, to), from);
  linkApplets(target);
  bundleCertificates(unpacked, target);
  copyLicences(unpacked, target);
}

class Tree {
  readonly #unpacked: string;
  readonly #target: string;
  readonly #arch: Arch;
  readonly #added = new Set<string>();

  constructor(unpacked: string, target: string, arch: Arch) {
    this.#unpacked = unpacked;
    this.#target = target;
    this.#arch = arch;
  }

  /** Copies a file of the packages, what its links lead to, and every library it needs. */
  add(path: string): void {
    if (this.#added.has(path)) return;
    this.#added.add(path);
    const source = join(this.#unpacked, path);
    const info = lstatSync(source, { throwIfNoEntry: false });
    if (!info) throw new EngineError("notFound", `${path} is in none of the recipe's packages: name its package in recipe.ts`);
    if (info.isSymbolicLink()) {
      const to = readlinkSync(source);
      link(this.#target, path, to);
      return this.add(relative("/", resolve("/", dirname(path), to)));
    }
    place(source, join(this.#target, path), path);
    this.#addNeeds(source);
  }

  /** Copies a file from elsewhere, with the libraries it needs from the packages. */
  addForeign(source: string, path: string): void {
    place(source, join(this.#target, path), path);
    this.#addNeeds(source);
  }

  #addNeeds(source: string): void {
    const needs = readElfNeeds(source);
    if (!needs) return;
    if (needs.interpreter !== undefined && needs.interpreter !== loader(this.#arch)) {
      throw new EngineError("invalidArgument", `${source} wants the loader ${needs.interpreter}: it is no program for ${this.#arch}`);
    }
    if (needs.interpreter !== undefined) this.add(`usr${needs.interpreter}`);
    for (const name of needs.needed) this.add(this.#library(name));
  }

  #library(name: string): string {
    return `usr${loader(this.#arch)}`.endsWith(`/${name}`) ? `usr${loader(this.#arch)}` : `usr/lib/${triplet(this.#arch)}/${name}`;
  }
}

function link(target: string, path: string, to: string): void {
  mkdirSync(dirname(join(target, path)), { recursive: true });
  symlinkSync(to, join(target, path));
}

function place(source: string, target: string, name: string): void {
  if (!existsSync(source)) throw new EngineError("notFound", `${name} is missing at ${source}`);
  mkdirSync(dirname(target), { recursive: true });
  copyFileSync(source, target, constants.COPYFILE_FICLONE);
}

/** A link for each of busybox's applets, where no real program has the name. */
function linkApplets(target: string): void {
  for (const applet of appletsOf(join(target, "usr/bin/busybox"))) {
    const taken = ["usr/bin", "usr/sbin"].some((folder) => existsSync(join(target, folder, applet)));
    if (!taken) symlinkSync("busybox", join(target, "usr/bin", applet));
  }
}

/** What update-ca-certificates makes: all of Mozilla's roots in one file. */
function bundleCertificates(unpacked: string, target: string): void {
  const folder = join(unpacked, "usr/share/ca-certificates/mozilla");
  const roots = readdirSync(folder).filter((name) => name.endsWith(".crt"));
  const bundle = roots.toSorted().map((name) => readFileSync(join(folder, name), "utf8").trimEnd());
  writeFileSync(join(target, "etc/ssl/certs/ca-certificates.crt"), `${bundle.join("\n")}\n`);
}

function copyLicences(unpacked: string, target: string): void {
  const copyrights: CopySyncOptions = { recursive: true, dereference: true };
  for (const name of readdirSync(join(unpacked, "usr/share/doc"))) {
    const source = join(unpacked, "usr/share/doc", name, "copyright");
    if (existsSync(source)) cpSync(source, join(target, "usr/share/doc", name, "copyright"), copyrights);
  }
}
