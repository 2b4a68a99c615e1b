import { afterEach, beforeAll, expect, test, vi } from "vitest";
import type { ContainerSummary } from "#api/containers.ts";
import { byTestId, button, click, completeDom, found, openWindow, press, type } from "./testing.tsx";

vi.setConfig({ testTimeout: 60_000 });
beforeAll(completeDom);
afterEach(() => localStorage.clear());

const container = (name: string, part: Partial<ContainerSummary> = {}): ContainerSummary => ({
  Id: `${name}-id`,
  Names: [`/${name}`],
  Image: "img:1",
  ImageID: "sha256:1",
  Command: "sh",
  Created: 1,
  Ports: [],
  Labels: {},
  State: "exited",
  Status: "Exited (0) 1 hour ago",
  HostConfig: { NetworkMode: "bridge" },
  NetworkSettings: { Networks: {} },
  Mounts: [],
  ...part,
});

test("until the engine answers, the boot steps are shown with their times; a failure with its reason and Retry", async () => {
  using window = await openWindow("/", (bridge) =>
    bridge.machine({ phase: "starting", steps: [{ name: "qemu", title: "Starting the virtual machine", state: "done", tookMs: 640, deadlineMs: 1 }] }),
  );
  expect((await found(() => byTestId("boot-qemu"))).textContent).toContain("640 ms");
  window.bridge.machine({ phase: "failed", error: { message: "The data disk is full.", hint: "Free some space." } });
  await found(() => document.body.textContent.includes("The data disk is full."));
  expect(button("Retry")).toBeDefined();
  const why = { Rule: "qemu-missing", Verdict: "QEMU is not installed.", Evidence: ["cannot start qemu"], Fix: "sudo apt install qemu-system-x86" };
  window.bridge.machine({ phase: "failed", error: { message: "cannot start qemu", hint: "What it printed is in /m/console.log", why } });
  const card = await found(() => byTestId("boot-error"));
  for (const said of [why.Verdict, why.Fix, "cannot start qemu", "/m/console.log"]) expect(card.textContent).toContain(said);
  window.bridge.machine({ phase: "running" });
  await found(() => byTestId("engine-state"));
});

test("the state is a word beside the dot, ports are links, and an event makes the list be read again", async () => {
  using window = await openWindow("/containers", (bridge) =>
    bridge.answer("GET /containers/json", {
      body: [container("web", { State: "running", Status: "Up 1 minute (healthy)", Ports: [{ PrivatePort: 80, PublicPort: 8080, Type: "tcp" }] })],
    }),
  );
  const row = await found(() => byTestId("row-web"));
  expect(row.textContent).toContain("running");
  expect(row.textContent).toContain("healthy");
  const link = await found(() => row.querySelector("a[target=_blank]"));
  expect(link.getAttribute("href")).toBe("http://localhost:8080");
  window.bridge.answer("GET /containers/json", { body: [container("web", { Status: "Exited (3) 1 second ago" })] });
  window.bridge.event({ Type: "container", Action: "die", Actor: { ID: "web-id", Attributes: {} } });
  await found(() => byTestId("row-web")?.textContent.includes("exited (3)"));
});

test("a double click on Start sends one order, and a refusal is told with the engine's words", async () => {
  using window = await openWindow("/containers", (bridge) => {
    bridge.answer("GET /containers/json", { body: [container("web")] });
    bridge.answer("POST /containers/web-id/start", { status: 409, body: { message: "port 8080 is taken by db" } });
  });
  await found(() => byTestId("row-web"));
  const start = await found(() => button("Start"));
  await Promise.all([click(start), click(start)]);
  const toast = await found(() => byTestId("toast-error"));
  expect(toast.textContent).toContain("Could not start “web”");
  expect(toast.textContent).toContain("Port 8080 is taken by db.");
  expect(window.bridge.asked.filter(({ path }) => path.endsWith("/start"))).toHaveLength(1);
});

test("bulk: what fails stays selected and is listed with its reason", async () => {
  using window = await openWindow("/containers", (bridge) => {
    bridge.answer("GET /containers/json", { body: ["a", "b", "c"].map((name) => container(name)) });
    bridge.answer("POST /containers/a-id/start", { status: 204 });
    bridge.answer("POST /containers/b-id/start", { status: 500, body: { message: "no space left" } });
    bridge.answer("POST /containers/c-id/start", { status: 204 });
  });
  const checkbox = (name: string): Element => document.querySelector(`input[aria-label="Select ${name}"]`) ?? document.body;
  await found(() => byTestId("row-a"));
  await click(checkbox("a"));
  await click(checkbox("c"), { shiftKey: true });
  const bar = await found(() => byTestId("bulk-bar"));
  expect(bar.textContent).toContain("3 selected");
  await click([...bar.querySelectorAll("button")].find((one) => one.textContent === "Start") ?? bar);
  const failures = await found(() => byTestId("bulk-failures"));
  expect(failures.textContent).toContain("1 of 3 containers failed");
  expect(failures.textContent).toContain("No space left.");
  expect([...window.app.selections.containers.getState().ids]).toEqual(["b-id"]);
});

test("rows are walked by arrows; Shift+F10 opens the row's menu and Escape gives the row its focus back", async () => {
  using _window = await openWindow("/containers", (bridge) => bridge.answer("GET /containers/json", { body: ["a", "b"].map((name) => container(name)) }));
  (await found(() => byTestId("row-a"))).focus();
  await press("ArrowDown");
  expect(document.activeElement).toBe(byTestId("row-b"));
  await press("F10", { shiftKey: true });
  expect(document.querySelector("[role=menu]")?.getAttribute("aria-label")).toBe("Actions for b");
  expect(document.activeElement?.textContent).toBe("View logs");
  await press("d");
  expect(document.activeElement?.textContent).toBe("Delete…");
  await press("Escape");
  expect(document.activeElement).toBe(byTestId("row-b"));
});

test("scrolling through a long list gives rows the elements of those that left; the row in focus keeps its own", async () => {
  using _window = await openWindow("/containers", (bridge) =>
    bridge.answer("GET /containers/json", { body: Array.from({ length: 1_000 }, (_, n) => container(`c${n}`)) }),
  );
  const table = await found(() => byTestId("table-containers"));
  const elements = (): Element[] => [...table.querySelectorAll("[role=row]")];
  const scrollTo = async (row: number): Promise<void> => {
    table.scrollTop = row * 48;
    table.dispatchEvent(new Event("scroll"));
    await found(() => byTestId(`row-c${row + 5}`));
  };
  // Those beyond what is in sight come once that is drawn.
  await found(() => elements().length > 25);
  await scrollTo(100);
  const before = elements();
  await scrollTo(110);
  expect(elements().filter((element) => !before.includes(element))).toEqual([]);
  const focused = byTestId("row-c115");
  focused?.focus();
  await scrollTo(118);
  expect([byTestId("row-c115"), document.activeElement]).toEqual([focused, focused]);
  const order = (table.querySelector("[role=rowgroup]")?.getAttribute("aria-owns") ?? "").split(" ").map((id) => document.getElementById(id)?.dataset["rowId"]);
  expect(order.slice(0, 3)).toEqual(["c112-id", "c113-id", "c114-id"]);
});

test("deleting asks, with the focus on Cancel, and names the running container", async () => {
  using window = await openWindow("/containers", (bridge) => {
    bridge.answer("GET /containers/json", { body: [container("web", { State: "running", Status: "Up 1 minute" })] });
    bridge.answer("DELETE /containers/web-id", { status: 204 });
  });
  (await found(() => byTestId("row-web"))).focus();
  await press("F10", { shiftKey: true });
  await press("d");
  await click(document.activeElement ?? document.body);
  const dialog = await found(() => byTestId("confirm"));
  expect(dialog.textContent).toContain("Delete container “web”?");
  expect(dialog.textContent).toContain("It is running and will be killed first.");
  expect(document.activeElement?.textContent).toBe("Cancel");
  await click(button("Delete 1 container") ?? document.body);
  await found(() => byTestId("toast"));
  expect(window.bridge.asked.find(({ method }) => method === "DELETE")?.path).toBe("/containers/web-id?force=1&v=1");
});

test("a list that is still being read says so", async () => {
  const answer = Promise.withResolvers<void>();
  using _window = await openWindow("/volumes", (bridge) => {
    const call = bridge.call;
    bridge.call = (async (name: string, arg: { path?: string }) => {
      if (arg?.path === "/volumes") await answer.promise;
      return await (call as (name: string, arg: object) => Promise<unknown>)(name, arg);
    }) as typeof bridge.call;
  });
  expect((await found(() => byTestId("reading"))).textContent).toContain("Reading the list…");
  answer.resolve();
  await found(() => document.body.textContent.includes("No volumes yet"));
  expect(byTestId("reading")).toBeNull();
});

const welcomeImage = { Id: "sha256:1", RepoTags: ["slipway/welcome:latest"], Size: 1, Created: 1 };

test("while the engine still unpacks the starter image the page says so, and goes on by itself", async () => {
  using window = await openWindow("/containers", () => undefined);
  const run = await found(() => byTestId("run-welcome") as HTMLButtonElement | null);
  expect(run.disabled).toBe(true);
  expect(byTestId("starter-state")?.textContent).toContain("being unpacked");
  window.bridge.answer("GET /images/json", { body: [welcomeImage] });
  window.bridge.event({ Type: "image", Action: "load", Actor: { ID: "sha256:1", Attributes: {} } });
  await found(() => !run.disabled);
  expect(byTestId("starter-state")?.textContent).toBe("");
});

test("an engine whose starter image was deleted offers to run another one", async () => {
  using _window = await openWindow("/containers", (bridge) => bridge.answer("GET /images/json", { body: [{ ...welcomeImage, RepoTags: ["busybox:latest"] }] }));
  await found(() => button("Run an image…"));
  expect(byTestId("run-welcome")).toBeNull();
});

test("the empty page runs the starter image in one click; a port that is taken leaves nothing behind and says so", async () => {
  using window = await openWindow("/containers", (bridge) => {
    bridge.answer("GET /images/json", { body: [welcomeImage] });
    bridge.answer("POST /containers/create", { status: 201, body: { Id: "new-id", Warnings: [] } });
    bridge.answer("POST /containers/new-id/start", { status: 500, body: { message: "port 8080 is taken" } });
    bridge.answer("DELETE /containers/new-id", { status: 204 });
  });
  await click(await found(() => byTestId("run-welcome")));
  const notice = await found(() => byTestId("error-notice"));
  expect(notice.textContent).toContain("Port 8080 is taken.");
  const asked = window.bridge.asked.filter(({ method }) => method !== "GET").map(({ method, path }) => `${method} ${path.split("?")[0]}`);
  expect(asked).toEqual(["POST /containers/create", "POST /containers/new-id/start", "DELETE /containers/new-id"]);
  expect(window.bridge.asked.find(({ path }) => path.startsWith("/containers/create"))?.body).toMatchObject({
    Image: "slipway/welcome",
    HostConfig: { PortBindings: { "80/tcp": [{ HostPort: "8080" }] } },
  });
});

test("the run form says what is wrong in its place, keeps what was typed when the engine refuses, then pulls a missing image", async () => {
  using window = await openWindow("/containers", (bridge) => {
    bridge.answer("GET /containers/json", { body: [container("other")] });
    bridge.answer("POST /containers/create", { status: 409, body: { message: 'the name "web" is in use by container abc' } });
  });
  await found(() => byTestId("row-other"));
  await click(await found(() => byTestId("run")));
  const submit = await found(() => byTestId("run-submit"));
  await type("Host port 1", "99999");
  await click(submit);
  await found(() => document.body.textContent.includes("A port is a number from 1 to 65535."));
  expect(document.body.textContent).toContain("Name an image");
  await type("Host port 1", "");
  await type("Image", "img:2");
  await type("Name", "web");
  await click(submit);
  expect((await found(() => byTestId("error-notice"))).textContent).toContain('The name "web" is in use by container abc.');
  expect([...document.querySelectorAll("input")].map(({ value }) => value)).toContain("web");

  let here = false;
  window.bridge.answer("POST /containers/create", () =>
    here ? { status: 201, body: { Id: "n" } } : { status: 404, body: { message: "No such image: img:2" } },
  );
  window.bridge.answer("POST /images/create", () => {
    here = true;
    return { body: '{"status":"Pull complete","id":"aaaaaaaaaaaa","progressDetail":{}}\n' };
  });
  window.bridge.answer("POST /containers/n/start", { status: 204 });
  await click(submit);
  await found(() => window.bridge.asked.some(({ path }) => path === "/containers/n/start"));
  expect(window.bridge.asked.find(({ path }) => path.startsWith("/images/create"))?.path).toBe("/images/create?fromImage=img&tag=2");
});

test("with the engine away the lists stay, greyed, under the reason and a Retry", async () => {
  using window = await openWindow("/containers", (bridge) => bridge.answer("GET /containers/json", { body: [container("web")] }));
  await found(() => byTestId("row-web"));
  window.bridge.machine({ phase: "failed", error: { message: "The engine stopped answering." } });
  const banner = await found(() => byTestId("engine-banner"));
  expect(banner.textContent).toContain("The engine stopped answering.");
  expect(byTestId("row-web")).not.toBeNull();
  expect(byTestId("table-containers")?.getAttribute("aria-busy")).toBe("true");
});

test("a failed engine can be repaired from the banner, and what was done is said", async () => {
  using window = await openWindow("/containers", () => undefined);
  await found(() => byTestId("engine-state"));
  window.bridge.machine({ phase: "failed", error: { message: "The engine stopped answering." } });
  for (const name of ["Retry", "Repair", "Diagnostics"]) expect(await found(() => button(name))).toBeDefined();
  await click(button("Repair") ?? document.body);
  await found(() => document.body.textContent.includes("Repaired: the machine was started afresh"));
});

test("a look at another tab and back finds the same page", async () => {
  using _window = await openWindow("/containers/web-id/inspect", (bridge) => {
    bridge.answer("GET /containers/json", { body: [container("web", { State: "running" })] });
    bridge.answer("GET /containers/web-id/json", {
      body: {
        Id: "web-id",
        Name: "/web",
        Image: "sha256:1",
        State: { Status: "running", Running: true, ExitCode: 0 },
        Config: { Image: "img:1" },
        HostConfig: {},
      },
    });
  });
  const page = await found(() => document.querySelector("section[aria-label=web]"));
  location.hash = "/containers/web-id/nothing-of-that-name";
  location.hash = "/containers/web-id/inspect";
  await found(() => byTestId("inspect"));
  expect(document.querySelector("section[aria-label=web]")).toBe(page);
});

test("a disk that gets full says how full, by what and what can be had back; put away, it returns when it gets worse", async () => {
  const room = (freeBytes: number, of: "machine" | "computer" = "machine"): object => ({
    usage: { memoryBytes: 1, memoryTotalBytes: 2, disk: { of, totalBytes: 64e9, freeBytes } },
  });
  using window = await openWindow("/containers", (bridge) => {
    bridge.answer("GET /containers/json", { body: [] });
    bridge.answer("GET /system/df", {
      body: { Volumes: [{ Name: "db", UsageData: { Size: 30e9, RefCount: 1 } }], Containers: [container("job", { SizeRw: 5e9 })] },
    });
  });
  await found(() => byTestId("engine-state"));
  window.bridge.machine(room(32e9));
  expect(byTestId("disk-banner")).toBeFalsy();
  window.bridge.machine(room(8e9));
  const banner = await found(() => byTestId("disk-banner"));
  expect(banner.textContent).toContain("87 % full: 8 GB are left");
  await found(() => banner.textContent.includes("Largest: volume db (30 GB), container job (5 GB). 5 GB are not in use."));
  await click(await found(() => button("Not now")));
  await found(() => !byTestId("disk-banner"));
  window.bridge.machine(room(1e9, "computer"));
  await found(() => byTestId("disk-banner")?.textContent.includes("This computer’s disk is nearly full"));
  await click(await found(() => button("Make room")));
  await found(() => !button("Make room"));
  expect(byTestId("disk-banner")).toBeTruthy();
});
