import { beforeAll, describe, expect, test } from "vitest";
import { type StockDocker, stockDocker } from "../fixtures/docker.ts";

/** Networks on an interface of the machine, on a kernel that knows VLANs and ipvlan. */
export function parentsSuite(name: string, engine: () => { readonly socket: string }): void {
  describe(name, () => {
    let docker: StockDocker;
    beforeAll(() => {
      docker = stockDocker(engine());
    });
    const image = "slipway/welcome";
    const onMachine = (script: string): Promise<string> => docker.ok("run", "--rm", "--net", "host", image, "sh", "-c", script);

    /** A container that says who it is to whoever asks at port 99, and what one beside it hears. */
    async function heardOn(network: string): Promise<string> {
      await docker.ok("run", "-d", "--name", "teller", "--net", network, image, "nc", "-ll", "-p", "99", "-e", "echo", "told");
      const heard = await docker.ok("run", "--rm", "--net", network, image, "sh", "-c", "until nc -w 5 teller 99; do sleep 1; done");
      await docker.ok("rm", "-f", "teller");
      return heard;
    }

    test("a macvlan network with a VLAN for its parent makes the tagged interface, sends by it, and takes it along when it goes", async () => {
      await docker.ok("network", "create", "-d", "macvlan", "--subnet", "10.81.0.0/24", "-o", "parent=eth0.10", "tagged");
      expect(await onMachine("cat /proc/net/vlan/config")).toMatch(/eth0\.10\s*\|\s*10\s*\|\s*eth0/);
      expect(await heardOn("tagged")).toBe("told");
      // The gateway answers nobody; asking for it is a frame that must leave by the tagged interface.
      const sent = async (): Promise<number> => Number(await onMachine("cat /sys/class/net/eth0.10/statistics/tx_packets"));
      const before = await sent();
      await docker("run", "--rm", "--net", "tagged", image, "ping", "-c", "1", "-W", "1", "10.81.0.1");
      expect(await sent()).toBeGreaterThan(before);
      await docker.ok("network", "rm", "tagged");
      expect(await onMachine("grep -c eth0.10 /proc/net/vlan/config || true")).toBe("0");
    });

    test("of an interface that was there, a VLAN stays", async () => {
      const asRoot = (...command: string[]): Promise<string> => docker.ok("run", "--rm", "--privileged", "--net", "host", image, ...command);
      await asRoot("ip", "link", "add", "link", "eth0", "name", "eth0.30", "type", "vlan", "id", "30");
      await docker.ok("network", "create", "-d", "macvlan", "--subnet", "10.83.0.0/24", "-o", "parent=eth0.30", "theirs");
      await docker.ok("network", "rm", "theirs");
      expect(await onMachine("grep -c 'eth0.30 ' /proc/net/vlan/config")).toBe("1");
      await asRoot("ip", "link", "del", "eth0.30");
    });

    test.each([
      ["l2", "default via 10.82.0.1 dev eth0"],
      ["l3", "default dev eth0"],
    ])("containers of an ipvlan network in mode %s reach each other, and the outside as the mode says", async (mode, route) => {
      await docker.ok("network", "create", "-d", "ipvlan", "--subnet", "10.82.0.0/24", "-o", "parent=eth0", "-o", `ipvlan_mode=${mode}`, "shared");
      expect(await heardOn("shared")).toBe("told");
      expect(await docker.ok("run", "--rm", "--net", "shared", image, "ip", "route")).toContain(route);
      await docker.ok("network", "rm", "shared");
    });
  });
}
