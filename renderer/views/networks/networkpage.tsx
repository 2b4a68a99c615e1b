import { Network as NetworkIcon } from "lucide-react";
import { useState } from "react";
import { Link, useLocation } from "wouter";
import type { NetworkInspect } from "#api/networks.ts";
import { exactTime, shortId } from "#renderer/core/format.ts";
import { isBuiltIn, subnetsOf } from "#renderer/core/networks.ts";
import { t } from "#renderer/core/texts.ts";
import { useNetwork } from "#renderer/queries.ts";
import { Badge } from "#renderer/ui/badge.tsx";
import { CopyButton } from "#renderer/ui/copy.tsx";
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
  [t.networks.internal, network.Internal ? t.networks.yes : t.networks.no],
  [t.networks.ipv6, network.EnableIPv6 ? t.networks.yes : t.networks.no],
  [t.common.created, exactTime(Date.parse(network.Created) / 1000)],
  [t.common.labels, <LabelList key="labels" labels={network.Labels} />],
];

function Connected({ network }: { readonly network: NetworkInspect }) {
  const containers = Object.entries(network.Containers ?? {});
  return (
    <section className="mt-6">
      <h2 className="mb-2 text-sm font-medium text-fg3">{t.networks.connected}</h2>
      {containers.length === 0 && <p className="text-fg3">{t.networks.noneConnected}</p>}
      {containers.length > 0 && (
        <ul className="overflow-hidden rounded-lg border border-line">
          {containers.map(([id, { Name, IPv4Address }]) => (
            <li key={id} className="flex items-center gap-4 border-b border-line px-3 py-1.5 last:border-0">
              <Link href={`/containers/${id}/logs`} className="min-w-0 flex-1 truncate rounded-sm font-medium hover:underline">
                {Name}
              </Link>
              <code className="selectable font-mono text-sm text-fg2">{IPv4Address}</code>
            </li>
          ))}
        </ul>
      )}
    </section>
  );
}
