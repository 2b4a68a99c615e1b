import { createHash, randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import type { ContentStore, Digest } from "./content.ts";

/** A store under test; `reopen` closes it and opens it again over the same files, as a restarted engine does. */
export interface OpenedContent extends AsyncDisposable {
  readonly store: ContentStore;
  reopen(): Promise<ContentStore>;
}

const bytesOf = (text: string): Buffer => Buffer.from(text);
const digestOf = (bytes: Uint8Array): Digest => `sha256:${createHash("sha256").update(bytes).digest("hex")}`;
const absent: Digest = `sha256:${"0".repeat(64)}`;

/** What every ContentStore must do. */
export function contentStoreSuite(name: string, open: () => Promise<OpenedContent>): void {
  test(`${name}: a blob is invisible until it is committed, and whole afterwards`, async () => {
    await using opened = await open();
    const { store } = opened;
    const bytes = bytesOf("hello content");
    await using ingest = await store.ingest();
    await ingest.write(bytes.subarray(0, 5));
    await ingest.write(bytes.subarray(5));
    expect(store.stat(digestOf(bytes))).toBeUndefined();
    await expect(ingest.commit({ digest: digestOf(bytes), size: bytes.length })).resolves.toEqual({ digest: digestOf(bytes), size: bytes.length });
    expect(store.stat(digestOf(bytes))).toEqual({ size: bytes.length });
    expect(await store.read(digestOf(bytes))).toEqual(bytes);
    expect(Buffer.concat(await store.open(digestOf(bytes), { start: 6 }).toArray())).toEqual(bytes.subarray(6));
    expect([...store.list()]).toEqual([{ digest: digestOf(bytes), size: bytes.length }]);
  });

  test(`${name}: chunks that are done with one by one are the blob, from wherever they begin`, async () => {
    await using opened = await open();
    const bytes = randomBytes(5_000_001);
    await using ingest = await opened.store.ingest();
    await ingest.write(bytes);
    await ingest.commit();
    const copied = async (start: number): Promise<Buffer> => {
      const copies: Buffer[] = [];
      for await (const chunk of opened.store.chunks(digestOf(bytes), { start })) copies.push(Buffer.from(chunk));
      return Buffer.concat(copies);
    };
    for (const start of [0, 1, 3_000_000, 5_000_000, 5_000_001]) expect((await copied(start)).equals(bytes.subarray(start))).toBe(true);
    // Who stops early leaves no file open.
    for await (const chunk of opened.store.chunks(digestOf(bytes))) if (chunk.length > 0) break;
    expect(() => opened.store.chunks(absent)).toThrow(expect.objectContaining({ class: "notFound" }));
  });

  test(`${name}: a blob that is not there is notFound`, async () => {
    await using opened = await open();
    expect(opened.store.stat(absent)).toBeUndefined();
    await expect(opened.store.read(absent)).rejects.toMatchObject({ class: "notFound" });
    expect(() => opened.store.open(absent)).toThrow(expect.objectContaining({ class: "notFound" }));
    expect(() => opened.store.path(absent)).toThrow(expect.objectContaining({ class: "notFound" }));
  });

  test(`${name}: a digest never leads out of the store`, async () => {
    await using opened = await open();
    const hostile = "sha256:../../../../etc/passwd" as Digest;
    expect(() => opened.store.stat(hostile)).toThrow(expect.objectContaining({ class: "invalidArgument" }));
  });

  test(`${name}: wrong bytes are refused, and the next download under that ref starts afresh`, async () => {
    await using opened = await open();
    const wrong = await opened.store.ingest("download");
    await wrong.write(bytesOf("evil"));
    await expect(wrong.commit({ digest: digestOf(bytesOf("good")), size: 4 })).rejects.toMatchObject({ class: "invalidArgument" });
    expect([...opened.store.list()]).toEqual([]);
    await using again = await opened.store.ingest("download");
    expect(again.offset).toBe(0);
  });

  test(`${name}: a wrong size is refused`, async () => {
    await using opened = await open();
    await using ingest = await opened.store.ingest();
    await ingest.write(bytesOf("four"));
    await expect(ingest.commit({ digest: digestOf(bytesOf("four")), size: 5 })).rejects.toMatchObject({ class: "invalidArgument" });
  });

  test(`${name}: a download with a ref goes on where it stopped, also after a restart`, async () => {
    await using opened = await open();
    const bytes = bytesOf("first half, second half");
    {
      await using ingest = await opened.store.ingest("layer");
      await ingest.write(bytes.subarray(0, 11));
    }
    const store = await opened.reopen();
    await using ingest = await store.ingest("layer");
    expect(ingest.offset).toBe(11);
    await ingest.write(bytes.subarray(11));
    await ingest.commit({ digest: digestOf(bytes), size: bytes.length });
    expect(await store.read(digestOf(bytes))).toEqual(bytes);
  });

  test(`${name}: a growing blob can be read as far as it says`, async () => {
    await using opened = await open();
    await using ingest = await opened.store.ingest();
    await ingest.write(bytesOf("some bytes"));
    expect(ingest.readable).toBeLessThanOrEqual(10);
    await ingest.flush();
    expect(ingest.readable).toBe(10);
    expect(readFileSync(ingest.path, "utf8")).toBe("some bytes");
    await ingest.write(bytesOf(" more"));
    const { digest } = await ingest.commit();
    expect((await opened.store.read(digest)).toString()).toBe("some bytes more");
  });

  test(`${name}: who has read a download meanwhile may tell its digest, and whoever has not is no harm`, async () => {
    await using opened = await open();
    for (const [text, hashed] of [
      ["told", Promise.resolve(digestOf(bytesOf("told")))],
      ["not told", Promise.resolve(undefined)],
    ] as const) {
      await using ingest = await opened.store.ingest(text);
      await ingest.write(bytesOf(text));
      const expected = { digest: digestOf(bytesOf(text)), size: text.length };
      await expect(ingest.commit(expected, hashed)).resolves.toEqual(expected);
    }
    await using wrong = await opened.store.ingest("wrong");
    await wrong.write(bytesOf("wrong"));
    await expect(wrong.commit({ digest: absent }, Promise.resolve(digestOf(bytesOf("wrong"))))).rejects.toMatchObject({ class: "invalidArgument" });
    expect([...opened.store.list()]).toHaveLength(2);
  });

  test(`${name}: a ref has one writer at a time`, async () => {
    await using opened = await open();
    {
      await using _first = await opened.store.ingest("layer");
      await expect(opened.store.ingest("layer")).rejects.toMatchObject({ class: "conflict" });
    }
    await using _second = await opened.store.ingest("layer");
  });

  test(`${name}: an abandoned blob without a ref leaves nothing`, async () => {
    await using opened = await open();
    {
      await using ingest = await opened.store.ingest();
      await ingest.write(bytesOf("abandoned"));
    }
    expect([...opened.store.list()]).toEqual([]);
  });

  test(`${name}: committing the same blob twice keeps one`, async () => {
    await using opened = await open();
    for (const _ of [1, 2]) {
      await using ingest = await opened.store.ingest();
      await ingest.write(bytesOf("same"));
      await ingest.commit();
    }
    expect([...opened.store.list()]).toEqual([{ digest: digestOf(bytesOf("same")), size: 4 }]);
  });

  test(`${name}: a removed blob is gone, removing it again is fine`, async () => {
    await using opened = await open();
    const { digest } = await (async () => {
      await using ingest = await opened.store.ingest();
      await ingest.write(bytesOf("short-lived"));
      return await ingest.commit();
    })();
    opened.store.remove(digest);
    opened.store.remove(digest);
    expect(opened.store.stat(digest)).toBeUndefined();
  });
}
