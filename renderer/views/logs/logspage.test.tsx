import { afterEach, beforeAll, expect, test, vi } from "vitest";
import type { LogSearchLine } from "#api/log-search.ts";
import { button, byTestId, click, completeDom, found, openWindow, type } from "#renderer/testing.tsx";

vi.setConfig({ testTimeout: 60_000 });
beforeAll(completeDom);
afterEach(() => localStorage.clear());

const at = (second: number): string => `2026-01-02T03:04:0${second}.000000000Z`;
const answer: readonly LogSearchLine[] = [
  { Id: "live-id", Name: "live", Stream: "stdout", Time: at(3), Level: "error", Text: '{"level":"error","msg":"needle"}' },
  { Id: "gone-id", Name: "gone", Removed: true, Event: "die", Time: at(2), ExitCode: 3 },
  { Id: "gone-id", Name: "gone", Removed: true, Stream: "stderr", Time: at(1), Text: "a needle in the hay" },
  { End: { Hits: 2, Containers: 2, Bytes: 2_000_000, CpuMs: 12 } },
];

test("lines of living and removed containers are found; who lives has a link to its logs", async () => {
  using window = await openWindow("/logs", (bridge) =>
    bridge.answer("GET /slipway/logs/search", { body: answer.map((line) => JSON.stringify(line)).join("\n") }),
  );
  await type("Text to find in all logs", "needle");
  await click(await found(() => button("Search")));
  const rows = await found(() => byTestId("log-found"));
  expect([...rows.querySelectorAll("li")].map((row) => row.querySelector("code, em")?.textContent)).toEqual([
    '{"level":"error","msg":"needle"}',
    "ended with exit code 3",
    "a needle in the hay",
  ]);
  expect([...rows.querySelectorAll("mark")].map((mark) => mark.textContent)).toEqual(["needle", "needle"]);
  expect([...rows.querySelectorAll("a")].map((link) => link.getAttribute("href"))).toEqual(["#/containers/live-id/logs"]);
  expect(rows.textContent).toContain("removed");
  expect(document.body.textContent).toContain("2 lines in 2 containers, 2 MB in 12 ms of CPU");
  const asked = window.bridge.asked.find(({ path }) => path.startsWith("/slipway/logs/search"));
  expect(asked?.path).toContain("text=needle");
});

test("what the engine refuses is said in its words", async () => {
  using _window = await openWindow("/logs", (bridge) =>
    bridge.answer("GET /slipway/logs/search", { status: 400, body: { message: "regex: Invalid regular expression: /(/: Unterminated group" } }),
  );
  await click(await found(() => button("Search")));
  const notice = await found(() => byTestId("error-notice"));
  expect(notice.textContent).toContain("Unterminated group");
});
