import { buffer } from "node:stream/consumers";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { ImageInspect } from "#api/images.ts";
import type { EngineClient } from "#client/client.ts";
import { type Rig, call, create, events, inspect, logs, openRig, remove, run, sh, wait } from "./rig.ts";

let rig: Rig;
let client: EngineClient;
beforeAll(async () => {
  rig = await openRig("cm");
  client = rig.client;
});
afterAll(async () => {
  await rig?.[Symbol.asyncDispose]();
});

const letters = ["C", "A", "D"];
async function diff(id: string): Promise<string[]> {
  const changes = await client.json<{ Path: string; Kind: number }[] | null>("GET", `/containers/${id}/changes`);
  return (changes ?? []).map(({ Path, Kind }) => `${letters[Kind]} ${Path}`);
}
const commit = async (container: string, query: Record<string, string | number> = {}): Promise<string> =>
  (await client.json<{ Id: string }>("POST", "/commit", { query: { container, ...query } })).Id;
const ended = async (script: string, body: object = {}): Promise<string> => {
  const id = await run(client, { ...sh(script), ...body });
  expect(await wait(client, id)).toBe(0);
  return id;
};

// The right-hand sides are dockerd 28.5's own answers to the same commands.
test.each<[string, string[]]>([
  ["true", []],
  [
    "echo 1 > /new; echo x >> /etc/passwd; rm /www/index.html; mkdir -p /n/m",
    ["C /etc", "C /etc/passwd", "A /n", "A /n/m", "A /new", "C /www", "D /www/index.html"],
  ],
  ["rm -r /www; mkdir /www; echo a > /www/b", ["C /www", "A /www/b", "D /www/index.html"]],
  ["rm -r /www; rmdir /var; mv /root /root2", ["D /root", "A /root2", "D /var", "D /www"]],
  ["rm -r /www; echo x > /www; rm /etc/group; mkdir /etc/group; touch /etc/group/a", ["C /etc", "C /etc/group", "A /etc/group/a", "C /www"]],
  ["chmod 700 /www; chmod 600 /etc/group; touch /tmp; touch /a; rm /a", ["C /etc", "C /etc/group", "C /www"]],
  ["cat /etc/passwd > /tmp/p; cat /tmp/p > /etc/passwd; rm /tmp/p; touch -d @0 /etc/passwd", []],
  ["ln /etc/passwd /etc/p2; mkfifo /tmp/f; rm -f /.dockerenv", ["D /.dockerenv", "C /etc", "A /etc/p2", "C /tmp", "A /tmp/f"]],
])("docker diff after: %s", async (script, expected) => {
  const id = await ended(script);
  expect(await diff(id)).toEqual(expected);
  await remove(client, id);
});

test("a committed image names the image it stands on, and its history all that are still here", async () => {
  const busybox = (await client.json<ImageInspect>("GET", "/images/busybox/json")).Id;
  const first = await ended("echo a > /a");
  const one = await commit(first, { repo: "generation", tag: "one" });
  const second = await ended("echo b > /b", { Image: "generation:one" });
  const two = await commit(second, { repo: "generation", tag: "two" });
  expect((await client.json<ImageInspect>("GET", "/images/generation:two/json")).Parent).toBe(one);
  const history = async (): Promise<unknown[]> =>
    (await client.json<{ Id: string; Tags: string[] | null }[]>("GET", "/images/generation:two/history")).map(({ Id, Tags }) => [Id, Tags]);
  expect(await history()).toEqual([
    [two, ["generation:two"]],
    [one, ["generation:one"]],
    [busybox, ["busybox:latest"]],
  ]);
  await remove(client, second);
  await remove(client, first);
  await call(client, "DELETE", "/images/generation:one");
  expect(await history()).toEqual([
    [two, ["generation:two"]],
    ["<missing>", null],
    ["<missing>", null],
  ]);
  await call(client, "DELETE", "/images/generation:two");
});

test("an image of a container holds its files, its history and what --change says, and runs, is listed, saved and loaded", async () => {
  const id = await ended("echo made > /tmp/a; ln /tmp/a /tmp/b; rm /www/index.html; chown 5:6 /tmp/a; echo x >> /etc/group; ln /etc/group /etc/g2", {
    Labels: { l: "1" },
  });
  const image = await commit(id, { repo: "made", tag: "one", author: "me", comment: "why", changes: 'ENV X=y\nCMD ["cat","/tmp/b"]' });
  const shown = await client.json<ImageInspect>("GET", "/images/made:one/json");
  expect(shown).toMatchObject({ Id: image, Author: "me", Comment: "why", Config: { Cmd: ["cat", "/tmp/b"], Labels: { l: "1" } } });
  expect(shown.RootFS).toMatchObject({ Layers: [expect.any(String), expect.any(String)] });
  const [top] = await client.json<{ CreatedBy: string; Comment: string }[]>("GET", "/images/made:one/history");
  expect(top).toMatchObject({ CreatedBy: expect.stringContaining("echo made"), Comment: "why" });
  const archive = await buffer((await client.stream("GET", "/images/get", { query: { names: "made:one" } })).body);
  await remove(client, id);
  await client.json("DELETE", "/images/made:one");
  const once = async function* (): AsyncGenerator<Uint8Array> {
    yield archive;
    await Promise.resolve();
  };
  await call(client, "POST", "/images/load", { body: once() });
  const again = await create(client, { Image: "made:one" });
  await client.call("POST", `/containers/${again}/start`);
  expect(await wait(client, again)).toBe(0);
  expect((await logs(client, again)).stdout).toBe("made\n");
  expect(await diff(again)).toEqual([]);
  await remove(client, again);
  const check = await run(client, { Image: "made:one", ...sh("stat -c '%u %g %h' /tmp/a; stat -c %h /etc/group; ls /www; env | grep X=") });
  await wait(client, check);
  expect((await logs(client, check)).stdout).toBe("5 6 2\n2\nX=y\n");
  await remove(client, check);
  await client.json("DELETE", "/images/made:one");
});

test("a running container is paused for its commit unless that is not wanted, and goes on; nothing changed is no layer", async () => {
  const id = await run(client, sh("exec sleep 100"));
  const watch = events(client, { container: [id] });
  await watch.ready;
  const first = await commit(id);
  const second = await commit(id, { pause: 0 });
  await expect.poll(() => watch.seen.map(({ Action }) => Action)).toEqual(["pause", "commit", "unpause", "commit"]);
  watch.stop();
  expect((await inspect(client, id)).State).toMatchObject({ Status: "running", Paused: false });
  const shown = await client.json<ImageInspect>("GET", `/images/${first}/json`);
  expect(shown.RepoTags).toEqual([]);
  expect(shown.RootFS).toMatchObject({ Layers: [expect.any(String)] });
  await remove(client, id);
  for (const image of new Set([first, second])) await client.json("DELETE", `/images/${image}`);
});

test("wrong names, lines and containers are refused in dockerd's words", async () => {
  const id = await create(client, { Cmd: ["true"] });
  await expect(commit("nope")).rejects.toMatchObject({ class: "notFound", message: "No such container: nope" });
  await expect(commit(id, { changes: "RUN x" })).rejects.toMatchObject({ class: "invalidArgument", message: "RUN is not a valid change command" });
  await expect(commit(id, { repo: "UP" })).rejects.toMatchObject({ class: "invalidArgument" });
  await remove(client, id);
});
