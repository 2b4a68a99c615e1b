/** Interfaces by their names, over rtnetlink. */
import { EngineError } from "#base/errors.ts";
import { type Kernel, KernelError, type Netlink } from "#core/kernel/kernel.ts";
import { type Link as KernelLink, linkByName, parseLink, RTM, setUp } from "#core/networks/rtnetlink.ts";

/** Whether a request failed because the interface is not there. */
export const missing = (error: unknown): boolean => error instanceof KernelError && ["ENODEV", "ENOENT", "ENXIO"].includes(error.code);

export function removeIn(kernel: Kernel, netns: string, name: string): void {
  using inside = kernel.rtnetlink(netns);
  try {
    inside.request(RTM.DELLINK, 0, setUp(linkIn(inside, name).index, false));
  } catch (error) {
    if (!missing(error)) throw error;
  }
}

export function linkIn(netlink: Netlink, name: string): KernelLink {
  const [answer] = netlink.request(RTM.GETLINK, 0, linkByName(name));
  if (answer === undefined) throw new EngineError("internal", `rtnetlink gave no answer about interface ${name}`);
  return parseLink(answer);
}
