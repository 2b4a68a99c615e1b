import { afterEach, beforeAll, expect, test, vi } from "vitest";
import { byTestId, button, click, completeDom, found, openWindow, type } from "#renderer/testing.tsx";

vi.setConfig({ testTimeout: 60_000 });
beforeAll(completeDom);
afterEach(() => localStorage.clear());

const image = {
  Id: "sha256:1",
  RepoTags: ["shop:1"],
  RepoDigests: [],
  Os: "linux",
  Architecture: "amd64",
  Size: 100,
  RootFS: {},
  Config: {},
  Created: "2026-01-01T00:00:00Z",
};

test("an image shows its steps with what each added, who uses it, and takes another name", async () => {
  using window = await openWindow("/images/shop%3A1", (bridge) => {
    bridge.answer("GET /images/json", { body: [{ ...image, Created: 1 }] });
    bridge.answer("GET /images/shop:1/json", { body: image });
    bridge.answer("GET /images/sha256:1/history", {
      body: [
        { CreatedBy: "COPY app / # buildkit", Size: 75, Created: 2 },
        { CreatedBy: "/bin/sh -c make", Size: 25, Created: 1 },
      ],
    });
    bridge.answer("POST /images/shop:1/tag", { status: 201 });
  });
  const layers = await found(() => byTestId("image-layers")?.querySelector("table"));
  expect([...layers.querySelectorAll("tbody tr")].map((row) => row.textContent)).toEqual(["125 B · 25 %RUN make", "275 B · 75 %COPY app /"]);
  expect(byTestId("image-layers")?.querySelector("[role=img]")?.getAttribute("aria-label")).toBe("Sizes of the layers: 1: 25 B, 2: 75 B");
  expect(document.body.textContent).toContain("No container");
  await click(await found(() => button("Add a name…")));
  await type("Name", "registry.example/shop");
  document.querySelector<HTMLFormElement>("dialog form")?.requestSubmit();
  await found(() => window.bridge.asked.some(({ path }) => path === "/images/shop:1/tag?repo=registry.example%2Fshop&tag=latest"));
  await found(() => document.querySelector("dialog") === null);
});

test("an image's files are shown layer by layer, with what a layer removes, and how much of it nobody sees", async () => {
  const file = { kind: "file", size: 3, mode: 0o644, uid: 0, gid: 0, mtime: "2026-01-01T00:00:00Z" };
  using window = await openWindow("/images/shop%3A1", (bridge) => {
    bridge.answer("GET /images/json", { body: [{ ...image, Created: 1 }] });
    bridge.answer("GET /images/shop:1/json", { body: image });
    bridge.answer("GET /images/sha256:1/history", { body: [] });
    const Layers = [
      { DiffID: "sha256:a", CreatedBy: "COPY app / # buildkit", Files: 2, Size: 3_000_000, Wasted: 1_000_000 },
      { DiffID: "sha256:b", CreatedBy: "RUN /bin/sh -c rm /cache # buildkit", Files: 1, Size: 500, Wasted: 0 },
    ];
    bridge.answer("GET /slipway/images/sha256:1/layers", { body: { Layers, Size: 3_000_500, Wasted: 1_000_000 } });
    bridge.answer("GET /slipway/images/sha256:1/files", ({ path }) => {
      const second = path.includes("layer=1");
      const entries = [{ ...file, name: second ? "log" : "app", layer: second ? 1 : 0 }];
      return { body: { path: "/", entries, total: 1, removed: second ? ["cache"] : [], opaque: false } };
    });
  });
  await click(await found(() => [...document.querySelectorAll<HTMLElement>("[role=tab]")].find(({ textContent }) => textContent === "Files")));
  const files = await found(() => byTestId("image-files"));
  await found(() => byTestId("file-app"));
  expect(files.textContent).toContain("1 MB of 3 MB are in no container");
  await click(await found(() => button("Layer 2")));
  await found(() => byTestId("file-log"));
  expect(byTestId("file-app")).toBeNull();
  expect(files.querySelector("s")?.textContent).toBe("cache");
  expect(window.bridge.asked.some(({ path }) => path === "/slipway/images/sha256:1/files?path=%2F&layer=1")).toBe(true);
});

test("a pull that failed is shown with the engine's verdict, one thing to do, and its own words as what was found", async () => {
  const error = "lookup nowhere.example: no such host";
  using _window = await openWindow("/images", (bridge) => {
    bridge.answer("GET /images/json", { body: [{ ...image, Created: 1 }] });
    bridge.answer("POST /images/create", { status: 500, body: { message: error } });
    const Explanation = { Rule: "name-unknown", Verdict: "There is no host nowhere.example.", Evidence: [error], Fix: "Check the name." };
    bridge.answer("GET /slipway/images/nowhere.example/app:1/why", { body: { Reference: "nowhere.example/app:1", Explanation } });
  });
  await click(await found(() => byTestId("pull")));
  await type("Image reference", "nowhere.example/app:1");
  document.querySelector<HTMLFormElement>("dialog form")?.requestSubmit();
  const notice = await found(() => (byTestId("error-notice")?.textContent.includes("There is no host") ? byTestId("error-notice") : null));
  for (const said of ["Could not pull", "Check the name.", error]) expect(notice.textContent).toContain(said);
});

test("volumes tell how much they hold, once that was counted", async () => {
  using _window = await openWindow("/volumes", (bridge) => {
    const volume = (Name: string) => ({
      Name,
      Driver: "local",
      Mountpoint: "/x",
      CreatedAt: "2026-01-01T00:00:00Z",
      Labels: null,
      Options: null,
      Scope: "local",
    });
    bridge.answer("GET /volumes", { body: { Volumes: [volume("data"), volume("nfs")], Warnings: null } });
    bridge.answer("GET /system/df", {
      body: {
        Volumes: [
          { ...volume("data"), UsageData: { Size: 1500, RefCount: 0 } },
          { ...volume("nfs"), UsageData: { Size: -1, RefCount: 0 } },
        ],
      },
    });
  });
  await found(() => byTestId("row-data")?.textContent.includes("1.5 kB"));
  expect(byTestId("row-nfs")?.textContent).toContain("–");
});
