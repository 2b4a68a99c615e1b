import { expect, test } from "vitest";
import { createRequest, execRequest, readExit, readState, runcOptions } from "./messages.ts";
import { any, ProtoReader, ProtoWriter, readTimestamp } from "./protobuf.ts";

test("numbers of every length are read as they were written", () => {
  for (const value of [0, 1, 127, 128, 300, 2 ** 31, 2 ** 32, 2 ** 53 - 1]) {
    expect(new ProtoReader(new ProtoWriter().uint(4, value).finish()).uint(4)).toBe(value);
  }
});

test("the wire is protobuf's own", () => {
  // From the encoding guide: field 1 = 150, field 2 = "testing".
  expect(new ProtoWriter().uint(1, 150).string(2, "testing").finish().toString("hex")).toBe("089601120774657374696e67");
  expect(new ProtoWriter().uint(1, 0).bool(2, false).string(3, "").finish()).toHaveLength(0);
});

test("unknown fields of every wire type are skipped", () => {
  const message = Buffer.concat([
    Buffer.from([0x31, 1, 2, 3, 4, 5, 6, 7, 8]),
    Buffer.from([0x3d, 1, 2, 3, 4]),
    new ProtoWriter().string(9, "x").uint(1, 7).finish(),
  ]);
  expect(new ProtoReader(message).uint(1)).toBe(7);
});

test.for([
  ["a length past the end", Buffer.from([0x0a, 0x05, 0x61])],
  ["a number without end", Buffer.from([0x08, 0xff, 0xff])],
  ["a group, which proto3 has not", Buffer.from([0x0b])],
] as const)("a broken message (%s) is refused", ([, message]) => {
  expect(() => new ProtoReader(message)).toThrow(RangeError);
});

test("Go's zero time is no time", () => {
  expect(readTimestamp(Buffer.alloc(0))).toBeUndefined();
  // -62135596800, the year 1.
  const year1 = Buffer.from([0x08, 0x80, 0x92, 0xb8, 0xc3, 0x98, 0xfe, 0xff, 0xff, 0xff, 0x01]);
  expect(new ProtoReader(year1).uint(1)).toBe(-62_135_596_800);
  expect(readTimestamp(year1)).toBeUndefined();
  expect(readTimestamp(new ProtoWriter().uint(1, 1_767_323_045).uint(2, 123_456_789).finish())?.toISOString()).toBe("2026-01-02T03:04:05.123Z");
});

test("Create carries terminal, FIFOs and the runtime's options in its own fields", () => {
  const io = { terminal: true, stdin: "/in", stdout: "/out", stderr: "" };
  const message = new ProtoReader(createRequest("id", "/bundle", io, runcOptions({ binaryName: "crun", root: "/run/crun" })));
  expect([1, 2, 5, 6, 7].map((field) => message.string(field))).toEqual(["id", "/bundle", "/in", "/out", ""]);
  expect(message.uint(4)).toBe(1);
  const options = new ProtoReader(message.bytes(10));
  expect(options.string(1)).toBe("containerd.runc.v1.Options");
  expect(new ProtoReader(options.bytes(2)).string(6)).toBe("crun");
  expect(new ProtoReader(options.bytes(2)).string(7)).toBe("/run/crun");
});

test("Exec carries its process as JSON in an Any", () => {
  const message = new ProtoReader(execRequest("id", "e", { terminal: false, stdin: "", stdout: "/o", stderr: "/e" }, '{"args":["true"]}'));
  expect([message.string(1), message.string(2), message.string(5), message.string(6)]).toEqual(["id", "e", "/o", "/e"]);
  expect(message.bytes(7)).toEqual(any("types.containerd.io/opencontainers/runtime-spec/1/Process", Buffer.from('{"args":["true"]}')));
});

test("Wait's and Delete's answers differ by where the exit code is", () => {
  const at = new ProtoWriter().uint(1, 1_767_323_045).finish();
  expect(readExit(new ProtoWriter().uint(1, 137).bytes(2, at).finish(), 1)).toMatchObject({ code: 137 });
  expect(readExit(new ProtoWriter().uint(1, 4711).uint(2, 3).bytes(3, at).finish(), 2)).toMatchObject({ code: 3 });
  expect(readState(new ProtoWriter().uint(3, 99).uint(4, 2).finish())).toEqual({ pid: 99, status: 2 });
});
