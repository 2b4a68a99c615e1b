import { once } from "node:events";
import { lstatSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { connect, createServer } from "node:net";
import { join } from "node:path";
import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest";
import { type BuildRig, openBuildRig } from "./build.rig.ts";

let rig: BuildRig;
beforeAll(async () => {
  rig = await openBuildRig("bo");
});
afterAll(async () => {
  await rig?.[Symbol.asyncDispose]();
});

const files = { Dockerfile: "FROM busybox\nRUN echo made > /made\nCOPY f /f\nLABEL l=1\n", f: "one" };
const everywhere = { Dockerfile: "FROM scratch\nARG TARGETARCH\nCOPY f /f-$TARGETARCH\n", f: "one" };

interface Descriptor {
  readonly mediaType: string;
  readonly digest: string;
  readonly platform?: { readonly architecture: string };
  readonly annotations?: Readonly<Record<string, string>>;
}
const json = (text: string): unknown => JSON.parse(text);
const manifestsOf = (text: string): Descriptor[] => (json(text) as { manifests: Descriptor[] }).manifests;

test.each(["docker", "oci"])("an archive of type %s is loaded again, and runs", async (type) => {
  const archive = join(rig.dir, `${type}.tar`);
  await rig.build(files, "-o", `type=${type},dest=${archive},name=from-${type}:1`);
  await rig.docker.ok("load", "-i", archive);
  expect(await rig.docker.ok("run", "--rm", `from-${type}:1`, "cat", "/made", "/f")).toBe("made\none");
  const inside = (await rig.docker.inside(["tar", "-tf", archive])).stdout.split("\n");
  expect(inside.includes("manifest.json")).toBe(type === "docker");
  const [image] = manifestsOf((await rig.docker.inside(["tar", "-xOf", archive, "index.json"])).stdout);
  expect(image?.annotations).toMatchObject({ "io.containerd.image.name": `docker.io/library/from-${type}:1`, "org.opencontainers.image.ref.name": "1" });
});

test("an OCI layout goes into a directory of the client", async () => {
  const directory = join(rig.dir, "layout");
  await rig.build(files, "-o", `type=oci,dest=${directory},tar=false`);
  const [image] = manifestsOf(readFileSync(join(directory, "index.json"), "utf8"));
  expect(readdirSync(join(directory, "blobs/sha256"))).toContain(image?.digest.slice("sha256:".length));
});

test("several outputs of one build each get what they want", async () => {
  const [archive, directory] = [join(rig.dir, "both.tar"), join(rig.dir, "both")];
  await rig.build(everywhere, "-t", "both:1", "-o", "type=image", "-o", `type=tar,dest=${archive}`, "-o", `type=local,dest=${directory}`);
  expect(readdirSync(directory)).toHaveLength(1);
  expect((await rig.docker.inside(["tar", "-tf", archive])).stdout.trim()).toBe(readdirSync(directory)[0]);
  expect(await rig.docker.ok("images", "-q", "both:1")).not.toBe("");
});

test("what is pushed is what the client is told, layers packed, with its provenance", async () => {
  const [metadata, iid] = [join(rig.dir, "pushed.json"), join(rig.dir, "pushed.iid")];
  const name = `${rig.registry}/pushed:1`;
  await rig.build(files, "-t", name, "--push", "--metadata-file", metadata, "--iidfile", iid);
  const told = json(readFileSync(metadata, "utf8")) as Record<string, unknown>;
  const digest = told["containerimage.digest"];
  expect(told["image.name"]).toBe(name);
  expect(readFileSync(iid, "utf8")).toBe(digest);
  const index = manifestsOf(await rig.docker.ok("buildx", "imagetools", "inspect", "--raw", name));
  expect(index.map(({ annotations }) => annotations?.["vnd.docker.reference.digest"])).toEqual([undefined, index[0]?.digest]);
  const manifest = await rig.docker.ok("buildx", "imagetools", "inspect", "--raw", `${rig.registry}/pushed@${index[0]?.digest}`);
  const { layers } = json(manifest) as { layers: Descriptor[] };
  expect(layers.slice(1).map(({ mediaType }) => mediaType)).toEqual(Array(2).fill("application/vnd.oci.image.layer.v1.tar+gzip"));
  await rig.docker.ok("image", "rm", name);
  expect(await rig.docker.ok("run", "--rm", name, "cat", "/made")).toBe("made");
});

test("without provenance an image is its manifest; the identity in the file is that of its configuration", async () => {
  const [metadata, iid] = [join(rig.dir, "plain.json"), join(rig.dir, "plain.iid")];
  await rig.build(files, "-t", "plain:1", "--provenance=false", "--metadata-file", metadata, "--iidfile", iid);
  const told = json(readFileSync(metadata, "utf8")) as Record<string, unknown>;
  expect(told["containerimage.descriptor"]).toMatchObject({ mediaType: "application/vnd.oci.image.manifest.v1+json", digest: told["containerimage.digest"] });
  expect(readFileSync(iid, "utf8")).toBe(told["containerimage.config.digest"]);
  expect(await rig.docker.ok("image", "inspect", "-f", "{{.Id}}", "plain:1")).toBe(told["containerimage.digest"]);
});

test("all there is to tell of a build stands in the provenance that asks for the most", async () => {
  const name = `${rig.registry}/most:1`;
  await rig.build(files, "-t", name, "--push", "--provenance=mode=max", "--build-arg", "A=given");
  const told = json(await rig.docker.ok("buildx", "imagetools", "inspect", name, "--format", "{{json .Provenance.SLSA}}")) as { materials: { uri: string }[] };
  expect(told).toMatchObject({ invocation: { parameters: { args: { "build-arg:A": "given" } } }, metadata: { completeness: { parameters: true } } });
  const data = Buffer.from(files.Dockerfile).toString("base64");
  expect(told).toMatchObject({ metadata: { "https://mobyproject.org/buildkit@v1#metadata": { source: { infos: [{ data }] } } } });
  expect(told.materials.map(({ uri }) => uri)).toEqual([expect.stringMatching(/^pkg:docker\/busybox@latest\?platform=linux%2F/)]);
});

test("an image of several platforms is one index; each has a directory of its own elsewhere", async () => {
  const directory = join(rig.dir, "platforms");
  const name = `${rig.registry}/many:1`;
  await rig.build(everywhere, "--platform", "linux/amd64,linux/arm64", "-t", name, "--push", "--annotation", "index:of=all");
  const raw = await rig.docker.ok("buildx", "imagetools", "inspect", "--raw", name);
  expect(manifestsOf(raw).map(({ platform }) => platform?.architecture)).toEqual(["amd64", "arm64", "unknown", "unknown"]);
  expect(json(raw)).toMatchObject({ annotations: { of: "all" } });
  await rig.build(everywhere, "--platform", "linux/amd64,linux/arm64", "-o", directory);
  expect(readdirSync(directory).map((one) => [one, readdirSync(join(directory, one))])).toEqual([
    ["linux_amd64", ["f-amd64"]],
    ["linux_arm64", ["f-arm64"]],
  ]);
  const refused = await rig.docker("buildx", "build", "--platform", "linux/amd64,linux/arm64", "-o", "type=docker,dest=/dev/null", rig.context(everywhere));
  expect(refused.stderr).toContain("docker exporter does not support exporting manifest lists, use the oci exporter instead");
});

test("an output nobody knows is refused", async () => {
  const refused = await rig.docker("buildx", "build", "-o", "type=wat", rig.context(files));
  expect(refused.stderr).toContain('exporter "wat" could not be found');
});

test("bake builds its targets, one standing on another", async () => {
  const context = rig.context({
    ...files,
    "base.Dockerfile": "FROM busybox\nRUN echo base > /base\n",
    "on.Dockerfile": "FROM base\nCOPY --from=base /base /again\n",
  });
  const target = (name: string, lines: readonly string[]): string => `target "${name}" {\n${[`context = "${context}"`, ...lines].join("\n")}\n}\n`;
  const bake = join(rig.dir, "bake.hcl");
  writeFileSync(
    bake,
    `group "default" {\n  targets = ["one", "on"]\n}\n${target("one", ['tags = ["baked-one:1"]'])}${target("base", ['dockerfile = "base.Dockerfile"'])}${target(
      "on",
      ['dockerfile = "on.Dockerfile"', 'contexts = { base = "target:base" }', 'tags = ["baked-on:1"]'],
    )}`,
  );
  await rig.docker.ok("buildx", "bake", "-f", bake);
  expect(await rig.docker.ok("run", "--rm", "baked-one:1", "cat", "/f")).toBe("one");
  expect(await rig.docker.ok("run", "--rm", "baked-on:1", "cat", "/base", "/again")).toBe("base\nbase");
});

test.each<[string, string, readonly string[]]>([
  ["a file of one stage names it nowhere", "FROM busybox AS only\nENV a=b\nCOPY f /f\n", ["[1/2] FROM", "[2/2] COPY"]],
  [
    "each of several has its name or its number",
    "FROM busybox\nCOPY f /\nFROM busybox AS b\nCOPY --from=0 f /\n",
    ["[b 1/2] FROM", "[b 2/2] COPY", "[stage-0 1/2] FROM", "[stage-0 2/2] COPY"],
  ],
  ["nothing to stand on is no step", "FROM scratch\nCOPY f /\nWORKDIR /x\n", ["[1/2] COPY", "[2/2] WORKDIR"]],
  ["nor is an earlier stage", "FROM busybox AS a\nFROM a\nRUN true\n", ["[a 1/1] FROM", "[stage-1 1/1] RUN"]],
  ["triggers all count and say what they are", "FROM triggers\nRUN true\n", ["[1/2] FROM", "[2/5] ONBUILD RUN", "[3/5] ONBUILD COPY", "[4/5] RUN"]],
])("the steps that are shown: %s", async (_what, dockerfile, shown) => {
  await rig.build({ Dockerfile: "FROM busybox\nONBUILD RUN true\nONBUILD ENV a=b\nONBUILD COPY f /\n" }, "-t", "triggers");
  const { stderr } = await rig.build({ Dockerfile: dockerfile, f: "one" }, "--no-cache");
  const steps = [...stderr.matchAll(/^#\d+ (\[[^\]]*\d\/\d\] (?:ONBUILD )?[A-Z]+)/gm)].map(([, step = ""]) => step);
  expect([...new Set(steps)].toSorted()).toEqual(shown);
});

test("base images are found first, each once; then they come, layer by layer", async () => {
  const name = `${rig.registry}/based:1`;
  await rig.build({ Dockerfile: "FROM busybox\nCOPY own /own\n", own: "a layer of its own" }, "-t", name, "--push", "--provenance=false");
  const digest = await rig.docker.ok("image", "inspect", "-f", "{{index .RepoDigests 0}}", name).then((text) => text.split("@")[1]);
  await rig.docker.ok("rmi", name);
  await rig.docker.ok("builder", "prune", "-af");
  const dockerfile = `FROM ${name} AS a\nRUN true\nFROM ${name}\nCOPY --from=a /own /again\n`;
  const { stderr } = await rig.build({ Dockerfile: dockerfile }, "--no-cache");
  expect(stderr.match(/^#\d+ \[internal\] load metadata for .*$/gm)).toEqual([expect.stringContaining(`load metadata for ${name}`)]);
  expect(stderr).toMatch(new RegExp(`\\[a 1/2\\] FROM ${name}@${digest}$`, "m"));
  expect(stderr).toMatch(/^#\d+ extracting [0-9a-f]{12} .*done$/m);
  const missing = await rig.docker("buildx", "build", "--progress=plain", rig.context({ Dockerfile: `FROM ${rig.registry}/nobody:1\nRUN true\n` }));
  expect(missing.code).toBe(1);
  expect(missing.stderr).toMatch(/\[internal\] load metadata for \S+nobody:1\n#\d+ ERROR: /);
  expect(missing.stderr).not.toContain("] FROM");
});

test("an image that is copied from has a line of its own, and names the stages beside it", async () => {
  const { stderr } = await rig.build({ Dockerfile: "FROM scratch\nCOPY --from=busybox /bin/busybox /b\n" }, "--no-cache");
  expect(stderr).toMatch(/^#\d+ \[internal\] load metadata for docker\.io\/library\/busybox:latest$/m);
  expect(stderr).toMatch(/^#\d+ FROM docker\.io\/library\/busybox:latest@sha256:[0-9a-f]{64}$/m);
  expect(stderr).toMatch(/^#\d+ \[stage-0 1\/1\] COPY /m);
  expect(stderr).toMatch(/^#\d+ exporting attestation manifest sha256:[0-9a-f]{64} .*done$/m);
  expect(stderr).toMatch(/^#\d+ unpacking to moby-dangling@sha256:[0-9a-f]{64} .*done$/m);
  const nobody = `${rig.registry}/nobody:1`;
  const missing = await rig.docker("buildx", "build", rig.context({ Dockerfile: `FROM busybox\nRUN --mount=from=${nobody},target=/m true\n` }));
  expect(missing.stderr).toContain(`${nobody}: failed to resolve source metadata for ${nobody}: ${nobody}: not found`);
});

test("a build warns of what may not do what it seems to; where the file says so, that ends it", async () => {
  const warned = await rig.build({ Dockerfile: "FROM busybox AS Base\nMAINTAINER me\nENV A=$B\n" });
  for (const rule of [
    "StageNameCasing: Stage name 'Base' should be lowercase (line 1)",
    "MaintainerDeprecated: ",
    "UndefinedVar: Usage of undefined variable '$B' (line 3)",
  ]) {
    expect(warned.stderr).toContain(rule);
  }
  const skipped = await rig.build({ Dockerfile: "# check=skip=all\nFROM busybox AS Base\n" });
  expect(skipped.stderr).not.toContain("StageNameCasing");
  const failed = await rig.docker("buildx", "build", rig.context({ Dockerfile: "# check=error=true\nFROM busybox AS Base\n" }));
  expect(failed.code).toBe(1);
  expect(failed.stderr).toContain("lint violation found for rules: StageNameCasing");
});

/** What an agent says when it is asked for its keys (draft-miller-ssh-agent): one, with this comment. */
function identities(comment: string): Buffer {
  const text = (bytes: Buffer | string): Buffer => {
    const head = Buffer.alloc(4);
    head.writeUInt32BE(bytes.length);
    return Buffer.concat([head, Buffer.from(bytes)]);
  };
  const key = Buffer.concat([text("ssh-ed25519"), text(Buffer.alloc(32, 7))]);
  return text(Buffer.concat([Buffer.from([12, 0, 0, 0, 1]), text(key), text(comment)]));
}

test("a step reaches the client's agent while it runs; without one there is no socket", async () => {
  const path = join(rig.dir, "agent.sock");
  const agent = createServer((socket) => {
    socket.on("error", () => undefined);
    socket.on("data", () => socket.write(identities("agent-was-here")));
  }).listen(path);
  const client = new AbortController();
  // A step that goes on would outlive the engine.
  onTestFinished(() => {
    client.abort();
    agent.close();
  });
  await once(agent, "listening");
  const none = "FROM busybox\nRUN --mount=type=ssh [ -z $SSH_AUTH_SOCK ]\n";
  await rig.build({ Dockerfile: none }, "--no-cache");
  const required = await rig.docker("buildx", "build", rig.context({ Dockerfile: "FROM busybox\nRUN --mount=type=ssh,required true\n" }));
  expect(required.stderr).toContain("unset ssh forward key default");
  const there = "FROM busybox\nRUN --mount=type=ssh,mode=0666 test -S $SSH_AUTH_SOCK && sleep 6017\n";
  const context = rig.context({ Dockerfile: there });
  const running = rig.docker.with({ signal: client.signal }, "buildx", "build", "--ssh", `default=${path}`, context).catch(() => undefined);
  const work = join(rig.root, "builds/work");
  const sockets = (): string[] => readdirSync(work).filter((name) => lstatSync(join(work, name), { throwIfNoEntry: false })?.isSocket() === true);
  const sleeping = async (): Promise<boolean> => (await rig.docker.inside(["ps", "-eo", "args"])).stdout.split("\n").includes("sleep 6017");
  await expect.poll(sleeping, { timeout: 60_000 }).toBe(true);
  const asked = connect(join(work, sockets()[0] ?? ""));
  asked.write(Buffer.from([0, 0, 0, 1, 11]));
  let answer = "";
  // It comes in pieces.
  for await (const piece of asked as AsyncIterable<Buffer>) {
    answer += piece.toString("latin1");
    if (answer.length >= identities("agent-was-here").length) break;
  }
  expect(answer).toBe(identities("agent-was-here").toString("latin1"));
  client.abort();
  await running;
  await expect.poll(sockets, { timeout: 60_000 }).toEqual([]);
});
