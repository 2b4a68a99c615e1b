import { expect, test } from "vitest";
import { blockBytes, encodeHeader, encodePax, parseHeader, parseNumber, parsePax } from "./tar-header.ts";
import { layerPath } from "./layer-path.ts";
import { TarScanner, type TarEntry } from "./tar-scanner.ts";
import { packTar, tarHead, type TarFile } from "./tar-writer.ts";

function scan(tar: Buffer, chunkBytes = tar.length || 1): (TarEntry & { data: string })[] {
  const entries: (TarEntry & { data: string })[] = [];
  const scanner = new TarScanner({
    entry: (entry) => entries.push({ ...entry, data: "" }),
    data: (bytes) => (entries.at(-1)!.data += bytes.toString("latin1")),
  });
  for (let at = 0; at < tar.length; at += chunkBytes) scanner.push(tar.subarray(at, at + chunkBytes));
  scanner.end();
  return entries;
}

const files: TarFile[] = [
  { name: "dir/", type: "5", mode: 0o755 },
  { name: "dir/file", body: Buffer.from("hello"), uid: 5_000_000, mtime: 12.25 },
  { name: `${"d".repeat(90)}/${"f".repeat(90)}`, body: Buffer.alloc(1025, "x") },
  { name: Buffer.from("ä路").toString("latin1"), type: "2", linkName: "t".repeat(150) },
  { name: "xattr", xattrs: new Map([["user.bin", Buffer.from([0, 10, 255])]]) },
];

test.each([1, 7, 511, 512, 513, 1_000_000])("an archive is read the same in pieces of %d bytes", (chunkBytes) => {
  const entries = scan(packTar(files), chunkBytes);
  expect(entries.map(({ path, type, data }) => [path, type, data.length])).toEqual([
    ["dir/", "5", 0],
    ["dir/file", "0", 5],
    [`${"d".repeat(90)}/${"f".repeat(90)}`, "0", 1025],
    [Buffer.from("ä路").toString("latin1"), "2", 0],
    ["xattr", "0", 0],
  ]);
  expect(entries[1]).toMatchObject({ data: "hello", uid: 5_000_000, mtime: 12, mtimeNano: 250_000_000 });
  expect(entries[3]!.linkPath).toBe("t".repeat(150));
  expect(entries[4]!.xattrs.get("user.bin")).toEqual(Buffer.from([0, 10, 255]));
});

test("a reader of a file may seek over data", () => {
  const tar = packTar([{ name: "a", body: Buffer.alloc(5000) }, { name: "b" }]);
  const names: string[] = [];
  const scanner = new TarScanner({ entry: ({ path }) => names.push(path) });
  scanner.push(tar.subarray(0, blockBytes));
  const skipped = scanner.skippable;
  expect(skipped).toBe(5120);
  scanner.skip(skipped);
  scanner.push(tar.subarray(blockBytes + skipped));
  expect(names).toEqual(["a", "b"]);
});

test.each([
  ["0000644\0", 0o644],
  ["   644 \0", 0o644],
  ["\0\0\0\0\0\0\0\0", 0],
  ["\x80\0\0\0\0\0\x01\0", 256],
  ["\xff\xff\xff\xff\xff\xff\xff\xfe", -2],
])("the number field %j is %d", (field, value) => {
  expect(parseNumber(Buffer.from(field, "latin1"), 0)).toBe(value);
});

test.each(["0000x44\0", "9999999\0"])("the number field %j is damaged", (field) => {
  expect(() => parseNumber(Buffer.from(field, "latin1"), 0)).toThrow(/not valid/);
});

test("times before 1970 count backwards whole seconds and forwards the rest", () => {
  const [entry] = scan(packTar([{ name: "a", mtime: -1.5 }]));
  expect(entry).toMatchObject({ mtime: -2, mtimeNano: 500_000_000 });
});

test("pax records count their own length", () => {
  for (const length of [1, 5, 80, 90, 91, 92, 93, 94, 95, 980, 989, 990, 1000]) {
    const value = "v".repeat(length);
    const tar = encodePax([["path", value]]);
    const size = parseHeader(tar.subarray(0, blockBytes), 0).size;
    expect(parsePax(tar.subarray(blockBytes, blockBytes + size), 0)).toEqual([["path", Buffer.from(value)]]);
  }
});

test.each(["5 a=b", "x a=b\n", "99 a=b\n", "6 a_b\n", "0 a=b\n"])("the pax record %j is damaged", (body) => {
  expect(() => parsePax(Buffer.from(body), 0)).toThrow(/pax record/);
});

test("a global pax header is told and not applied, as Docker does", () => {
  const body = Buffer.from("14 path=other\n");
  const global = Buffer.concat([encodeHeader({ name: "pax_global", type: "g", size: body.length }), body, Buffer.alloc(blockBytes - body.length)]);
  const keys: string[] = [];
  const paths: string[] = [];
  const scanner = new TarScanner({ entry: ({ path }) => paths.push(path), globalPax: (found) => keys.push(...found) });
  scanner.push(Buffer.concat([global, packTar([{ name: "own" }])]));
  expect([keys, paths]).toEqual([["path"], ["own"]]);
});

test("GNU long names and links are applied", () => {
  const long = (type: string, text: string): Buffer =>
    Buffer.concat([
      encodeHeader({ name: "././@LongLink", type, size: text.length + 1 }),
      Buffer.from(text),
      Buffer.alloc(blockBytes - (text.length % blockBytes)),
    ]);
  const [entry] = scan(Buffer.concat([long("L", "n".repeat(200)), long("K", "l".repeat(300)), packTar([{ name: "short", type: "2", linkName: "x" }])]));
  expect(entry).toMatchObject({ path: "n".repeat(200), linkPath: "l".repeat(300) });
});

test.each([
  ["a checksum", Buffer.concat([tarHead({ name: "a" }, 0).fill("z", 0, 1), Buffer.alloc(1024)])],
  ["a file", packTar([{ name: "a", body: Buffer.alloc(600) }]).subarray(0, 1000)],
  ["a header after a zero block", Buffer.concat([Buffer.alloc(512), packTar([{ name: "a" }])])],
  ["an endless extended header", Buffer.concat([encodeHeader({ name: "x", type: "x", size: 2_000_000 }), Buffer.alloc(512)])],
  ["a name with a zero byte", Buffer.concat([encodePax([["path", "a\0b"]]), packTar([{ name: "a" }])])],
  ["a size that is no number", Buffer.concat([encodePax([["size", "12x"]]), packTar([{ name: "a" }])])],
  ["a negative size", Buffer.concat([encodePax([["size", "-5"]]), packTar([{ name: "a" }])])],
  ["a pax header with nothing after it", encodePax([["path", "a"]])],
])("%s that is damaged is refused", (_, tar) => {
  expect(() => scan(tar)).toThrow(expect.objectContaining({ class: "invalidArgument" }));
});

test("an archive without its closing blocks is whole, what follows them is not read", () => {
  const tar = packTar([{ name: "a" }]);
  expect(scan(tar.subarray(0, blockBytes))).toHaveLength(1);
  expect(scan(Buffer.concat([tar, Buffer.from("anything")]))).toHaveLength(1);
});

test.each([
  ["./a//b/./c/", "a/b/c", false],
  ["/abs", "abs", false],
  ["../../etc", "etc", true],
  ["a/../../b", "b", true],
  ["./", "", false],
])("%s is %s inside its layer", (path, inside, dotDot) => {
  expect(layerPath(path)).toEqual({ path: inside, dotDot });
});
