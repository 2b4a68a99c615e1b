import { afterEach, expect, test } from "vitest";
import { EngineError } from "#base/errors.ts";
import { Emitter } from "#base/event.ts";
import type { Bridge, HostInfo, Settings, StreamOpen } from "./bridge.ts";
import { createBridge } from "./client.ts";
import { encodeFrame, encodeJson } from "./frames.ts";
import { domPort, portTransport } from "./messageport.ts";
import { type BridgeHost, type HostApi, type HostEvent, type HostStream, serveBridge } from "./serve.ts";
import type { Transport } from "./transport.ts";

// Both real ends over a real MessageChannel; only what is behind the host end is the test's own.
const info: HostInfo = { version: "1", platform: "linux", mode: "browser", socketPath: "/s", home: "/home/me", portHost: "localhost" };
const open: StreamOpen = { request: { method: "GET", path: "/x" }, kind: "download", windowBytes: 64 * 1024 };
const cleanups: (() => void)[] = [];
afterEach(() => {
  for (const cleanup of cleanups.splice(0)) cleanup();
});

interface Rig {
  readonly bridge: Bridge;
  readonly events: Emitter<HostEvent>;
  /** Transports of the host end, oldest first. */
  readonly ends: Transport[];
  readonly sentToWindow: () => number;
}

function rig(given: { calls?: Partial<HostApi>; stream?: (open: StreamOpen, stream: HostStream) => Promise<void> }): Rig {
  const events = new Emitter<HostEvent>();
  const ends: Transport[] = [];
  let sent = 0;
  const host: BridgeHost = {
    calls: { "host.info": async () => info, ...given.calls } as HostApi,
    stream: given.stream ?? (async () => undefined),
    onEvent: (listener) => events.on(listener),
  };
  const bridge = createBridge(async () => {
    const { port1, port2 } = new MessageChannel();
    const end = portTransport(domPort(port2));
    const counted: Transport = {
      ...end,
      send: (frame) => {
        sent += frame.byteLength;
        end.send(frame);
      },
    };
    ends.push(counted);
    serveBridge(counted, host);
    return portTransport(domPort(port1));
  });
  cleanups.push(() => {
    bridge[Symbol.dispose]();
    for (const end of ends) end.close();
  });
  return { bridge, events, ends, sentToWindow: () => sent };
}

async function bytesOf(stream: { readonly bytes: AsyncIterable<Uint8Array> }): Promise<Uint8Array> {
  const parts: number[] = [];
  for await (const bytes of stream.bytes) for (const byte of bytes) parts.push(byte);
  return Uint8Array.from(parts);
}

/** Lets every message that is under way arrive. */
const settle = async (): Promise<void> => {
  for (let i = 0; i < 10; i += 1) await new Promise((resolve) => setTimeout(resolve, 3));
};

test("a call's answer comes back, and the class of its error is kept across the wire", async () => {
  const { bridge } = rig({
    calls: {
      "machine.start": async () => {
        throw new EngineError("conflict", "it is stopping");
      },
      "machine.stop": async () => {
        throw new TypeError("a bug");
      },
    },
  });
  expect(await bridge.call("host.info")).toEqual(info);
  await expect(bridge.call("machine.start")).rejects.toMatchObject({ name: "EngineError", class: "conflict", message: "it is stopping" });
  await expect(bridge.call("machine.stop")).rejects.toMatchObject({ class: "internal", message: "a bug" });
});

test.each([
  ["an unknown setting", "settings.set", { colour: "red" }],
  ["a setting out of range", "settings.set", { cpus: 0 }],
  ["a path that names another host", "engine.request", { method: "GET", path: "//evil/" }],
  ["a header with a line break", "engine.request", { method: "GET", path: "/x", headers: { a: "b\r\nc: d" } }],
  ["a method of no use", "engine.request", { method: "TRACE", path: "/x" }],
  ["an argument where there is none", "machine.stop", { now: true }],
] as const)("the host end refuses %s before any handler runs", async (_, name, arg) => {
  let ran = false;
  const serve = async (): Promise<never> => {
    ran = true;
    throw new Error("reached");
  };
  const { bridge } = rig({ calls: { "settings.set": serve, "engine.request": serve, "machine.stop": serve } });
  await expect((bridge.call as (n: string, a: unknown) => Promise<unknown>)(name, arg)).rejects.toMatchObject({ class: "invalidArgument" });
  expect(ran).toBe(false);
});

test("a name of the prototype is no call", async () => {
  const { bridge } = rig({});
  await expect((bridge.call as (n: string) => Promise<unknown>)("constructor")).rejects.toMatchObject({ class: "invalidArgument" });
});

test("an event reaches its listeners until they are disposed", async () => {
  const { bridge, events } = rig({});
  await bridge.call("host.info");
  const seen: unknown[] = [];
  const listener = bridge.on("settings", (value) => seen.push(value));
  const value = { theme: "dark" } as Settings;
  events.fire({ name: "settings", value });
  await settle();
  listener[Symbol.dispose]();
  events.fire({ name: "settings", value });
  await settle();
  expect(seen).toEqual([value]);
});

test("the host sends no more than the window granted until the window reads", async () => {
  let written = 0;
  const { bridge, sentToWindow } = rig({
    stream: async (_, stream) => {
      stream.head({ status: 200, headers: {} });
      for (let i = 0; i < 64; i += 1) {
        await stream.write(new Uint8Array(16 * 1024).fill(i));
        written += 1;
      }
      await stream.end();
    },
  });
  await bridge.call("host.info");
  const stream = bridge.stream(open);
  await stream.head;
  await settle();
  expect(sentToWindow()).toBeLessThan(open.windowBytes + 1024);
  expect(written).toBeLessThan(10);
  const got = await bytesOf(stream);
  expect(got.byteLength).toBe(64 * 16 * 1024);
  expect(got.filter((byte, i) => byte !== Math.floor(i / (16 * 1024)))).toHaveLength(0);
});

test("the window's writes wait for the host's reader", async () => {
  const reading = Promise.withResolvers<void>();
  const received = Promise.withResolvers<number>();
  const { bridge } = rig({
    stream: async (_, stream) => {
      await reading.promise;
      let bytes = 0;
      for await (const chunk of stream.read()) bytes += chunk.byteLength;
      received.resolve(bytes);
      stream.head({ status: 200, headers: {} });
      await stream.end();
    },
  });
  const stream = bridge.stream({ ...open, kind: "upload" });
  let written = 0;
  const writing = (async () => {
    for (let i = 0; i < 32; i += 1) {
      await stream.write(new Uint8Array(16 * 1024));
      written += 1;
    }
    stream.end();
  })();
  await settle();
  expect(written).toBeLessThan(6);
  reading.resolve();
  await writing;
  expect(await received.promise).toBe(32 * 16 * 1024);
  expect((await stream.head).status).toBe(200);
});

test("half-close: the window ends its direction and still reads the answer", async () => {
  const { bridge } = rig({
    stream: async (_, stream) => {
      stream.head({ status: 101, headers: {} });
      const parts: string[] = [];
      for await (const chunk of stream.read()) parts.push(new TextDecoder().decode(chunk));
      await stream.write(new TextEncoder().encode(`got ${parts.join("")}`));
      await stream.end();
    },
  });
  const stream = bridge.stream({ ...open, kind: "upgrade" });
  await stream.write(new TextEncoder().encode("hello"));
  stream.end();
  expect(new TextDecoder().decode(await bytesOf(stream))).toBe("got hello");
});

test("half-close the other way: the host ends and still reads what the window writes", async () => {
  const late = Promise.withResolvers<string>();
  const { bridge } = rig({
    stream: async (_, stream) => {
      stream.head({ status: 101, headers: {} });
      await stream.end();
      let text = "";
      for await (const chunk of stream.read()) text += new TextDecoder().decode(chunk);
      late.resolve(text);
    },
  });
  const stream = bridge.stream({ ...open, kind: "upgrade" });
  await stream.head;
  await settle();
  await stream.write(new TextEncoder().encode("after the end"));
  stream.end();
  expect(await late.promise).toBe("after the end");
});

test("reading a terminal's output to its end leaves nothing open at the host", async () => {
  const closed = Promise.withResolvers<void>();
  const { bridge } = rig({
    stream: async (_, stream) => {
      stream.signal.addEventListener("abort", () => closed.resolve());
      stream.head({ status: 101, headers: {} });
      await stream.end();
    },
  });
  expect(await bytesOf(bridge.stream({ ...open, kind: "upgrade" }))).toHaveLength(0);
  await closed.promise;
});

test("many small writes share frames", async () => {
  let frames = 0;
  const { bridge, ends } = rig({
    stream: async (_, stream) => {
      stream.head({ status: 200, headers: {} });
      for (let i = 0; i < 1000; i += 1) await stream.write(new Uint8Array(10));
      await stream.end();
    },
  });
  await bridge.call("host.info");
  const end = ends[0] as { send: Transport["send"] };
  const send = end.send;
  end.send = (frame) => {
    frames += 1;
    send(frame);
  };
  expect((await bytesOf(bridge.stream(open))).byteLength).toBe(10_000);
  expect(frames).toBeLessThan(20);
});

test("breaking out of the loop closes the stream at the host", async () => {
  const closed = Promise.withResolvers<unknown>();
  const { bridge } = rig({
    stream: async (_, stream) => {
      stream.signal.addEventListener("abort", () => closed.resolve(stream.signal.reason));
      stream.head({ status: 200, headers: {} });
      for (;;) await stream.write(new Uint8Array(1024));
    },
  });
  for await (const _bytes of bridge.stream(open).bytes) break;
  expect(await closed.promise).toMatchObject({ class: "cancelled" });
});

test("what the host's stream throws is told to the window, after the bytes that had come", async () => {
  const { bridge } = rig({
    stream: async (_, stream) => {
      stream.head({ status: 200, headers: {} });
      await stream.write(new Uint8Array(7));
      await settle();
      throw new EngineError("unavailable", "the engine went away");
    },
  });
  let got = 0;
  const reading = (async () => {
    for await (const bytes of bridge.stream(open).bytes) got += bytes.byteLength;
  })();
  await expect(reading).rejects.toMatchObject({ class: "unavailable", message: "the engine went away" });
  expect(got).toBe(7);
});

test("an upload that is cut short is an error for the host, never a whole body", async () => {
  const ended = Promise.withResolvers<unknown>();
  const { bridge } = rig({
    stream: async (_, stream) => {
      try {
        for await (const _chunk of stream.read());
        ended.resolve("whole");
      } catch (error) {
        ended.resolve(error);
      }
    },
  });
  const stream = bridge.stream({ ...open, kind: "upload" });
  await stream.write(new Uint8Array(10));
  await settle();
  stream.close();
  expect(await ended.promise).toMatchObject({ class: "cancelled" });
});

test("a broken connection fails what was open as unavailable, and the bridge comes back by itself", async () => {
  const { bridge, ends } = rig({
    calls: { "machine.start": () => new Promise(() => undefined) },
    stream: async (_, stream) => {
      stream.head({ status: 200, headers: {} });
    },
  });
  const states: boolean[] = [];
  bridge.onConnected((connected) => states.push(connected));
  await bridge.call("host.info");
  const stream = bridge.stream(open);
  await stream.head;
  const call = bridge.call("machine.start");
  ends[0]?.close();
  await expect(call).rejects.toMatchObject({ class: "unavailable" });
  await expect(bytesOf(stream)).rejects.toMatchObject({ class: "unavailable" });
  expect(await bridge.call("host.info")).toEqual(info);
  expect(states).toEqual([true, false, true]);
});

test("the window's being gone stops its calls and streams at the host", async () => {
  const stopped: string[] = [];
  const both = Promise.withResolvers<void>();
  const note = (what: string): void => {
    stopped.push(what);
    if (stopped.length === 2) both.resolve();
  };
  const { bridge, ends } = rig({
    calls: {
      "machine.start": (_, { signal }) => new Promise((_resolve, reject) => signal.addEventListener("abort", () => (note("call"), reject(new Error("gone"))))),
    },
    stream: async (_, stream) => {
      stream.signal.addEventListener("abort", () => note("stream"));
      stream.head({ status: 200, headers: {} });
    },
  });
  const call = bridge.call("machine.start");
  call.catch(() => undefined);
  await bridge.stream(open).head;
  (bridge as Bridge & Disposable)[Symbol.dispose]();
  ends[0]?.close();
  await both.promise;
  expect(stopped.toSorted()).toEqual(["call", "stream"]);
});

test("terminals have a connection of their own", async () => {
  const { bridge, ends } = rig({
    stream: async (_, stream) => {
      stream.head({ status: 101, headers: {} });
    },
  });
  await bridge.stream(open).head;
  expect(ends).toHaveLength(1);
  await bridge.stream({ ...open, kind: "upgrade" }).head;
  expect(ends).toHaveLength(2);
});

test("a refused key ends the trying and names the remedy", async () => {
  let tries = 0;
  const bridge = createBridge(async () => {
    tries += 1;
    throw new EngineError("unauthorized", "open the printed address");
  });
  await expect(bridge.call("host.info")).rejects.toMatchObject({ class: "unauthorized", message: "open the printed address" });
  await settle();
  expect(tries).toBe(1);
  bridge[Symbol.dispose]();
});

test.each([
  ["too short a frame", new Uint8Array(2)],
  ["an unknown kind", new Uint8Array([99, 0, 0, 0, 1])],
  ["a frame only the host may send", encodeFrame("head", 1, encodeJson({}))],
  ["a credit of three bytes", encodeFrame("credit", 1, new Uint8Array(3))],
] as const)("the host end drops a connection that sends %s", async (name, frame) => {
  const { port1, port2 } = new MessageChannel();
  const gone = Promise.withResolvers<void>();
  const end = portTransport(domPort(port2));
  serveBridge(
    { ...end, onClose: (listener) => end.onClose((reason) => (listener(reason), gone.resolve())) },
    {
      calls: {} as HostApi,
      stream: async () => undefined,
      onEvent: () => ({ [Symbol.dispose]: () => undefined }),
    },
  );
  if (name.startsWith("a credit")) port1.postMessage(encodeFrame("open", 1, encodeJson(open)));
  port1.postMessage(frame);
  await gone.promise;
  port1.close();
  expect(true).toBe(true);
});

test("a window that sends more than was granted loses that stream, not the connection", async () => {
  const failed = Promise.withResolvers<unknown>();
  const { port1, port2 } = new MessageChannel();
  const answers: Uint8Array[] = [];
  port1.addEventListener("message", (event: MessageEvent) => answers.push(event.data as Uint8Array));
  port1.start();
  const end = portTransport(domPort(port2));
  serveBridge(end, {
    calls: { "host.info": async () => info } as Partial<HostApi> as HostApi,
    stream: async (_, stream) => {
      await settle();
      for await (const _bytes of stream.read());
    },
    onEvent: () => ({ [Symbol.dispose]: () => undefined }),
  });
  port1.addEventListener("message", (event: MessageEvent) => {
    const bytes = event.data as Uint8Array;
    if (bytes[0] === 9) failed.resolve(JSON.parse(new TextDecoder().decode(bytes.subarray(5))));
  });
  port1.postMessage(encodeFrame("open", 1, encodeJson({ ...open, kind: "upload", windowBytes: 100 })));
  port1.postMessage(encodeFrame("data", 1, new Uint8Array(60)));
  port1.postMessage(encodeFrame("data", 1, new Uint8Array(60)));
  expect(await failed.promise).toMatchObject({ class: "invalidArgument" });
  port1.postMessage(encodeFrame("call", 2, encodeJson({ name: "host.info" })));
  await settle();
  expect(answers.some((bytes) => bytes[0] === 2)).toBe(true);
  end.close();
});
