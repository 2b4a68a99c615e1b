import { list, map, string, struct } from "#api/decode.ts";
import type { PortBinding, PortMap } from "#api/networks.ts";
import { EngineError } from "#base/errors.ts";
import type { ContainerManager } from "#core/containers/containers.ts";
import { type Route, route } from "./router.ts";

const portMap = map(list(struct("nat.PortBinding", { HostIp: string, HostPort: string })));
const changeShape = struct("slipway.PortChange", { Add: portMap, Remove: portMap });

/**
 * Beyond Docker's API: `POST /slipway/containers/{id}/ports` with `{"Add": {"80/tcp": [{"HostIp": "", "HostPort": "8080"}]}, "Remove": {...}}`
 * changes the published ports of a running container. In `Remove` null takes all bindings of a port, and an empty field matches all.
 */
export const portRoutes = (containers: Pick<ContainerManager, "changePorts">): readonly Route[] => [
  route("POST", "/slipway/containers/{id...}/ports", async ({ params, json }) => {
    const { Add, Remove } = ((await json(changeShape)) ?? {}) as { Add?: AskedPorts | null; Remove?: AskedPorts | null };
    const [add, remove] = [bindingsOf(Add ?? {}), Remove ?? {}];
    if (Object.keys(add).length + Object.keys(remove).length === 0) {
      throw new EngineError("invalidArgument", 'no ports given: say what to publish in "Add" and what to publish no longer in "Remove"');
    }
    return { status: 200, json: { Ports: await containers.changePorts(params.id, { add, remove: complete(remove) }) } };
  }),
];

type AskedPorts = Readonly<Record<string, readonly Partial<PortBinding>[] | null>>;

/** A port without bindings goes to any free one. */
const bindingsOf = (asked: AskedPorts): PortMap =>
  complete(Object.fromEntries(Object.entries(asked).map(([key, bindings]) => [key, bindings === null || bindings.length === 0 ? [{}] : bindings])));

const complete = (asked: AskedPorts): PortMap =>
  Object.fromEntries(Object.entries(asked).map(([key, bindings]) => [key, bindings?.map(({ HostIp = "", HostPort = "" }) => ({ HostIp, HostPort })) ?? null]));
