import { afterEach, beforeAll, expect, test, vi } from "vitest";
import { byTestId, button, click, completeDom, found, openWindow, type } from "#renderer/testing.tsx";

vi.setConfig({ testTimeout: 60_000 });
beforeAll(completeDom);
afterEach(() => localStorage.clear());

const network = {
  Name: "front",
  Id: "n1",
  Driver: "bridge",
  Created: "2026-01-02T03:04:05Z",
  IPAM: { Config: [{ Subnet: "10.20.0.0/16" }] },
  Containers: {},
  Labels: {},
  Options: {},
};
const container = (name: string, ...networks: readonly string[]) => ({
  Id: name,
  Names: [`/${name}`],
  Image: "busybox",
  State: "running",
  Status: "Up",
  Ports: [],
  Labels: {},
  Created: 1,
  HostConfig: { NetworkMode: "bridge" },
  NetworkSettings: { Networks: Object.fromEntries(networks.map((one) => [one, { IPAddress: "10.20.0.2" }])) },
});

test("a network is made with its addresses, and a mistake in them is told before the engine is asked", async () => {
  using window = await openWindow("/networks", (bridge) => {
    bridge.answer("GET /networks", { body: [network] });
    bridge.answer("POST /networks/create", { status: 201, body: { Id: "n2" } });
  });
  await click(await found(() => byTestId("create")));
  await type("Name", "back");
  await type("Subnet", "10.30.0.0/16");
  await type("Gateway", "10.99.0.1");
  await click(await found(() => byTestId("create-submit")));
  await found(() => document.body.textContent?.includes("This is not in 10.30.0.0/16."));
  expect(window.bridge.asked.some(({ method }) => method === "POST")).toBe(false);
  await type("Gateway", "10.30.0.1");
  await click(await found(() => byTestId("create-submit")));
  const made = await found(() => window.bridge.asked.find(({ path }) => path === "/networks/create"));
  expect(made.body).toMatchObject({ Name: "back", IPAM: { Config: [{ Subnet: "10.30.0.0/16", Gateway: "10.30.0.1" }] } });
});

test("a network's page connects and disconnects containers, and the map tells who reaches whom", async () => {
  using window = await openWindow("/networks/n1", (bridge) => {
    bridge.answer("GET /networks", { body: [network] });
    bridge.answer("GET /networks/n1", { body: network });
    bridge.answer("GET /containers/json", { body: [container("web", "front"), container("db", "front"), container("other", "bridge")] });
    for (const verb of ["connect", "disconnect"]) bridge.answer(`POST /networks/n1/${verb}`, { status: 200 });
  });
  await click(await found(() => button("Disconnect db")));
  const choice = await found(() => document.querySelector<HTMLSelectElement>('select[aria-label="Connect a container…"]'));
  expect([...choice.options].map(({ value }) => value)).toEqual(["", "other"]);
  Object.getOwnPropertyDescriptor(HTMLSelectElement.prototype, "value")?.set?.call(choice, "other");
  choice.dispatchEvent(new Event("change", { bubbles: true }));
  await found(() => window.bridge.asked.some(({ path }) => path === "/networks/n1/connect"));
  expect(window.bridge.asked.filter(({ method }) => method === "POST").map(({ path, body }) => [path, body])).toEqual([
    ["/networks/n1/disconnect", { Container: "db" }],
    ["/networks/n1/connect", { Container: "other" }],
  ]);
  location.hash = "/networks";
  await click(await found(() => button("Map")));
  const map = await found(() => byTestId("network-map"));
  expect([...map.querySelectorAll("tbody tr")].map((row) => row.textContent)).toEqual(["db10.20.0.2web", "other10.20.0.2nobody", "web10.20.0.2db"]);
});
