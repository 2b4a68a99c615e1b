import { createServer, get } from "node:http";
import type { AddressInfo } from "node:net";
import { expect, test } from "vitest";
import { MemoryKeeper } from "./memory.ts";

const quietMs = 50;

function keeperWithLog(): { keeper: MemoryKeeper; done: string[] } {
  const done: string[] = [];
  const kernel = { releaseMemory: () => void done.push("release"), unmapPrograms: () => void done.push("unmap") };
  return { keeper: new MemoryKeeper({ kernel, collect: () => void done.push("collect"), quietMs }), done };
}

test("an engine that nobody asks gives memory back once, garbage first", async () => {
  const { keeper, done } = keeperWithLog();
  using _ = keeper;
  await expect.poll(() => done).toEqual(["collect", "release", "unmap"]);
  await new Promise((resolve) => setTimeout(resolve, 4 * quietMs));
  expect(done).toHaveLength(3);
});

test("a request starts it anew, whatever server has it", async () => {
  const { keeper, done } = keeperWithLog();
  using _ = keeper;
  await expect.poll(() => done).toHaveLength(3);
  await using server = createServer((_request, response) => response.end("ok"));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  await new Promise<void>((resolve, reject) => {
    const sent = get({ port: (server.address() as AddressInfo).port, agent: false }, (answer) => answer.resume().on("end", resolve));
    sent.on("error", reject);
  });
  await expect.poll(() => done).toHaveLength(6);
});

test("a request that is cut off in the middle counts as one that ends", async () => {
  await using server = createServer((_request, response) => void response.write("for ever"));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { keeper, done } = keeperWithLog();
  using _ = keeper;
  const sent = get({ port: (server.address() as AddressInfo).port, agent: false });
  sent.on("error", () => {});
  await new Promise((resolve) => sent.on("response", resolve));
  await expect.poll(() => done.length).toBeGreaterThanOrEqual(3);
  await new Promise((resolve) => setTimeout(resolve, 4 * quietMs));
  const before = done.length;
  sent.destroy();
  await expect.poll(() => done).toHaveLength(before + 3);
});

test("a closed keeper does nothing more", async () => {
  const { keeper, done } = keeperWithLog();
  keeper[Symbol.dispose]();
  await new Promise((resolve) => setTimeout(resolve, 4 * quietMs));
  expect(done).toEqual([]);
});
