import { HardDrive, Plus, Trash2 } from "lucide-react";
import { useMemo, useState } from "react";
import { useLocation } from "wouter";
import type { Volume } from "#api/volumes.ts";
import { useApp } from "#renderer/appcontext.ts";
import { ago, exactTime, shortId, size } from "#renderer/core/format.ts";
import { t } from "#renderer/core/texts.ts";
import { volumeUsers } from "#renderer/core/volumes.ts";
import { useNow } from "#renderer/now.ts";
import { useContainers, useEngineUp, useVolumes, useVolumeSizes } from "#renderer/queries.ts";
import { Button } from "#renderer/ui/button.tsx";
import { MenuButton } from "#renderer/ui/menubutton.tsx";
import { NameLink } from "#renderer/ui/namelink.tsx";
import type { Column } from "#renderer/ui/tablerow.tsx";
import { ListPage } from "#renderer/views/objects/listpage.tsx";
import { CreateVolume } from "./createvolume.tsx";
import { DeleteVolumes } from "./deletevolumes.tsx";

interface VolumeRow {
  readonly volume: Volume;
  readonly users: readonly string[];
  /** Absent until it was counted. */
  readonly bytes: number | undefined;
}
const idOf = (row: VolumeRow): string => row.volume.Name;
const searched = (row: VolumeRow): string => `${row.volume.Driver} ${row.users.join(" ")}`;
const createdAt = (row: VolumeRow): number => Date.parse(row.volume.CreatedAt) / 1000;
const minuteMs = 60_000;

export function VolumesPage() {
  const { selections } = useApp();
  const query = useVolumes();
  const containers = useContainers().data;
  const up = useEngineUp();
  const [, go] = useLocation();
  const [creating, setCreating] = useState(false);
  const [deleting, setDeleting] = useState<readonly VolumeRow[]>();
  const sizes = useVolumeSizes();
  const columns = useMemo(() => columnsOf(), []);
  const rows = useMemo(
    () => query.data?.map((volume): VolumeRow => ({ volume, users: volumeUsers(containers ?? [], volume.Name), bytes: sizes.get(volume.Name) })),
    [query.data, containers, sizes],
  );
  const create = (
    <Button variant="primary" icon={Plus} disabled={!up} onClick={() => setCreating(true)} data-testid="create">
      {t.volumes.create}
    </Button>
  );
  return (
    <>
      <ListPage
        name="volumes"
        title={t.volumes.title}
        icon={HardDrive}
        searchLabel={t.volumes.search}
        failedText={t.volumes.listFailed}
        query={query}
        rows={rows}
        note={t.volumes.count(rows?.length ?? 0)}
        columns={columns}
        idOf={idOf}
        nameOf={idOf}
        searched={searched}
        selection={selections.volumes}
        onOpen={(row) => go(`/volumes/${encodeURIComponent(row.volume.Name)}`)}
        menuOf={(row) => [
          { label: t.common.copy, onSelect: () => void navigator.clipboard.writeText(row.volume.Name) },
          { kind: "line" },
          { label: t.containers.deleteDots, icon: Trash2, danger: true, onSelect: () => setDeleting([row]) },
        ]}
        onDelete={setDeleting}
        defaultSort={{ column: "name", down: false }}
        actions={create}
        empty={{ title: t.volumes.emptyTitle, text: t.volumes.emptyText, command: t.volumes.emptyCommand, action: create }}
      />
      {creating && <CreateVolume onClose={() => setCreating(false)} />}
      {deleting !== undefined && (
        <DeleteVolumes names={deleting.map(idOf)} users={[...new Set(deleting.flatMap((row) => row.users))]} onClose={() => setDeleting(undefined)} />
      )}
    </>
  );
}

function Created({ at }: { readonly at: number }) {
  const now = useNow(minuteMs);
  return (
    <span className="text-fg2" data-tip={exactTime(at)}>
      {ago(at, now)}
    </span>
  );
}

/** Volumes without a name of their own are called by 64 hex digits. */
const shownName = (name: string): string => (/^[0-9a-f]{64}$/.test(name) ? shortId(name) : name);

const columnsOf = (): readonly Column<VolumeRow>[] => [
  {
    id: "name",
    header: t.volumes.columns.name,
    width: "minmax(120px, 1fr)",
    sortBy: idOf,
    cell: (row) => <NameLink href={`/volumes/${encodeURIComponent(row.volume.Name)}`} name={row.volume.Name} shown={shownName(row.volume.Name)} />,
  },
  {
    id: "used",
    header: t.volumes.columns.used,
    width: "minmax(88px, 0.7fr)",
    sortBy: (row) => row.users.join(" "),
    cell: (row) => (
      <span className="block truncate text-fg2" data-tip-cut={row.users.join("\n")}>
        {row.users.length === 0 ? "–" : row.users.join(", ")}
      </span>
    ),
  },
  {
    id: "size",
    header: t.volumes.columns.size,
    width: "96px",
    alignRight: true,
    sortBy: (row) => -(row.bytes ?? -1),
    cell: ({ bytes }) => <span className="tabular text-fg2">{bytes === undefined || bytes < 0 ? "–" : size(bytes)}</span>,
  },
  {
    id: "driver",
    header: t.volumes.columns.driver,
    width: "80px",
    sortBy: (row) => row.volume.Driver,
    cell: (row) => <span className="text-fg2">{row.volume.Driver}</span>,
  },
  {
    id: "created",
    header: t.volumes.columns.created,
    width: "var(--created-column)",
    className: "max-[800px]:hidden",
    sortBy: (row) => -createdAt(row),
    cell: (row) => <Created at={createdAt(row)} />,
  },
  {
    id: "actions",
    header: t.volumes.columns.actions,
    quietHeader: true,
    width: "56px",
    alignRight: true,
    cell: (row) => (
      <div data-controls className="flex justify-end">
        <MenuButton name={row.volume.Name} />
      </div>
    ),
  },
];
