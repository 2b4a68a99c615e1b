import { existsSync, globSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { EngineError } from "#base/errors.ts";

/**
 * Kernel modules as the image carries them: the ones named in kernel.ts with all they depend on, decompressed, and the
 * tables modprobe reads (modules.dep(5), modules.alias), which on a Debian system depmod makes after installation.
 */
export interface Module {
  readonly name: string;
  /** Path below the modules' directory, `kernel/fs/xfs/xfs.ko`. */
  readonly path: string;
  readonly depends: readonly string[];
  readonly aliases: readonly string[];
}

/** A module's contents by its path in the package. */
export type ReadModule = (path: string) => Promise<Buffer>;

/** The modules' directory of one kernel, as its package has it. */
export class ModuleIndex {
  readonly #paths: ReadonlyMap<string, string>;
  readonly #builtin: ReadonlySet<string>;
  readonly #read: ReadModule;

  constructor(paths: readonly string[], builtin: readonly string[], read: ReadModule) {
    this.#paths = new Map(paths.map((path) => [moduleName(path), path]));
    this.#builtin = new Set(builtin.map(moduleName));
    this.#read = read;
  }

  /** `decompress` gets a compressed module's path; a directory written by `writeModules` has none. */
  static open(directory: string, decompress?: ReadModule): ModuleIndex {
    const paths = globSync("kernel/**/*.ko*", { cwd: directory }).toSorted();
    const builtin = readFileSync(join(directory, "modules.builtin"), "utf8").split("\n").filter(Boolean);
    return new ModuleIndex(paths, builtin, async (path) => {
      if (path.endsWith(".ko")) return readFileSync(join(directory, path));
      if (!decompress) throw new EngineError("invalidArgument", `the module ${join(directory, path)} is compressed`);
      return await decompress(join(directory, path));
    });
  }

  /**
   * `names` with everything they depend on, each after its dependencies. What is built into this kernel is left out;
   * a name it has neither way fails.
   */
  async closure(names: readonly string[]): Promise<ReadonlyMap<Module, Buffer>> {
    const found = new Map<Module, Buffer>();
    const seen = new Set<string>();
    const visit = async (name: string, wantedBy: string): Promise<void> => {
      if (seen.has(name) || this.#builtin.has(name)) return;
      seen.add(name);
      const path = this.#paths.get(name);
      if (path === undefined) throw new EngineError("notFound", `this kernel has no module ${name}, which ${wantedBy} wants`);
      const contents = await this.#read(path);
      const info = moduleInfo(contents);
      for (const dependency of info.depends) await visit(dependency, name);
      found.set({ name, path: path.replace(/\.(xz|zst|gz)$/, ""), ...info }, contents);
    };
    for (const name of names) await visit(moduleName(name), "the recipe");
    return found;
  }
}

/** `kernel/fs/nls/nls-utf8.ko.xz` and `nls-utf8` are both the module nls_utf8. */
export const moduleName = (path: string): string =>
  basename(path)
    .replace(/\.ko(\.\w+)?$/, "")
    .replaceAll("-", "_");

/** KEY=VALUE strings of the section .modinfo. Modules have no other zero-ended strings of these shapes. */
export function moduleInfo(module: Buffer): { depends: readonly string[]; aliases: readonly string[] } {
  const text = module.toString("latin1");
  const values = (key: string): string[] => [...text.matchAll(new RegExp(`\\0${key}=([\\x21-\\x7e]*)(?=\\0)`, "g"))].map(([, value = ""]) => value);
  const depends = values("depends")
    .flatMap((list) => list.split(","))
    .filter(Boolean);
  return { depends: depends.map(moduleName), aliases: values("alias") };
}

/** Writes modules and their tables into `target`, a modules' directory. */
export function writeModules(target: string, modules: ReadonlyMap<Module, Buffer>, packaged: string): void {
  for (const [module, contents] of modules) {
    mkdirSync(dirname(join(target, module.path)), { recursive: true });
    writeFileSync(join(target, module.path), contents);
  }
  writeFileSync(join(target, "modules.dep"), dependencyTable([...modules.keys()]));
  writeFileSync(join(target, "modules.alias"), aliasTable([...modules.keys()]));
  for (const name of ["modules.builtin", "modules.builtin.modinfo"]) {
    if (existsSync(join(packaged, name))) writeFileSync(join(target, name), readFileSync(join(packaged, name)));
  }
}

/** `PATH: PATH...`: with a module, all that must be loaded before it, nearest first. */
export function dependencyTable(modules: readonly Module[]): string {
  const byName = new Map(modules.map((module) => [module.name, module]));
  const all = (module: Module): Module[] => {
    const direct = module.depends.flatMap((name) => byName.get(name) ?? []);
    return [...new Set([...direct, ...direct.flatMap(all)].toReversed())].toReversed();
  };
  return modules.map((module) => `${[`${module.path}:`, ...all(module).map(({ path }) => path)].join(" ")}\n`).join("");
}

export const aliasTable = (modules: readonly Module[]): string =>
  modules.flatMap(({ name, aliases }) => aliases.map((alias) => `alias ${alias} ${name}\n`)).join("");
