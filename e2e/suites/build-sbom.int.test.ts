/** Lists of what is in an image, made by scanners that speak BuildKit's protocol (docs/attestations/sbom-protocol.md). */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Result } from "../fixtures/docker.ts";
import { type BuildRig, openBuildRig } from "./build.rig.ts";

/** Lists the files of each target; says on its output what it was told. */
const script = `#!/bin/sh
set -e
scan() {
  printf '{"_type":"https://in-toto.io/Statement/v0.1","predicateType":"https://spdx.dev/Document","subject":[],"predicate":{"spdxVersion":"SPDX-2.3","name":"%s","creationInfo":{"creators":["Tool: t"]},"files":[' "$(basename $1)"
  sep=
  (cd $1; find . -type f ! -path './bin/*' ! -path './www/*') | while read -r f; do printf '%s{"fileName":"%s"}' "$sep" "\${f#.}"; sep=,; done
  printf ']}}'
}
for one in $BUILDKIT_SCAN_SOURCE \${BUILDKIT_SCAN_SOURCE_EXTRAS:+$BUILDKIT_SCAN_SOURCE_EXTRAS/*}; do scan $one > $BUILDKIT_SCAN_DESTINATION/$(basename $one).spdx.json; done
env | grep BUILDKIT_ | sort
touch $BUILDKIT_SCAN_SOURCE/x 2>/dev/null && exit 9
pwd
`;

let rig: BuildRig;
beforeAll(async () => {
  rig = await openBuildRig("sb");
  await rig.build({ Dockerfile: 'FROM busybox\nCOPY --chmod=755 scan.sh /\nWORKDIR /here\nENTRYPOINT ["/scan.sh"]\n', "scan.sh": script }, "-t", "scanner:1");
});
afterAll(async () => {
  await rig?.[Symbol.asyncDispose]();
});

interface Statement {
  readonly predicateType: string;
  readonly subject: readonly { readonly name: string; readonly digest: { readonly sha256: string } }[];
  readonly predicate: {
    readonly name: string;
    readonly creationInfo: { readonly creators: readonly string[] };
    readonly files: readonly { readonly fileName: string; readonly comment?: string }[];
  };
}
interface Manifest {
  readonly manifests: readonly { readonly digest: string }[];
  readonly layers: readonly { readonly digest: string; readonly annotations?: Readonly<Record<string, string>> }[];
}

const files = {
  Dockerfile: [
    "FROM busybox AS tools",
    "ARG BUILDKIT_SBOM_SCAN_STAGE=true",
    "RUN echo tool > /tool",
    "FROM busybox AS other",
    "RUN echo other > /other",
    "FROM busybox",
    "ARG BUILDKIT_SBOM_SCAN_CONTEXT=true",
    "COPY --from=tools /tool /t",
    "COPY --from=other /other /o",
    "COPY f /f",
  ].join("\n"),
  f: "one",
  unused: "two",
};
const sbom = ["--attest", "type=sbom,generator=scanner:1,word=given"] as const;

test("a scanner is shown the image, and the stages and the context that ask for it; each has a statement, the image's first", async () => {
  const name = `${rig.registry}/scanned:1`;
  const { stderr } = await rig.build(files, ...sbom, "-t", name, "--push");
  expect(stderr).toMatch(/^#\d+ \[linux\/\w+\] generating sbom using docker\.io\/library\/scanner:1$/m);
  for (const told of ["DESTINATION=/run/out/", "SOURCE=/run/src/core/sbom", "SOURCE_EXTRAS=/run/src/extras", "type=sbom", "word=given"]) {
    expect(stderr).toMatch(new RegExp(`BUILDKIT_SCAN_${told}$`, "m"));
  }
  expect(stderr).toMatch(/^#\d+ [\d.]+ \/here$/m);
  const raw = async (at: string): Promise<Manifest> => JSON.parse(await rig.docker.ok("buildx", "imagetools", "inspect", "--raw", at)) as Manifest;
  const { manifests } = await raw(name);
  const at = (index: number): string => `${rig.registry}/scanned@${manifests[index]?.digest}`;
  const [image, attestation] = [await raw(at(0)), await raw(at(1))];
  expect(attestation.layers.map(({ annotations }) => annotations?.["in-toto.io/predicate-type"])).toEqual([
    ...Array<string>(3).fill("https://spdx.dev/Document"),
    "https://slsa.dev/provenance/v0.2",
  ]);
  const statements = await Promise.all(
    attestation.layers.slice(0, 3).map(async ({ digest }) => {
      const text = (await rig.docker.inside(["curl", "-sS", `http://${rig.registry}/v2/scanned/blobs/${digest}`])).stdout;
      return JSON.parse(text) as Statement;
    }),
  );
  const sha256 = manifests[0]?.digest.slice("sha256:".length);
  for (const { subject } of statements) expect(subject.map(({ digest }) => digest)).toEqual([{ sha256 }]);
  const namesOf = ({ predicate }: Statement): string[] => predicate.files.map(({ fileName }) => fileName).toSorted();
  const own = (one: Statement): string[] => namesOf(one).filter((path) => !path.startsWith("/etc/"));
  expect(statements.map((one) => [one.predicate.name, own(one)])).toEqual([
    ["sbom", ["/f", "/o", "/t"]],
    ["sbom-context", ["/f"]],
    ["sbom-tools", ["/tool"]],
  ]);
  const core = statements[0]?.predicate;
  expect(core?.creationInfo.creators).toEqual(["Tool: t", expect.stringMatching(/^Tool: slipway-/)]);
  expect(core?.files.find(({ fileName }) => fileName === "/f")?.comment).toBe(`layerID: ${image.layers.at(-1)?.digest}`);
  expect(JSON.parse(await rig.docker.ok("buildx", "imagetools", "inspect", name, "--format", "{{json .SBOM.SPDX}}"))).toMatchObject({ name: "sbom" });
});

test("the same is scanned once, unless nothing is to be taken from the cache", async () => {
  const scanned = /generating sbom using .*\n(?:.*\n)*?#\d+ CACHED/;
  await rig.build(files, ...sbom);
  expect((await rig.build(files, ...sbom)).stderr).toMatch(scanned);
  expect((await rig.build(files, ...sbom, "--no-cache")).stderr).toContain("BUILDKIT_SCAN_SOURCE=");
});

test("in a directory of the client statements lie beside the files, whose digests they name", async () => {
  const directory = join(rig.dir, "files");
  const plain = { Dockerfile: "FROM scratch\nCOPY f /d/f\n", f: "one" };
  await rig.build(plain, ...sbom, "--provenance=mode=min", "-o", `type=local,dest=${directory},attestation-prefix=of-`);
  expect(readdirSync(directory).toSorted()).toEqual(["d", "of-provenance.json", "of-sbom.spdx.json"]);
  const { subject, predicate } = JSON.parse(readFileSync(join(directory, "of-sbom.spdx.json"), "utf8")) as Statement;
  expect(subject).toEqual([{ name: "d/f", digest: { sha256: "7692c3ad3540bb803c020b3aee66cd8887123234ea0c6e7143c0add73ff431ed" } }]);
  expect(predicate.files).toEqual([{ fileName: "/d/f" }]);
});

test("without a name the scanner is BuildKit's own", async () => {
  await rig.docker.ok("tag", "scanner:1", "docker/buildkit-syft-scanner:stable-1");
  expect((await rig.build(files, "--sbom=true")).stderr).toContain("generating sbom using docker.io/docker/buildkit-syft-scanner:stable-1");
});

test("a scanner that cannot be had ends the build before its first step", async () => {
  const refused = (...args: readonly string[]): Promise<Result> => rig.docker("buildx", "build", "--progress=plain", ...args, rig.context(files));
  const nobody = `${rig.registry}/nobody:1`;
  const absent = await refused("--attest", `type=sbom,generator=${nobody}`);
  expect(absent.code).toBe(1);
  expect(absent.stderr).toContain(`failed to resolve source metadata for ${nobody}: ${nobody}: not found`);
  expect(absent.stderr).not.toContain("RUN echo");
  expect((await refused("--attest", "type=sbom,generator=")).stderr).toContain("sbom generator cannot be empty");
  expect((await refused("--attest", "type=sbom,generator=NO:1")).stderr).toContain("failed to parse sbom generator NO:1: ");
  expect((await refused("--attest", "type=wat")).stderr).toContain('unknown attestation type "wat"');
});

test.each([
  ["fails", "exit 3", 'process "sh -c exit 3" did not complete successfully: exit code: 3'],
  ["writes what is no statement", "echo x > /run/out/a.spdx.json", "cannot decode in-toto statement: "],
  ["writes a statement of another kind", "echo {} > /run/out/a", "bundle entry  does not match required predicate type https://spdx.dev/Document"],
  ["leaves a link out of its directory", "ln -s /etc/passwd /run/out/l", "cannot decode in-toto statement: l is missing"],
])("a scanner that %s is told of", async (_, command, said) => {
  await rig.build({ Dockerfile: `FROM busybox\nENTRYPOINT ["sh","-c","${command}"]\n` }, "-t", "bad:1");
  const result = await rig.docker(
    "buildx",
    "build",
    "--attest",
    "type=sbom,generator=bad:1",
    rig.context({ Dockerfile: "FROM scratch\nCOPY f /\n", f: "one" }),
  );
  expect(result.code).toBe(1);
  expect(result.stderr).toContain(said);
});
