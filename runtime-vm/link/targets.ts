import { EngineError } from "#base/errors.ts";

/** Where a tunnel leads. `engine`, `tcp` and `udp` are dialled by the guest; `calls` carries the control calls; `accept` answers a guest's `dial`. */
export type Target =
  | { readonly kind: "engine" }
  | { readonly kind: "tcp" | "udp"; readonly address: string; readonly port: number }
  | { readonly kind: "calls" }
  | { readonly kind: "accept"; readonly ticket: string };

/** The `:path` of a tunnel's request. */
export function formatTarget(target: Target): string {
  switch (target.kind) {
    case "engine":
    case "calls":
      return `/${target.kind}`;
    case "tcp":
    case "udp":
      return `/${target.kind}/${encodeURIComponent(target.address)}/${target.port}`;
    case "accept":
      return `/accept/${target.ticket}`;
  }
}

export function parseTarget(path: string): Target {
  const [, kind, first, second, ...rest] = path.split("/");
  if (rest.length === 0 && first === undefined && (kind === "engine" || kind === "calls")) return { kind };
  if (rest.length === 0 && second === undefined && kind === "accept" && first && /^[0-9a-f]+$/.test(first)) return { kind, ticket: first };
  if (rest.length === 0 && (kind === "tcp" || kind === "udp") && first && second && /^\d{1,5}$/.test(second)) {
    const port = Number(second);
    if (port > 0 && port < 65_536) return { kind, address: decodeURIComponent(first), port };
  }
  throw new EngineError("invalidArgument", `${JSON.stringify(path)} is no tunnel target`);
}
