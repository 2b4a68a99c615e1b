import { afterEach, beforeAll, expect, test, vi } from "vitest";
import type { ContainerSummary } from "#api/containers.ts";
import { byTestId, button, click, completeDom, found, openWindow } from "#renderer/testing.tsx";

vi.setConfig({ testTimeout: 60_000 });
beforeAll(completeDom);
afterEach(() => localStorage.clear());

const container = (name: string, State: ContainerSummary["State"], project?: string): ContainerSummary => ({
  Id: `${name}-id`,
  Names: [`/${name}`],
  Image: "img:1",
  ImageID: "",
  Command: "",
  Created: 1,
  Ports: [],
  Labels: project === undefined ? {} : { "com.docker.compose.project": project },
  State,
  Status: State === "running" ? "Up 1 minute" : "Exited (0) 1 hour ago",
  HostConfig: { NetworkMode: "bridge" },
  NetworkSettings: { Networks: {} },
  Mounts: [],
});
const list = [container("alone", "running"), container("shop-db-1", "running", "shop"), container("shop-web-1", "exited", "shop")];
const openList = () =>
  openWindow("/containers", (bridge) => {
    bridge.answer("GET /containers/json", { body: list });
    for (const { Id } of list) for (const act of ["start", "stop"]) bridge.answer(`POST /containers/${Id}/${act}`, {});
  });

test("containers of a Compose project stand below their project, which says how many run and acts on all of them", async () => {
  using window = await openList();
  const project = await found(() => byTestId("row-shop"));
  expect(project.textContent).toContain("1/2 running");
  expect(project.querySelector("input")).toBeNull();
  await click(await found(() => button("Stop all of shop")));
  await found(() => window.bridge.asked.some(({ path }) => path === "/containers/shop-db-1-id/stop"));
  await click(await found(() => button("Start what is stopped of shop")));
  await found(() => window.bridge.asked.some(({ path }) => path === "/containers/shop-web-1-id/start"));
  expect(window.bridge.asked.some(({ method, path }) => method === "POST" && path.includes("alone-id"))).toBe(false);
});

test("a project that was collapsed stays so after the window was closed", async () => {
  {
    using _window = await openList();
    await click(await found(() => byTestId("row-shop")));
    await found(() => byTestId("row-shop-db-1") === null);
    expect(byTestId("row-alone")).not.toBeNull();
  }
  using _again = await openList();
  await found(() => byTestId("row-shop"));
  expect(byTestId("row-shop-db-1")).toBeNull();
});

test("the filter by state and the choice of columns are kept", async () => {
  {
    using _window = await openList();
    await found(() => byTestId("row-alone"));
    await click(await found(() => [...document.querySelectorAll("[role=radio]")].find((one) => one.textContent === "Stopped")));
    await found(() => byTestId("row-alone") === null && byTestId("row-shop-web-1"));
    await click(await found(() => button("Columns")));
    const image = await found(() => [...document.querySelectorAll("[role=menuitemcheckbox]")].find((one) => one.textContent === "Image"));
    expect(image.getAttribute("aria-checked")).toBe("false");
    await click(image);
    await found(() => [...document.querySelectorAll("[role=columnheader]")].some((one) => one.textContent === "Image"));
  }
  using _again = await openList();
  await found(() => byTestId("row-shop-web-1"));
  expect(byTestId("row-alone")).toBeNull();
  expect([...document.querySelectorAll("[role=columnheader]")].map((one) => one.textContent)).toContain("Image");
});
