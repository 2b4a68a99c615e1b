import { expect, test } from "vitest";
import { FrameReader, frame, frameHeader } from "./stdcopy.ts";

const bytes = (text: string) => Uint8Array.from(text, (c) => c.charCodeAt(0));
const text = (data: Uint8Array) => String.fromCharCode(...data);

test("a frame is stream, three zeroes, length big-endian, payload", () => {
  expect([...frame("stderr", bytes("ab"))]).toEqual([2, 0, 0, 0, 0, 0, 0, 2, 97, 98]);
  expect([...frameHeader("stdout", 0x01020304)]).toEqual([1, 0, 0, 0, 1, 2, 3, 4]);
});

test("frames come out whole however the stream is chunked", () => {
  const wire = new Uint8Array([...frame("stdout", bytes("hello")), ...frame("stderr", bytes("")), ...frame("stdout", bytes("world"))]);
  for (let size = 1; size <= wire.length; size++) {
    const reader = new FrameReader();
    const seen: string[] = [];
    for (let at = 0; at < wire.length; at += size) {
      for (const { stream, payload } of reader.push(wire.subarray(at, at + size))) seen.push(`${stream}:${text(payload)}`);
    }
    expect(seen).toEqual(["stdout:hello", "stderr:", "stdout:world"]);
    expect(reader.pendingBytes).toBe(0);
  }
});

test("bytes that are no stdcopy stream are found out", () => {
  expect(() => new FrameReader().push(bytes("HTTP/1.1 200 OK"))).toThrow("no stdcopy stream");
  expect(() => new FrameReader().push(new Uint8Array([1, 0, 0, 0, 255, 255, 255, 255]))).toThrow("a frame of 4294967295 bytes");
});
