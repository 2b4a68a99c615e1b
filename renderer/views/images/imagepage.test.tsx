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
