import { expect, test } from "vitest";
import type { ComposeActOptions } from "#api/compose.ts";
import { actArguments, checkedSource, projectArguments, topsOf } from "./arguments.ts";

const source = { folder: "/home/me/shop", files: ["/home/me/shop/compose.yaml", "/srv/more.yaml"], project: "shop", home: "/home/me" };
const options: ComposeActOptions = { verb: "up", services: [], scale: {}, build: false, removeOrphans: false, volumes: false, dryRun: false };

test("the project's folder and files come before the verb, and the last file may be what is typed", () => {
  expect(projectArguments(source, false).join(" ")).toBe(
    "--ansi never --project-directory /home/me/shop -p shop -f /home/me/shop/compose.yaml -f /srv/more.yaml",
  );
  expect(projectArguments({ ...source, project: "" }, true).join(" ")).toBe(
    "--ansi never --project-directory /home/me/shop -f /home/me/shop/compose.yaml -f -",
  );
  expect(topsOf(source)).toEqual(["home", "srv"]);
});

test("a path that is an option, relative, or leads upwards is refused", () => {
  for (const folder of ["", "-f", "shop", "/home/../etc", "/home/me/", "/"])
    expect(() => checkedSource({ ...source, folder }), folder).toThrow(expect.objectContaining({ class: "invalidArgument" }));
  expect(() => checkedSource({ ...source, files: [] })).toThrow("1 to 32 files");
  expect(() => checkedSource({ ...source, project: "--help" })).toThrow("--help");
});

test("each verb takes what is its own, and nothing that compose would read as an option", () => {
  expect(actArguments({ ...options, build: true, removeOrphans: true, scale: { web: 2 } }).join(" ")).toBe("up -d --remove-orphans --build --scale web=2");
  expect(actArguments({ ...options, dryRun: true, services: ["web"] }).join(" ")).toBe("up -d --dry-run web");
  expect(actArguments({ ...options, verb: "down", volumes: true }).join(" ")).toBe("down --volumes");
  expect(actArguments({ ...options, verb: "scale", scale: { web: 3 } }).join(" ")).toBe("up -d --no-recreate --no-deps --scale web=3 web");
  expect(actArguments({ ...options, verb: "restart", services: ["db"] })).toEqual(["restart", "db"]);
  expect(() => actArguments({ ...options, verb: "exec" as "up" })).toThrow("known are up, down");
  expect(() => actArguments({ ...options, services: ["--help me"] })).toThrow("no service's name");
  expect(() => actArguments({ ...options, verb: "scale" })).toThrow("how many");
  expect(() => actArguments({ ...options, scale: { web: -1 } })).toThrow("0 to 1000");
});
