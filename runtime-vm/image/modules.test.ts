import { expect, test } from "vitest";
import { aliasTable, dependencyTable, moduleInfo, type Module } from "./modules.ts";

test("of a module every alias is read, also one right after another", () => {
  const strings = [
    "description=x",
    "alias=nft-expr-target",
    "alias=nft-expr-match",
    "license=GPL",
    "alias=nfnetlink-subsys-11",
    "depends=nfnetlink,x_tables",
    "intree=Y",
  ];
  expect(moduleInfo(Buffer.from(`\u007fELF\0${strings.join("\0")}\0`, "latin1"))).toEqual({
    depends: ["nfnetlink", "x_tables"],
    aliases: ["nft-expr-target", "nft-expr-match", "nfnetlink-subsys-11"],
  });
});

test("the tables name all that must be loaded before a module, and what else it is asked for by", () => {
  const module = (name: string, depends: readonly string[], aliases: readonly string[]): Module => ({ name, path: `kernel/${name}.ko`, depends, aliases });
  const all = [module("a", [], []), module("b", ["a"], []), module("c", ["b"], ["see", "sea"])];
  expect(dependencyTable(all)).toBe("kernel/a.ko:\nkernel/b.ko: kernel/a.ko\nkernel/c.ko: kernel/b.ko kernel/a.ko\n");
  expect(aliasTable(all)).toBe("alias see c\nalias sea c\n");
});
