import { ChevronLeft, Play, RotateCw, Square, Trash2, Workflow } from "lucide-react";
import { type ReactNode, useState } from "react";
import { Link, useLocation } from "wouter";
import { composeCommand, type ComposeProject, composeProjects, type ComposeService, composeStatus, networksOf } from "#renderer/core/compose.ts";
import { plainName } from "#renderer/core/format.ts";
import { t } from "#renderer/core/texts.ts";
import { useContainers, useEngineUp, useNetworks } from "#renderer/queries.ts";
import { Button, IconButton } from "#renderer/ui/button.tsx";
import { Command } from "#renderer/ui/copy.tsx";
import { EmptyState } from "#renderer/ui/emptystate.tsx";
import { Facts } from "#renderer/ui/page.tsx";
import { Reading } from "#renderer/ui/reading.tsx";
import { SimpleTable } from "#renderer/ui/simpletable.tsx";
import { useContainerActions } from "#renderer/views/containers/actions.ts";
import { startable, stoppable } from "#renderer/views/containers/members.tsx";
import { useEscape } from "#renderer/views/shell/keyboard.ts";
import { MembersState } from "./composepage.tsx";
import { DownProjects } from "./downprojects.tsx";

/** One Compose project: its services, each with its state and containers. */
export function ProjectPage({ name }: { readonly name: string }) {
  const query = useContainers();
  const [, go] = useLocation();
  const [down, setDown] = useState(false);
  const project = composeProjects(query.data ?? []).find((one) => one.name === name);
  useEscape(() => go("/compose"));
  return (
    <section aria-label={name} className="flex min-h-0 flex-1 flex-col">
      <header className="flex h-[52px] shrink-0 items-center gap-2 border-b border-line pr-4 pl-2">
        <IconButton icon={ChevronLeft} label={t.common.back} onClick={() => go("/compose")} />
        <Workflow size={18} strokeWidth={1.7} aria-hidden className="shrink-0 text-fg3" />
        <h1 className="selectable min-w-0 truncate text-lg font-semibold tracking-[-0.01em]">{name}</h1>
        {project !== undefined && (
          <span className="pl-1" role="status">
            <MembersState members={project.members} />
          </span>
        )}
        {project !== undefined && <ProjectActs project={project} onDown={() => setDown(true)} />}
      </header>
      {query.data === undefined && <Reading />}
      {query.data !== undefined && project === undefined && (
        <EmptyState icon={Workflow} title={t.compose.gone(name)} text={t.compose.emptyText}>
          <Button onClick={() => go("/compose")}>{t.common.back}</Button>
        </EmptyState>
      )}
      {project !== undefined && <Overview project={project} />}
      {down && project !== undefined && <DownProjects projects={[project]} onClose={() => setDown(false)} onDown={() => go("/compose")} />}
    </section>
  );
}

function ProjectActs({ project: { members }, onDown }: { readonly project: ComposeProject; readonly onDown: () => void }) {
  const actions = useContainerActions();
  const up = useEngineUp();
  const [toStart, toStop] = [startable(members), stoppable(members)];
  return (
    <div className="ml-auto flex gap-1.5">
      <Button icon={Play} disabled={!up || toStart.length === 0} onClick={() => void actions.run("start", toStart)}>
        {t.containers.start}
      </Button>
      <Button icon={Square} disabled={!up || toStop.length === 0} onClick={() => void actions.run("stop", toStop)}>
        {t.containers.stop}
      </Button>
      <Button icon={RotateCw} disabled={!up || toStop.length === 0} onClick={() => void actions.run("restart", toStop)}>
        {t.containers.restart}
      </Button>
      <Button icon={Trash2} disabled={!up} className="text-danger-text" onClick={onDown} data-testid="compose-down">
        {t.compose.down}
      </Button>
    </div>
  );
}

function Overview({ project }: { readonly project: ComposeProject }) {
  const networks = networksOf(project.name, useNetworks().data ?? []);
  const { service, state, containers, image, after, actions } = t.compose.serviceColumns;
  const facts: readonly (readonly [string, ReactNode, boolean])[] = [
    [t.compose.status, composeStatus(project.members), true],
    [t.compose.folder, project.folder, project.folder !== ""],
    [t.compose.files, project.files.join(", "), project.files.length > 0],
    [
      t.compose.networks,
      networks.map(({ Id, Name }) => (
        <Link key={Id} href={`/networks/${Id}`} className="mr-3 rounded-sm text-accent-text hover:underline">
          {Name}
        </Link>
      )),
      networks.length > 0,
    ],
  ];
  return (
    <div className="flex min-h-0 flex-1 flex-col gap-5 overflow-y-auto p-5" data-testid="compose-project">
      <div className="shrink-0 overflow-x-auto">
        <SimpleTable
          label={t.compose.services}
          head={[service, state, image, containers, after, actions]}
          rows={project.services.map((one) => ({
            key: one.name,
            cells: [
              <span key="name" className="font-medium">
                {one.name}
              </span>,
              <MembersState key="state" members={one.members} />,
              <span key="image" className="font-mono text-sm">
                {[...new Set(one.members.map(({ Image }) => Image))].join(", ")}
              </span>,
              <Members key="members" service={one} />,
              <span key="after" className="text-fg2">
                {one.after.join(", ") || "–"}
              </span>,
              <ServiceActs key="acts" service={one} />,
            ],
          }))}
        />
      </div>
      <Facts rows={facts.filter(([, , isThere]) => isThere).map(([label, value]) => [label, value] as const)} />
      {project.files.length > 0 && (
        <div className="flex w-fit max-w-full flex-col gap-1.5">
          <p className="text-sm text-fg3">{t.compose.bringUp}</p>
          <Command text={composeCommand(project, "up -d")} />
        </div>
      )}
    </div>
  );
}

const Members = ({ service: { members } }: { readonly service: ComposeService }) => (
  <span className="flex flex-wrap gap-x-3">
    {members.map(({ Id, Names }) => (
      <Link key={Id} href={`/containers/${Id}/logs`} className="rounded-sm text-accent-text hover:underline">
        {plainName(Names)}
      </Link>
    ))}
  </span>
);

function ServiceActs({ service: { name, members } }: { readonly service: ComposeService }) {
  const actions = useContainerActions();
  const up = useEngineUp();
  const [toStart, toStop] = [startable(members), stoppable(members)];
  return (
    <span className="flex whitespace-nowrap">
      <IconButton icon={Play} label={t.compose.startService(name)} disabled={!up || toStart.length === 0} onClick={() => void actions.run("start", toStart)} />
      <IconButton icon={Square} label={t.compose.stopService(name)} disabled={!up || toStop.length === 0} onClick={() => void actions.run("stop", toStop)} />
      <IconButton
        icon={RotateCw}
        label={t.compose.restartService(name)}
        disabled={!up || toStop.length === 0}
        onClick={() => void actions.run("restart", toStop)}
      />
    </span>
  );
}
