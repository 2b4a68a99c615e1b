import { Network as NetworkIcon, Unplug } from "lucide-react";
import { useState } from "react";
import { Link, useLocation } from "wouter";
import type { ContainerSummary } from "#api/containers.ts";
import type { NetworkInspect } from "#api/networks.ts";
import { useApp } from "#renderer/appcontext.ts";
import { exactTime, plainName, shortId } from "#renderer/core/format.ts";
import { keys } from "#renderer/core/keys.ts";
import { isBuiltIn, subnetsOf } from "#renderer/core/networks.ts";
import { t } from "#renderer/core/texts.ts";
import { toastFailed } from "#renderer/core/toasts.ts";
import { useContainers, useNetwork } from "#renderer/queries.ts";
import { Badge } from "#renderer/ui/badge.tsx";
import { IconButton } from "#renderer/ui/button.tsx";
import { CopyButton } from "#renderer/ui/copy.tsx";
import { Select } from "#renderer/ui/field.tsx";
import { LabelList } from "#renderer/views/objects/lists.tsx";
import { ObjectPage } from "#renderer/views/objects/objectpage.tsx";
import { DeleteNetworks } from "./deletenetworks.tsx";

export function NetworkPage({ id }: { readonly id: string }) {
  const query = useNetwork(id);
  const [, go] = useLocation();
  const [deleting, setDeleting] = useState(false);
  const network = query.data;
  const deletable = network !== undefined && !isBuiltIn(network);
  return (
    <ObjectPage
      title={network?.Name ?? shortId(id)}
      icon={NetworkIcon}
      note={network !== undefined && isBuiltIn(network) && <Badge tip={t.networks.builtInHint}>{t.networks.builtIn}</Badge>}
      listPath="/networks"
      query={query}
      facts={facts}
      more={(value) => <Connected network={value} />}
      onDelete={deletable ? () => setDeleting(true) : undefined}
    >
      {deleting && network !== undefined && <DeleteNetworks networks={[network]} onClose={() => setDeleting(false)} onDeleted={() => go("/networks")} />}
    </ObjectPage>
  );
}

const facts = (network: NetworkInspect): readonly (readonly [string, React.ReactNode])[] => [
  [
    t.images.columns.id,
    <span key="id" className="flex items-center gap-1">
      <code className="font-mono text-sm">{shortId(network.Id)}</code>
      <CopyButton small text={network.Id} label={t.containers.copyId} />
    </span>,
  ],
  [t.common.driver, network.Driver],
  [t.networks.subnet, subnetsOf(network) || t.common.none],
  [t.networks.gateway, (network.IPAM?.Config ?? []).flatMap(({ Gateway }) => (Gateway === undefined ? [] : [Gateway])).join(", ") || t.common.none],
  ...ipamFacts(network),
  [t.networks.internal, network.Internal ? t.networks.yes : t.networks.no],
  [t.networks.ipv6, network.EnableIPv6 ? t.networks.yes : t.networks.no],
  [t.common.created, exactTime(Date.parse(network.Created) / 1000)],
  [t.common.labels, <LabelList key="labels" labels={network.Labels} />],
];

/** What was asked for beside the subnet; nothing where nothing was. */
function ipamFacts(network: NetworkInspect): readonly (readonly [string, React.ReactNode])[] {
  const pools = network.IPAM?.Config ?? [];
  const ranges = pools.flatMap(({ IPRange }) => (IPRange ? [IPRange] : []));
  const reserved = pools.flatMap(({ AuxiliaryAddresses }) => Object.entries(AuxiliaryAddresses ?? {}).map(([name, address]) => `${name} ${address}`));
  return [
    ...(ranges.length > 0 ? ([[t.networks.range, ranges.join(", ")]] as const) : []),
    ...(reserved.length > 0 ? ([[t.networks.auxiliary, reserved.join(", ")]] as const) : []),
    ...(Object.keys(network.Options ?? {}).length > 0 ? ([[t.networks.options, <LabelList key="options" labels={network.Options} />]] as const) : []),
  ];
}

function Connected({ network }: { readonly network: NetworkInspect }) {
  const { engine, queries } = useApp();
  const containers = useContainers().data ?? [];
  // Those that do not run have no address, and are only known by their own list.
  const members = containers.filter(({ NetworkSettings }) => network.Name in (NetworkSettings.Networks ?? {}));
  const others = containers.filter((one) => !members.includes(one) && !isAlone(one));
  const change = async (work: Promise<unknown>, failed: string): Promise<void> => {
    await work.catch((error: unknown) => toastFailed(error, failed));
    await Promise.all([keys.network(network.Id), keys.containers].map((queryKey) => queries.invalidateQueries({ queryKey })));
  };
  const fixed = network.Name === "host" || network.Name === "none";
  return (
    <section className="mt-6" data-testid="network-members">
      <div className="mb-2 flex items-center gap-3">
        <h2 className="text-sm font-medium text-fg3">{t.networks.connected}</h2>
        {!fixed && others.length > 0 && (
          <Select
            className="max-w-[240px]"
            aria-label={t.networks.connect}
            value=""
            onChange={({ target: { value } }) => void change(engine.networks.connect(network.Id, value), t.networks.connectFailed(value))}
          >
            <option value="">{t.networks.connect}</option>
            {others.map(({ Id, Names }) => (
              <option key={Id}>{plainName(Names)}</option>
            ))}
          </Select>
        )}
      </div>
      {members.length === 0 && <p className="text-fg3">{t.networks.noneConnected}</p>}
      {members.length > 0 && (
        <ul className="overflow-hidden rounded-lg border border-line">
          {members.map(({ Id, Names, State, NetworkSettings }) => {
            const name = plainName(Names);
            const { IPAddress = "", GlobalIPv6Address = "" } = NetworkSettings.Networks?.[network.Name] ?? {};
            return (
              <li key={Id} className="flex items-center gap-4 border-b border-line px-3 py-1 last:border-0">
                <Link href={`/containers/${Id}/network`} className="min-w-0 flex-1 truncate rounded-sm font-medium hover:underline">
                  {name}
                </Link>
                {State !== "running" && <span className="text-sm text-fg3">{t.networks.notRunning}</span>}
                <code className="selectable font-mono text-sm text-fg2">{[IPAddress, GlobalIPv6Address].filter((one) => one !== "").join("  ")}</code>
                {!fixed && (
                  <IconButton
                    icon={Unplug}
                    label={t.networks.disconnect(name)}
                    onClick={() => void change(engine.networks.disconnect(network.Id, name), t.networks.disconnectFailed(name))}
                  />
                )}
              </li>
            );
          })}
        </ul>
      )}
    </section>
  );
}

/** Shares its host's network, or another container's, or has none: it cannot be put into one beside that. */
const isAlone = ({ HostConfig: { NetworkMode } }: ContainerSummary): boolean =>
  NetworkMode === "host" || NetworkMode === "none" || NetworkMode.startsWith("container:");
