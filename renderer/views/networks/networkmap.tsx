import { Fragment } from "react";
import { Link } from "wouter";
import { networkMap } from "#renderer/core/networks.ts";
import { t } from "#renderer/core/texts.ts";
import { useContainers, useNetworks } from "#renderer/queries.ts";
import { Reading } from "#renderer/ui/reading.tsx";
import { StateDot } from "#renderer/ui/statedot.tsx";

/** Containers by the networks they are on: a column a network, and whom each reaches over them. */
export function NetworkMapView() {
  const containers = useContainers().data;
  const ids = new Map((useNetworks().data ?? []).map(({ Id, Name }) => [Name, Id]));
  if (containers === undefined) return <Reading />;
  const { networks, rows } = networkMap(containers);
  if (rows.length === 0) return <p className="p-5 text-fg2">{t.networks.mapEmpty}</p>;
  return (
    <div className="min-h-0 flex-1 overflow-auto p-5" data-testid="network-map">
      <p className="mb-3 max-w-[70ch] text-fg2">{t.networks.mapText}</p>
      <table aria-label={t.networks.mapTitle} className="border-separate border-spacing-0 overflow-hidden rounded-lg border border-line text-left">
        <thead>
          <tr>
            <Head>{t.networks.mapContainer}</Head>
            {networks.map((name) => (
              <Head key={name}>
                <Link href={`/networks/${ids.get(name) ?? name}`} className="rounded-sm text-accent-text hover:underline">
                  {name}
                </Link>
              </Head>
            ))}
            <Head>{t.networks.mapReaches}</Head>
          </tr>
        </thead>
        <tbody>
          {rows.map(({ id, name, running, addresses, reaches }) => (
            <tr key={id} className="group hover:bg-hover">
              <Cell>
                <span className="flex items-center gap-2">
                  <StateDot tone={running ? "running" : "idle"} />
                  <Link href={`/containers/${id}/network`} className="rounded-sm font-medium hover:underline">
                    {name}
                  </Link>
                  {!running && <span className="text-sm text-fg3">{t.networks.notRunning}</span>}
                </span>
              </Cell>
              {networks.map((network) => (
                <Cell key={network}>
                  {addresses.has(network) && (
                    <span className="inline-flex h-5 items-center rounded-sm bg-accent-soft px-1.5 font-mono text-sm text-accent-text">
                      {addresses.get(network) || t.networks.onIt}
                    </span>
                  )}
                </Cell>
              ))}
              <Cell>
                {reaches.length === 0 ? (
                  <span className="text-fg3">{t.networks.mapNobody}</span>
                ) : (
                  reaches.map((other, index) => (
                    <Fragment key={other}>
                      {index > 0 && ", "}
                      {other}
                    </Fragment>
                  ))
                )}
              </Cell>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

const Head = ({ children }: { readonly children: React.ReactNode }) => (
  <th scope="col" className="border-b border-line bg-sunken/60 px-3 py-1.5 text-sm font-medium whitespace-nowrap text-fg3">
    {children}
  </th>
);
const Cell = ({ children }: { readonly children: React.ReactNode }) => (
  <td className="selectable border-b border-line px-3 py-1.5 group-last:border-0">{children}</td>
);
