/** Cache mounts: which directory a step sees, and what becomes of it. */
import { afterAll, beforeAll, expect, test } from "vitest";
import { type BuildRig, openBuildRig } from "./build.rig.ts";

let rig: BuildRig;
beforeAll(async () => {
  rig = await openBuildRig("mounts");
});
afterAll(async () => {
  await rig?.[Symbol.asyncDispose]();
});

const cat = (image: string, ...paths: readonly string[]): Promise<string> => rig.docker.ok("run", "--rm", image, "cat", ...paths);
const meet = (own: string, other: string): string =>
  `touch /meet/${own}; n=0; until [ -e /meet/${other} ]; do n=$((n+1)); [ $n -lt 600 ] || exit 1; sleep 0.1; done`;
const caches = async (): Promise<string[]> => {
  const { BuildCache } = JSON.parse(await rig.docker.ok("system", "df", "-v", "--format", "{{json .}}")) as {
    BuildCache: { CacheType: string; Description: string }[] | null;
  };
  return (BuildCache ?? []).filter(({ CacheType }) => CacheType === "exec.cachemount").map(({ Description }) => Description);
};

test("a private mount is not what steps that share the name have at the same time, and each finds its own again", async () => {
  const stage = (name: string, sharing: string, other: string): string =>
    `FROM busybox AS ${name}\nARG R\nRUN --mount=type=cache,target=/meet,id=beside-$R --mount=type=cache,target=/c,id=beside,sharing=${sharing} touch /c/${name}-$R; ${meet(name, other)}; ls /c > /seen\n`;
  const dockerfile = `${stage("a", "shared", "b")}${stage("b", "private", "a")}FROM busybox\nCOPY --from=a /seen /a\nCOPY --from=b /seen /b\n`;
  await rig.build({ Dockerfile: dockerfile }, "--build-arg", "R=1", "-t", "beside:1");
  expect([await cat("beside:1", "/a"), await cat("beside:1", "/b")]).toEqual(["a-1", "b-1"]);
  await rig.build({ Dockerfile: dockerfile }, "--build-arg", "R=2", "-t", "beside:2");
  // Both directories are used again, whichever step asks first.
  const seen = [await cat("beside:2", "/a"), await cat("beside:2", "/b")];
  expect(seen.toSorted()).toEqual(seen[0]?.includes("-1") && seen[0].includes("a-1") ? ["a-1\na-2", "b-1\nb-2"] : ["a-1\nb-2", "a-2\nb-1"]);
});

test("a locked mount waits for steps that share it", async () => {
  const mount = (sharing: string): string => `--mount=type=cache,target=/c,id=both,sharing=${sharing}`;
  const shared = `FROM busybox AS shared\nRUN --mount=type=cache,target=/meet,id=both-meet ${mount("shared")} touch /c/busy /meet/busy && sleep 2 && rm /c/busy && touch /done\n`;
  const wait = "n=0; until [ -e /meet/busy ]; do n=$((n+1)); [ $n -lt 600 ] || exit 1; sleep 0.1; done";
  // The step before it tells when the other is at it.
  const locked = `FROM busybox AS locked\nRUN --mount=type=cache,target=/meet,id=both-meet ${wait}\nRUN ${mount("locked")} ls /c > /seen\n`;
  await rig.build({ Dockerfile: `${shared}${locked}FROM busybox\nCOPY --from=shared /done /\nCOPY --from=locked /seen /seen\n` }, "-t", "both");
  expect(await cat("both", "/seen")).toBe("");
});

test("a mount that begins as a stage's files keeps what steps add, begins anew with them, and is cache as any other", async () => {
  const dockerfile =
    "FROM busybox AS src\nARG V\nRUN mkdir /seed && echo $V > /seed/f && chown 7:8 /seed/f && ln -s f /seed/l && chmod 640 /seed/f\n" +
    "FROM busybox\nARG R\nRUN --mount=type=cache,target=/c,id=seeded,from=src,source=/seed echo $R >> /c/log; cat /c/l /c/log > /seen; stat -c '%a %u %g' /c/f >> /seen\n";
  const built = async (v: string, r: string): Promise<string> => {
    await rig.build({ Dockerfile: dockerfile }, "--build-arg", `V=${v}`, "--build-arg", `R=${r}`, "-t", "seeded");
    return (await cat("seeded", "/seen")).replaceAll("\n", " ");
  };
  expect(await built("one", "1")).toBe("one 1 640 7 8");
  expect(await built("one", "2")).toBe("one 1 2 640 7 8");
  expect(await built("two", "3")).toBe("two 3 640 7 8");
  const own = async (): Promise<string[]> => (await caches()).filter((text) => text.endsWith('with id "/seeded"'));
  expect(await own()).toEqual(Array(2).fill(expect.stringMatching(/^cached mount \/c from exec \/bin\/sh -c echo \$R >> /)));
  await rig.docker.ok("buildx", "prune", "-af", "--filter", "type=exec.cachemount");
  expect(await own()).toEqual([]);
  expect(await built("two", "4")).toBe("two 4 640 7 8");
  const missing = await rig.docker(
    "buildx",
    "build",
    rig.context({ Dockerfile: "FROM busybox\nRUN --mount=type=cache,target=/c,from=busybox,source=/not true\n" }),
  );
  expect(missing.stderr).toContain('"/not": not found');
});

test("buildx shows what the cache is cut down to", async () => {
  const shown = await rig.docker.ok("buildx", "inspect");
  const rules = shown.split(/GC Policy rule#\d+:\n/).slice(1);
  expect(rules).toHaveLength(4);
  expect(rules[0]).toMatch(/All:\s+false\s+Filters:\s+type==exec\.cachemount\s+Keep Duration:\s+48h0m0s/);
  // Older clients have a name of their own for the one size that they know.
  expect(rules[1]).toMatch(/All:\s+false\s+Keep Duration:\s+1440h0m0s\s+(Reserved Space|Keep Bytes):\s+\d+(\.\d+)?GiB/);
  expect(rules[3]).toMatch(/All:\s+true/);
});
