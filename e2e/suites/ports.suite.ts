import { once } from "node:events";
import { readdirSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { networkInterfaces } from "node:os";
import { text } from "node:stream/consumers";
import { beforeAll, describe, expect, test } from "vitest";
import { EngineClient } from "#client/client.ts";
import { create, inspect } from "../engine/rig.ts";

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
const connections = process.env["SLIPWAY_TEST_LONG"] === "1" ? 10_000 : 300;

/** Ports of this computer that lead into the virtual machine. */
export function portsSuite(name: string, machine: () => MachineUnderTest): void {
  describe(name, () => {
    let client: EngineClient;
    let id: string;
    let web: number;
    let heard: number;
    const bound = async (key: string): Promise<number> => Number((await inspect(client, id)).NetworkSettings.Ports[key]?.[0]?.HostPort);

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
      const who = async (host: string): Promise<string> => (/[\d.]{7,}\]?\s*$/.exec(await asked(web, host, "/cgi-bin/who")) ?? [""])[0].replace(/\]?\s*$/, "");
      await expect.poll(() => who("127.0.0.1").catch(() => ""), { timeout: 60_000 }).toBe("172.17.0.1");
      expect(await who("::1")).toBe("172.17.0.1");
      const outer = Object.values(networkInterfaces())
        .flatMap((list) => list ?? [])
        .find(({ family, internal }) => family === "IPv4" && !internal);
      expect(outer, "this computer has no address but its loopback").toBeDefined();
      expect(await who(outer?.address ?? "")).toBe(outer?.address);
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
