/** Repositories of git as contexts and as sources of ADD, by both builders. */
import { readFileSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import ssh2 from "ssh2";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type GitServer, startGitServer } from "../fixtures/git.ts";
import type { Result } from "../fixtures/docker.ts";
import { type BuildRig, openBuildRig } from "./build.rig.ts";

const token = "s3cret-t0ken";
let rig: BuildRig;
let server: GitServer;
/** Of the first commit, which has the tags v1 and v1a. */
let first: string;

beforeAll(async () => {
  rig = await openBuildRig("git");
  server = await startGitServer({ dir: rig.dir, netns: `slipway-git${process.pid}`, port: 8600, token });
  const files = { Dockerfile: "FROM busybox\nCOPY . /r\n", "dir/Dockerfile": "FROM busybox\nCOPY . /r\nRUN touch /indir\n", "dir/x": "x\n" };
  first = await server.commit("r.git", "main", { ...files, f: "one\n", l: "-> f", "s.sh": "#!/bin/sh\n" });
  await server.git("r.git", "tag", "v1", first);
  await server.git("r.git", "tag", "-a", "-m", "a tag", "v1a", first);
  await server.commit("r.git", "main", { f: "two\n" });
  await server.commit("r.git", "other", { f: "three\n" });
});
afterAll(async () => {
  await server?.[Symbol.asyncDispose]();
  await rig?.[Symbol.asyncDispose]();
});

const buildOf = (context: string, ...args: readonly string[]): Promise<Result> =>
  rig.docker("buildx", "build", "--progress=plain", "--provenance=false", "-t", "git", ...args, context);
const shown = (...command: readonly string[]): Promise<string> => rig.docker.ok("run", "--rm", "git", ...command);

/** `POST /build?remote=`: the classic client fetches repositories itself, so the daemon's own door is asked. */
async function classic(remote: string): Promise<string> {
  const query = new URLSearchParams({ remote, t: "git" });
  const socket = (await rig.docker.inside(["sh", "-c", "echo ${DOCKER_HOST#unix://}"])).stdout.trim();
  return (await rig.docker.inside(["curl", "-sS", "-X", "POST", "--unix-socket", socket, `http://engine/v1.51/build?${query.toString()}`])).stdout;
}

const files = "./Dockerfile\n./dir\n./dir/Dockerfile\n./dir/x\n./f\n./l\n./s.sh";

test.each([
  ["the head of a repository", "", "two", files],
  ["a branch", "#other", "three", files],
  ["a tag with a message", "#v1a", "one", files],
  ["a directory", "#main:dir", "", "./Dockerfile\n./x"],
])("%s is a context, for both builders", async (_, fragment, content, listed) => {
  expect((await buildOf(`${server.address}/r.git${fragment}`)).stderr).toContain("load git source");
  expect(await shown("sh", "-c", "cd /r; find . -mindepth 1 | sort; cat f 2>/dev/null || true")).toBe(`${listed}${content === "" ? "" : `\n${content}`}`);
  expect(await classic(`${server.address}/r.git${fragment}`)).toContain("Successfully tagged git:latest");
  expect(await shown("sh", "-c", "cd /r; find . -mindepth 1 | grep -v '[.]git' | sort; cat f 2>/dev/null || true")).toBe(
    `${listed}${content === "" ? "" : `\n${content}`}`,
  );
});

test.each([
  ["a commit by its id", "/r.git#FIRST", "one"],
  ["a branch by its whole name", "/r.git#refs/heads/main", "two"],
  ["a tag by a query", "/r.git?tag=v1", "one"],
  ["a server that only has files", "/plain/r.git", "two"],
  ["a commit on a server that only has files", "/plain/r.git#FIRST", "one"],
  ["git's own protocol", "git:/r.git#v1", "one"],
])("%s", async (_, context, content) => {
  const address = context.startsWith("git:") ? `${server.daemon}${context.slice(4)}` : `${server.address}${context}`;
  const result = await buildOf(address.replace("FIRST", first));
  expect(result.code, result.stderr).toBe(0);
  expect(await shown("sh", "-c", "cat /r/f; stat -c '%a %u:%g %N' /r/f /r/l /r/s.sh")).toBe(`${content}\n644 0:0 /r/f\n777 0:0 '/r/l' -> 'f'\n755 0:0 /r/s.sh`);
});

test("ADD takes a repository's files, and notices when a branch has moved on", async () => {
  await server.commit("moving.git", "main", { a: "1\n", "d/b": "b\n" });
  const dockerfile = `FROM busybox\nADD --chown=5:6 --exclude=d ${server.address}/moving.git /r\nADD ${server.address}/moving.git#main:d /d/\n`;
  const built = async (): Promise<string> => (await rig.build({ Dockerfile: dockerfile }, "--provenance=false", "-t", "git")).stderr;
  await built();
  expect(await shown("sh", "-c", "cd /; find r d | sort; stat -c %u:%g r r/a d/b; cat r/a")).toBe("d\nd/b\nr\nr/a\n5:6\n5:6\n0:0\n1");
  expect(await built()).toMatch(/ADD --chown.*\n(?:.*\n)*?#\d+ CACHED/);
  await server.commit("moving.git", "main", { a: "2\n" });
  await built();
  expect(await shown("cat", "/r/a")).toBe("2");
});

test("ADD keeps the repository's own directory when told to", async () => {
  const dockerfile = `FROM busybox\nADD --keep-git-dir=true ${server.address}/r.git#v1 /kept\nADD ${server.address}/r.git#v1 /plain\n`;
  await rig.build({ Dockerfile: dockerfile }, "-t", "git");
  expect(await shown("sh", "-c", "cat /kept/.git/HEAD; grep url /kept/.git/config; ls -d /plain/.git 2>/dev/null || echo none")).toBe(
    `${first}\n\turl = ${server.address}/r.git\nnone`,
  );
  await buildOf(`${server.address}/r.git#v1`, "--build-arg", "BUILDKIT_CONTEXT_KEEP_GIT_DIR=1");
  expect(await shown("cat", "/r/.git/HEAD")).toBe(first);
});

test("ADD checks the commit that it is told", async () => {
  const added = (flags: string, query = ""): Promise<Result> =>
    rig.docker("buildx", "build", "-t", "git", rig.context({ Dockerfile: `FROM busybox\nADD ${flags} ${server.address}/r.git${query}#v1 /r\n` }));
  expect((await added(`--checksum=${first.slice(0, 7)}`)).code).toBe(0);
  expect((await added("", `?checksum=${first}`)).code).toBe(0);
  const wrong = await added("--checksum=1234567");
  expect(wrong.stderr).toContain(`failed to load cache key: expected checksum to match 1234567, got ${first}`);
  expect((await added("--checksum=sha256:12")).stderr).toContain("invalid checksum sha256:12 for Git URL, expected hex commit hash");
});

test("submodules come along, unless they are not wanted", async () => {
  const part = await server.commit("part.git", "main", { p: "part\n" });
  const modules = `[submodule "part"]\n\tpath = part\n\turl = ${server.address}/part.git\n`;
  await server.commit("whole.git", "main", { Dockerfile: "FROM busybox\nCOPY . /r\n", ".gitmodules": modules, part: `commit ${part}` });
  expect((await buildOf(`${server.address}/whole.git`)).code).toBe(0);
  expect(await shown("cat", "/r/part/p")).toBe("part");
  expect((await buildOf(`${server.address}/whole.git?submodules=0`)).code).toBe(0);
  expect(await shown("ls", "/r/part")).toBe("");
});

test("a repository that asks who you are is shown the token, which nobody else sees", async () => {
  const address = `${server.address}/private/r.git`;
  const refused = await buildOf(address);
  expect(refused.code).not.toBe(0);
  expect(refused.stderr).toContain("could not read Username");
  writeFileSync(join(rig.dir, "token"), `${token}\n`);
  const built = await buildOf(address, "--secret", `id=GIT_AUTH_TOKEN,src=${join(rig.dir, "token")}`);
  expect(built.code, built.stderr).toBe(0);
  expect(built.stderr).not.toContain(token);
  expect(await shown("cat", "/r/f")).toBe("two");
});

test("a repository over ssh is fetched with the client's keys, and with no others", async () => {
  const [pair, other] = [ssh2.utils.generateKeyPairSync("ed25519"), ssh2.utils.generateKeyPairSync("ed25519")];
  await server.ssh(pair.public);
  const [key, stranger] = [join(rig.dir, "key"), join(rig.dir, "stranger")];
  writeFileSync(key, pair.private, { mode: 0o600 });
  writeFileSync(stranger, other.private, { mode: 0o600 });
  const refused = await buildOf("git@127.0.0.1:r.git", "--ssh", `default=${stranger}`);
  expect(refused.code).not.toBe(0);
  expect(refused.stderr).toContain("Permission denied (publickey)");
  for (const [address, content] of [
    ["git@127.0.0.1:r.git", "two"],
    ["ssh://git@127.0.0.1/r.git#v1", "one"],
  ] as const) {
    const built = await buildOf(address, "--ssh", `default=${key}`);
    expect(built.code, built.stderr).toBe(0);
    expect(await shown("cat", "/r/f")).toBe(content);
  }
  await rig.build({ Dockerfile: "FROM busybox\nADD git@127.0.0.1:r.git#other /r\n" }, "--ssh", `default=${key}`, "-t", "git");
  expect(await shown("cat", "/r/f")).toBe("three");
});

test("ADD changes the modes of a repository's files where it is told to, and links nothing then", async () => {
  const dockerfile = `FROM busybox\nRUN mkdir -m 700 /r\nADD --link --chmod=750 ${server.address}/r.git#v1 /r\n`;
  await rig.build({ Dockerfile: dockerfile }, "-t", "git");
  expect(await shown("sh", "-c", "stat -c '%a %n' /r /r/f /r/s.sh /r/dir")).toBe("700 /r\n750 /r/f\n750 /r/s.sh\n750 /r/dir");
});

test.each([
  [
    "#nosuch",
    "failed to read dockerfile: failed to load cache key: repository does not contain ref nosuch",
    "error fetching: fatal: couldn't find remote ref nosuch",
  ],
  ["#main:nodir", 'failed to read dockerfile: invalid subdir /nodir: failed to lstat "nodir"', "stat nodir: no such file or directory"],
  ["#main:l", 'invalid subdir /l: git subpath "/l" contains non-directory "l"', "no such file or directory"],
])("r.git%s is refused in either builder's words", async (more, buildkit, old) => {
  const address = `${server.address}/r.git${more}`;
  const result = await buildOf(address);
  expect(result.code).not.toBe(0);
  expect(result.stderr).toContain(buildkit);
  expect(await classic(address)).toContain(old);
});

test("git runs as nobody, sees nothing of the engine, and ends with the client", async () => {
  // Takes the call and never answers.
  const silence = new AbortController();
  const silent = rig.docker
    .inside([process.execPath, "-e", "require('net').createServer(() => {}).listen(8690, '127.0.0.1')"], { signal: silence.signal })
    .catch(() => undefined);
  const listening = async (): Promise<string> => (await rig.docker.inside(["sh", "-c", "grep -c ':21F2 ' /proc/net/tcp"])).stdout.trim();
  await expect.poll(listening, { timeout: 30_000 }).toBe("1");
  const client = new AbortController();
  const building = rig.docker.with({ signal: client.signal }, "buildx", "build", "git://127.0.0.1:8690/r.git").catch(() => undefined);
  const fetchers = (): string[] =>
    readdirSync("/proc").filter((pid) => /^\d+$/.test(pid) && commandOf(pid).startsWith("git ls-remote") && commandOf(pid).includes("8690"));
  await expect.poll(fetchers, { timeout: 30_000 }).toHaveLength(1);
  const [pid = ""] = fetchers();
  const status = readFileSync(`/proc/${pid}/status`, "utf8");
  expect(status).toMatch(/^Uid:\t65532\t65532\t65532\t65532$/m);
  expect(status).toMatch(/^CapEff:\t0+$/m);
  expect(status).toMatch(/^NoNewPrivs:\t1$/m);
  expect(status).toMatch(/^Seccomp:\t2$/m);
  expect(readdirSync(`/proc/${pid}/root`).toSorted()).toEqual(["bin", "dev", "etc", "lib", "lib64", "proc", "run", "sys", "tmp", "usr", "work"]);
  expect(readdirSync(`/proc/${pid}/root/usr/lib/slipway`)).toEqual([]);
  client.abort();
  await building;
  await expect.poll(fetchers, { timeout: 30_000 }).toHaveLength(0);
  await expect.poll(() => readdirSync(join(rig.root, "builds/work")), { timeout: 30_000 }).toEqual([]);
  silence.abort();
  await silent;
});

function commandOf(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " ");
  } catch {
    return "";
  }
}
