/** Prepared failures of pulls, builds and starts of the engine, and the one verdict on each; what goes well has none. */
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { BuildDetails, BuildMessage } from "#api/builds.ts";
import type { BuildWhy, PullWhy } from "#api/why.ts";
import { startEngine } from "../fixtures/program.ts";
import { startRegistry, type TestRegistry } from "../fixtures/registry.ts";
import { busybox, tarOf } from "../fixtures/image.ts";
import { call, openRig, type Rig } from "./rig.ts";

const dir = mkdtempSync("/var/tmp/slipway-whyf-");
/** Not loopback, where no certificate would be asked for. */
const address = "198.18.7.1";
const undo = new AsyncDisposableStack();
let rig: Rig;
let real: TestRegistry;
let registry: string;

beforeAll(async () => {
  rig = undo.use(await openRig("whyf"));
  execFileSync("ip", ["-n", rig.netns, "address", "add", `${address}/32`, "dev", "lo"]);
  execFileSync("ip", ["-n", rig.netns, "route", "add", "unreachable", "203.0.113.0/24"]);
  const [key, certificate] = [join(dir, "key.pem"), join(dir, "cert.pem")];
  execFileSync("openssl", ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", key, "-out", certificate, "-subj", `/CN=${address}`], {
    stdio: "ignore",
  });
  const program = join(import.meta.dirname, "../fixtures/failing-registry.program.ts");
  const child = spawn("ip", ["netns", "exec", rig.netns, process.execPath, program, address, key, certificate], { stdio: ["ignore", "pipe", "inherit"] });
  undo.defer(async () => {
    child.kill();
    if (child.exitCode === null && child.signalCode === null) await once(child, "exit");
  });
  await once(child.stdout, "data");
  real = undo.use(await startRegistry({ dir, port: 5001, netns: rig.netns }));
  await real.push("well", "1", await busybox("well"));
  registry = real.address;
});
afterAll(async () => {
  await undo.disposeAsync();
  rmSync(dir, { recursive: true, force: true });
});

const spoken = (found: { Verdict: string; Evidence: readonly string[]; Fix: string } | null | undefined): string =>
  [found?.Verdict, ...(found?.Evidence ?? []), found?.Fix].join("\n");

async function pull(reference: string, query: Record<string, string> = {}): Promise<PullWhy> {
  const login = Buffer.from(JSON.stringify({ username: "a", password: "b" })).toString("base64url");
  await call(rig.client, "POST", "/images/create", {
    query: { fromImage: reference, ...query },
    ...(/\/(?:denied|wrong)\//.test(reference) ? { headers: { "x-registry-auth": login } } : {}),
  }).catch(() => undefined);
  return await rig.client.json("GET", `/slipway/images/${reference}/why`);
}

const pulls: readonly { readonly reference: string; readonly rule: string; readonly says: RegExp; readonly query?: Record<string, string> }[] = [
  { reference: "127.0.0.1:5000/limited/app:1", rule: "rate-limit", says: /127\.0\.0\.1:5000 lets this address pull no more/ },
  { reference: "127.0.0.1:5000/private/app:1", rule: "login-needed", says: /docker login 127\.0\.0\.1:5000/ },
  { reference: "127.0.0.1:5000/denied/app:1", rule: "access-denied", says: /does not show it to this login/ },
  { reference: "127.0.0.1:5000/missing/app:1", rule: "not-found", says: /127\.0\.0\.1:5000 has no 127\.0\.0\.1:5000\/missing\/app:1/ },
  { reference: "127.0.0.1:5000/broken/app:1", rule: "registry-error", says: /failure of its own/ },
  { reference: "127.0.0.1:5000/foreign/app:1", rule: "platform-missing", says: /not for the platform linux/ },
  { reference: "127.0.0.1:5000/foreign/app:2", rule: "platform-missing", says: /linux\/arm64/, query: { platform: "linux/arm64" } },
  { reference: "127.0.0.1:5000/chart/app:1", rule: "artifact", says: /helm/ },
  { reference: "127.0.0.1:1/app:1", rule: "connection-refused", says: /Nothing listens at 127\.0\.0\.1:1/ },
  { reference: `${address}:1/app:1`, rule: "connection-refused", says: new RegExp(`Nothing listens at ${address}:1`) },
  { reference: `${address}:5443/app:1`, rule: "certificate", says: new RegExp(`/etc/docker/certs\\.d/${address}:5443/ca\\.crt`) },
  { reference: `${address}:5000/app:1`, rule: "not-http", says: /insecure-registries/ },
  { reference: "nowhere.invalid/app:1", rule: "name-unknown", says: /knows no nowhere\.invalid/ },
  { reference: "127.0.0.1:5000/unknown/app:1", rule: "not-found", says: /127\.0\.0\.1:5000 has no/ },
  { reference: "127.0.0.1:5000/wrong/app:1", rule: "login-wrong", says: /does not take this name and password/ },
  { reference: "127.0.0.1:5000/damaged/app:1", rule: "corrupt", says: /thrown away/ },
  { reference: "127.0.0.1:5000/gone/app:1", rule: "timeout", says: /stopped answering/ },
  { reference: "127.0.0.1:5000/plugin/app:1", rule: "artifact", says: /oras/ },
  { reference: "203.0.113.1:5000/app:1", rule: "unreachable", says: /no way to 203\.0\.113\.1:5000/ },
];

describe("a pull that failed is told", () => {
  test.for(pulls)("$reference: $rule", async ({ reference, rule, says, query }) => {
    const { Explanation, FailedAt } = await pull(reference, query);
    expect({ rule: Explanation?.Rule, ...Explanation }).toMatchObject({ rule });
    expect(spoken(Explanation)).toMatch(says);
    expect(Math.abs(Date.parse(FailedAt ?? "") - Date.now())).toBeLessThan(120_000);
  });

  test("twenty that go well have none", async () => {
    for (let i = 1; i <= 20; i += 1) {
      await real.push("well", `v${i}`, await busybox("well", { Labels: { number: `${i}`, says: "manifest unknown, no space left on device" } }));
      expect((await pull(`${registry}/well:v${i}`)).Explanation, `${i}`).toBeNull();
    }
  });

  test("one that went well has none, and neither has one that nobody tried", async () => {
    const reference = `${registry}/well:1`;
    expect((await pull(`${registry}/well:2`)).Explanation?.Rule).toBe("not-found");
    expect((await pull(reference)).Explanation).toBeNull();
    expect((await rig.client.json<PullWhy>("GET", "/slipway/images/never/why")).Explanation).toBeNull();
  });
});

/** Builds a folder of these files; the verdict on it. */
async function build(files: Readonly<Record<string, string>>, query: Record<string, string> = {}): Promise<BuildWhy> {
  const tar = await tarOf(Object.entries(files).map(([name, data]) => ({ name, data })));
  const chunks = async function* (): AsyncGenerator<Uint8Array> {
    yield await Promise.resolve(tar);
  };
  const known = await rig.client.json<BuildDetails[]>("GET", "/slipway/builds");
  const { body } = await rig.client.stream("POST", "/slipway/builds", { query, body: chunks() });
  const messages = Buffer.concat(await body.toArray())
    .toString()
    .trim()
    .split(/\r?\n/)
    .map((line) => JSON.parse(line) as BuildMessage);
  const named = messages.flatMap((message) => ("ref" in message ? [message.ref] : []))[0];
  const ref = named ?? (await rig.client.json<BuildDetails[]>("GET", "/slipway/builds")).find((one) => !known.some(({ ref: old }) => old === one.ref))?.ref;
  return await rig.client.json("GET", `/slipway/builds/${ref ?? ""}/why`);
}
const run = (script: string, before = ""): Record<string, string> => ({ Dockerfile: `FROM busybox\n${before}RUN ${script}\n` });

const builds: readonly {
  readonly what: string;
  readonly files: Record<string, string>;
  readonly rule: string;
  readonly says: RegExp;
  readonly query?: Record<string, string>;
}[] = [
  { what: "a command that fails", files: run("echo the words before; exit 3"), rule: "step-failed", says: /exit code 3.*Dockerfile:2: RUN.*the words before/s },
  { what: "a command that says nothing", files: run("exit 4"), rule: "step-failed", says: /exit code 4 and said nothing/ },
  { what: "a command that is not there", files: run("makke all"), rule: "command-not-found", says: /does not have/ },
  { what: "a file that may not be run", files: run("/etc/passwd"), rule: "read-permission", says: /may not use/ },
  {
    what: "a file of the context that is not there",
    files: { Dockerfile: "FROM busybox\nCOPY setings.json /\n", "settings.json": "{}" },
    rule: "file-missing",
    says: /setings\.json is not in the folder/,
  },
  {
    what: "a file that is left out",
    files: { Dockerfile: "FROM busybox\nCOPY big.bin /\n", ".dockerignore": "*.bin\n" },
    rule: "file-missing",
    says: /\.dockerignore/,
  },
  { what: "an instruction that is none", files: { Dockerfile: "FROM busybox\nRUNN true\n" }, rule: "unknown-instruction", says: /Write RUN/ },
  { what: "no Dockerfile", files: { "other.txt": "x" }, rule: "dockerfile-missing", says: /no Dockerfile in the folder/ },
  { what: "an empty Dockerfile", files: { Dockerfile: "" }, rule: "dockerfile-empty", says: /nothing to build/ },
  { what: "a stage that is not there", files: run("true"), query: { target: "prod" }, rule: "target-missing", says: /no stage prod/ },
  {
    what: "a base image that is not there",
    files: { Dockerfile: "FROM 127.0.0.1:5000/missing/base:1\n" },
    rule: "base-image",
    says: /base image cannot be had: 127\.0\.0\.1:5000 has no/,
  },
  {
    what: "a base image whose registry is away",
    files: { Dockerfile: "FROM 127.0.0.1:1/base:1\n" },
    rule: "base-image",
    says: /Nothing listens at 127\.0\.0\.1:1/,
  },
  {
    what: "a secret that was not given",
    files: { Dockerfile: "FROM busybox\nRUN --mount=type=secret,id=token,required=true true\n" },
    rule: "secret-missing",
    says: /--secret id=token/,
  },
  { what: "a name on the network that nobody has", files: run("wget http://nowhere.invalid/"), rule: "network", says: /nowhere\.invalid/ },
  { what: "nothing that listens", files: run("wget http://127.0.0.1:9/"), rule: "network", says: /refused/ },
  { what: "a kill", files: run("sh -c 'kill -9 $$'; exit $?"), rule: "killed", says: /SIGKILL/ },
  { what: "a crash", files: run("sh -c 'kill -SEGV $$'; exit $?"), rule: "crashed", says: /crashed/ },
  { what: "a step that wants root", files: run("rm /etc/passwd", "USER 1000\n"), rule: "read-permission", says: /before USER/ },
  { what: "a flag that is none", files: { Dockerfile: "FROM busybox\nCOPY --wat=1 a /\n" }, rule: "parse-error", says: /cannot be read/ },
  { what: "an instruction without its words", files: { Dockerfile: "FROM busybox\nENV\n" }, rule: "parse-error", says: /cannot be read/ },
];

describe("a build that failed is told", () => {
  test.for(builds)("$what: $rule", async ({ files, rule, says, query }) => {
    const { Explanation } = await build(files, query);
    expect({ rule: Explanation?.Rule, ...Explanation }).toMatchObject({ rule });
    expect(spoken(Explanation)).toMatch(says);
  });

  const alarming = [
    "No space left on device",
    "Killed",
    "Permission denied",
    "sh: make: not found",
    "Connection refused",
    "bad address 'db'",
    "exit code: 1",
    "ENOTFOUND",
    "error: cannot find module 'x'",
    "Segmentation fault (core dumped)",
    "sh: 1: syntax error",
    "Read-only file system",
    "Operation not permitted",
    "exec format error",
    "TLS handshake timeout",
    "manifest unknown",
    "pull access denied",
    "fatal: not a git repository",
    "out of memory",
    "unknown instruction: RUNN",
  ];
  test.for(alarming)('one that says "%s" and goes well is left alone', async (line) => {
    expect(await build(run(`echo "${line}"`))).toMatchObject({ State: "done", Explanation: null });
  });
});

/** What an engine prints that does not start; the root and the socket are its own unless `opts` says otherwise. */
async function refusedStart(opts: { config?: string; root?: string; args?: readonly string[]; prepare?: (root: string) => void } = {}): Promise<string> {
  const root = opts.root ?? mkdtempSync(join(dir, "root-"));
  opts.prepare?.(root);
  const file = join(mkdtempSync(join(dir, "config-")), "daemon.json");
  writeFileSync(file, opts.config ?? "{}");
  const started = startEngine({ isolate: `${rig.netns}b`, root, args: ["--config", file, ...(opts.args ?? [])] });
  const failure = await started.then(
    async (program) => {
      await program.stop();
      if (/why:|fix:/.test(program.output())) return new Error(program.output());
      return new Error("it started");
    },
    (error: unknown) => error as Error,
  );
  return failure.message;
}

const starts: readonly { readonly what: string; readonly opts: Parameters<typeof refusedStart>[0]; readonly says: RegExp }[] = [
  { what: "JSON that is none", opts: { config: "{" }, says: /why: .*daemon\.json is not as it should be: .*\n.*fix: Correct what is named/ },
  { what: "a value of the wrong kind", opts: { config: '{"debug": "yes"}' }, says: /why: .*daemon\.json is not as it should be: .*debug/ },
  { what: "a value that cannot be", opts: { config: '{"max-concurrent-downloads": -1}' }, says: /why: .*max.*concurrent.*downloads/i },
  {
    what: "an address that this machine has not",
    opts: { config: '{"metrics-addr": "203.0.113.1:9323"}' },
    says: /why: Metrics cannot be served at 203\.0\.113\.1:9323/,
  },
  {
    what: "a file where the socket should be",
    opts: { prepare: (root) => writeFileSync(join(root, "docker.sock"), "") },
    says: /why: At .*docker\.sock there is something else/,
  },
  {
    what: "a database that is none",
    opts: { prepare: (root) => writeFileSync(join(root, "state.db"), "nonsense ".repeat(1_000)) },
    says: /why: The engine's database .* is damaged/,
  },
];

/** Of the kinds that can be wrong, right. */
const sound: readonly object[] = [
  {},
  { debug: true },
  { "log-level": "warn" },
  { "max-concurrent-downloads": 1 },
  { "max-concurrent-uploads": 2 },
  { labels: ["a=b"] },
  { "log-driver": "local" },
  { "log-opts": { "max-size": "1m" } },
  { "metrics-addr": "127.0.0.1:0" },
  { "insecure-registries": ["127.0.0.1:5000"] },
  { "registry-mirrors": ["https://mirror.invalid"] },
  { dns: ["192.0.2.1"] },
  { "dns-search": ["example"] },
  { "default-shm-size": "32m" },
  { "default-ulimits": { nofile: { Name: "nofile", Soft: 100, Hard: 200 } } },
  { "live-restore": true },
  { "shutdown-timeout": 3 },
  { features: { "containerd-snapshotter": true } },
  { "slipway.trash": { days: 1 } },
];

describe("an engine that cannot start says why", () => {
  test.for(starts)("$what", async ({ opts, says }) => {
    expect(await refusedStart(opts)).toMatch(says);
  });

  test("its directory is another's", async () => {
    expect(await refusedStart({ root: rig.program.root })).toMatch(/another engine runs in .*: stop it first, or choose another --root/);
  });

  test("another engine serves its socket", async () => {
    expect(await refusedStart({ args: ["--socket", rig.program.socket] })).toMatch(/why: .*another/i);
  });

  test("twenty that start say nothing of the kind", async () => {
    expect(rig.program.output()).not.toMatch(/why:|fix:/);
    for (const config of sound) expect(await refusedStart({ config: JSON.stringify(config) }), JSON.stringify(config)).toBe("it started");
  });
});
