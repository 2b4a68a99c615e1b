import { readFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { EngineClient } from "#client/client.ts";
import { busybox } from "../fixtures/image.ts";
import { type Rig, create, inspect, logs, openRig, remove, run, sh, wait } from "./rig.ts";

let rig: Rig;
let client: EngineClient;
beforeAll(async () => {
  rig = await openRig("sr", { images: [await busybox("volumes:1", { Volumes: { "/www": {}, "/empty": {} } })] });
  client = rig.client;
});
afterAll(async () => {
  await rig?.[Symbol.asyncDispose]();
});

describe("volumes", () => {
  test("an image's volumes are anonymous ones, filled from the image, and go with `v`", async () => {
    const id = await run(client, { Image: "volumes:1", Cmd: ["cat", "/www/index.html"] });
    expect(await wait(client, id)).toBe(0);
    expect((await logs(client, id)).stdout).toContain("hello from a container");
    const { Mounts } = await inspect(client, id);
    expect(Mounts.map(({ Type, Destination }) => `${Type} ${Destination}`).sort()).toEqual(["volume /empty", "volume /www"]);
    const names = Mounts.map(({ Name = "" }) => Name);
    await expect(client.call("DELETE", `/volumes/${names[0]}`)).rejects.toMatchObject({ class: "conflict" });
    await remove(client, id);
    for (const name of names) await expect(client.json("GET", `/volumes/${name}`)).rejects.toMatchObject({ class: "notFound" });
  });

  test("--volumes-from shares them, and whoever goes last lets them go", async () => {
    const first = await run(client, { Image: "volumes:1", ...sh("echo shared > /empty/file") });
    await wait(client, first);
    const second = await run(client, { Cmd: ["cat", "/empty/file"], HostConfig: { VolumesFrom: [`${first}:ro`] } });
    await remove(client, first);
    await wait(client, second);
    expect((await logs(client, second)).stdout).toBe("shared\n");
    expect((await inspect(client, second)).Mounts.every(({ RW }) => !RW)).toBe(true);
    await remove(client, second);
  });

  test("a missing source of -v is made on the host; of --mount it is refused", async () => {
    const source = `${rig.program.root}-made/deep/dir`;
    const id = await run(client, { ...sh("echo here > /x/file"), HostConfig: { Binds: [`${source}:/x`] } });
    expect(await wait(client, id)).toBe(0);
    const { readFileSync, rmSync } = await import("node:fs");
    expect(readFileSync(`${source}/file`, "utf8")).toBe("here\n");
    rmSync(`${rig.program.root}-made`, { recursive: true });
    await remove(client, id);
    await expect(create(client, { Cmd: ["true"], HostConfig: { Mounts: [{ Type: "bind", Source: "/no/such/place", Target: "/x" }] } })).rejects.toMatchObject({
      class: "invalidArgument",
    });
  });

  test("a link on the host is followed as the host would follow it", async () => {
    const { mkdirSync, rmSync, symlinkSync, writeFileSync } = await import("node:fs");
    const place = `${rig.program.root}-links`;
    mkdirSync(`${place}/real`, { recursive: true });
    writeFileSync(`${place}/real/file`, "through the link\n");
    symlinkSync(`${place}/real`, `${place}/link`);
    const id = await run(client, { Cmd: ["cat", "/x/file"], HostConfig: { Binds: [`${place}/link:/x:ro`] } });
    await wait(client, id);
    expect((await logs(client, id)).stdout).toBe("through the link\n");
    await remove(client, id);
    rmSync(place, { recursive: true });
  });
});

describe("networks", () => {
  test("a running container joins a network and leaves it", async () => {
    await client.call("POST", "/networks/create", { json: { Name: "second" } });
    const id = await run(client, { name: "joiner", Cmd: ["sleep", "100"] });
    const hosts = async (): Promise<string> => readFileSync((await inspect(client, id)).HostsPath, "utf8");
    const own = await hosts();
    await client.call("POST", "/networks/second/connect", { json: { Container: "joiner" } });
    const { NetworkSettings, ResolvConfPath } = await inspect(client, id);
    expect(readFileSync(ResolvConfPath, "utf8")).toContain("nameserver 127.0.0.11\noptions ndots:0\n");
    expect(await hosts()).toBe(`${own}${NetworkSettings.Networks["second"]?.IPAddress}\t${id.slice(0, 12)}\n`);
    expect(Object.keys((await inspect(client, id)).NetworkSettings.Networks).sort()).toEqual(["bridge", "second"]);
    await client.call("POST", `/containers/${id}/restart`, { query: { t: 0 } });
    expect((await inspect(client, id)).NetworkSettings.Networks["second"]?.IPAddress).toMatch(/^172\./);
    await client.call("POST", "/networks/second/disconnect", { json: { Container: "joiner" } });
    expect(Object.keys((await inspect(client, id)).NetworkSettings.Networks)).toEqual(["bridge"]);
    expect(await hosts()).not.toMatch(/^172\.(?!17\.)/m);
    await remove(client, id);
    await client.call("DELETE", "/networks/second");
  });

  test("one container lives in another's network", async () => {
    const host = await run(client, { name: "lender", Cmd: ["httpd", "-f", "-p", "80", "-h", "/www"] });
    const guest = await run(client, { Cmd: ["wget", "-qO-", "http://127.0.0.1/"], HostConfig: { NetworkMode: "container:lender" } });
    expect(await wait(client, guest)).toBe(0);
    expect((await logs(client, guest)).stdout).toContain("hello from a container");
    await remove(client, guest);
    await remove(client, host);
  });
});
