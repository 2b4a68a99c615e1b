import dns from "dns-packet";
import { expect, test } from "vitest";
import { EngineError } from "#base/errors.ts";
import { type AskByName, byNameResolver } from "./by-name.ts";
import type { Resolver } from "./forward.ts";

const never = new AbortController().signal;
const query = (type: dns.RecordType) => dns.encode({ type: "query", id: 5, questions: [{ type, name: "example.org" }] });
const otherwise: Resolver = async (message) => {
  const { id = 0, questions = [] } = dns.decode(Buffer.from(message));
  return dns.encode({ type: "response", id, questions, answers: [{ type: "A", name: "example.org", data: "192.0.2.1" }] });
};
const resolve = async (ask: AskByName, type: dns.RecordType = "A") => dns.decode(Buffer.from(await byNameResolver(ask, otherwise)(query(type), "udp", never)));

test("answers keep their type, and a name that is not there is told so", async () => {
  const mx = await resolve(
    async (name, type) => ({ code: "NOERROR", answers: [{ name, type, ttl: 60, data: { preference: 10, exchange: "mail.example.org" } }] }),
    "MX",
  );
  expect([mx.id, mx.answers]).toMatchObject([5, [{ type: "MX", ttl: 60, data: { preference: 10, exchange: "mail.example.org" } }]]);
  const absent = await resolve(async () => ({ code: "NXDOMAIN", answers: [] }));
  expect("rcode" in absent && absent.rcode).toBe("NXDOMAIN");
});

test("what it does not implement, or cannot while it is away, is asked elsewhere", async () => {
  const elsewhere = [{ data: "192.0.2.1" }];
  expect((await resolve(async () => ({ code: "NOTIMP", answers: [] }))).answers).toMatchObject(elsewhere);
  expect((await resolve(() => Promise.reject(new EngineError("unavailable", "no link")))).answers).toMatchObject(elsewhere);
  await expect(resolve(() => Promise.reject(new EngineError("internal", "bug")))).rejects.toThrow("bug");
});
