import { Hammer, Pencil, RotateCw, Trash2 } from "lucide-react";
import { useMemo, useState } from "react";
import { useLocation } from "wouter";
import type { BuildOptions, BuildSummary } from "#api/builds.ts";
import { useApp } from "#renderer/appcontext.ts";
import { buildCommand, buildName, buildTone, cacheShare, tookMs } from "#renderer/core/builds.ts";
import { ago, duration, exactTime, percent, size } from "#renderer/core/format.ts";
import { t } from "#renderer/core/texts.ts";
import { useNow } from "#renderer/now.ts";
import { useBuilds, useDiskUse, useEngineUp } from "#renderer/queries.ts";
import { Button, IconButton } from "#renderer/ui/button.tsx";
import { cx } from "#renderer/ui/cx.ts";
import type { MenuItem } from "#renderer/ui/menu.tsx";
import { MenuButton } from "#renderer/ui/menubutton.tsx";
import { NameLink } from "#renderer/ui/namelink.tsx";
import { StateDot, toneText } from "#renderer/ui/statedot.tsx";
import type { Column } from "#renderer/ui/tablerow.tsx";
import { Reclaim } from "#renderer/views/engine/reclaim.tsx";
import { ListPage } from "#renderer/views/objects/listpage.tsx";
import { BuildDialog } from "./builddialog.tsx";
import { DeleteBuilds } from "./deletebuilds.tsx";
import { useBuildAgain } from "./usebuildagain.ts";

const idOf = (build: BuildSummary): string => build.ref;
const searched = ({ options, state }: BuildSummary): string => [t.builds.states[state], options.folder, options.target, ...options.tags].join(" ");
const pathOf = ({ ref }: BuildSummary): string => `/builds/${ref}`;

type Shown =
  | { readonly kind: "build"; readonly options?: BuildOptions }
  | { readonly kind: "delete"; readonly builds: readonly BuildSummary[] }
  | { readonly kind: "cache" };

/** Builds under way and those that were, of this window and of every other client. */
export function BuildsPage() {
  const { selections } = useApp();
  const query = useBuilds();
  const up = useEngineUp();
  const cache = useDiskUse().data?.find(({ kind }) => kind === "cache");
  const [, go] = useLocation();
  const again = useBuildAgain();
  const [shown, show] = useState<Shown>();
  const columns = useMemo(() => columnsFor(again), [again]);
  const menuOf = (build: BuildSummary): readonly MenuItem[] => [
    ...(build.options.folder === ""
      ? []
      : [
          { label: t.builds.rerun, icon: RotateCw, onSelect: () => void again({ ...build.options, noCache: false }) },
          { label: t.builds.rerunClean, onSelect: () => void again({ ...build.options, noCache: true }) },
        ]),
    { label: t.builds.edit, icon: Pencil, onSelect: () => show({ kind: "build", options: build.options }) },
    { label: t.builds.copyCommand, onSelect: () => void navigator.clipboard.writeText(buildCommand(build.options)) },
    { kind: "line" },
    { label: t.builds.remove, icon: Trash2, danger: true, onSelect: () => show({ kind: "delete", builds: [build] }) },
  ];
  const begin = (
    <Button variant="primary" icon={Hammer} disabled={!up} onClick={() => show({ kind: "build" })} data-testid="build">
      {t.builds.build}
    </Button>
  );
  return (
    <>
      <ListPage
        name="builds"
        title={t.builds.title}
        icon={Hammer}
        searchLabel={t.builds.search}
        failedText={t.builds.listFailed}
        query={query}
        rows={query.data}
        note={t.builds.count(query.data?.length ?? 0)}
        columns={columns}
        idOf={idOf}
        nameOf={buildName}
        searched={searched}
        selection={selections.builds}
        selectable={({ state }) => state !== "running"}
        onOpen={(build) => go(pathOf(build))}
        menuOf={menuOf}
        onDelete={(builds) => show({ kind: "delete", builds })}
        defaultSort={{ column: "created", down: false }}
        actions={
          <>
            {cache !== undefined && cache.items.length > 0 && (
              <Button
                disabled={!up || cache.unused.length === 0}
                data-tip={cache.unused.length === 0 ? t.builds.cacheEmpty : t.builds.cacheTip}
                onClick={() => show({ kind: "cache" })}
                data-testid="build-cache"
              >
                {t.builds.cacheDots(size(cache.bytes))}
              </Button>
            )}
            {begin}
          </>
        }
        empty={{ title: t.builds.emptyTitle, text: t.builds.emptyText, command: t.builds.emptyCommand, action: begin }}
      />
      {shown?.kind === "build" && <BuildDialog options={shown.options} onClose={() => show(undefined)} />}
      {shown?.kind === "delete" && <DeleteBuilds builds={shown.builds} onClose={() => show(undefined)} />}
      {shown?.kind === "cache" && cache !== undefined && <Reclaim use={cache} onClose={() => show(undefined)} />}
    </>
  );
}

export const BuildState = ({ state }: { readonly state: BuildSummary["state"] }) => (
  <span data-testid="build-state" className="flex items-center gap-2">
    <StateDot tone={buildTone(state)} />
    <span className={cx("truncate", toneText(buildTone(state)))}>{t.builds.states[state]}</span>
  </span>
);

function Took({ build }: { readonly build: BuildSummary }) {
  const now = useNow(1_000);
  return <span className="tabular">{duration(tookMs({ ...build, started: build.created }, now))}</span>;
}

function Started({ at }: { readonly at: number }) {
  const now = useNow(60_000);
  return (
    <span className="truncate text-fg2" data-tip={exactTime(at)}>
      {ago(at, now)}
    </span>
  );
}

function CacheShare({ build }: { readonly build: BuildSummary }) {
  const { cached, total } = build.steps;
  // Counted when it is over.
  if (total === 0) return <span className="text-fg3">–</span>;
  return (
    <span className="flex min-w-0 items-center gap-2 text-fg2" data-tip={percent(cacheShare(build) * 100)}>
      <span aria-hidden className="h-1 w-10 shrink-0 overflow-hidden rounded-full bg-press">
        <span style={{ width: `${cacheShare(build) * 100}%` }} className="block h-full rounded-full bg-accent" />
      </span>
      <span className="tabular whitespace-nowrap">{t.builds.cached(cached, total)}</span>
    </span>
  );
}

function columnsFor(again: (options: BuildOptions) => Promise<void>): readonly Column<BuildSummary>[] {
  const { columns } = t.builds;
  return [
    {
      id: "name",
      header: columns.name,
      width: "minmax(160px, 1fr)",
      sortBy: buildName,
      cell: (build) => <NameLink href={pathOf(build)} name={buildName(build)} />,
    },
    { id: "state", header: columns.state, width: "112px", sortBy: ({ state }) => state, cell: ({ state }) => <BuildState state={state} /> },
    { id: "cache", header: columns.cache, width: "124px", className: "max-[1000px]:hidden", sortBy: cacheShare, cell: (build) => <CacheShare build={build} /> },
    { id: "took", header: columns.took, width: "88px", alignRight: true, cell: (build) => <Took build={build} /> },
    {
      id: "created",
      header: columns.created,
      width: "var(--created-column)",
      className: "max-[800px]:hidden",
      sortBy: ({ created }) => -Date.parse(created),
      cell: ({ created }) => <Started at={Date.parse(created) / 1000} />,
    },
    {
      id: "actions",
      header: columns.actions,
      quietHeader: true,
      width: "84px",
      alignRight: true,
      cell: (build) => (
        <div data-controls className="flex justify-end">
          {build.options.folder !== "" && (
            <IconButton icon={RotateCw} label={t.builds.rerun} onClick={() => void again({ ...build.options, noCache: false })} />
          )}
          <MenuButton name={buildName(build)} />
        </div>
      ),
    },
  ];
}
