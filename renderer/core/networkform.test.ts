import { expect, test } from "vitest";
import type { ContainerSummary } from "#api/containers.ts";
import { emptyNetworkForm, networkMistakes, networkRequest } from "./networkform.ts";
import { networkMap } from "./networks.ts";

const form = { ...emptyNetworkForm, name: "front" };

test("a form says all that docker network create can", () => {
  expect(networkRequest(form)).toEqual({ Name: "front", Driver: "bridge", Internal: false });
  const full = {
    ...form,
    subnet: "10.20.0.0/16",
    gateway: "10.20.0.1",
    range: "10.20.128.0/17",
    auxiliary: "router=10.20.0.5",
    ipv6: true,
    subnet6: "fd00:20::/64",
    options: "com.docker.network.driver.mtu=1400",
    labels: "team=shop",
  };
  expect(networkMistakes(full)).toEqual({});
  expect(networkRequest(full)).toMatchObject({
    EnableIPv6: true,
    IPAM: {
      Driver: "default",
      Config: [
        { Subnet: "10.20.0.0/16", Gateway: "10.20.0.1", IPRange: "10.20.128.0/17", AuxiliaryAddresses: { router: "10.20.0.5" } },
        { Subnet: "fd00:20::/64" },
      ],
    },
    Options: { "com.docker.network.driver.mtu": "1400" },
    Labels: { team: "shop" },
  });
});

test.each([
  [{ name: "-x" }, "name"],
  [{ subnet: "10.20.0.0" }, "subnet"],
  [{ subnet: "10.300.0.0/16" }, "subnet"],
  [{ gateway: "10.20.0.1" }, "gateway"],
  [{ subnet: "10.20.0.0/16", gateway: "10.21.0.1" }, "gateway"],
  [{ subnet: "10.20.0.0/16", range: "10.0.0.0/8" }, "range"],
  [{ subnet: "10.20.0.0/16", auxiliary: "router=10.9.0.1" }, "auxiliary"],
  [{ options: "no equals sign" }, "options"],
  [{ ipv6: true, subnet6: "10.20.0.0/16" }, "subnet6"],
  [{ ipv6: true, gateway6: "fd00::1" }, "gateway6"],
])("%j is a mistake in %s", (part, field) => {
  expect(Object.keys(networkMistakes({ ...form, ...part }))).toContain(field);
});

const on = (name: string, ...networks: readonly string[]): ContainerSummary =>
  ({
    Id: name,
    Names: [`/${name}`],
    State: "running",
    NetworkSettings: { Networks: Object.fromEntries(networks.map((network) => [network, { IPAddress: `${network}.${name}` }])) },
  }) as unknown as ContainerSummary;

test("who shares a network reaches each other, and who has none nobody", () => {
  const { networks, rows } = networkMap([on("web", "front", "back"), on("db", "back"), on("proxy", "front"), on("alone", "none")]);
  expect(networks).toEqual(["back", "front"]);
  expect(rows.map(({ name, reaches }) => `${name}: ${reaches.join(" ")}`)).toEqual(["db: web", "proxy: web", "web: db proxy"]);
  expect(rows[2]?.addresses.get("back")).toBe("back.web");
});
