import { useQuery } from "@tanstack/react-query";
import { CornerLeftUp, Download, File as FileIcon, Folder, Link2, RefreshCw, Upload } from "lucide-react";
import { type DragEvent, useMemo, useRef, useState } from "react";
import type { ContainerInspect } from "#api/containers.ts";
import type { FileEntry } from "#api/files.ts";
import { useApp } from "#renderer/appcontext.ts";
import { containerPlace, type FilePlace, joinPath, markOf, modeText, parentOf, uploadOf, writeFile } from "#renderer/core/containerfiles.ts";
import { saveStream } from "#renderer/core/download.ts";
import type { FileChange } from "#renderer/core/engine/engine.ts";
import { explain } from "#renderer/core/explain.ts";
import { ago, exactTime, size } from "#renderer/core/format.ts";
import { keys } from "#renderer/core/keys.ts";
import { t } from "#renderer/core/texts.ts";
import { toastDone, toastFailed } from "#renderer/core/toasts.ts";
import { useNow } from "#renderer/now.ts";
import { useEngineUp } from "#renderer/queries.ts";
import { Badge } from "#renderer/ui/badge.tsx";
import { Button, IconButton } from "#renderer/ui/button.tsx";
import { Crumbs } from "#renderer/ui/crumbs.tsx";
import { cx } from "#renderer/ui/cx.ts";
import { ErrorNotice } from "#renderer/ui/errornotice.tsx";
import { Reading } from "#renderer/ui/reading.tsx";
import { SimpleTable } from "#renderer/ui/simpletable.tsx";
import { FileView } from "./fileview.tsx";

/** A container's files, running or not, with those marked that are not its image's. */
export function FilesTab({ container: { Id: id } }: { readonly container: ContainerInspect }) {
  const { engine } = useApp();
  const place = useMemo(() => containerPlace(engine, id), [engine, id]);
  const changes = useQuery({
    queryKey: keys.changes(id),
    queryFn: async () => (await engine.containers.changes(id)) ?? [],
    enabled: useEngineUp(),
    staleTime: 0,
    retry: false,
  });
  return <Files place={place} changes={changes.data ?? []} onChanged={() => void changes.refetch()} />;
}

interface FilesProps {
  readonly place: FilePlace;
  readonly changes?: readonly FileChange[];
  readonly onChanged?: () => void;
}

/** Files, one directory at a time: to look at, edit, take out and put in. */
export function Files({ place, changes = [], onChanged }: FilesProps) {
  const up = useEngineUp();
  const [path, setPath] = useState("/");
  const [open, setOpen] = useState<FileEntry>();
  const list = useQuery({ queryKey: keys.files(place.id, path), queryFn: () => place.list(path), enabled: up, staleTime: 0, retry: false });
  const refresh = async (): Promise<void> => {
    onChanged?.();
    await list.refetch();
  };
  const upload = async (files: readonly File[]): Promise<void> => {
    for (const file of files) {
      try {
        await writeFile(place, path, await uploadOf(file), Date.now());
      } catch (error) {
        return toastFailed(error, t.files.uploadFailed(file.name));
      }
    }
    toastDone(t.files.uploaded(files.length));
    await refresh();
  };
  const enter = (entry: FileEntry): void => {
    if (entry.kind === "file") setOpen(entry);
    else setPath(joinPath(path, entry.name));
  };
  const here = list.data?.path ?? path;
  return (
    <DropZone onFiles={(files) => void upload(files)}>
      <div className="flex shrink-0 items-center gap-2 border-b border-line px-4 py-1.5">
        <IconButton icon={CornerLeftUp} label={t.files.up} disabled={here === "/"} onClick={() => setPath(parentOf(here))} />
        <Crumbs path={here} onGo={setPath} />
        <span className="ml-auto flex items-center gap-1.5">
          <IconButton icon={RefreshCw} label={t.files.refresh} onClick={() => void refresh()} />
          <IconButton icon={Download} label={t.files.download} onClick={() => void download(place, here)} />
          <UploadButton onFiles={(files) => void upload(files)} />
        </span>
      </div>
      <div className="min-h-0 flex-1 overflow-auto p-4">
        {list.error !== null && <ErrorNotice explanation={explain(list.error, t.files.failed(path))} />}
        {list.isLoading && <Reading />}
        {list.error === null && list.data !== undefined && (
          <Entries
            path={here}
            entries={list.data.entries}
            changes={changes}
            onEnter={enter}
            onDownload={(name) => void download(place, joinPath(here, name))}
          />
        )}
        {list.data !== undefined && list.data.total > list.data.entries.length && (
          <p className="mt-3 text-sm text-fg3">{t.files.more(list.data.total - list.data.entries.length)}</p>
        )}
      </div>
      {open !== undefined && <FileView place={place} directory={here} entry={open} onClose={() => setOpen(undefined)} onSaved={() => void refresh()} />}
    </DropZone>
  );
}

async function download(place: FilePlace, path: string): Promise<void> {
  const name = path === "/" ? "root" : (path.split("/").at(-1) ?? "files");
  try {
    await saveStream(await place.read(path, new AbortController().signal), `${name}.tar`);
  } catch (error) {
    toastFailed(error, t.files.readFailed(path));
  }
}

function UploadButton({ onFiles }: { readonly onFiles: (files: readonly File[]) => void }) {
  const input = useRef<HTMLInputElement>(null);
  return (
    <>
      <Button small icon={Upload} onClick={() => input.current?.click()}>
        {t.files.upload}
      </Button>
      <input
        ref={input}
        type="file"
        multiple
        hidden
        data-testid="files-upload"
        onChange={(event) => {
          onFiles([...(event.target.files ?? [])]);
          event.target.value = "";
        }}
      />
    </>
  );
}

function DropZone({ onFiles, children }: { readonly onFiles: (files: readonly File[]) => void; readonly children: React.ReactNode }) {
  const [over, setOver] = useState(false);
  const drag = (event: DragEvent, inside: boolean): void => {
    if (!event.dataTransfer.types.includes("Files")) return;
    event.preventDefault();
    setOver(inside);
  };
  return (
    <section
      aria-label={t.containers.tabs.files}
      data-testid="files"
      className={cx("relative flex min-h-0 flex-1 flex-col", over && "outline-2 -outline-offset-2 outline-[var(--focus)]")}
      onDragOver={(event) => drag(event, true)}
      onDragLeave={(event) => drag(event, false)}
      onDrop={(event) => {
        drag(event, false);
        if (event.dataTransfer.files.length > 0) onFiles([...event.dataTransfer.files]);
      }}
    >
      {children}
      {over && <p className="pointer-events-none absolute inset-x-0 bottom-4 text-center font-medium text-accent-text">{t.files.dropHint}</p>}
    </section>
  );
}

interface EntriesProps {
  readonly path: string;
  readonly entries: readonly FileEntry[];
  readonly changes: readonly FileChange[];
  readonly onEnter: (entry: FileEntry) => void;
  readonly onDownload: (name: string) => void;
}

const icons = { directory: Folder, link: Link2 } as const;

function Entries({ path, entries, changes, onEnter, onDownload }: EntriesProps) {
  const now = useNow(60_000);
  const { columns } = t.files;
  if (entries.length === 0) return <p className="text-fg2">{t.files.empty}</p>;
  const ordered = entries.toSorted((a, b) => Number(b.kind === "directory") - Number(a.kind === "directory"));
  return (
    <SimpleTable
      label={t.files.label(path)}
      head={[columns.name, columns.size, columns.mode, columns.owner, columns.modified]}
      rows={ordered.map((entry) => {
        const Icon = icons[entry.kind as keyof typeof icons] ?? FileIcon;
        const mark = markOf(changes, joinPath(path, entry.name));
        const seconds = Date.parse(entry.mtime) / 1000;
        return {
          key: entry.name,
          cells: [
            <span key="name" className="flex items-center gap-2" data-testid={`file-${entry.name}`}>
              <Icon size={14} aria-hidden className="shrink-0 text-fg3" />
              {["file", "directory", "link"].includes(entry.kind) ? (
                <button type="button" onClick={() => onEnter(entry)} className="rounded-sm text-left hover:underline">
                  {entry.name}
                </button>
              ) : (
                entry.name
              )}
              {entry.target !== undefined && <span className="text-sm text-fg3">→ {entry.target}</span>}
              {mark !== undefined && <Badge tone={mark === 1 ? "ok" : "accent"}>{t.files.marks[mark]}</Badge>}
            </span>,
            entry.kind === "file" ? size(entry.size) : "–",
            <code key="mode" className="font-mono text-sm">
              {modeText(entry)}
            </code>,
            `${entry.uid}:${entry.gid}`,
            <span key="time" className="flex items-center justify-between gap-2">
              <time dateTime={entry.mtime} data-tip={exactTime(seconds)}>
                {ago(seconds, now)}
              </time>
              <IconButton icon={Download} label={`${t.files.download}: ${entry.name}`} onClick={() => onDownload(entry.name)} />
            </span>,
          ],
        };
      })}
    />
  );
}
