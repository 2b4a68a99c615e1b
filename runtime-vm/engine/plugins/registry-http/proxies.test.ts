import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, expect, test } from "vitest";
import { HttpClient, readBody } from "./http-client.ts";

/** A proxy that notes what it is asked for, answers plain requests itself, and lets no tunnel through. */
const asked: string[] = [];
const proxy = createServer((request, answer) => {
  asked.push(`${request.method} ${request.url}`);
  answer.end("through the proxy");
});
proxy.on("connect", (request, socket) => {
  asked.push(`CONNECT ${request.url}`);
  socket.end("HTTP/1.1 403 Forbidden\r\n\r\n");
});
let address = "";
beforeAll(async () => {
  await new Promise<void>((resolve) => proxy.listen(0, "127.0.0.1", resolve));
  address = `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`;
});
afterAll(() => proxy.close());

const signal = AbortSignal.timeout(10_000);

test("plain requests go to the proxy whole, tunnels are asked of it, and what is excepted goes without", async () => {
  using client = new HttpClient("test/1", { http: address, https: address, no: "direct.test" });
  const answer = await client.fetch(new URL("http://registry.test/v2/"), { signal });
  expect((await readBody(answer, 1_000)).toString()).toBe("through the proxy");
  await expect(client.fetch(new URL("https://registry.test/v2/"), { signal, once: true })).rejects.toMatchObject({ class: "unavailable" });
  expect(asked).toEqual(["GET http://registry.test/v2/", "CONNECT registry.test:443"]);
  const loopback = `${address}/v2/`;
  await client.fetch(new URL(loopback), { signal });
  expect(asked.at(-1)).toBe("GET /v2/");
  await expect(client.fetch(new URL("http://direct.test/v2/"), { signal, once: true })).rejects.toMatchObject({ class: "unavailable" });
  expect(asked).toHaveLength(3);
});
