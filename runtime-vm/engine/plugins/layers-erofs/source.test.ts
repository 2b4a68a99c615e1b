import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { eachPiece, Source } from "./source.ts";

test("a growing source is read from memory where it is lent, and from its file where not", async () => {
  const directory = mkdtempSync(join(tmpdir(), "source-"));
  try {
    const path = join(directory, "file");
    writeFileSync(path, "aaaabbbb....dddd");
    const used: number[] = [];
    const source = new Source(0, (at) => used.push(at));
    const taken: string[] = [];
    const reading = eachPiece(path, source, (piece) => void taken.push(piece.toString("latin1")));
    source.grow(2);
    await new Promise((resolve) => setTimeout(resolve, 5));
    // Begins before what has been read: the rest of it counts. One that lies wholly before is let go.
    source.grow(4, { at: 0, bytes: Buffer.from("AAAA") });
    source.grow(8, { at: 8, bytes: Buffer.from("CCCC") });
    await new Promise((resolve) => setTimeout(resolve, 5));
    source.grow(12);
    source.grow(Number.POSITIVE_INFINITY);
    await reading;
    expect(taken.join("|")).toBe("aa|AA|bbbb|CCCC|dddd");
    expect(used).toEqual([0, 8]);
  } finally {
    rmSync(directory, { recursive: true });
  }
});
