import { useQuery } from "@tanstack/react-query";
import { CornerLeftUp, Download, File as FileIcon, Folder, Link2 } from "lucide-react";
import { useState } from "react";
import type { ImageFileEntry, ImageFileList } from "#api/image-files.ts";
import { useApp } from "#renderer/appcontext.ts";
import { joinPath, modeText, parentOf } from "#renderer/core/containerfiles.ts";
import { saveStream } from "#renderer/core/download.ts";
import { explain } from "#renderer/core/explain.ts";
import { exactTime, size } from "#renderer/core/format.ts";
import { keys } from "#renderer/core/keys.ts";
import { t } from "#renderer/core/texts.ts";
import { toastFailed } from "#renderer/core/toasts.ts";
import { useEngineUp } from "#renderer/queries.ts";
import { IconButton } from "#renderer/ui/button.tsx";
import { Crumbs } from "#renderer/ui/crumbs.tsx";
import { ErrorNotice } from "#renderer/ui/errornotice.tsx";
import { Reading } from "#renderer/ui/reading.tsx";
import { SimpleTable } from "#renderer/ui/simpletable.tsx";
import { LayerTiles } from "./layertiles.tsx";

/** What is in an image: all of it as a container would see it, or what one layer brings and takes away. */
export function ImageFiles({ id }: { readonly id: string }) {
  const { engine } = useApp();
  const up = useEngineUp();
  const [layer, setLayer] = useState<number>();
  const [path, setPath] = useState("/");
  const layers = useQuery({ queryKey: keys.imageLayers(id), queryFn: () => engine.images.layers(id), enabled: up, retry: false });
  const list = useQuery({ queryKey: keys.imageFiles(id, layer, path), queryFn: () => engine.images.files(id, path, layer), enabled: up, retry: false });
  const choose = (next: number | undefined): void => {
    setLayer(next);
    // What one layer has, another one may not have.
    setPath("/");
  };
  const download = async (file: string): Promise<void> => {
    try {
      await saveStream(await engine.images.file(id, file, layer, new AbortController().signal), file.split("/").at(-1) ?? "file");
    } catch (error) {
      toastFailed(error, t.files.readFailed(file));
    }
  };
  const here = list.data?.path ?? path;
  return (
    <section aria-label={t.images.files} data-testid="image-files" className="flex min-h-0 flex-1 flex-col">
      <div className="shrink-0 border-b border-line px-4 py-3">
        {layers.error !== null && <ErrorNotice explanation={explain(layers.error, t.images.layersFailed)} />}
        {layers.isLoading && <Reading />}
        {layers.data !== undefined && <LayerTiles layers={layers.data} chosen={layer} onChoose={choose} />}
      </div>
      <div className="flex shrink-0 items-center gap-2 border-b border-line px-4 py-1.5">
        <IconButton icon={CornerLeftUp} label={t.files.up} disabled={here === "/"} onClick={() => setPath(parentOf(here))} />
        <Crumbs path={here} onGo={setPath} />
      </div>
      <div className="min-h-0 flex-1 overflow-auto p-4">
        {list.error !== null && <ErrorNotice explanation={explain(list.error, t.files.failed(path))} />}
        {list.isLoading && <Reading />}
        {list.error === null && list.data !== undefined && (
          <Entries list={list.data} onEnter={(name) => setPath(joinPath(here, name))} onDownload={(name) => void download(joinPath(here, name))} />
        )}
      </div>
    </section>
  );
}

interface EntriesProps {
  readonly list: ImageFileList;
  readonly onEnter: (name: string) => void;
  readonly onDownload: (name: string) => void;
}

function Entries({ list: { path, entries, removed, opaque, total }, onEnter, onDownload }: EntriesProps) {
  const { columns } = t.files;
  const ordered = entries.toSorted((a, b) => Number(b.kind === "directory") - Number(a.kind === "directory"));
  if (entries.length === 0 && removed.length === 0) return <p className="text-fg2">{t.files.empty}</p>;
  return (
    <>
      {opaque && <p className="mb-3 text-sm text-fg2">{t.images.opaque}</p>}
      <SimpleTable
        label={t.files.label(path)}
        head={[columns.name, columns.size, columns.mode, columns.owner, columns.modified, t.images.layerColumn, ""]}
        rows={[
          ...ordered.map((entry) => ({ key: entry.name, cells: cellsOf(entry, onEnter, onDownload) })),
          ...removed.map((name) => ({
            key: `removed ${name}`,
            cells: [
              <s key="name" className="text-fg3">
                {name}
              </s>,
              <span key="removed" className="text-sm text-fg3">
                {t.images.removedHere}
              </span>,
            ],
          })),
        ]}
      />
      {total > entries.length && <p className="mt-3 text-sm text-fg3">{t.files.more(total - entries.length)}</p>}
    </>
  );
}

const icons = { directory: Folder, link: Link2 } as const;

function cellsOf(entry: ImageFileEntry, onEnter: (name: string) => void, onDownload: (name: string) => void): React.ReactNode[] {
  const { name, kind, target, mtime, uid, gid, layer } = entry;
  const Icon = icons[kind as keyof typeof icons] ?? FileIcon;
  const seconds = Date.parse(mtime) / 1000;
  return [
    <span key="name" className="flex items-center gap-2" data-testid={`file-${name}`}>
      <Icon size={14} aria-hidden className="shrink-0 text-fg3" />
      {kind === "directory" || kind === "link" ? (
        <button type="button" onClick={() => onEnter(name)} className="rounded-sm text-left hover:underline">
          {name}
        </button>
      ) : (
        name
      )}
      {target !== undefined && <span className="text-sm text-fg3">→ {target}</span>}
    </span>,
    kind === "file" ? size(entry.size) : "–",
    <code key="mode" className="font-mono text-sm">
      {modeText(entry)}
    </code>,
    <code key="owner" className="font-mono text-sm">{`${uid}:${gid}`}</code>,
    exactTime(seconds),
    <span key="layer" className="tabular">
      {layer + 1}
    </span>,
    kind === "file" && <IconButton key="download" small icon={Download} label={t.images.downloadFile(name)} onClick={() => onDownload(name)} />,
  ];
}
