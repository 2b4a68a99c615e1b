import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { buffer } from "node:stream/consumers";
import { expect, test } from "vitest";
import { HttpClient } from "./http-client.ts";

test("a connection that is used again gives every byte, though the memory of each chunk is given back", async () => {
  const bodies = new Map([1, 2, 3].map((seed) => [`/${seed}`, Buffer.alloc(3_000_000, `body ${seed} `)]));
  const ports = new Set<number | undefined>();
  const server = createServer((request, response) => {
    ports.add(request.socket.remotePort);
    response.end(bodies.get(request.url!));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  using client = new HttpClient("test");
  for (const [path, body] of bodies) {
    const url = new URL(path, `http://127.0.0.1:${(server.address() as AddressInfo).port}`);
    const response = await client.fetch(url, { signal: new AbortController().signal });
    expect((await buffer(response.body)).equals(body)).toBe(true);
  }
  expect(ports.size).toBe(1);
  server.closeAllConnections();
  server.close();
});
