import { createSocket } from "node:dgram";
import { once } from "node:events";
import { readdirSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { networkInterfaces } from "node:os";
import { text } from "node:stream/consumers";
import { beforeAll, describe, expect, test } from "vitest";
import { EngineClient } from "#client/client.ts";
import { create, inspect, remove } from "../engine/rig.ts";

export interface MachineUnderTest {
  readonly socket: string;
  /** Processes that carry what goes through published ports. */
  readonly pids: () => readonly number[];
}

/** A page that tells who asks, and a program that answers once it has been told everything. */
const serving = `mkdir -p /tmp/www/cgi-bin
printf '#!/bin/sh\\necho Content-Type: text/plain; echo; echo $REMOTE_ADDR\\n' > /tmp/www/cgi-bin/who; chmod 755 /tmp/www/cgi-bin/who
nc -ll -p 81 -e sh -c 'cat > /tmp/heard; echo "heard $(wc -c < /tmp/heard)"' &
exec httpd -f -p 80 -h /tmp/www`;
/** Of the guest's own Node, in the network of a container. */
const echoing = `const socket = require("node:dgram").createSocket("udp4");
socket.on("message", (message, from) => socket.send(message, from.port, from.address)).bind(53);`;
/** In bytes; the last is all that a datagram can hold. */
const datagrams = [1, 1_472, 9_000, 65_507];
const connections = process.env["SLIPWAY_TEST_LONG"] === "1" ? 10_000 : 300;

/** Ports of this computer that lead into the virtual machine. */
export function portsSuite(name: string, machine: () => MachineUnderTest): void {
  describe(name, () => {
    let client: EngineClient;
    let id: string;
    let web: number;
    let heard: number;
    const bound = async (key: string, of = id): Promise<number> => Number((await inspect(client, of)).NetworkSettings.Ports[key]?.[0]?.HostPort);
    const who = async (port: number, host: string): Promise<string> =>
      (/[\d.]{7,}\]?\s*$/.exec(await asked(port, host, "/cgi-bin/who")) ?? [""])[0].replace(/\]?\s*$/, "");
    const outer = Object.values(networkInterfaces())
      .flatMap((list) => list ?? [])
      .find(({ family, internal }) => family === "IPv4" && !internal);

    beforeAll(async () => {
      client = new EngineClient({ kind: "socket", path: machine().socket });
      const free = [{ HostIp: "", HostPort: "" }];
      id = await create(client, { Image: "slipway/welcome", Cmd: ["sh", "-c", serving], HostConfig: { PortBindings: { "80/tcp": free, "81/tcp": free } } });
      await client.call("POST", `/containers/${id}/start`);
    });

    test("a port takes connections the moment start returns", async () => {
      [web, heard] = [await bound("80/tcp"), await bound("81/tcp")];
      for (const host of ["127.0.0.1", "::1"]) {
        const socket = connect(web, host);
        await once(socket, "connect");
        expect(socket.remotePort).toBe(web);
        socket.on("error", () => {}).destroy();
      }
    });

    test("who comes from this computer's loopback is the gateway for the container, who comes from elsewhere is who it is", async () => {
      await expect.poll(() => who(web, "127.0.0.1").catch(() => ""), { timeout: 60_000 }).toBe("172.17.0.1");
      expect(await who(web, "::1")).toBe("172.17.0.1");
      expect(outer, "this computer has no address but its loopback").toBeDefined();
      expect(await who(web, outer?.address ?? "")).toBe(outer?.address);
    });

    test("who has an address that a network in the machine has, too, is answered", async () => {
      const Gateway = outer?.address ?? "";
      const Subnet = Gateway.replace(/\d+$/, "0/24");
      await client.json("POST", "/networks/create", { json: { Name: "twin", IPAM: { Config: [{ Subnet, Gateway }] } } });
      const HostConfig = { NetworkMode: "twin", PortBindings: { "80/tcp": [{ HostIp: "", HostPort: "" }] } };
      const twin = await create(client, { Image: "slipway/welcome", Cmd: ["sh", "-c", serving], HostConfig });
      await client.call("POST", `/containers/${twin}/start`);
      const port = await bound("80/tcp", twin);
      await expect.poll(() => who(port, Gateway).catch(() => ""), { timeout: 60_000 }).toBe(Gateway);
      await remove(client, twin);
      await client.call("DELETE", "/networks/twin");
    });

    test("the very first connection to a port is answered once the request that published it is", async () => {
      for (let i = 0; i < 10; i += 1) {
        await client.json("POST", `/slipway/containers/${id}/ports`, { json: { Add: { "80/tcp": [{ HostIp: "127.0.0.1", HostPort: "19870" }] } } });
        expect(await who(19_870, "127.0.0.1")).toBe("172.17.0.1");
        await client.json("POST", `/slipway/containers/${id}/ports`, { json: { Remove: { "80/tcp": [{ HostIp: "127.0.0.1", HostPort: "19870" }] } } });
      }
    });

    test("each direction ends by itself, and every byte arrives", async () => {
      for (const [host, size] of [
        ["127.0.0.1", 0],
        ["127.0.0.1", 3_000_000],
        ["::1", 3_000_000],
      ] as const) {
        const socket = connect({ port: heard, host, allowHalfOpen: true });
        socket.end(Buffer.alloc(size));
        expect(await text(socket), `${size} bytes by ${host}`).toBe(`heard ${size}\n`);
      }
    });

    test("datagrams are answered to the client that each came from, the largest ones whole", async () => {
      const HostConfig = { Privileged: true, PidMode: "host", PortBindings: { "53/udp": [{ HostIp: "", HostPort: "" }] } };
      const server = await create(client, { Image: "slipway/welcome", Cmd: ["nsenter", "-t", "1", "-m", "node", "-e", echoing], HostConfig });
      await client.call("POST", `/containers/${server}/start`);
      const port = await bound("53/udp", server);
      const ask = async (who: number): Promise<void> => {
        const [host, type] = who % 2 === 0 ? (["127.0.0.1", "udp4"] as const) : (["::1", "udp6"] as const);
        await using undo = new AsyncDisposableStack();
        const socket = undo.adopt(createSocket(type), (one) => void one.close());
        const heard = new Set<number | string>();
        socket.on("message", (answer) => heard.add(answer.equals(Buffer.alloc(answer.length, who)) ? answer.length : `somebody else's ${answer.length}`));
        const isAnswered = (size: number): boolean => {
          // Once more: datagrams may be lost, and the program has to start first.
          if (!heard.has(size)) socket.send(Buffer.alloc(size, who), port, host);
          return heard.has(size);
        };
        for (const size of datagrams) await expect.poll(() => isAnswered(size), { timeout: 60_000, interval: 500 }).toBe(true);
        expect([...heard]).toEqual(datagrams);
      };
      await Promise.all(Array.from({ length: 12 }, (_, who) => ask(who)));
      await remove(client, server);
    });

    test(`${connections} short connections leave no descriptor behind`, async () => {
      const descriptors = (): number =>
        machine()
          .pids()
          .reduce((sum, pid) => sum + readdirSync(`/proc/${pid}/fd`).length, 0);
      const before = descriptors();
      let left = connections;
      const lane = async (): Promise<void> => {
        while (left-- > 0) expect(await asked(web)).toContain("404");
      };
      await Promise.all(Array.from({ length: 20 }, lane));
      await expect.poll(descriptors, { timeout: 120_000, interval: 1_000 }).toBeLessThanOrEqual(before);
    }, 3_600_000);

    test("with its container a port is gone, and what is open through it ends", async () => {
      const open = connect(heard, "127.0.0.1");
      await once(open, "connect");
      open.write("not all");
      await client.call("DELETE", `/containers/${id}`, { query: { force: true } });
      await text(open).catch(() => {});
      for (const host of ["127.0.0.1", "::1"]) await expect(asked(web, host)).rejects.toMatchObject({ code: "ECONNREFUSED" });
    });
  });
}

/** The answer of a server that closes when it has answered. */
async function asked(port: number, host = "127.0.0.1", path = "/nothing"): Promise<string> {
  const socket: Socket = connect(port, host);
  socket.write(`GET ${path} HTTP/1.0\r\n\r\n`);
  return await text(socket);
}
