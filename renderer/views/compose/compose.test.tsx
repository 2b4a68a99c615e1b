import { afterEach, beforeAll, expect, test, vi } from "vitest";
import { byTestId, button, click, completeDom, found, openWindow } from "#renderer/testing.tsx";

vi.setConfig({ testTimeout: 60_000 });
beforeAll(completeDom);
afterEach(() => localStorage.clear());

const container = (service: string, State: string, after = "") => ({
  Id: service,
  Names: [`/shop-${service}-1`],
  Image: "busybox",
  Created: 1,
  Ports: [],
  State,
  Status: "",
  Labels: {
    "com.docker.compose.project": "shop",
    "com.docker.compose.service": service,
    "com.docker.compose.container-number": "1",
    "com.docker.compose.depends_on": after,
  },
});

test("a project tells how many run, and goes down with its networks, dependents first", async () => {
  using window = await openWindow("/compose", (bridge) => {
    bridge.answer("GET /containers/json", { body: [container("db", "running"), container("web", "exited", "db:service_started:false")] });
    bridge.answer("GET /networks", {
      body: [
        { Id: "net", Name: "shop_default", Labels: { "com.docker.compose.project": "shop" } },
        { Id: "other", Name: "other", Labels: {} },
      ],
    });
    for (const id of ["db", "web"]) bridge.answer(`DELETE /containers/${id}`, { status: 204 });
    bridge.answer("POST /containers/db/stop", { status: 204 });
    bridge.answer("DELETE /networks/net", { status: 204 });
  });
  const row = await found(() => byTestId("row-shop"));
  expect(row.textContent).toContain("running (1/2)");
  await click(await found(() => row.querySelector("a")));
  const page = await found(() => byTestId("compose-project"));
  expect([...page.querySelectorAll("tbody tr")].map((one) => one.textContent)).toEqual([expect.stringContaining("db"), expect.stringContaining("web")]);
  await click(await found(() => byTestId("compose-down")));
  expect((await found(() => byTestId("confirm"))).textContent).toContain("2 containers and 1 network");
  await click(await found(() => button("Take down shop")));
  await found(() => window.bridge.asked.some(({ method, path }) => method === "DELETE" && path === "/networks/net"));
  const acts = window.bridge.asked.filter(({ method }) => method !== "GET").map(({ method, path }) => `${method} ${path}`);
  // Anonymous volumes stay, as `docker compose down` leaves them.
  expect(acts).toEqual(["DELETE /containers/web", "POST /containers/db/stop", "DELETE /containers/db", "DELETE /networks/net"]);
});
