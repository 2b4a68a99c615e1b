import { expect, test } from "vitest";
import { lowPortRefusal } from "./low-port.ts";

test("a port below the first one for everybody is refused with the one setting that allows it", async () => {
  const asked: string[] = [];
  const text = async (path: string): Promise<string> => (asked.push(path), await Promise.resolve("1024\n"));
  expect(await lowPortRefusal({ text }, 80)).toBe(
    'permission denied: only root may listen on port 80, which is below 1024; allow it with "sysctl -w net.ipv4.ip_unprivileged_port_start=80", or publish on a higher port',
  );
  expect(asked).toEqual(["/proc/sys/net/ipv4/ip_unprivileged_port_start"]);
  const nowhere = (): Promise<string> => Promise.reject(new Error("no such file"));
  expect(await lowPortRefusal({ text: nowhere }, 80)).toBe("permission denied: port 80 needs more rights; publish on a higher port");
  expect(await lowPortRefusal({ text }, 8080)).not.toContain("sysctl");
});
