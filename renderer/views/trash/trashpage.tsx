import { Boxes, RotateCcw, Trash2 } from "lucide-react";
import { useMemo, useState } from "react";
import type { TrashItem } from "#api/trash.ts";
import { useApp } from "#renderer/appcontext.ts";
import { ago, exactTime, shortId, size } from "#renderer/core/format.ts";
import { t } from "#renderer/core/texts.ts";
import { bringBack, bringBackProject } from "#renderer/core/trash.ts";
import { useNow } from "#renderer/now.ts";
import { useEngineUp, useTrash } from "#renderer/queries.ts";
import { Button } from "#renderer/ui/button.tsx";
import type { MenuItem } from "#renderer/ui/menu.tsx";
import { MenuButton } from "#renderer/ui/menubutton.tsx";
import type { Column } from "#renderer/ui/tablerow.tsx";
import { ListPage } from "#renderer/views/objects/listpage.tsx";
import { DeleteForGood, EmptyTrash } from "./deleteforgood.tsx";

const idOf = ({ Id }: TrashItem): string => Id;
const nameOf = ({ Name }: TrashItem): string => Name;
const searched = ({ Kind, Id }: TrashItem): string => `${t.trash.kinds[Kind]} ${shortId(Id)}`;
const removedAt = ({ RemovedAt }: TrashItem): number => Date.parse(RemovedAt) / 1000;
const minuteMs = 60_000;

/** What was deleted, here or by any Docker client, and can be brought back. */
export function TrashPage() {
  const app = useApp();
  const query = useTrash();
  const up = useEngineUp();
  const [deleting, setDeleting] = useState<readonly TrashItem[] | "all">();
  const { Items: rows, Bytes = 0, Limits } = query.data ?? {};
  const columns = useMemo(() => columnsOf(), []);
  const days = Limits?.Days ?? 0;
  return (
    <>
      <ListPage
        name="trash"
        title={t.trash.title}
        icon={Trash2}
        searchLabel={t.trash.search}
        failedText={t.trash.listFailed}
        query={query}
        rows={rows}
        note={`${t.trash.count(rows?.length ?? 0, size(Bytes))}. ${t.trash.kept(days)}`}
        columns={columns}
        idOf={idOf}
        nameOf={nameOf}
        searched={searched}
        selection={app.selections.trash}
        onOpen={() => undefined}
        menuOf={(row) => [
          { label: t.trash.restore, icon: RotateCcw, onSelect: () => void bringBack(app, [row]) },
          ...projectItems(row, (project) => void bringBackProject(app, project)),
          { kind: "line" },
          { label: t.trash.remove, icon: Trash2, danger: true, onSelect: () => setDeleting([row]) },
        ]}
        onDelete={setDeleting}
        defaultSort={{ column: "removed", down: false }}
        actions={
          <Button icon={Trash2} disabled={!up || (rows?.length ?? 0) === 0} onClick={() => setDeleting("all")} data-testid="empty-trash">
            {t.trash.empty}
          </Button>
        }
        empty={{ title: t.trash.noneTitle, text: t.trash.noneText(days), command: t.trash.noneCommand, action: null }}
      />
      {deleting === "all" && <EmptyTrash bytes={Bytes} onClose={() => setDeleting(undefined)} />}
      {deleting !== undefined && deleting !== "all" && <DeleteForGood items={deleting} onClose={() => setDeleting(undefined)} />}
    </>
  );
}

const projectItems = ({ Project }: TrashItem, onRestore: (project: string) => void): MenuItem[] =>
  Project === undefined ? [] : [{ label: t.trash.restoreProject(Project), icon: Boxes, onSelect: () => onRestore(Project) }];

function Removed({ at }: { readonly at: number }) {
  const now = useNow(minuteMs);
  return (
    <span className="text-fg2" data-tip={exactTime(at)}>
      {ago(at, now)}
    </span>
  );
}

function Restore({ item }: { readonly item: TrashItem }) {
  const app = useApp();
  const [busy, setBusy] = useState(false);
  const restore = async (): Promise<void> => {
    setBusy(true);
    await bringBack(app, [item]);
    setBusy(false);
  };
  return (
    <Button small icon={RotateCcw} busy={busy} onClick={() => void restore()} aria-label={`${t.trash.restore} ${item.Name}`}>
      {t.trash.restore}
    </Button>
  );
}

/** Volumes without a name of their own are called by 64 hex digits. */
const shownName = (name: string): string => (/^[0-9a-f]{64}$/.test(name) ? shortId(name) : name);

const columnsOf = (): readonly Column<TrashItem>[] => [
  {
    id: "name",
    header: t.trash.columns.name,
    width: "minmax(160px, 1fr)",
    sortBy: nameOf,
    cell: ({ Name }) => (
      <span className="block truncate font-medium" data-tip-cut={Name}>
        {shownName(Name)}
      </span>
    ),
  },
  {
    id: "kind",
    header: t.trash.columns.kind,
    width: "112px",
    sortBy: ({ Kind }) => t.trash.kinds[Kind],
    cell: ({ Kind }) => <span className="text-fg2">{t.trash.kinds[Kind]}</span>,
  },
  {
    id: "size",
    header: t.trash.columns.size,
    width: "96px",
    alignRight: true,
    sortBy: ({ Bytes }) => -Bytes,
    cell: ({ Bytes }) => <span className="tabular text-fg2">{Bytes === 0 ? "–" : size(Bytes)}</span>,
  },
  {
    id: "removed",
    header: t.trash.columns.removed,
    width: "var(--created-column)",
    className: "max-[800px]:hidden",
    sortBy: (row) => -removedAt(row),
    cell: (row) => <Removed at={removedAt(row)} />,
  },
  {
    id: "actions",
    header: t.trash.columns.actions,
    quietHeader: true,
    width: "148px",
    alignRight: true,
    cell: (row) => (
      <div data-controls className="flex items-center justify-end gap-1">
        <Restore item={row} />
        <MenuButton name={row.Name} />
      </div>
    ),
  },
];
