import { Box, ChevronLeft, Ellipsis, Play, RotateCw, Square, Trash2 } from "lucide-react";
import { lazy, Suspense, useState } from "react";
import { Link, useLocation } from "wouter";
import type { ContainerInspect, ContainerSummary } from "#api/containers.ts";
import { isClass } from "#base/errors.ts";
import { useApp } from "#renderer/appcontext.ts";
import { canStart, canStop, portLinks, toneOf } from "#renderer/core/containers.ts";
import { explain } from "#renderer/core/explain.ts";
import { shortId } from "#renderer/core/format.ts";
import { t } from "#renderer/core/texts.ts";
import { useContainer, useContainers, useEngineUp, useHostInfo } from "#renderer/queries.ts";
import { Badge } from "#renderer/ui/badge.tsx";
import { Button, IconButton } from "#renderer/ui/button.tsx";
import { CopyButton } from "#renderer/ui/copy.tsx";
import { cx } from "#renderer/ui/cx.ts";
import { EmptyState } from "#renderer/ui/emptystate.tsx";
import { ErrorNotice } from "#renderer/ui/errornotice.tsx";
import { Menu } from "#renderer/ui/menu.tsx";
import { Spinner } from "#renderer/ui/spinner.tsx";
import { StateDot, toneText } from "#renderer/ui/statedot.tsx";
import { TabPanel, Tabs } from "#renderer/ui/tabs.tsx";
import { useEscape } from "#renderer/views/shell/keyboard.ts";
import { OwnOnly } from "#renderer/views/engines/ownonly.tsx";
import { InspectTab } from "#renderer/views/objects/inspecttab.tsx";
import { useContainerActions } from "./actions.ts";
import { PortText, usePending } from "./cells.tsx";
import { DeleteContainers } from "./deletecontainers.tsx";
import { ContainerDialog } from "./dialogs.tsx";
import { EventsTab } from "./eventstab.tsx";
import { FilesTab } from "./files/filestab.tsx";
import { LogsTab } from "./logs/logstab.tsx";
import { type ContainerDialogName, containerMenu } from "./menuitems.ts";
import { NetworkTab } from "./networktab.tsx";
import { ProcessesTab } from "./processestab.tsx";
import { WhyCard } from "./whycard.tsx";

// The terminal and the charts bring libraries of their own: they are read when first looked at.
const TerminalTab = lazy(() => import("./terminal/terminaltab.tsx"));
const StatsTab = lazy(() => import("./stats/statstab.tsx"));

const tabIds = ["logs", "inspect", "terminal", "files", "stats", "processes", "network", "events"] as const;
type TabId = (typeof tabIds)[number];
const tabs = () => tabIds.map((id) => ({ id, label: t.containers.tabs[id] }));
const isTab = (tab: string): tab is TabId => (tabIds as readonly string[]).includes(tab);

export function ContainerPage({ id, tab }: { readonly id: string; readonly tab: string }) {
  const [, go] = useLocation();
  const { data: container, error } = useContainer(id);
  const current: TabId = isTab(tab) ? tab : "logs";

  useEscape(() => go("/containers"));

  // The object was deleted while it was shown: what was read of it before is no longer true.
  if (error !== null && isClass(error, "notFound")) {
    return (
      <EmptyState icon={Box} title={t.containers.gone} text={t.containers.goneText}>
        <Button onClick={() => go("/containers")}>{t.containers.toList}</Button>
      </EmptyState>
    );
  }
  if (container === undefined) {
    return (
      <div className="flex flex-1 items-center justify-center p-6 text-fg3">
        {error === null ? <Spinner size={18} /> : <ErrorNotice explanation={explain(error, t.inspect.failed(shortId(id)))} />}
      </div>
    );
  }
  return (
    <section aria-label={container.Name.slice(1)} className="flex min-h-0 flex-1 flex-col">
      <Header container={container} />
      <WhyCard container={container} />
      <div className="shrink-0 border-b border-line px-4">
        <Tabs label={container.Name.slice(1)} tabs={tabs()} current={current} onSelect={(next) => go(`/containers/${id}/${next}`, { replace: true })} />
      </div>
      <Body container={container} tab={current} />
    </section>
  );
}

/** The log stays open once it was looked at, so that a look at another tab does not read it anew. */
function Body({ container, tab }: { readonly container: ContainerInspect; readonly tab: TabId }) {
  const [logs, setLogs] = useState(tab === "logs");
  if (tab === "logs" && !logs) setLogs(true);
  return (
    <TabPanel current={tab}>
      {logs && (
        <div hidden={tab !== "logs"} className={tab === "logs" ? "flex min-h-0 flex-1 flex-col" : ""}>
          <LogsTab container={container} />
        </div>
      )}
      {tab === "inspect" && <InspectTab value={container} />}
      {tab === "files" && (
        <OwnOnly name={t.containers.tabs.files}>
          <FilesTab container={container} />
        </OwnOnly>
      )}
      {tab === "processes" && <ProcessesTab container={container} />}
      {tab === "network" && <NetworkTab container={container} />}
      {tab === "events" && <EventsTab container={container} />}
      <Suspense>
        {tab === "terminal" && <TerminalTab container={container} />}
        {tab === "stats" && <StatsTab container={container} />}
      </Suspense>
    </TabPanel>
  );
}

function Header({ container }: { readonly container: ContainerInspect }) {
  const app = useApp();
  const [, go] = useLocation();
  const summary = useContainers().data?.find(({ Id }) => Id === container.Id);
  const actions = useContainerActions();
  const up = useEngineUp();
  const pending = usePending(container.Id);
  const [deleting, setDeleting] = useState(false);
  const [menu, setMenu] = useState<{ readonly x: number; readonly y: number; readonly alignRight: true }>();
  const [asking, setAsking] = useState<ContainerDialogName>();
  const { Status: state } = container.State;
  const target = { id: container.Id, name: container.Name.slice(1) };
  const targets = [target];
  const off = pending !== undefined || !up;
  return (
    <header className="flex shrink-0 items-center gap-2 pt-2.5 pr-4 pb-1 pl-2">
      <IconButton icon={ChevronLeft} label={t.containers.toList} onClick={() => go("/containers")} />
      <div className="min-w-0 flex-1">
        <div className="flex min-w-0 items-center gap-2.5">
          <h1 className="selectable truncate text-lg font-semibold tracking-[-0.01em]">{container.Name.slice(1)}</h1>
          <StateWord container={container} pending={pending} />
        </div>
        <div className="flex min-w-0 items-center gap-2 text-sm text-fg3">
          <Link href={`/images/${encodeURIComponent(container.Config.Image)}`} className="truncate rounded-sm hover:text-fg hover:underline">
            {container.Config.Image}
          </Link>
          <span aria-hidden>·</span>
          <code className="font-mono text-xs">{shortId(container.Id)}</code>
          <CopyButton small text={container.Id} label={t.containers.copyId} className="-mx-1" />
          {summary !== undefined && summary.Ports.length > 0 && <HeaderPorts summary={summary} />}
        </div>
      </div>
      <div className="flex shrink-0 gap-1.5">
        {canStart(state) ? (
          <Button icon={Play} variant="primary" busy={pending === "start"} disabled={off} onClick={() => void actions.run("start", targets)}>
            {t.containers.start}
          </Button>
        ) : (
          <>
            <Button icon={Square} busy={pending === "stop"} disabled={off || !canStop(state)} onClick={() => void actions.run("stop", targets)}>
              {t.containers.stop}
            </Button>
            <Button icon={RotateCw} busy={pending === "restart"} disabled={off || !canStop(state)} onClick={() => void actions.run("restart", targets)}>
              {t.containers.restart}
            </Button>
          </>
        )}
        <IconButton icon={Trash2} danger label={t.containers.deleteDots} disabled={off} onClick={() => setDeleting(true)} className="size-[30px]" />
        <IconButton
          icon={Ellipsis}
          label={t.containers.more}
          aria-haspopup="menu"
          className="size-[30px]"
          onClick={(event) => {
            const { right, bottom } = event.currentTarget.getBoundingClientRect();
            setMenu({ x: right, y: bottom + 4, alignRight: true });
          }}
        />
      </div>
      {menu !== undefined && (
        <Menu
          label={t.containers.more}
          items={containerMenu(target, state, { app, actions, go, ask: setAsking, onDelete: () => setDeleting(true) })}
          at={menu}
          onClose={() => setMenu(undefined)}
        />
      )}
      {asking !== undefined && <ContainerDialog name={asking} target={target} onClose={() => setAsking(undefined)} />}
      {deleting && <DeleteContainers containers={[summaryOf(container, summary)]} onClose={() => setDeleting(false)} onDeleted={() => go("/containers")} />}
    </header>
  );
}

/** What the delete dialog needs, also before the list has been read. */
const summaryOf = (container: ContainerInspect, summary: ContainerSummary | undefined): ContainerSummary =>
  summary ?? {
    Id: container.Id,
    Names: [container.Name],
    Image: container.Config.Image,
    ImageID: container.Image,
    Command: container.Path,
    Created: Date.parse(container.Created) / 1000,
    Ports: [],
    Labels: {},
    State: container.State.Status,
    Status: "",
    HostConfig: { NetworkMode: "" },
    NetworkSettings: { Networks: {} },
    Mounts: [],
  };

function StateWord({ container, pending }: { readonly container: ContainerInspect; readonly pending: keyof typeof t.containers.pending | undefined }) {
  const { Status: state, ExitCode, Health } = container.State;
  const tone = toneOf(state);
  if (pending !== undefined) {
    return (
      <span data-testid="container-state" className="flex items-center gap-1.5 text-accent-text">
        <Spinner size={11} /> {t.containers.pending[pending]}
      </span>
    );
  }
  return (
    <span role="status" data-testid="container-state" className={cx("flex shrink-0 items-center gap-1.5", toneText(tone))}>
      <StateDot tone={tone} />
      {state === "exited" ? `${state} (${ExitCode})` : state}
      {Health !== undefined && Health.Status !== "none" && (
        <Badge tone={Health.Status === "healthy" ? "ok" : Health.Status === "unhealthy" ? "danger" : "accent"}>{t.containers.health[Health.Status]}</Badge>
      )}
    </span>
  );
}

function HeaderPorts({ summary }: { readonly summary: ContainerSummary }) {
  const host = useHostInfo().data?.portHost ?? "localhost";
  return (
    <>
      <span aria-hidden>·</span>
      {portLinks(summary.Ports, host).map((link) => (
        <PortText key={link.text} {...link} copy />
      ))}
    </>
  );
}
