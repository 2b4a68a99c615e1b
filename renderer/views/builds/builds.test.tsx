import { afterEach, beforeAll, expect, test, vi } from "vitest";
import type { BuildDetails } from "#api/builds.ts";
import { byTestId, button, click, completeDom, found, openWindow, type } from "#renderer/testing.tsx";

vi.setConfig({ testTimeout: 60_000 });
beforeAll(completeDom);
afterEach(() => localStorage.clear());

const failed: BuildDetails = {
  ref: "abc",
  state: "failed",
  created: "2026-01-01T00:00:00Z",
  completed: "2026-01-01T00:00:03Z",
  error: "exit code: 7",
  steps: { total: 2, completed: 2, cached: 1, warnings: 0 },
  options: { folder: "/home/me/shop", dockerfile: "Dockerfile", target: "", platform: "", tags: ["shop:1"], args: {}, noCache: false, pull: false },
  source: { filename: "Dockerfile", text: "FROM base\nCOPY . .\nRUN make\n", start: 3, end: 3 },
  criticalPath: ["1", "2"],
  updates: [
    {
      steps: [
        { id: "1", name: "[1/2] COPY . .", cached: true, started: "2026-01-01T00:00:00Z", completed: "2026-01-01T00:00:00Z" },
        { id: "2", name: "[2/2] RUN make", cached: false, started: "2026-01-01T00:00:00Z", completed: "2026-01-01T00:00:03Z", error: "exit code: 7" },
      ],
      logs: [{ step: "2", text: "no rule to make target\n" }],
    },
  ],
};

const script: Parameters<typeof openWindow>[1] = (bridge) => {
  const { updates: _, source: __, ...summary } = failed;
  bridge.answer("GET /slipway/builds", { body: [summary] });
  bridge.answer("GET /slipway/builds/abc", { body: failed });
  bridge.answer("GET /slipway/builds/changes", { body: "" });
};

test("a build that failed shows the step that failed open, its Dockerfile's line, and builds again without the cache", async () => {
  using window = await openWindow("/builds", script);
  const row = await found(() => byTestId("row-shop:1"));
  expect(row.textContent).toContain("failed");
  expect(row.textContent).toContain("1 of 2");
  await click(await found(() => row.querySelector("a")));
  const steps = await found(() => byTestId("build-steps"));
  expect(steps.textContent).toContain("CACHED");
  expect(steps.parentElement?.textContent).toContain("critical path 3.0 s");
  expect(steps.querySelectorAll("li")[1]?.textContent).toContain("on the critical path");
  expect(steps.textContent).toContain("no rule to make target");
  expect(byTestId("failed-source")?.textContent).toContain("Dockerfile, line 3");
  expect(byTestId("failed-source")?.querySelector(".bg-danger-soft")?.textContent).toContain("RUN make");
  window.bridge.answer("POST /slipway/builds", { body: '{"ref":"new"}\n{"image":"sha256:1"}\n' });
  window.bridge.answer("GET /slipway/builds/new", { body: { ...failed, ref: "new", state: "done", updates: [], source: undefined, error: undefined } });
  await click(await found(() => button("Build again without cache")));
  await found(() => location.hash === "#/builds/new");
  expect(window.bridge.asked.find(({ method, path }) => method === "POST" && path.includes("nocache=1"))?.path).toContain("t=shop%3A1");
});

test("a build that failed is shown with the engine's verdict, one thing to do, and what was found", async () => {
  const Explanation = { Rule: "file-missing", Verdict: "make is not there.", Evidence: ["Dockerfile:3: RUN make", "exit code: 7"], Fix: "Install it before." };
  using _window = await openWindow("/builds/abc", (bridge) => {
    script(bridge);
    bridge.answer("GET /slipway/builds/abc/why", { body: { Ref: "abc", State: "failed", Explanation } });
  });
  const notice = await found(() => (byTestId("error-notice")?.textContent.includes("make is not there.") ? byTestId("error-notice") : null));
  for (const said of ["Install it before.", "Dockerfile:3: RUN make", "exit code: 7"]) expect(notice.textContent).toContain(said);
});

test("a build is asked for in a form that tells mistakes, and what keeps it from beginning", async () => {
  using window = await openWindow("/builds", script);
  await click(await found(() => byTestId("build")));
  await click(await found(() => byTestId("build-submit")));
  document.querySelector<HTMLFormElement>("dialog form")?.requestSubmit();
  await found(() => document.body.textContent.includes("Choose the folder to build from"));
  await type("Folder", "/home/me/shop");
  window.bridge.answer("POST /slipway/builds", { status: 404, body: { message: "there is no Dockerfile" } });
  document.querySelector<HTMLFormElement>("dialog form")?.requestSubmit();
  await found(() => byTestId("error-notice")?.textContent.includes("There is no Dockerfile."));
  expect(byTestId("error-notice")?.textContent).toContain("Could not build “shop”");
});
