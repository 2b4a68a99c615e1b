import { afterEach, beforeAll, expect, test, vi } from "vitest";
import { byTestId, button, click, completeDom, found, openWindow, type } from "#renderer/testing.tsx";

vi.setConfig({ testTimeout: 60_000 });
beforeAll(completeDom);
afterEach(() => localStorage.clear());

const other = {
  Id: "db-id",
  Names: ["/db"],
  Image: "db:1",
  ImageID: "",
  Command: "",
  Created: 1,
  Ports: [{ PrivatePort: 80, PublicPort: 8080, Type: "tcp" }],
  Labels: {},
  State: "running",
  Status: "Up 1 minute",
  HostConfig: { NetworkMode: "bridge" },
  NetworkSettings: { Networks: {} },
  Mounts: [],
};
const openForm = async () => {
  const window = await openWindow("/containers", (bridge) => {
    bridge.answer("GET /containers/json", { body: [other] });
    bridge.answer("POST /containers/create", { status: 201, body: { Id: "new-id", Warnings: [] } });
    bridge.answer("POST /containers/new-id/start", {});
  });
  await found(() => byTestId("row-db"));
  await click(await found(() => byTestId("run")));
  await found(() => byTestId("run-dialog"));
  return window;
};
const choose = async (tab: string): Promise<void> =>
  click(await found(() => [...document.querySelectorAll("dialog [role=radio]")].find((one) => one.textContent === tab)));
const submit = (): void => document.querySelector<HTMLFormElement>("dialog form")?.requestSubmit();

test("a pasted docker run line fills every part of the form, and what has no field is named", async () => {
  using window = await openForm();
  await click(await found(() => button("Paste a docker run line")));
  const area = await found(() => document.querySelector("textarea"));
  const put = (text: string): void => {
    Object.getOwnPropertyDescriptor(HTMLTextAreaElement.prototype, "value")?.set?.call(area, text);
    area.dispatchEvent(new Event("input", { bubbles: true }));
  };
  put("docker ps");
  await found(() => document.body.textContent.includes("This is no docker run line."));
  put("docker run --name shop -p 9090:80 -w /srv --network front --read-only --gpus all nginx:1 serve --fast");
  expect((await found(() => byTestId("run-left"))).textContent).toContain("--gpus all");
  submit();
  const created = await found(() => window.bridge.asked.find(({ path }) => path.startsWith("/containers/create")));
  expect(created.path).toContain("name=shop");
  expect(created.body).toMatchObject({
    Image: "nginx:1",
    Cmd: ["serve", "--fast"],
    WorkingDir: "/srv",
    HostConfig: { NetworkMode: "front", ReadonlyRootfs: true, PortBindings: { "80/tcp": [{ HostPort: "9090" }] } },
  });
});

test("a name or a port that another container has is told while it is typed, and by whom", async () => {
  using _window = await openForm();
  await type("Host port 1", "8080");
  await found(() => document.body.textContent.includes("Port 8080 is published by “db”, which runs."));
  await type("Name", "db");
  await found(() => document.body.textContent.includes("A container with this name exists already."));
  // A port that is free again is no longer complained about.
  await type("Host port 1", "8081");
  await found(() => !document.body.textContent.includes("Port 8080 is published"));
  expect(document.body.textContent).not.toContain("Port 8081");
});

test("a mistake in a part that is not shown brings that part up", async () => {
  using window = await openForm();
  await type("Image", "nginx");
  await choose("Advanced");
  await type("Working directory", "srv");
  await choose("Basic");
  submit();
  await found(() => document.body.textContent.includes("An absolute path, starting with /."));
  expect(document.querySelector("dialog [role=radio][aria-checked=true]")?.textContent).toBe("Advanced");
  expect(window.bridge.asked.some(({ path }) => path.startsWith("/containers/create"))).toBe(false);
});
