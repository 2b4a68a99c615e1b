import { createSocket } from "node:dgram";
import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";
import type { Duplex } from "node:stream";
import { text } from "node:stream/consumers";
import { afterEach, beforeEach, expect, test } from "vitest";
import { dialStream } from "#link/dial.ts";
import { openRig, type Rig } from "#link/rig.ts";
import { type Forwards, listenTcp } from "./listeners.ts";
import { PublishedPorts } from "./ports.ts";

let rig: Rig;
let ports: PublishedPorts;
let echo: Server;
beforeEach(async () => {
  rig = await openRig();
  ports = new PublishedPorts({
    dial: async (kind, { address, port }) => await rig.link.open({ kind, address, port }),
    orphanMs: () => 60_000,
  });
  echo = createServer(
    { allowHalfOpen: true },
    (socket) =>
      void text(socket).then(
        (all) => socket.end(`echo ${all}`),
        () => {},
      ),
  );
  echo.listen(0, "127.0.0.1");
  await once(echo, "listening");
});
afterEach(async () => {
  await ports[Symbol.asyncDispose]();
  await rig[Symbol.asyncDispose]();
  await new Promise((resolve) => echo.close(resolve));
});

const target = () => ({ address: "127.0.0.1", port: (echo.address() as AddressInfo).port });
const request = (change: Partial<Parameters<PublishedPorts["publish"]>[0]> = {}) => ({
  proto: "tcp" as const,
  hostIp: "127.0.0.1",
  hostPort: 0,
  target: target(),
  ...change,
});
const ask = async (port: number, host = "127.0.0.1"): Promise<string> => {
  const client: Duplex = await dialStream({ address: host, port });
  client.end("hello");
  return await text(client);
};

test("a published port reaches its target with half-close kept, and is free again once withdrawn", async () => {
  const { lease, hostPort } = await ports.publish(request());
  expect(await ask(hostPort)).toBe("echo hello");
  await ports.unpublish(lease);
  await expect(ask(hostPort)).rejects.toMatchObject({ code: "ECONNREFUSED" });
});

test("127.0.0.1, every IPv4 address and every IPv6 address are three different things", async () => {
  const local = await ports.publish(request());
  await expect(ask(local.hostPort, "127.0.0.2")).rejects.toMatchObject({ code: "ECONNREFUSED" });
  const v4 = await ports.publish(request({ hostIp: "" }));
  expect(await ask(v4.hostPort, "127.0.0.2")).toBe("echo hello");
  const v6 = await ports.publish(request({ hostIp: "::", hostPort: v4.hostPort }));
  expect(v6.hostPort).toBe(v4.hostPort);
  expect(await ask(v6.hostPort, "::1")).toBe("echo hello");
});

test("an occupied port names who holds it", async () => {
  const port = target().port;
  await expect(ports.publish(request({ hostPort: port }))).rejects.toMatchObject({
    class: "conflict",
    message: expect.stringMatching(`^address already in use by .+ \\(process ${process.pid}\\)$`) as string,
  });
});

test("an address of another computer and a name are refused with the reason", async () => {
  await expect(ports.publish(request({ hostIp: "192.0.2.7" }))).rejects.toMatchObject({
    class: "invalidArgument",
    message: expect.stringContaining("cannot assign requested address") as string,
  });
  await expect(ports.publish(request({ hostIp: "localhost" }))).rejects.toMatchObject({ class: "invalidArgument" });
});

test("a port that one container has is refused to the next", async () => {
  const { hostPort } = await ports.publish(request());
  await expect(ports.publish(request({ hostPort }))).rejects.toMatchObject({
    class: "conflict",
    message: expect.stringContaining("port is already allocated") as string,
  });
});

test("a lost guest's port stays bound, is claimed again, and leads to the new target", async () => {
  const { lease, hostPort } = await ports.publish(request({ target: { address: "127.0.0.1", port: 1 } }));
  ports.orphan();
  const again = await ports.publish(request({ hostPort }));
  expect(again.hostPort).toBe(hostPort);
  expect(await ask(hostPort)).toBe("echo hello");
  await ports.unpublish(lease); // The former guest's lease is over: withdrawing it must not take the new one down.
  await ports.sweep();
  expect(await ask(hostPort)).toBe("echo hello");
});

test("a port that no guest claims again is given up", async () => {
  const { hostPort } = await ports.publish(request());
  ports.orphan();
  await ports.sweep();
  await expect(ask(hostPort)).rejects.toMatchObject({ code: "ECONNREFUSED" });
});

test("a connection whose target cannot be reached is reset, not left hanging", async () => {
  const { hostPort } = await ports.publish(request({ target: { address: "127.0.0.1", port: 1 } }));
  const client = connect(hostPort, "127.0.0.1");
  await expect(text(client)).rejects.toMatchObject({ code: "ECONNRESET" });
});

test("withdrawing a port closes the connections that came through it", async () => {
  const { lease, hostPort } = await ports.publish(request());
  const client: Socket = connect(hostPort, "127.0.0.1");
  await once(client, "connect");
  const closed = once(client.resume(), "close").catch(() => {});
  await ports.unpublish(lease);
  await closed;
  expect(client.destroyed).toBe(true);
});

test("each sender of datagrams gets its own answers", async () => {
  const server = createSocket("udp4");
  server.on("message", (datagram, from) => server.send(`re ${String(datagram)}`, from.port, from.address));
  server.bind(0, "127.0.0.1");
  await once(server, "listening");
  const { hostPort } = await ports.publish(request({ proto: "udp", target: { address: "127.0.0.1", port: server.address().port } }));
  const talk = async (word: string): Promise<string> => {
    const client = createSocket("udp4");
    client.send(word, hostPort, "127.0.0.1");
    const [answer] = (await once(client, "message")) as [Buffer];
    client.close();
    return String(answer);
  };
  expect(await Promise.all(["a", "b", "c"].map(talk))).toEqual(["re a", "re b", "re c"]);
  server.close();
});

test("a connection of the guest's that would come back is known", async () => {
  const { hostPort } = await ports.publish(request());
  expect([ports.holds("tcp", hostPort), ports.holds("udp", hostPort), ports.holds("tcp", hostPort + 1)]).toEqual([true, false, false]);
});

test("what the machine forwards itself takes no tunnel; a machine that ends leaves its ports bound, and the next one forwards them again", async () => {
  const log: string[] = [];
  const forwards: Forwards = {
    // As QEMU would, to a port of this computer instead of a guest's.
    add: async ({ hostPort }, guestPort) => {
      const listener = await listenTcp({ proto: "tcp", hostIp: "127.0.0.1", hostPort }, () => dialStream({ address: "127.0.0.1", port: guestPort }));
      log.push(`forward to ${guestPort}`);
      return listener;
    },
  };
  await using own = new PublishedPorts({
    dial: async (kind, { address, port }) => {
      log.push("tunnel");
      return await rig.link.open({ kind, address, port });
    },
    orphanMs: () => 60_000,
    forwards: () => forwards,
  });
  const relayed = request({ relayPort: target().port });
  const { hostPort } = await own.publish(relayed);
  expect(await ask(hostPort)).toBe("echo hello");
  // Beside it, IPv6 takes the same way.
  await own.publish(request({ hostIp: "::1", hostPort }));
  expect(await ask(hostPort, "::1")).toBe("echo hello");
  expect(log).toEqual([`forward to ${target().port}`]);
  own.orphan();
  await own.hold();
  expect(await ask(hostPort)).toBe("echo hello");
  expect(log.slice(1)).toEqual(["tunnel"]);
  await own.publish({ ...relayed, hostPort });
  expect(await ask(hostPort)).toBe("echo hello");
  expect(log.slice(2)).toEqual([`forward to ${target().port}`]);
  await own.sweep();
  await expect(ask(hostPort, "::1")).rejects.toMatchObject({ code: "ECONNREFUSED" });
  expect(await ask(hostPort)).toBe("echo hello");
});
