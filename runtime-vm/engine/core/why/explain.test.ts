import { describe, expect, test } from "vitest";
import { explainContainer } from "./explain.ts";
import type { Facts } from "./facts.ts";

/** A container that ended by itself with `exitCode`. */
const ended = (exitCode: number, more: Partial<Facts> = {}): Facts => ({
  name: "web",
  status: "exited",
  exitCode,
  startError: "",
  ran: true,
  command: ["serve"],
  user: "",
  architecture: "amd64",
  lines: [],
  traces: {},
  oomKilled: false,
  stopGraceSeconds: 10,
  restarts: { count: 0, policy: "no", ranMs: 60_000 },
  readOnlyRoot: false,
  privileged: false,
  networkMode: "bridge",
  mounts: [],
  neighbour: () => undefined,
  ...more,
});

const rule = (facts: Facts): string | undefined => explainContainer(facts)?.Rule;
const MiB = 1024 ** 2;

describe("what int tests cannot bring about on every machine", () => {
  test("a kill for memory names the limit and the peak, and doubles the limit", () => {
    const memory = { peakBytes: 64 * MiB, limitBytes: 64 * MiB, ofItsOwn: true };
    expect(explainContainer(ended(137, { oomKilled: true, traces: { memory } }))).toEqual({
      Rule: "oom-limit",
      Verdict: "The container needed more memory than its limit of 64 MiB allows, and the kernel killed it.",
      Evidence: ["peak 64 MiB, limit 64 MiB", "the kernel counted an out-of-memory kill in the container's cgroup"],
      Fix: "Give it more: docker update --memory 128m --memory-swap 128m web, or make the program use less.",
    });
  });

  test("a kill for memory without a limit reached is the machine's", () => {
    expect(rule(ended(137, { oomKilled: true, traces: { memory: { peakBytes: 900 * MiB, ofItsOwn: false } } }))).toBe("oom-machine");
  });

  test("a child that was killed for memory is told although the program ended with 0", () => {
    expect(rule(ended(0, { oomKilled: true, traces: { memory: { ofItsOwn: true } } }))).toBe("oom-limit");
  });

  test("a stop of the engine is told, and so is the end of the machine", () => {
    expect(rule(ended(143, { traces: { sent: [{ signal: 15, by: "engine" }] } }))).toBe("engine-stopped");
    expect(rule(ended(255, { traces: { lost: true } }))).toBe("lost");
  });

  test("who listens on a low port of the host as a user without rights is told so", () => {
    const lines = ["nginx: [emerg] bind() to 0.0.0.0:80 failed (13: Permission denied)"];
    expect(explainContainer(ended(1, { lines, user: "101", networkMode: "host" }))?.Verdict).toBe("The user 101 may not listen on port 80.");
  });
});

/** Last words of programs in the wild, and what they mean. */
const words: readonly (readonly [line: string, rule: string, says: RegExp])[] = [
  ["Error: getaddrinfo ENOTFOUND db", "name-unknown", /cannot reach db/],
  ['psycopg2.OperationalError: could not translate host name "postgres" to address: Name or service not known', "name-unknown", /cannot reach postgres/],
  ["dial tcp: lookup redis on 127.0.0.11:53: no such host", "name-unknown", /cannot reach redis/],
  ["java.net.UnknownHostException: kafka", "name-unknown", /cannot reach kafka/],
  ['nginx: [emerg] host not found in upstream "api:3000" in /etc/nginx/conf.d/default.conf:4', "name-unknown", /cannot reach api:/],
  ["curl: (6) Could not resolve host: example.test", "name-unknown", /example\.test/],
  ["Error: connect ECONNREFUSED 172.18.0.3:5432", "connection-refused", /172\.18\.0\.3 at port 5432/],
  ["dial tcp 172.18.0.2:6379: connect: connection refused", "connection-refused", /172\.18\.0\.2 at port 6379/],
  ['connection to server at "db" (172.18.0.2), port 5432 failed: Connection refused', "connection-refused", /db at port 5432/],
  ["curl: (7) Failed to connect to api port 8080 after 0 ms: Could not connect to server", "connection-refused", /api at port 8080/],
  ["Error: listen EADDRINUSE: address already in use :::3000", "port-in-use", /listen on port 3000/],
  ["OSError: [Errno 28] No space left on device: '/var/lib/data/x'", "disk-full", /no space left/],
  ["OSError: [Errno 30] Read-only file system: '/app/cache/x'", "read-only", /tmpfs \/app\/cache/],
  ["PermissionError: [Errno 13] Permission denied: '/data/db.sqlite'", "permission-denied", /may not use \/data\/db\.sqlite/],
  ["ModuleNotFoundError: No module named 'flask'", "missing-module", /needs flask/],
  ["Error: Cannot find module '/app/server.js'", "missing-module", /needs \/app\/server\.js/],
  ["FATAL ERROR: Reached heap limit Allocation failed - JavaScript heap out of memory", "own-memory", /memory it allows itself/],
  ["./app: /lib/x86_64-linux-gnu/libc.so.6: version `GLIBC_2.38' not found (required by ./app)", "missing-library", /GLIBC_2\.38/],
  ["Error loading shared library libssl.so.3: No such file or directory (needed by /usr/bin/app)", "missing-library", /libssl\.so\.3/],
];

test.for(words)("%s", ([line, expected, says]) => {
  const found = explainContainer(ended(1, { lines: ["starting", line] }));
  expect(found?.Rule).toBe(expected);
  expect([found?.Verdict, ...(found?.Evidence ?? []), found?.Fix].join("\n")).toMatch(says);
  expect(explainContainer(ended(0, { lines: ["starting", line] }))).toBeUndefined();
});

/** The engine's own words when a container does not start. */
const refusals: readonly (readonly [rule: string, error: string, says: RegExp, more?: Partial<Facts>])[] = [
  [
    "port-refused",
    "driver failed programming external connectivity on endpoint web: failed to bind host port for 0.0.0.0:80:172.17.0.2:80/tcp: permission denied",
    /only root listen on port 80.*8080/s,
  ],
  [
    "port-refused",
    "failed to bind host port for 203.0.113.9:8080:172.17.0.2:80/tcp: cannot assign requested address",
    /no address 203\.0\.113\.9 to publish port 8080/,
  ],
  ["mount-kind", "failed to create task: mount `/srv/config` to `/etc/app.conf`: Not a directory", /a file and a directory/],
  [
    "directory-missing",
    'OCI runtime create failed: chdir to cwd ("/srv/app") set in config.json failed: no such file or directory',
    /working directory \/srv\/app cannot be entered.*WORKDIR/s,
  ],
  ["no-command", "no command specified", /what to run.*CMD/s, { command: [] }],
  ["network-missing", "failed to set up container networking: network shop not found", /network shop is not there any more.*docker network create shop/s],
];

test.for(refusals)("a start is refused: %s", ([expected, startError, says, more]) => {
  const found = explainContainer(ended(127, { ran: false, status: "created", startError, ...more }));
  expect(found?.Rule).toBe(expected);
  expect(found?.Evidence).toContain(startError);
  expect([found?.Verdict, found?.Fix].join("\n")).toMatch(says);
});

test("a program that gave up tells its last words", () => {
  const found = explainContainer(ended(134, { lines: ["assertion failed: count > 0"] }));
  expect(found?.Rule).toBe("aborted");
  expect(found?.Evidence.join("\n")).toContain("assertion failed");
});

test("a dependency that ended is named with how", () => {
  const neighbour = () => ({ name: "db", status: "exited", exitCode: 1, reachable: true });
  const found = explainContainer(ended(1, { lines: ["Error: getaddrinfo ENOTFOUND db"], neighbour }));
  expect(found?.Evidence).toContain("the container db is exited (exit code 1)");
});
