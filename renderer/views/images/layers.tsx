import { useQuery } from "@tanstack/react-query";
import { useApp } from "#renderer/appcontext.ts";
import { explain } from "#renderer/core/explain.ts";
import { percent, size } from "#renderer/core/format.ts";
import { type LayerRow, layerRows } from "#renderer/core/history.ts";
import { keys } from "#renderer/core/keys.ts";
import { t } from "#renderer/core/texts.ts";
import { useEngineUp } from "#renderer/queries.ts";
import { ErrorNotice } from "#renderer/ui/errornotice.tsx";
import { SimpleTable } from "#renderer/ui/simpletable.tsx";

/** How the image came to be: each step with its instruction and what it added. */
export function ImageLayers({ id }: { readonly id: string }) {
  const { engine } = useApp();
  const { data, error } = useQuery({
    queryKey: keys.imageHistory(id),
    queryFn: async () => layerRows(await engine.images.history(id)),
    enabled: useEngineUp(),
    retry: false,
  });
  return (
    <section className="mt-6" data-testid="image-layers">
      <h2 className="mb-2 text-sm font-medium text-fg3">{t.images.layers}</h2>
      {error !== null && <ErrorNotice explanation={explain(error, t.images.historyFailed)} />}
      {data !== undefined && (
        <>
          <Shares rows={data.filter(({ size: bytes }) => bytes > 0)} />
          <SimpleTable
            label={t.images.layers}
            head={["", t.images.columns.size, t.images.instruction]}
            rows={data.map(({ number, command, size: bytes, share }, index) => ({
              key: String(index),
              cells: [
                <span key="number" className="tabular text-fg3">
                  {number ?? ""}
                </span>,
                <span key="size" className="tabular">
                  {number === undefined ? "–" : `${size(bytes)} · ${percent(share * 100)}`}
                </span>,
                <code key="command" className="font-mono text-sm whitespace-pre-wrap">
                  {command}
                </code>,
              ],
            }))}
          />
        </>
      )}
    </section>
  );
}

/** Where the bytes are: one strip, a layer as wide as its share. */
function Shares({ rows }: { readonly rows: readonly LayerRow[] }) {
  if (rows.length < 2) return null;
  const label = rows.map(({ number, size: bytes }) => `${number ?? ""}: ${size(bytes)}`).join(", ");
  return (
    <div role="img" aria-label={t.images.shares(label)} className="mb-3 flex h-7 gap-px overflow-hidden rounded-md">
      {rows.map((row) => (
        <div
          key={row.number}
          data-tip={`${row.number ?? ""}  ${size(row.size)}\n${row.command.slice(0, 200)}`}
          style={{ flexGrow: row.share, flexBasis: 2 }}
          className="flex min-w-[2px] items-center justify-center overflow-hidden bg-accent-soft text-xs text-accent-text"
        >
          {row.share > 0.06 && row.number}
        </div>
      ))}
    </div>
  );
}
