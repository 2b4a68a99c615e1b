import { type ChildProcess, execFileSync, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import {
  chmodSync,
  existsSync,
  linkSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
} from "node:fs";
import { writeFileSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import { finished } from "node:stream/promises";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { FileChange } from "#link/calls.ts";
import { Watch } from "./watch.rig.ts";

// The server of shares as the guest starts it, over a folder of this computer and with this computer's kernel.
let base: string;
let folder: string;
let mount: string;
let server: ChildProcess;

beforeEach(async () => {
  base = mkdtempSync("/var/tmp/slipway-fuse-");
  // Shared, so that a share unmounted here is unmounted as well in a mount namespace that an engine beside this test has made meanwhile.
  execFileSync("mount", ["--bind", "--make-shared", base, base]);
  [folder, mount] = [join(base, "folder"), join(base, "mount")];
  for (const path of [folder, mount]) mkdirSync(path);
  await serve("--owners");
});
afterEach(async () => {
  await end();
  execFileSync("umount", ["-l", base]);
  rmSync(base, { recursive: true });
});

async function serve(...options: string[]): Promise<void> {
  const program = new URL("./main.ts", import.meta.url).pathname;
  const script = `exec 9<>/dev/fuse
    mount -t fuse.share -o fd=9,rootmode=40000,user_id=0,group_id=0,allow_other,default_permissions test "$1"
    exec "$2" "$3" --socket "$4/socket" "\${@:6}" "9:$5:$1"`;
  server = spawn("bash", ["-ec", script, "bash", mount, process.execPath, program, base, folder, ...options], { stdio: ["ignore", "inherit", "inherit"] });
  await expect.poll(() => existsSync(join(base, "socket")), { timeout: 20_000 }).toBe(true);
}

async function end(): Promise<void> {
  const ended = once(server, "exit");
  execFileSync("umount", ["-l", mount]);
  await ended;
  rmSync(join(base, "socket"));
}

/** What a shell says as a user of the guest; an error is part of it. */
function as(uid: number, script: string): string {
  const { stdout, stderr } = spawnSync("setpriv", [`--reuid=${uid}`, `--regid=${uid}`, "--clear-groups", "sh", "-ec", script], {
    cwd: mount,
    encoding: "utf8",
  });
  return (stdout + stderr).trim();
}
const owners = (...paths: string[]): string[] => paths.map((path) => execFileSync("stat", ["-c", "%u:%g %a", join(mount, path)], { encoding: "utf8" }).trim());

type Change = readonly [what: FileChange["what"], path: string, type?: FileChange["type"], number?: string];
const tell = (...changes: readonly Change[]): Promise<void> => tellOf(0, ...changes);
/** As the host tells it, which knows the number of what is there, and of what it has looked at before. */
async function tellOf(agoMs: number, ...changes: readonly Change[]): Promise<void> {
  const told = changes.map(([what, path, type = "file", number]): FileChange => {
    const stat = lstatSync(join(folder, path), { bigint: true, throwIfNoEntry: false });
    const known = number ?? (stat === undefined ? undefined : String(stat.ino));
    return { path: join(mount, path), what, type, agoMs, ...(known === undefined ? {} : { number: known }) };
  });
  const connection = connect(join(base, "socket")).resume();
  connection.end(`${JSON.stringify(told)}\n`);
  await finished(connection);
}

test("files have whom made them or they were given to for an owner, and belong to the folder's user here", () => {
  chmodSync(folder, 0o777);
  as(1_234, "echo mine > file; mkdir dir; echo deep > dir/deep; ln -s file link; chmod 640 file");
  as(0, "echo root > root; chown 999:998 root; chmod 4755 root");
  expect(owners("file", "dir", "dir/deep", "root")).toEqual(["1234:1234 640", "1234:1234 755", "1234:1234 644", "999:998 4755"]);
  for (const path of ["file", "dir", "dir/deep", "root"]) expect(statSync(join(folder, path))).toMatchObject({ uid: 0, gid: 0 });
  expect(statSync(join(folder, "root")).mode & 0o7777).toBe(0o755);
  expect(as(1_234, "echo more >> file; cat file link")).toBe("mine\nmore\nmine\nmore");
  expect(as(1_235, "cat file")).toContain("Permission denied");
  expect(as(1_235, "echo no >> dir/deep")).toContain("Permission denied");
});

test("owners and modes are remembered from one start to the next, and go with a file that is renamed or linked here", async () => {
  as(0, "echo a > a; chown 7:8 a; mkdir secret; chown 7 secret; chmod 000 secret");
  expect(statSync(join(folder, "secret")).mode & 0o7777).toBe(0o700);
  await end();
  renameSync(join(folder, "a"), join(folder, "b"));
  linkSync(join(folder, "b"), join(folder, "c"));
  await serve("--owners");
  expect(owners("b", "c", "secret")).toEqual(["7:8 644", "7:8 644", "7:0 0"]);
  chmodSync(join(folder, "secret"), 0o755);
  await expect.poll(() => owners("secret"), { timeout: 5_000 }).toEqual(["7:0 755"]);
  expect(as(0, "setfattr -n user.slipway.owner -v 0:0 b 2>&1 || cp -a b d; stat -c %u d")).toContain("7");
});

test("a share of root's has the owners of this computer", async () => {
  await end();
  await serve();
  chmodSync(folder, 0o777);
  as(1_234, "echo mine > file; mkdir dir");
  as(0, "chown 5:6 dir");
  expect(statSync(join(folder, "file"))).toMatchObject({ uid: 1_234, gid: 1_234 });
  expect(statSync(join(folder, "dir"))).toMatchObject({ uid: 5, gid: 6 });
});

test("what is in a folder with the set-group-ID bit is of its group, folders and all", () => {
  as(0, "mkdir team; chown 10:20 team; chmod 2777 team");
  as(1_234, "echo x > team/file; mkdir team/sub");
  expect(owners("team", "team/file", "team/sub")).toEqual(["10:20 2777", "1234:20 644", "1234:20 2755"]);
});

test("a program that others may not change loses its set-user-ID bit when it is written to", () => {
  as(0, "echo x > program; chown 9 program; chmod 4777 program");
  as(1_234, "echo y >> program");
  expect(owners("program")).toEqual(["9:0 777"]);
});

test("files that the guest's root may change though their user here may not are changed", () => {
  writeFileSync(join(folder, "fixed"), "a\n", { mode: 0o444 });
  as(0, "echo b >> fixed; truncate -s 3 fixed");
  expect(readFileSync(join(folder, "fixed"), "utf8")).toBe("a\nb");
  expect(owners("fixed")).toEqual(["0:0 444"]);
});

test("everything that programs do with files is done: locks, holes, links, renames, memory maps, many names", () => {
  expect(as(0, "echo 1 > a; exec 8< a; flock -x 8; flock -n a true || echo locked")).toBe("locked");
  as(
    0,
    "truncate -s 1M sparse; fallocate -p -o 0 -l 4096 sparse 2>/dev/null || true; dd if=/dev/urandom of=big bs=1M count=3 conv=fsync status=none; cp big copy",
  );
  expect(as(0, "cmp big copy && stat -c %s sparse")).toBe("1048576");
  as(0, "ln big hard; mv big moved; mkdir -p x/y; mv x z; ln -sn ../a z/up");
  expect(lstatSync(join(folder, "moved")).nlink).toBe(2);
  expect(as(0, "cat z/up; readlink z/up")).toBe("1\n../a");
  as(0, "i=0; while [ $i -lt 3000 ]; do : > z/y/file-with-a-rather-long-name-$i; i=$((i+1)); done");
  expect(new Set(readdirSync(join(mount, "z/y")))).toEqual(new Set(readdirSync(join(folder, "z/y"))));
  expect(as(0, "rm -r z && ls")).not.toContain("z");
  expect(as(0, "cp /bin/true . && ./true && mkfifo pipe && (echo through > pipe & cat pipe)")).toBe("through");
  expect(as(0, "df . | tail -n 1 | wc -w; mv absent there 2>&1 || true")).toContain("No such file");
});

test("names that are no text, and as long as names may be, are kept byte for byte", () => {
  const odd = Buffer.from([0x66, 0xff, 0xfe, 0x67]);
  writeFileSync(Buffer.concat([Buffer.from(`${mount}/`), odd]), "odd");
  writeFileSync(join(mount, "n".repeat(255)), "long");
  expect(
    readdirSync(folder, { encoding: "buffer" })
      .map((name) => name.toString("hex"))
      .toSorted(),
  ).toEqual([odd.toString("hex"), "6e".repeat(255)].toSorted());
});

test("watchers are told of what came, went, was renamed and written to outside, and nothing happens to it by that", async () => {
  mkdirSync(join(folder, "sub"));
  writeFileSync(join(folder, "old"), "1");
  as(0, "cat old; ls sub");
  using watch = new Watch(mount);
  const expectTold = async (...events: string[]): Promise<void> => {
    const told: string[] = [];
    await expect.poll(() => told.push(...watch.take()) && told, { timeout: 5_000 }).toEqual(events);
  };
  writeFileSync(join(folder, "new"), "text");
  await tell(["came", "new"], ["changed", "new"]);
  await expectTold("create new", "modify new", "written new");
  mkdirSync(join(folder, "made"));
  symlinkSync("new", join(folder, "link"));
  await tell(["came", "made", "folder"], ["came", "link", "link"]);
  await expectTold("create made/", "create link");
  renameSync(join(folder, "old"), join(folder, "newer"));
  await tell(["came", "newer"], ["gone", "old"]);
  await expectTold("from old", "to newer");
  renameSync(join(folder, "sub"), join(folder, "made/sub"));
  await tell(["gone", "sub", "folder"], ["came", "made/sub", "folder"]);
  await expectTold("from sub/");
  rmSync(join(folder, "new"));
  rmSync(join(folder, "made"), { recursive: true });
  await tell(["gone", "new"], ["gone", "made", "folder"]);
  await expectTold("delete new", "delete made/");
  // Nobody in the guest ever asked for it.
  await tell(["gone", "unknown"]);
  await expectTold("delete unknown");
  expect(readdirSync(folder).toSorted()).toEqual(["link", "newer"]);
  expect(readFileSync(join(folder, "newer"), "utf8")).toBe("1");
  expect(as(0, "ls")).toBe("link\nnewer");
});

test("watchers are not told a second time of what a container did itself", async () => {
  using watch = new Watch(mount);
  writeFileSync(join(folder, "before"), "");
  as(0, "rm before; echo 1 > file; mkdir dir; mv file dir/file; mv dir/file back; rm -r dir; echo 2 > back");
  const own = watch.take();
  expect(own).toContain("to back");
  const number = String(statSync(join(folder, "back")).ino);
  await tellOf(60_000, ["came", "back"], ["gone", "file", "file", number], ["gone", "before"], ["gone", "dir", "folder"], ["changed", "back"]);
  await tell(["changed", "absent"]);
  as(0, "echo 3 >> back; truncate -s 1 back; touch back");
  expect(watch.take()).toContain("modify back");
  await tellOf(60_000, ["changed", "back"]);
  expect(watch.take()).toEqual([]);
});

test("what is changed outside is seen at once by who was told of it", async () => {
  writeFileSync(join(folder, "file"), "1");
  expect(statSync(join(mount, "file")).size).toBe(1);
  writeFileSync(join(folder, "file"), "12345");
  await tell(["changed", "file"]);
  expect(statSync(join(mount, "file")).size).toBe(5);
  expect(readFileSync(join(mount, "file"), "utf8")).toBe("12345");
});

test("a program that dies in the middle leaves nothing open, and the share goes with its mount", async () => {
  as(0, "sleep 60 > held & kill -9 $!");
  for (let i = 0; i < 50; i += 1) as(0, `echo ${i} > f${i}; rm f${i}`);
  const descriptors = (): number => readdirSync(`/proc/${server.pid}/fd`).length;
  execFileSync("sh", ["-c", "echo 2 > /proc/sys/vm/drop_caches"]);
  await expect.poll(descriptors, { timeout: 10_000 }).toBeLessThan(60);
  const ended = once(server, "exit");
  execFileSync("umount", [mount]);
  expect(await ended).toEqual([0, null]);
  rmSync(join(base, "socket"));
  await serve("--owners");
});
