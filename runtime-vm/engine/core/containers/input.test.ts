import { PassThrough } from "node:stream";
import { text } from "node:stream/consumers";
import { expect, test } from "vitest";
import type { TaskProcess } from "../tasks/tasks.ts";
import { parseDetachKeys } from "./detach-keys.ts";
import { DetachKeys, InputGate, feedInput } from "./input.ts";

function catching(): { process: TaskProcess; received: Promise<string> } {
  const stdin = new PassThrough();
  const process = { stdio: { stdin, stdout: new PassThrough() }, closeStdin: async () => void stdin.end() } as unknown as TaskProcess;
  return { process, received: text(stdin) };
}
const signal = new AbortController().signal;

test("a client that came first is fed to the process that starts later", async () => {
  const gate = new InputGate();
  const asked = gate.process(signal);
  const { process } = catching();
  gate.open(process);
  expect(await asked).toBe(process);
});

test("a client's end ends the input, but only when asked to", async () => {
  const { process, received } = catching();
  const client = new PassThrough();
  client.end("one\ntwo\n");
  expect(await feedInput(client, process, { closeAtEnd: true, signal })).toBe("ended");
  expect(await received).toBe("one\ntwo\n");
});

test("the detach keys end the feeding and never reach the process, in one chunk or in two", async () => {
  for (const chunks of [["ab\x10\x11cd"], ["ab\x10", "\x11cd"]]) {
    const { process, received } = catching();
    const client = new PassThrough();
    for (const chunk of chunks) client.write(chunk);
    expect(await feedInput(client, process, { closeAtEnd: true, detachKeys: new DetachKeys(parseDetachKeys("")), signal })).toBe("detached");
    process.stdio.stdin?.end();
    expect(await received).toBe("ab");
  }
});

test("half a detach sequence is input after all", () => {
  const keys = new DetachKeys(parseDetachKeys("ctrl-p,ctrl-q"));
  expect(keys.filter(Buffer.from("a\x10")).toString()).toBe("a");
  expect(keys.filter(Buffer.from("b\x10\x10")).toString()).toBe("\x10b\x10");
  expect(keys.found).toBe(false);
});

test("detach keys are read as the CLI writes them", () => {
  expect([...parseDetachKeys("ctrl-a,x,ctrl-@,ctrl-]")]).toEqual([1, 120, 0, 29]);
  expect(() => parseDetachKeys("ctrl-1")).toThrow("Invalid detach keys (ctrl-1) provided");
  expect([...parseDetachKeys("DEL,ctrl-_")]).toEqual([127, 31]);
  for (const bad of ["ctrl-A", ",", "a,,b", "ctrl-", "ctrl-é", "é"]) expect(() => parseDetachKeys(bad)).toThrow(`Invalid detach keys (${bad}) provided`);
  expect(() => parseDetachKeys("ab")).toThrow("Invalid detach keys");
});
