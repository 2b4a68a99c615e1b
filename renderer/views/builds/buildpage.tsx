import { Ban, ChevronLeft, Hammer, Pencil, RotateCw, Trash2 } from "lucide-react";
import { type ReactNode, useMemo, useState } from "react";
import { Link, useLocation } from "wouter";
import { useStore } from "zustand";
import { type BuildDetails, type BuildOptions, type BuildSource, type BuildSummary, criticalPath } from "#api/builds.ts";
import { useApp } from "#renderer/appcontext.ts";
import type { BuildRun } from "#renderer/core/buildruns.ts";
import { buildCommand, buildName, stepState, type StepView, tookMs, withUpdates } from "#renderer/core/builds.ts";
import { explain, explainBy } from "#renderer/core/explain.ts";
import { duration, exactTime } from "#renderer/core/format.ts";
import { t } from "#renderer/core/texts.ts";
import { useNow } from "#renderer/now.ts";
import { useBuild, useBuildWhy, useEngineUp } from "#renderer/queries.ts";
import { Button, IconButton } from "#renderer/ui/button.tsx";
import { Command } from "#renderer/ui/copy.tsx";
import { ErrorNotice } from "#renderer/ui/errornotice.tsx";
import { Facts } from "#renderer/ui/page.tsx";
import { Reading } from "#renderer/ui/reading.tsx";
import { useEscape } from "#renderer/views/shell/keyboard.ts";
import { BuildDialog } from "./builddialog.tsx";
import { BuildState } from "./buildspage.tsx";
import { BuildSteps } from "./buildsteps.tsx";
import { DeleteBuilds } from "./deletebuilds.tsx";
import { FailedSource } from "./failedsource.tsx";
import { useBuildAgain } from "./usebuildagain.ts";

/** What is shown of a build, live from this window or read from the history. */
interface Shown {
  readonly summary: BuildSummary;
  readonly steps: readonly StepView[];
  readonly source?: BuildSource;
  readonly failure?: unknown;
}

/** One build: its steps while they run and afterwards, and where its Dockerfile failed. */
export function BuildPage({ build: ref }: { readonly build: string }) {
  const { builds } = useApp();
  const run = useStore(builds.store, ({ list }) => list.find((one) => one.ref === ref));
  const query = useBuild(ref);
  const [, go] = useLocation();
  const [dialog, setDialog] = useState<"delete" | "edit">();
  const shown = useMemo(() => (query.data === undefined ? undefined : shownOf(query.data, run)), [query.data, run]);
  useEscape(() => go("/builds"));
  const name = shown === undefined ? t.builds.title : buildName(shown.summary);
  const isOver = shown !== undefined && shown.summary.state !== "running";
  return (
    <section aria-label={name} className="flex min-h-0 flex-1 flex-col">
      <header className="flex shrink-0 flex-wrap items-center gap-x-2 gap-y-1.5 border-b border-line py-2.5 pr-4 pl-2">
        <div className="flex min-w-[240px] flex-1 items-center gap-2">
          <IconButton icon={ChevronLeft} label={t.common.back} onClick={() => go("/builds")} />
          <Hammer size={18} strokeWidth={1.7} aria-hidden className="shrink-0 text-fg3" />
          <h1 className="selectable min-w-0 truncate text-lg font-semibold tracking-[-0.01em]">{name}</h1>
          {shown !== undefined && (
            <span className="flex items-center gap-3 pl-1" role="status">
              <BuildState state={shown.summary.state} />
              <Took summary={shown.summary} />
            </span>
          )}
        </div>
        <div className="ml-auto flex flex-wrap justify-end gap-1.5">
          {run !== undefined && !isOver && (
            <Button icon={Ban} onClick={() => builds.cancel(run.id)} data-testid="build-cancel">
              {t.builds.cancel}
            </Button>
          )}
          {isOver && <Again options={shown.summary.options} onEdit={() => setDialog("edit")} />}
          {isOver && <IconButton icon={Trash2} danger label={t.builds.remove} onClick={() => setDialog("delete")} className="size-[30px]" />}
        </div>
      </header>
      <div className="flex min-h-0 flex-1 flex-col gap-4 overflow-y-auto p-5">
        {query.error !== null && <ErrorNotice explanation={explain(query.error, t.builds.readFailed)} />}
        {shown === undefined && query.error === null && <Reading />}
        {shown !== undefined && <Body shown={shown} isOurs={run !== undefined} />}
      </div>
      {dialog === "delete" && shown !== undefined && (
        <DeleteBuilds builds={[shown.summary]} onClose={() => setDialog(undefined)} onDeleted={() => go("/builds")} />
      )}
      {dialog === "edit" && shown !== undefined && <BuildDialog options={shown.summary.options} onClose={() => setDialog(undefined)} />}
    </section>
  );
}

function Again({ options, onEdit }: { readonly options: BuildOptions; readonly onEdit: () => void }) {
  const again = useBuildAgain();
  const up = useEngineUp();
  return (
    <>
      <Button icon={Pencil} disabled={!up} onClick={onEdit}>
        {t.builds.edit}
      </Button>
      {options.folder !== "" && (
        <>
          <Button disabled={!up} onClick={() => void again({ ...options, noCache: true })}>
            {t.builds.rerunClean}
          </Button>
          <Button variant="primary" icon={RotateCw} disabled={!up} onClick={() => void again({ ...options, noCache: false })}>
            {t.builds.rerun}
          </Button>
        </>
      )}
    </>
  );
}

function Took({ summary }: { readonly summary: BuildSummary }) {
  const now = useNow(1_000);
  return <span className="tabular text-fg2">{duration(tookMs({ ...summary, started: summary.created }, now))}</span>;
}

function Body({ shown: { summary, steps, source, failure }, isOurs }: { readonly shown: Shown; readonly isOurs: boolean }) {
  const cached = steps.filter((step) => stepState(step) === "cached").length;
  const path = new Set(criticalPath(steps));
  const why = useBuildWhy(summary.ref, summary.state === "failed");
  const pathMs = steps.reduce((sum, step) => sum + (path.has(step.id) ? tookMs(step, 0) : 0), 0);
  return (
    <>
      {failure !== undefined && <ErrorNotice explanation={explainBy(why, failure, t.builds.failedTitle(buildName(summary)))} />}
      {source !== undefined && <FailedSource source={source} />}
      <section className="flex shrink-0 flex-col gap-2">
        <h2 className="text-sm font-medium text-fg2">
          {t.builds.steps}{" "}
          <span className="tabular font-normal text-fg3">
            {[t.builds.stepCount(steps.length, cached), ...(path.size > 0 ? [t.builds.criticalPath(duration(pathMs))] : [])].join(" · ")}
          </span>
        </h2>
        {steps.length > 0 && <BuildSteps steps={steps} path={path} />}
        {summary.state === "running" && !isOurs && <p className="text-fg2">{t.builds.elsewhere}</p>}
      </section>
      <Facts rows={factsOf(summary)} />
      <div className="w-fit max-w-full">
        <Command text={buildCommand(summary.options)} />
      </div>
    </>
  );
}

function factsOf({ options, state, created }: BuildSummary): readonly (readonly [string, ReactNode])[] {
  const { tags, folder, dockerfile, target, platform, args } = options;
  const images = tags.map((tag) =>
    state === "done" ? (
      <Link key={tag} href={`/images/${encodeURIComponent(tag)}`} className="mr-3 rounded-sm text-accent-text hover:underline">
        {tag}
      </Link>
    ) : (
      <span key={tag} className="mr-3">
        {tag}
      </span>
    ),
  );
  const all: readonly (readonly [string, ReactNode, boolean])[] = [
    [t.builds.image, images, tags.length > 0],
    [t.builds.folder, folder, folder !== ""],
    [t.builds.dockerfile, dockerfile, true],
    [t.builds.target, target, target !== ""],
    [t.builds.platform, platform, platform !== ""],
    [
      t.builds.args,
      Object.entries(args)
        .map(([name, value]) => `${name}=${value}`)
        .join(", "),
      Object.keys(args).length > 0,
    ],
    [t.builds.columns.created, exactTime(Date.parse(created) / 1000), true],
  ];
  return all.filter(([, , isThere]) => isThere).map(([label, value]) => [label, value] as const);
}

/** A build of this window is ahead of the history while it runs, and has said why it failed. */
function shownOf(details: BuildDetails, run: BuildRun | undefined): Shown {
  const { updates, source, criticalPath: _path, ...summary } = details;
  const told = summary.error === undefined || summary.state === "cancelled" ? {} : { failure: new Error(summary.error) };
  if (summary.state === "running" && run !== undefined) {
    const { state, steps } = run;
    const kind = state.kind === "sending" ? "running" : state.kind;
    return {
      summary: { ...summary, state: kind },
      steps,
      ...(state.kind === "failed" ? { failure: state.error, ...(state.source === undefined ? {} : { source: state.source }) } : {}),
    };
  }
  return { summary, steps: withUpdates([], updates), ...told, ...(source === undefined ? {} : { source }) };
}
