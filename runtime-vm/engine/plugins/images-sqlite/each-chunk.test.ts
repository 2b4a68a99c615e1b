import { PassThrough, Readable } from "node:stream";
import { expect, test } from "vitest";
import { eachChunk } from "./each-chunk.ts";

const chunks = (...texts: string[]): Readable =>
  Readable.from(
    texts.map((text) => Buffer.from(text)),
    { objectMode: false },
  );

test("chunks come in order, one at a time where they take time, and all before the end", async () => {
  const taken: string[] = [];
  let busy = false;
  await eachChunk(chunks("a", "b", "c", "d"), (chunk) => {
    expect(busy).toBe(false);
    taken.push(chunk.toString());
    if (taken.length % 2 === 1) return;
    busy = true;
    return new Promise<void>((resolve) =>
      setTimeout(() => {
        busy = false;
        taken.push("!");
        resolve();
      }, 5),
    );
  });
  expect(taken.join("")).toBe("ab!c!d!");
});

test("what a taker throws, at once or later, ends the stream", async () => {
  for (const take of [
    () => {
      throw new Error("no more");
    },
    () => Promise.reject(new Error("no more")),
  ]) {
    const stream = chunks("a", "b");
    await expect(eachChunk(stream, take)).rejects.toThrow("no more");
    expect(stream.destroyed).toBe(true);
  }
});

test("a stream that breaks is told as it broke, one that is closed is not taken for whole", async () => {
  const broken = new PassThrough();
  broken.write("a");
  const reading = eachChunk(broken, () => void broken.destroy(new Error("cut")));
  await expect(reading).rejects.toThrow("cut");
  const closed = new PassThrough();
  closed.write("a");
  await expect(eachChunk(closed, () => void closed.destroy())).rejects.toThrow("Premature close");
  // Its events are over when the reader comes.
  await new Promise((resolve) => setImmediate(resolve));
  await expect(eachChunk(closed, () => undefined)).rejects.toThrow("Premature close");
});
