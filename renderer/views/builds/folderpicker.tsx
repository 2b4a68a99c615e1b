import { ArrowUp, FileText, Folder } from "lucide-react";
import { explain } from "#renderer/core/explain.ts";
import { t } from "#renderer/core/texts.ts";
import { useFolder } from "#renderer/queries.ts";
import { Button } from "#renderer/ui/button.tsx";
import { ErrorNotice } from "#renderer/ui/errornotice.tsx";
import { Middle } from "#renderer/ui/middle.tsx";

export interface FolderPickerProps {
  /** "": above the shared folders. */
  readonly path: string;
  readonly onGo: (path: string) => void;
  readonly onChoose: (path: string) => void;
  /** Called with a file's path; without it files are only shown. */
  readonly onFile?: (path: string) => void;
  readonly chooseLabel?: string;
}

/** The shared folders of this computer, one at a time. */
export function FolderPicker({ path, onGo, onChoose, onFile, chooseLabel = t.builds.form.choose }: FolderPickerProps) {
  const { data, error } = useFolder(path);
  const hidden = (data?.total ?? 0) - (data?.entries.length ?? 0);
  return (
    <section aria-label={t.builds.form.browse} data-testid="folder-picker" className="flex flex-col overflow-hidden rounded-lg border border-line">
      <header className="flex items-center gap-2 border-b border-line bg-sunken/60 px-2 py-1.5">
        <Button small variant="ghost" icon={ArrowUp} disabled={path === ""} onClick={() => onGo(data?.parent ?? "")}>
          {t.builds.form.up}
        </Button>
        <span className="min-w-0 flex-1 font-mono text-sm text-fg2">{path === "" ? t.builds.form.shared : <Middle text={data?.path ?? path} />}</span>
        <Button small disabled={path === "" || data === undefined} onClick={() => onChoose(data?.path ?? path)}>
          {chooseLabel}
        </Button>
      </header>
      {error !== null && (
        <div className="p-2">
          <ErrorNotice explanation={explain(error, t.builds.form.listFailed)} />
        </div>
      )}
      <ul className="h-[180px] overflow-y-auto p-1">
        {data?.entries.length === 0 && <li className="px-2 py-1 text-fg3">{t.builds.form.noFolders}</li>}
        {data?.entries.map((entry) => (
          <li key={entry.path}>
            {entry.kind === "folder" || onFile !== undefined ? (
              <button
                type="button"
                onClick={() => (entry.kind === "folder" ? onGo(entry.path) : onFile?.(entry.path))}
                className="flex h-[26px] w-full items-center gap-2 rounded-md px-2 text-left hover:bg-hover"
              >
                {entry.kind === "folder" ? (
                  <Folder size={14} aria-hidden className="shrink-0 text-accent-text" />
                ) : (
                  <FileText size={14} aria-hidden className="shrink-0 text-fg3" />
                )}
                <span className="truncate">{entry.name}</span>
              </button>
            ) : (
              <span className="flex h-[26px] items-center gap-2 px-2 text-fg3">
                <FileText size={14} aria-hidden className="shrink-0" />
                <span className="truncate">{entry.name}</span>
              </span>
            )}
          </li>
        ))}
        {hidden > 0 && <li className="px-2 py-1 text-fg3">{t.builds.form.more(hidden)}</li>}
      </ul>
    </section>
  );
}
