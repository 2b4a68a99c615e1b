import { ChevronLeft, Workflow } from "lucide-react";
import { type ReactNode, useState } from "react";
import { Link, useLocation } from "wouter";
import type { ComposeProjectSource } from "#api/compose.ts";
import { EngineError } from "#base/errors.ts";
import { composeCommand, type ComposeProject, composeProjects, type ComposeService, composeStatus, networksOf } from "#renderer/core/compose.ts";
import { explain } from "#renderer/core/explain.ts";
import { plainName } from "#renderer/core/format.ts";
import { t } from "#renderer/core/texts.ts";
import { useContainers, useNetworks } from "#renderer/queries.ts";
import { Button, IconButton } from "#renderer/ui/button.tsx";
import { Command } from "#renderer/ui/copy.tsx";
import { EmptyState } from "#renderer/ui/emptystate.tsx";
import { ErrorNotice } from "#renderer/ui/errornotice.tsx";
import { Facts } from "#renderer/ui/page.tsx";
import { Reading } from "#renderer/ui/reading.tsx";
import { SimpleTable } from "#renderer/ui/simpletable.tsx";
import { TabPanel, Tabs } from "#renderer/ui/tabs.tsx";
import { useEscape } from "#renderer/views/shell/keyboard.ts";
import { MembersState } from "./composepage.tsx";
import { DownProjects } from "./downprojects.tsx";
import { FilesTab } from "./filestab.tsx";
import { ProjectActs, ServiceActs } from "./projectacts.tsx";
import { RunPanel } from "./runpanel.tsx";
import { modelOf, useCheck, useProjectSource, useSource } from "./source.ts";

/** A project that has containers, whoever brought it up. */
export function ProjectPage({ name }: { readonly name: string }) {
  const query = useContainers();
  const [, go] = useLocation();
  const project = composeProjects(query.data ?? []).find((one) => one.name === name);
  const source = useProjectSource(project);
  const check = useCheck(source);
  const isHere = query.data !== undefined;
  return (
    <ProjectView name={name} project={project} source={check.error === null ? source : undefined} onDown={() => go("/compose")}>
      {!isHere && <Reading />}
      {isHere && project === undefined && (
        <EmptyState icon={Workflow} title={t.compose.gone(name)} text={t.compose.emptyText}>
          <Button onClick={() => go("/compose")}>{t.common.back}</Button>
        </EmptyState>
      )}
      {check.error !== null && project !== undefined && <p className="px-5 pt-4 text-fg2">{t.compose.elsewhere}</p>}
    </ProjectView>
  );
}

/** A project that is opened by its files, whether it has containers or not. */
export function OpenedPage({ files }: { readonly files: readonly string[] }) {
  const [first = ""] = files;
  const source = useSource(first.slice(0, first.lastIndexOf("/")) || "/", files, "");
  const check = useCheck(source);
  const name = modelOf(check.data)?.name;
  const project = composeProjects(useContainers().data ?? []).find((one) => one.name === name);
  const error = check.error ?? (check.data?.error === undefined ? null : new EngineError("invalidArgument", check.data.error));
  return (
    <ProjectView name={name ?? first.split("/").at(-2) ?? first} project={project} source={check.error === null ? source : undefined}>
      {check.isLoading && <Reading />}
      {error !== null && (
        <div className="px-5 pt-4">
          <ErrorNotice explanation={explain(error, t.compose.checkFailed)} />
        </div>
      )}
      {name !== undefined && project === undefined && (
        <EmptyState icon={Workflow} title={name} text={`${t.compose.notUp} ${Object.keys(modelOf(check.data)?.services ?? {}).join(", ")}`} />
      )}
    </ProjectView>
  );
}

interface ProjectViewProps {
  readonly name: string;
  readonly project: ComposeProject | undefined;
  readonly source: ComposeProjectSource | undefined;
  readonly onDown?: () => void;
  /** In place of, or above, the services. */
  readonly children: ReactNode;
}

function ProjectView({ name, project, source, onDown, children }: ProjectViewProps) {
  const [, go] = useLocation();
  const [tab, setTab] = useState<"services" | "files">("services");
  const [down, setDown] = useState(false);
  useEscape(() => go("/compose"));
  const tabs = (["services", "files"] as const).filter((id) => id === "services" || source !== undefined).map((id) => ({ id, label: t.compose.tabs[id] }));
  const current = source === undefined ? "services" : tab;
  return (
    <section aria-label={name} className="flex min-h-0 flex-1 flex-col">
      <header className="flex h-[52px] shrink-0 items-center gap-2 pr-4 pl-2">
        <IconButton icon={ChevronLeft} label={t.common.back} onClick={() => go("/compose")} />
        <Workflow size={18} strokeWidth={1.7} aria-hidden className="shrink-0 text-fg3" />
        <h1 className="selectable min-w-0 truncate text-lg font-semibold tracking-[-0.01em]">{name}</h1>
        {project !== undefined && (
          <span className="pl-1" role="status">
            <MembersState members={project.members} />
          </span>
        )}
        <ProjectActs name={name} project={project} source={source} onDown={() => setDown(true)} />
      </header>
      <div className="shrink-0 border-b border-line px-4">
        <Tabs label={name} tabs={tabs} current={current} onSelect={setTab} />
      </div>
      <TabPanel current={current}>
        {current === "services" && children}
        {current === "services" && project !== undefined && <Overview project={project} source={source} />}
        {current === "files" && source !== undefined && <FilesTab source={source} />}
      </TabPanel>
      <RunPanel project={name} />
      {down && project !== undefined && <DownProjects projects={[project]} onClose={() => setDown(false)} {...(onDown === undefined ? {} : { onDown })} />}
    </section>
  );
}

function Overview({ project, source }: { readonly project: ComposeProject; readonly source: ComposeProjectSource | undefined }) {
  const networks = networksOf(project.name, useNetworks().data ?? []);
  const { service, state, containers, image, after, actions } = t.compose.serviceColumns;
  const ordered = project.services.some((one) => one.after.length > 0);
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
          head={[service, state, image, containers, ...(ordered ? [after] : []), actions]}
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
              ...(ordered
                ? [
                    <span key="after" className="text-fg2">
                      {one.after.join(", ") || "–"}
                    </span>,
                  ]
                : []),
              <ServiceActs key="acts" project={project.name} source={source} service={one} />,
            ],
          }))}
        />
      </div>
      <Facts rows={facts.filter(([, , isThere]) => isThere).map(([label, value]) => [label, value] as const)} />
      {project.files.length > 0 && source === undefined && (
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
