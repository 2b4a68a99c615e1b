import { Network as NetworkIcon, Plus, Trash2 } from "lucide-react";
import { useMemo, useState } from "react";
import { useLocation } from "wouter";
import type { NetworkInspect } from "#api/networks.ts";
import { useApp } from "#renderer/appcontext.ts";
import { shortId } from "#renderer/core/format.ts";
import { isBuiltIn, networkUsers, subnetsOf } from "#renderer/core/networks.ts";
import { t } from "#renderer/core/texts.ts";
import { usePref } from "#renderer/prefstate.ts";
import { useContainers, useEngineUp, useNetworks } from "#renderer/queries.ts";
import { Badge } from "#renderer/ui/badge.tsx";
import { Button } from "#renderer/ui/button.tsx";
import { MenuButton } from "#renderer/ui/menubutton.tsx";
import { NameLink } from "#renderer/ui/namelink.tsx";
import { Page } from "#renderer/ui/page.tsx";
import type { Column } from "#renderer/ui/tablerow.tsx";
import { Segmented } from "#renderer/ui/tabs.tsx";
import { ListPage } from "#renderer/views/objects/listpage.tsx";
import { CreateNetwork } from "./createnetwork.tsx";
import { DeleteNetworks } from "./deletenetworks.tsx";
import { NetworkMapView } from "./networkmap.tsx";

interface NetworkRow {
  readonly network: NetworkInspect;
  readonly users: readonly string[];
}
const idOf = (row: NetworkRow): string => row.network.Id;
const nameOf = (row: NetworkRow): string => row.network.Name;
const searched = (row: NetworkRow): string => `${row.network.Driver} ${subnetsOf(row.network)} ${shortId(row.network.Id)}`;
const selectable = (row: NetworkRow): boolean => !isBuiltIn(row.network);

const views = () =>
  [
    { id: "list", label: t.networks.list },
    { id: "map", label: t.networks.map },
  ] as const;

export function NetworksPage() {
  const { selections } = useApp();
  const query = useNetworks();
  const containers = useContainers().data;
  const up = useEngineUp();
  const [, go] = useLocation();
  const [view, setView] = usePref<"list" | "map">("networks.view", "list");
  const [creating, setCreating] = useState(false);
  const [deleting, setDeleting] = useState<readonly NetworkRow[]>();
  const columns = useMemo(() => columnsOf(), []);
  const rows = useMemo(
    () => query.data?.map((network): NetworkRow => ({ network, users: networkUsers(containers ?? [], network.Name) })),
    [query.data, containers],
  );
  const create = (
    <Button variant="primary" icon={Plus} disabled={!up} onClick={() => setCreating(true)} data-testid="create">
      {t.networks.create}
    </Button>
  );
  const actions = (
    <>
      <Segmented label={t.networks.view} choices={views()} current={view} onSelect={setView} />
      {create}
    </>
  );
  return (
    <>
      {view === "map" && (
        <Page title={t.networks.title} note={t.networks.count(rows?.length ?? 0)} actions={actions}>
          <NetworkMapView />
        </Page>
      )}
      {view === "list" && (
        <ListPage
          name="networks"
          title={t.networks.title}
          icon={NetworkIcon}
          searchLabel={t.networks.search}
          failedText={t.networks.listFailed}
          query={query}
          rows={rows}
          note={t.networks.count(rows?.length ?? 0)}
          columns={columns}
          idOf={idOf}
          nameOf={nameOf}
          searched={searched}
          selection={selections.networks}
          selectable={selectable}
          onOpen={(row) => go(`/networks/${row.network.Id}`)}
          menuOf={(row) => [
            { label: t.containers.copyId, onSelect: () => void navigator.clipboard.writeText(row.network.Id) },
            { kind: "line" },
            { label: t.containers.deleteDots, icon: Trash2, danger: true, disabled: isBuiltIn(row.network), onSelect: () => setDeleting([row]) },
          ]}
          onDelete={setDeleting}
          defaultSort={{ column: "name", down: false }}
          actions={actions}
          empty={{ title: t.networks.emptyTitle, text: t.networks.emptyText, command: t.networks.emptyCommand, action: create }}
        />
      )}
      {creating && <CreateNetwork onClose={() => setCreating(false)} />}
      {deleting !== undefined && <DeleteNetworks networks={deleting.map((row) => row.network)} onClose={() => setDeleting(undefined)} />}
    </>
  );
}

const columnsOf = (): readonly Column<NetworkRow>[] => [
  {
    id: "name",
    header: t.networks.columns.name,
    width: "minmax(140px, 1fr)",
    sortBy: nameOf,
    cell: (row) => (
      <span className="flex min-w-0 items-center gap-2">
        <NameLink href={`/networks/${row.network.Id}`} name={row.network.Name} />
        {isBuiltIn(row.network) && <Badge tip={t.networks.builtInHint}>{t.networks.builtIn}</Badge>}
        {row.network.Internal && <Badge tone="accent">{t.networks.internalBadge}</Badge>}
      </span>
    ),
  },
  {
    id: "driver",
    header: t.networks.columns.driver,
    width: "88px",
    sortBy: (row) => row.network.Driver,
    cell: (row) => <span className="text-fg2">{row.network.Driver}</span>,
  },
  {
    id: "subnet",
    header: t.networks.columns.subnet,
    width: "minmax(124px, 0.6fr)",
    sortBy: (row) => subnetsOf(row.network),
    cell: (row) => <span className="tabular block truncate text-fg2">{subnetsOf(row.network) || "–"}</span>,
  },
  {
    id: "containers",
    header: t.networks.columns.containers,
    width: "112px",
    alignRight: true,
    sortBy: (row) => row.users.length,
    cell: (row) => (
      <span className="tabular text-fg2" data-tip={row.users.join("\n") || undefined}>
        {row.users.length}
      </span>
    ),
  },
  {
    id: "actions",
    header: t.networks.columns.actions,
    quietHeader: true,
    width: "56px",
    alignRight: true,
    cell: (row) => (
      <div data-controls className="flex justify-end">
        <MenuButton name={row.network.Name} />
      </div>
    ),
  },
];
