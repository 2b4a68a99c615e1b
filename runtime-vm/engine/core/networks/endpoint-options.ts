/** Driver options of one container's endpoint (`docker run --network name=NET,driver-opt=...`). */
import type { EndpointSettings } from "#api/networks.ts";

const OPTION = { name: "com.docker.network.endpoint.ifname", sysctls: "com.docker.network.endpoint.sysctls" } as const;

/** The name its interface is to have in the container; undefined: the next free one. */
export const interfaceNameOf = ({ DriverOpts }: EndpointSettings): string | undefined => DriverOpts?.[OPTION.name] || undefined;

/** `net.ipv4.conf.IFNAME.log_martians=1`, several with commas between. */
const sysctlsOf = ({ DriverOpts }: EndpointSettings): string[] => (DriverOpts?.[OPTION.sysctls] ?? "").split(",").filter((text) => text !== "");

export function sysctlProblems(settings: EndpointSettings): string[] {
  const hint = "represent 'net.X.Y.ethN.Z=V' as 'net.X.Y.IFNAME.Z=V', 'X' must be 'ipv4', 'ipv6' or 'mpls'";
  return sysctlsOf(settings)
    .filter((text) => !/^net\.(?:ipv4|ipv6|mpls)\.[a-z_]+\.IFNAME\.[a-z0-9_]+=?/i.test(text))
    .map((text) => `unrecognised network interface sysctl '${text}'; ${hint}`);
}

/** Below /proc/sys, for the interface of that name; a value that is not there is undefined. */
export const interfaceSysctls = (settings: EndpointSettings, name: string): { readonly path: string; readonly value: string | undefined }[] =>
  sysctlsOf(settings).map((text) => {
    const [key = "", value] = text.split("=", 2);
    return {
      path: key
        .split(".")
        .map((part) => (part === "IFNAME" ? name : part))
        .join("/"),
      value,
    };
  });
