import { ArrowDownToLine, FolderInput, Layers, Play, Trash2 } from "lucide-react";
import { type DragEvent, useMemo, useRef, useState } from "react";
import { useLocation } from "wouter";
import { useStore } from "zustand";
import { useApp } from "#renderer/appcontext.ts";
import { ago, exactTime, size } from "#renderer/core/format.ts";
import { type ImageRow, imageRows } from "#renderer/core/images.ts";
import { t } from "#renderer/core/texts.ts";
import { useContainers, useEngineUp, useImages } from "#renderer/queries.ts";
import { useNow } from "#renderer/now.ts";
import { Button, IconButton } from "#renderer/ui/button.tsx";
import type { MenuItem } from "#renderer/ui/menu.tsx";
import { MenuButton } from "#renderer/ui/menubutton.tsx";
import type { Column } from "#renderer/ui/tablerow.tsx";
import { NameLink } from "#renderer/ui/namelink.tsx";
import { RunDialog } from "#renderer/views/containers/rundialog.tsx";
import { ListPage } from "#renderer/views/objects/listpage.tsx";
import { TransferView } from "#renderer/views/shell/transferview.tsx";
import { DeleteImages } from "./deleteimages.tsx";
import { PullDialog } from "./pulldialog.tsx";

const idOf = (row: ImageRow): string => row.key;
const nameOf = (row: ImageRow): string => row.reference;
const searched = (row: ImageRow): string => row.shortId;
const pathOf = (row: ImageRow): string => `/images/${encodeURIComponent(row.tag === "" || row.tag === "<none>" ? row.id : row.reference)}`;
const minuteMs = 60_000;

export function ImagesPage() {
  const { selections, transfers } = useApp();
  const query = useImages();
  const containers = useContainers().data;
  const up = useEngineUp();
  const [, go] = useLocation();
  const [dialog, setDialog] = useState<
    { readonly kind: "pull" } | { readonly kind: "run"; readonly image: string } | { readonly kind: "delete"; readonly rows: readonly ImageRow[] }
  >();
  const picker = useRef<HTMLInputElement>(null);
  const rows = useMemo(() => (query.data === undefined ? undefined : imageRows(query.data, containers ?? [])), [query.data, containers]);
  const columns = useMemo(() => columnsFor((image) => setDialog({ kind: "run", image })), []);
  const total = (query.data ?? []).reduce((sum, image) => sum + image.Size, 0);
  const load = (files: FileList | null): void => {
    for (const file of files ?? []) transfers.load(file);
  };
  const menuOf = (row: ImageRow): readonly MenuItem[] => [
    { label: t.images.run, icon: Play, onSelect: () => setDialog({ kind: "run", image: row.reference }) },
    { label: t.containers.copyId, onSelect: () => void navigator.clipboard.writeText(row.id) },
    { kind: "line" },
    { label: t.images.delete, icon: Trash2, danger: true, onSelect: () => setDialog({ kind: "delete", rows: [row] }) },
  ];
  return (
    <DropTarget onFiles={load}>
      <ListPage
        name="images"
        title={t.images.title}
        icon={Layers}
        searchLabel={t.images.search}
        failedText={t.images.listFailed}
        query={query}
        rows={rows}
        note={t.images.count(query.data?.length ?? 0, size(total))}
        columns={columns}
        idOf={idOf}
        nameOf={nameOf}
        searched={searched}
        selection={selections.images}
        onOpen={(row) => go(pathOf(row))}
        menuOf={menuOf}
        onDelete={(picked) => setDialog({ kind: "delete", rows: picked })}
        defaultSort={{ column: "name", down: false }}
        actions={
          <>
            <Button icon={FolderInput} disabled={!up} data-tip={t.images.loadHint} onClick={() => picker.current?.click()}>
              {t.images.load}
            </Button>
            <Button variant="primary" icon={ArrowDownToLine} disabled={!up} onClick={() => setDialog({ kind: "pull" })} data-testid="pull">
              {t.images.pull}
            </Button>
            <input
              ref={picker}
              type="file"
              hidden
              multiple
              accept=".tar,.tar.gz,.tgz"
              aria-label={t.images.loadHint}
              data-testid="load-file"
              onChange={(event) => {
                load(event.target.files);
                event.target.value = "";
              }}
            />
          </>
        }
        empty={{
          title: t.images.emptyTitle,
          text: t.images.emptyText,
          command: t.images.emptyCommand,
          action: (
            <Button variant="primary" icon={ArrowDownToLine} onClick={() => setDialog({ kind: "pull" })}>
              {t.images.pullTitle}
            </Button>
          ),
        }}
      >
        <RunningTransfers />
      </ListPage>
      {dialog?.kind === "pull" && <PullDialog onClose={() => setDialog(undefined)} />}
      {dialog?.kind === "run" && <RunDialog image={dialog.image} onClose={() => setDialog(undefined)} />}
      {dialog?.kind === "delete" && <DeleteImages rows={dialog.rows} onClose={() => setDialog(undefined)} />}
    </DropTarget>
  );
}

/** Pulls and loads under way, and those that failed until they are cleared. */
function RunningTransfers() {
  const list = useStore(useApp().transfers.store, (state) => state.list);
  const shown = list.filter(({ state }) => state.kind === "running" || state.kind === "failed");
  if (shown.length === 0) return null;
  return (
    <div className="flex max-h-[45%] shrink-0 flex-col gap-4 overflow-y-auto border-b border-line bg-side px-4 py-3">
      {shown.map((transfer) => (
        <TransferView key={transfer.id} transfer={transfer} layers />
      ))}
    </div>
  );
}

function DropTarget({ onFiles, children }: { readonly onFiles: (files: FileList) => void; readonly children: React.ReactNode }) {
  const [over, setOver] = useState(false);
  const hasFiles = (event: DragEvent): boolean => event.dataTransfer.types.includes("Files");
  return (
    // oxlint-disable-next-line jsx-a11y/no-static-element-interactions -- dropping is a second way; the Load button is the first
    <div
      className="relative flex min-h-0 flex-1 flex-col"
      onDragOver={(event) => {
        if (!hasFiles(event)) return;
        event.preventDefault();
        setOver(true);
      }}
      onDragLeave={(event) => {
        if (!event.currentTarget.contains(event.relatedTarget as Node | null)) setOver(false);
      }}
      onDrop={(event) => {
        event.preventDefault();
        setOver(false);
        onFiles(event.dataTransfer.files);
      }}
    >
      {children}
      {over && (
        <div className="pointer-events-none absolute inset-2 z-20 flex items-center justify-center rounded-xl border-2 border-dashed border-accent bg-page/85 text-lg font-medium text-accent-text">
          {t.images.dropHint}
        </div>
      )}
    </div>
  );
}

function Created({ at }: { readonly at: number }) {
  const now = useNow(minuteMs);
  return (
    <span className="truncate text-fg2" data-tip={exactTime(at)}>
      {ago(at, now)}
    </span>
  );
}

function columnsFor(run: (image: string) => void): readonly Column<ImageRow>[] {
  const { columns } = t.images;
  return [
    {
      id: "name",
      header: columns.name,
      width: "minmax(160px, 1fr)",
      sortBy: (row) => row.reference,
      cell: (row) => <NameLink href={pathOf(row)} name={row.repository} suffix={row.tag === "" ? undefined : `:${row.tag}`} />,
    },
    {
      id: "id",
      header: columns.id,
      width: "var(--id-column)",
      className: "max-[1000px]:hidden",
      cell: (row) => <code className="font-mono text-xs text-fg3">{row.shortId}</code>,
    },
    {
      id: "used",
      header: columns.used,
      width: "112px",
      sortBy: (row) => row.users.length,
      cell: (row) => <span className="text-fg2">{t.images.used(row.users.length)}</span>,
    },
    {
      id: "created",
      header: columns.created,
      width: "var(--created-column)",
      className: "max-[800px]:hidden",
      sortBy: (row) => -row.created,
      cell: (row) => <Created at={row.created} />,
    },
    {
      id: "size",
      header: columns.size,
      width: "88px",
      alignRight: true,
      sortBy: (row) => row.size,
      cell: (row) => <span className="tabular">{size(row.size)}</span>,
    },
    {
      id: "actions",
      header: columns.actions,
      quietHeader: true,
      width: "84px",
      alignRight: true,
      cell: (row) => (
        <div data-controls className="flex justify-end">
          <IconButton icon={Play} label={t.images.run} onClick={() => run(row.reference)} />
          <MenuButton name={row.reference} />
        </div>
      ),
    },
  ];
}
