import { Ban, X } from "lucide-react";
import { useApp } from "#renderer/appcontext.ts";
import { explainBy } from "#renderer/core/explain.ts";
import { duration, rate, size } from "#renderer/core/format.ts";
import { t } from "#renderer/core/texts.ts";
import { expected, type LayerProgress, received, type Transfer } from "#renderer/core/transfers.ts";
import { usePullWhy } from "#renderer/queries.ts";
import { IconButton } from "#renderer/ui/button.tsx";
import { ErrorNotice } from "#renderer/ui/errornotice.tsx";
import { Progress } from "#renderer/ui/progress.tsx";

export const transferTitle = ({ kind, name, state }: Transfer): string => {
  if (state.kind === "failed" || state.kind === "cancelled") return name;
  if (kind === "pull") return state.kind === "done" ? t.transfers.pulled(name) : t.transfers.pulling(name);
  return state.kind === "done" ? t.transfers.loaded(name) : t.transfers.loading(name);
};

const failedTitle = ({ kind, name }: Transfer): string => (kind === "pull" ? t.images.pullFailed(name) : t.images.loadFailed(name));

/** One pull or load: the whole, then one bar a layer. */
export function TransferView({ transfer, layers: showLayers }: { readonly transfer: Transfer; readonly layers: boolean }) {
  const { transfers } = useApp();
  const { layers, state } = transfer;
  const running = state.kind === "running";
  const why = usePullWhy(transfer);
  return (
    <section aria-label={transferTitle(transfer)} data-testid="transfer" className="flex flex-col gap-2">
      <header className="flex items-center gap-2">
        <h3 className="min-w-0 flex-1 truncate font-medium">{transferTitle(transfer)}</h3>
        <span className="tabular text-sm whitespace-nowrap text-fg2">{statusText(transfer)}</span>
        {running ? (
          <IconButton icon={Ban} label={t.common.cancel} onClick={() => transfers.cancel(transfer.id)} className="-my-1" />
        ) : (
          <IconButton icon={X} label={t.transfers.clear} onClick={() => transfers.clear(transfer.id)} className="-my-1" />
        )}
      </header>
      {(running || layers.length > 0) && (
        <Progress label={t.transfers.total} value={received(layers)} max={expected(layers)} done={state.kind === "done"} failed={state.kind === "failed"} />
      )}
      {running && layers.length === 0 && <p className="text-sm text-fg3">{transfer.note === "" ? t.transfers.waiting : transfer.note}</p>}
      {state.kind === "failed" && <ErrorNotice explanation={explainBy(why, state.error, failedTitle(transfer))} />}
      {showLayers && layers.length > 0 && (
        <ul className="flex max-h-[240px] flex-col gap-1.5 overflow-y-auto pt-1">
          {layers.map((layer) => (
            <LayerRow key={layer.id} layer={layer} running={running} />
          ))}
        </ul>
      )}
    </section>
  );
}

const LayerRow = ({ layer, running }: { readonly layer: LayerProgress; readonly running: boolean }) => (
  <li className="grid grid-cols-[96px_1fr_auto] items-center gap-3">
    <code className="truncate font-mono text-xs text-fg2">{layer.id}</code>
    <Progress thin label={t.transfers.layer(layer.id)} value={layer.current} max={running ? layer.total : Math.max(layer.total, 1)} done={layer.done} />
    <span className="tabular w-[150px] truncate text-right text-xs text-fg3">
      {layer.done || layer.total === 0 ? layer.status : t.transfers.of(size(layer.current), size(layer.total))}
    </span>
  </li>
);

function statusText({ state, layers, speed }: Transfer): string {
  switch (state.kind) {
    case "running": {
      const total = expected(layers);
      const figures = total > 0 ? t.transfers.of(size(received(layers)), size(total)) : "";
      return speed > 0 ? `${figures} · ${rate(speed)}` : figures;
    }
    case "done":
      return t.transfers.done(duration(state.tookMs));
    case "cancelled":
      return t.transfers.cancelled;
    case "failed":
      return t.transfers.failed;
  }
}
