import { Unplug } from "lucide-react";
import { Link } from "wouter";
import type { ContainerInspect } from "#api/containers.ts";
import type { EndpointSettings } from "#api/networks.ts";
import { useApp } from "#renderer/appcontext.ts";
import { keys } from "#renderer/core/keys.ts";
import { shortId } from "#renderer/core/format.ts";
import { t } from "#renderer/core/texts.ts";
import { toastFailed } from "#renderer/core/toasts.ts";
import { useHostInfo, useNetworks } from "#renderer/queries.ts";
import { IconButton } from "#renderer/ui/button.tsx";
import { Select } from "#renderer/ui/field.tsx";
import { SimpleTable } from "#renderer/ui/simpletable.tsx";
import { PortText } from "./cells.tsx";

/** Networks that a container cannot be put into beside others. */
const alone = new Set(["host", "none"]);

export function NetworkTab({ container }: { readonly container: ContainerInspect }) {
  const mode = container.HostConfig.NetworkMode ?? "";
  const networks = Object.entries(container.NetworkSettings.Networks ?? {});
  const fixed = alone.has(mode) || mode.startsWith("container:");
  return (
    <div className="flex min-h-0 flex-1 flex-col gap-6 overflow-auto p-4" data-testid="network">
      <section>
        <div className="mb-2 flex items-center gap-3">
          <h2 className="text-sm font-medium text-fg3">{t.network.networks}</h2>
          {!fixed && <Connect id={container.Id} connected={networks.map(([name]) => name)} />}
        </div>
        {networks.length === 0 ? (
          <p className="text-fg2">{mode.startsWith("container:") ? mode : t.network.none}</p>
        ) : (
          <Endpoints id={container.Id} networks={networks} fixed={fixed} />
        )}
      </section>
      <section>
        <h2 className="mb-2 text-sm font-medium text-fg3">{t.network.ports}</h2>
        <Ports container={container} />
      </section>
    </div>
  );
}

function Endpoints({
  id,
  networks,
  fixed,
}: {
  readonly id: string;
  readonly networks: readonly (readonly [string, EndpointSettings])[];
  readonly fixed: boolean;
}) {
  const { engine, queries } = useApp();
  const { columns } = t.network;
  const disconnect = async (name: string): Promise<void> => {
    try {
      await engine.networks.disconnect(name, id);
      await queries.invalidateQueries({ queryKey: keys.container(id) });
    } catch (error) {
      toastFailed(error, t.network.disconnectFailed(name));
    }
  };
  return (
    <SimpleTable
      label={t.network.networks}
      head={[columns.network, columns.ipv4, columns.ipv6, columns.gateway, columns.mac, columns.names]}
      rows={networks.map(([name, end]) => ({
        key: name,
        cells: [
          <span key="name" className="flex items-center gap-1">
            <Link href={`/networks/${end.NetworkID ?? name}`} className="rounded-sm font-medium hover:underline">
              {name}
            </Link>
            {!fixed && <IconButton icon={Unplug} label={t.network.disconnect(name)} onClick={() => void disconnect(name)} />}
          </span>,
          address(end.IPAddress, end.IPPrefixLen),
          address(end.GlobalIPv6Address, end.GlobalIPv6PrefixLen),
          <code key="gateway" className="font-mono text-sm">
            {end.Gateway || "–"}
          </code>,
          <code key="mac" className="font-mono text-sm">
            {end.MacAddress || "–"}
          </code>,
          (end.DNSNames ?? end.Aliases ?? []).filter((one) => one !== shortId(id)).join(", ") || "–",
        ],
      }))}
    />
  );
}

const address = (ip: string | undefined, prefix: number | undefined) => <code className="font-mono text-sm">{ip ? `${ip}/${prefix ?? ""}` : "–"}</code>;

function Connect({ id, connected }: { readonly id: string; readonly connected: readonly string[] }) {
  const { engine, queries } = useApp();
  const others = (useNetworks().data ?? []).filter(({ Name }) => !connected.includes(Name) && !alone.has(Name));
  const connect = async (name: string): Promise<void> => {
    try {
      await engine.networks.connect(name, id);
      await queries.invalidateQueries({ queryKey: keys.container(id) });
    } catch (error) {
      toastFailed(error, t.network.connectFailed(name));
    }
  };
  if (others.length === 0) return null;
  return (
    <Select className="max-w-[220px]" aria-label={t.network.choose} value="" onChange={(event) => void connect(event.target.value)}>
      <option value="">{t.network.choose}</option>
      {others.map(({ Name }) => (
        <option key={Name}>{Name}</option>
      ))}
    </Select>
  );
}

function Ports({ container }: { readonly container: ContainerInspect }) {
  const host = useHostInfo().data?.portHost ?? "localhost";
  const ports = Object.entries(container.NetworkSettings.Ports ?? {});
  if (ports.length === 0) return <p className="text-fg2">{t.network.noPorts}</p>;
  return (
    <SimpleTable
      label={t.network.ports}
      head={[t.network.inside, t.network.outside]}
      rows={ports.map(([port, bindings]) => ({
        key: port,
        cells: [
          <code key="port" className="font-mono text-sm">
            {port}
          </code>,
          bindings === null || bindings.length === 0 ? (
            <span key="out" className="text-fg3">
              {t.network.exposed}
            </span>
          ) : (
            <span key="out" className="flex flex-wrap gap-x-4">
              {bindings.map(({ HostIp, HostPort }) => (
                <PortText
                  key={HostIp + HostPort}
                  text={HostIp.includes(":") ? `[${HostIp}]:${HostPort}` : `${HostIp}:${HostPort}`}
                  {...(port.endsWith("/tcp") && { url: `http://${host}:${HostPort}` })}
                  copy
                />
              ))}
            </span>
          ),
        ],
      }))}
    />
  );
}
