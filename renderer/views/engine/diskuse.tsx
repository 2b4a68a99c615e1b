import { useState } from "react";
import { type UseOfKind, largest } from "#renderer/core/diskuse.ts";
import { explain } from "#renderer/core/explain.ts";
import { size } from "#renderer/core/format.ts";
import { t } from "#renderer/core/texts.ts";
import { useDiskUse, useTrash } from "#renderer/queries.ts";
import { Button } from "#renderer/ui/button.tsx";
import { ErrorNotice } from "#renderer/ui/errornotice.tsx";
import { SimpleTable } from "#renderer/ui/simpletable.tsx";
import { Spinner } from "#renderer/ui/spinner.tsx";
import { kindColors } from "./kindcolors.ts";
import { Reclaim } from "./reclaim.tsx";
import { Titled } from "./titled.tsx";
import { Treemap } from "./treemap.tsx";

const tilesMax = 40;

/** Where the disk's room goes: kind by kind with what can be had back, and the largest things of all. */
export function DiskUse() {
  const { data, error } = useDiskUse();
  const trash = useTrash().data;
  const [asked, setAsked] = useState<UseOfKind>();
  const total = data?.reduce((sum, { bytes }) => sum + bytes, 0) ?? 0;
  const things = data === undefined ? [] : largest(data, tilesMax);
  return (
    <Titled title={t.enginePage.use} note={data === undefined ? undefined : t.enginePage.useText(size(total))}>
      {error !== null && <ErrorNotice explanation={explain(error, t.enginePage.useFailed)} />}
      {data === undefined && error === null && (
        <p role="status" className="flex items-center gap-2 py-2 text-fg3">
          <Spinner /> {t.enginePage.counting}
        </p>
      )}
      {data !== undefined && (
        <SimpleTable
          label={t.enginePage.use}
          head={t.enginePage.useHead}
          rows={data.map((use) => ({ key: use.kind, cells: cells(use, () => setAsked(use)) }))}
        />
      )}
      {trash !== undefined && trash.Bytes > 0 && <p className="mt-2 text-sm text-fg2">{t.trash.disk(trash.Items.length, size(trash.Bytes))}</p>}
      {things.length > 1 && <Treemap items={things} />}
      {asked !== undefined && <Reclaim use={asked} onClose={() => setAsked(undefined)} />}
    </Titled>
  );
}

const cells = (use: UseOfKind, onReclaim: () => void) => [
  <span key="kind" className="flex items-center gap-2">
    <span aria-hidden className="size-2.5 rounded-xs" style={{ background: kindColors[use.kind] }} />
    {t.enginePage.useKinds[use.kind]}
  </span>,
  <span key="count" className="tabular">
    {use.items.length}
  </span>,
  <span key="bytes" className="tabular">
    {size(use.bytes)}
  </span>,
  <span key="reclaim" className="flex items-center gap-3">
    <span className="tabular flex-1 text-fg2">
      {use.unused.length === 0 ? t.enginePage.nothingUnused : t.enginePage.reclaimable(size(use.reclaimable), use.unused.length)}
    </span>
    <Button small disabled={use.unused.length === 0} onClick={onReclaim} aria-label={`${t.enginePage.reclaim}: ${t.enginePage.useKinds[use.kind]}`}>
      {t.enginePage.reclaim}
    </Button>
  </span>,
];
