import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { clients } from "../fixtures/clients.mjs";
import { type Result, stockDocker } from "../fixtures/docker.ts";
import { startEngine } from "../fixtures/program.ts";
import { type BuildRig, openBuildRig } from "./build.rig.ts";

let rig: BuildRig;
beforeAll(async () => {
  rig = await openBuildRig("bf");
});
afterAll(async () => {
  await rig?.[Symbol.asyncDispose]();
});

type Files = Readonly<Record<string, string>>;
const builders = ["classic", "buildkit"] as const;
const build = (builder: (typeof builders)[number], files: Files, ...args: readonly string[]): Promise<Result> =>
  rig.docker.inside(["env", `DOCKER_BUILDKIT=${builder === "classic" ? 0 : 1}`, clients.docker, "build", ...args, rig.context(files)]);
const read = (image: string, ...paths: readonly string[]): Promise<string> => rig.docker.ok("run", "--rm", image, "cat", ...paths);

/** Puts an image whose `/version` says `version` into the registry, and forgets it here. */
async function publish(name: string, version: string): Promise<void> {
  await rig.build({ Dockerfile: "FROM busybox\nCOPY version /version\n", version }, "-t", name, "--push");
  await rig.docker("rmi", "-f", name);
}

test.each(builders)("--pull asks the registry for a newer base, which is not asked otherwise, by the %s builder", async (builder) => {
  const base = `${rig.registry}/base-${builder}:1`;
  const files = { Dockerfile: `FROM ${base}\nRUN cp /version /seen\n` };
  await publish(base, "old");
  await rig.docker.ok("pull", base);
  const old = await rig.docker.ok("image", "inspect", "-f", "{{.Id}}", base);
  await publish(base, "new");
  await rig.docker.ok("pull", "-q", `${base.slice(0, -2)}@${old}`);
  await rig.docker.ok("tag", `${base.slice(0, -2)}@${old}`, base);
  expect(await build(builder, files, "-t", "pulled")).toMatchObject({ code: 0 });
  expect(await read("pulled", "/seen")).toBe("old");
  expect(await build(builder, files, "--pull", "-t", "pulled")).toMatchObject({ code: 0 });
  expect(await read("pulled", "/seen")).toBe("new");
});

test.each(builders)("--pull of a base that no registry has is an error although it is here, by the %s builder", async (builder) => {
  const base = `${rig.registry}/here-only:1`;
  await rig.docker.ok("tag", "busybox", base);
  expect(await build(builder, { Dockerfile: `FROM ${base}\n` }, "-t", "here")).toMatchObject({ code: 0 });
  const refused = await build(builder, { Dockerfile: `FROM ${base}\n` }, "--pull", "-t", "here");
  expect(refused).toMatchObject({ code: 1, stderr: expect.stringMatching(/here-only:1.*not found|manifest unknown/s) });
});

test("--no-cache-filter runs the named stages anew, and takes the others from the cache", async () => {
  const random = (name: string): string => `RUN head -c 8 /dev/urandom | od -An -tx1 > /${name}\n`;
  const Dockerfile = `FROM busybox AS one\n${random("one")}FROM busybox AS two\n${random("two")}FROM busybox\nCOPY --from=one /one /\nCOPY --from=two /two /\n`;
  const made = async (...args: readonly string[]): Promise<string[]> => {
    expect(await build("buildkit", { Dockerfile }, "-t", "filtered", ...args)).toMatchObject({ code: 0 });
    return (await read("filtered", "/one", "/two")).split("\n");
  };
  const first = await made();
  expect(await made()).toEqual(first);
  const second = await made("--no-cache-filter", "two");
  expect(second[0]).toBe(first[0]);
  expect(second[1]).not.toBe(first[1]);
  const third = await made("--no-cache-filter", "one,two");
  expect(third[0]).not.toBe(second[0]);
  expect(third[1]).not.toBe(second[1]);
});

test("a context of a name stands for what the Dockerfile takes by it: an image, a layout, a folder", async () => {
  const Dockerfile = "FROM base\nCOPY --from=more f /f\nRUN --mount=from=more,target=/m cat /m/f > /mounted\n";
  const more = rig.context({ f: "from a folder", ".dockerignore": "" });
  await rig.build({ Dockerfile: "FROM busybox\nRUN echo an image > /base\n" }, "-t", "some-base");
  const layout = join(rig.dir, "base-layout");
  await rig.build({ Dockerfile: "FROM busybox\nRUN echo a layout > /base\n" }, "-o", `type=oci,dest=${layout},tar=false,name=x:v1`);
  const from = async (base: string): Promise<string> => {
    const built = await build("buildkit", { Dockerfile }, "--build-context", `base=${base}`, "--build-context", `more=${more}`, "-t", "named");
    expect(built.code, built.stderr).toBe(0);
    return await read("named", "/base", "/f", "/mounted");
  };
  expect(await from("docker-image://some-base")).toBe("an image\nfrom a folderfrom a folder");
  expect(await from(`oci-layout://${layout}:v1`)).toBe("a layout\nfrom a folderfrom a folder");
  const onLayout = `${rig.registry}/on-layout:1`;
  const args = ["--build-context", `my/base:2=oci-layout://${layout}:v1`, "--provenance=mode=max", "-t", onLayout, "--push"];
  expect(await build("buildkit", { Dockerfile: "FROM my/base:2\n" }, ...args)).toMatchObject({ code: 0 });
  const { materials } = JSON.parse(await rig.docker.ok("buildx", "imagetools", "inspect", onLayout, "--format", "{{json .Provenance.SLSA}}")) as {
    materials: object[];
  };
  const { manifests } = JSON.parse(readFileSync(join(layout, "index.json"), "utf8")) as { manifests: { digest: string }[] };
  const digest = manifests[0]!.digest;
  const uri = expect.stringContaining(`pkg:oci/my/base@2?digest=${digest}&platform=linux%2F`) as string;
  expect(materials).toEqual([{ uri, digest: { sha256: digest.slice("sha256:".length) } }]);
  // A stage of the file gives way to it, too.
  const stage = { Dockerfile: "FROM busybox AS deps\nRUN exit 1\nFROM busybox\nCOPY --from=deps f /f\n" };
  expect(await build("buildkit", stage, "--build-context", `deps=${more}`, "-t", "named")).toMatchObject({ code: 0 });
  expect(await read("named", "/f")).toBe("from a folder");
});

test("a folder is a base image, its files root's, without what its own .dockerignore names, and a step goes on from it", async () => {
  const base = rig.context({ "etc/kind": "folder", f: "1", secret: "no", ".dockerignore": "sec*\n" });
  const Dockerfile = "FROM scratch-of-mine\nCOPY --from=busybox /bin /bin\nRUN echo ran > /ran\nLABEL a=b\n";
  const args = ["--build-context", `scratch-of-mine=${base}`, "-t", "on-folder"];
  expect(await build("buildkit", { Dockerfile }, ...args)).toMatchObject({ code: 0 });
  const seen = "cat /etc/kind /f /ran; ls /secret 2>&1; stat -c %u:%g /f /etc/kind";
  expect(await rig.docker.ok("run", "--rm", "on-folder", "sh", "-c", seen)).toBe("folder1ran\nls: /secret: No such file or directory\n0:0\n0:0");
  expect(await rig.docker.ok("history", "--format", "{{.CreatedBy}}", "on-folder")).toContain("local source for scratch-of-mine");
  expect(await rig.docker.ok("image", "inspect", "-f", "{{.Config.WorkingDir}} {{.Config.Labels}}", "on-folder")).toBe("/ map[a:b]");
});

test("a context's name stands for an image in whichever way a file writes it", async () => {
  await rig.build({ Dockerfile: "FROM busybox\nRUN echo instead > /which\n" }, "-t", "instead");
  for (const name of ["golang", "golang:latest", "docker.io/library/golang"]) {
    const built = await build("buildkit", { Dockerfile: `FROM ${name}\n` }, "--build-context", "golang=docker-image://instead", "-t", "named");
    expect(built.code, built.stderr).toBe(0);
    expect(await read("named", "/which")).toBe("instead");
  }
});

test("a file of a context of a name that changed makes what was made of it anew", async () => {
  const Dockerfile = "FROM busybox\nCOPY --from=more f /f\n";
  for (const f of ["one", "two"]) {
    const built = await build("buildkit", { Dockerfile }, "--build-context", `more=${rig.context({ f })}`, "-t", "renamed");
    expect(built.code, built.stderr).toBe(0);
    expect(await read("renamed", "/f")).toBe(f);
  }
});

test("a context of a name that is not there is told by its name", async () => {
  const missing = await build("buildkit", { Dockerfile: "FROM base\n" }, "--build-context", `base=docker-image://${rig.registry}/nothing:1`);
  expect(missing).toMatchObject({ code: 1, stderr: expect.stringContaining("nothing:1") });
});

test("a step has all rights where daemon.json and the client both grant them, and none more where one does not", async () => {
  const files = {
    Dockerfile: "FROM busybox\nRUN --security=insecure grep CapEff /proc/self/status > /all\nRUN --security=sandbox grep CapEff /proc/self/status > /some\n",
  };
  expect(await build("buildkit", files)).toMatchObject({ code: 1, stderr: expect.stringContaining("security.insecure is not allowed") });
  const withheld = await build("buildkit", files, "--allow", "security.insecure");
  expect(withheld).toMatchObject({
    code: 1,
    stderr: expect.stringContaining("granting entitlement security.insecure is not allowed by build daemon configuration"),
  });
  const config = join(rig.dir, "entitled.json");
  writeFileSync(config, '{"builder": {"entitlements": {"security-insecure": true, "network-host": false}}}');
  await using engine = await startEngine({ isolate: `slipway-entitled${process.pid}`, args: ["--config", config] });
  const docker = stockDocker({ socket: engine.socket });
  await docker.ok("load", "-i", join(rig.dir, "image.tar"));
  await docker.ok("buildx", "build", "--allow", "security.insecure", "-t", "entitled", rig.context(files));
  const own = BigInt(`0x${/CapEff:\s*(\S+)/.exec(readFileSync("/proc/self/status", "utf8"))?.[1] ?? "0"}`);
  const [all, some] = (await docker.ok("run", "--rm", "entitled", "cat", "/all", "/some")).split("\n");
  expect(BigInt(`0x${all?.split("\t")[1] ?? ""}`)).toBe(own);
  expect(some).toBe("CapEff:\t00000000a80425fb");
  const refused = await docker("buildx", "build", "--allow", "network.host", rig.context(files));
  expect(refused.stderr).toContain("granting entitlement network.host is not allowed by build daemon configuration");
});

test("a base image that is to be had for another platform only is built on, and warned of with its line", async () => {
  const other = process.arch === "arm64" ? "amd64" : "arm64";
  const own = process.arch === "arm64" ? "arm64" : "amd64";
  const base = `${rig.registry}/here:1`;
  await rig.docker.ok("tag", "busybox", base);
  const warning = `InvalidBaseImagePlatform: Base image ${base} was pulled with platform "linux/${own}", expected "linux/${other}" for current build (line 2)`;
  const files = { Dockerfile: `ARG X\nFROM ${base}\nCOPY f /f\n`, f: "f" };
  const built = await build("buildkit", files, "--platform", `linux/${other}`);
  expect([built.code, built.stderr]).toEqual([0, expect.stringContaining(warning)]);
  const strict = { ...files, Dockerfile: `# check=error=true\n${files.Dockerfile}` };
  const refused = await build("buildkit", strict, "--platform", `linux/${other}`);
  expect([refused.code, refused.stderr]).toEqual([1, expect.stringContaining("lint violation found for rules: InvalidBaseImagePlatform")]);
  const skipped = { ...files, Dockerfile: `# check=skip=InvalidBaseImagePlatform\n${files.Dockerfile}` };
  expect((await build("buildkit", skipped, "--platform", `linux/${other}`)).stderr).not.toContain("InvalidBaseImagePlatform");
});
