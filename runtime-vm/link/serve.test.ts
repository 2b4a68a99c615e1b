import { expect, test } from "vitest";
import { serveLink } from "./serve.ts";

test("a port that is missing is said once, calls fail as unavailable, and disposing ends it", async () => {
  const said: string[] = [];
  const controller = new AbortController();
  const link = serveLink({
    linkPath: "/nonexistent/h2",
    ctlPath: "/nonexistent/ctl",
    engineSocket: "/nonexistent/engine.sock",
    io: { poll: async () => 0, setTime: () => {} },
    root: "/",
    version: "1",
    configure: async () => ({ warnings: [], waiting: [] }),
    shutdown: async () => {},
    powerOff: () => {},
    log: (line) => said.push(line),
    signal: controller.signal,
  });
  const asked = new AbortController();
  const answer = link.resolve("a", "A", { signal: asked.signal });
  asked.abort();
  await expect(answer).rejects.toMatchObject({ class: "cancelled" });
  await link[Symbol.asyncDispose]();
  expect(new Set(said.map((line) => line.split(": ENOENT")[0]))).toEqual(new Set(["ctl: /nonexistent/ctl", "link: /nonexistent/h2"]));
  expect(said).toHaveLength(2);
});
