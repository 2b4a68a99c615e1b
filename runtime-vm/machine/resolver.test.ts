import { expect, test } from "vitest";
import { resolveForGuest } from "./resolver.ts";

test("a name of the hosts file is answered as the system would", async () => {
  expect(await resolveForGuest("localhost", "A")).toEqual({ code: "NOERROR", answers: [{ name: "localhost", type: "A", ttl: 10, data: "127.0.0.1" }] });
});

test("a type that is not known is told, not guessed", async () => {
  expect(await resolveForGuest("localhost", "ANY")).toEqual({ code: "NOTIMP", answers: [] });
});
