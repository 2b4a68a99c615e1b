import { Columns3, Play, RotateCw, Square } from "lucide-react";
import { type ReactNode, useState } from "react";
import type { ContainerSummary } from "#api/containers.ts";
import { canStart, canStop } from "#renderer/core/containers.ts";
import { ago, exactTime, plainName } from "#renderer/core/format.ts";
import { isProject, type ListRow, projectOf, type ProjectRow } from "#renderer/core/projects.ts";
import { t } from "#renderer/core/texts.ts";
import { useNow } from "#renderer/now.ts";
import { IconButton } from "#renderer/ui/button.tsx";
import { Menu } from "#renderer/ui/menu.tsx";
import { MenuButton } from "#renderer/ui/menubutton.tsx";
import { Middle } from "#renderer/ui/middle.tsx";
import type { Column } from "#renderer/ui/tablerow.tsx";
import { type ContainerActions, type Target, targetOf } from "./actions.ts";
import { CpuCell, MemoryCell, NameCell, PortsCell, StateCell, usePending } from "./cells.tsx";
import { MembersButtons } from "./members.tsx";
import { ProjectName, ProjectState } from "./projectrow.tsx";

const stateOrder = ["running", "restarting", "paused", "removing", "created", "exited", "dead"];
const nameOf = ({ Names }: ContainerSummary): string => plainName(Names);

const either =
  (ofContainer: (container: ContainerSummary) => ReactNode, ofProject: (row: ProjectRow) => ReactNode = () => null) =>
  (row: ListRow) =>
    isProject(row) ? ofProject(row) : ofContainer(row);
/** Projects are put in their place after sorting: no order asks for them. */
const by = (key: (container: ContainerSummary) => string | number) => (row: ListRow) => (isProject(row) ? "" : key(row));

/** Which columns may be left out, and which are at first. */
export const optionalColumns = ["image", "ports", "cpu", "memory", "created"] as const;
export type OptionalColumn = (typeof optionalColumns)[number];
export const usualColumns: readonly OptionalColumn[] = ["ports", "cpu", "memory"];

export function columnsFor(actions: ContainerActions, shown: readonly OptionalColumn[]): readonly Column<ListRow>[] {
  const { columns } = t.containers;
  const all: readonly Column<ListRow>[] = [
    {
      id: "name",
      header: columns.name,
      width: "minmax(104px, 1fr)",
      sortBy: by(nameOf),
      cell: either(
        (container) => (
          <div className={projectOf(container) === undefined ? "" : "pl-5"}>
            <NameCell container={container} />
          </div>
        ),
        (row) => <ProjectName row={row} />,
      ),
    },
    {
      id: "state",
      header: columns.state,
      width: "minmax(var(--state-column), 0.5fr)",
      sortBy: by((container) => `${stateOrder.indexOf(container.State)} ${nameOf(container)}`),
      cell: either(
        (container) => <StateCell container={container} />,
        (row) => <ProjectState row={row} />,
      ),
    },
    {
      id: "image",
      header: columns.image,
      width: "minmax(96px, 0.5fr)",
      sortBy: by(({ Image }) => Image),
      className: "max-[860px]:hidden",
      cell: either(({ Image }) => <Middle text={Image} />),
    },
    {
      id: "ports",
      header: columns.ports,
      width: "minmax(var(--ports-column), 0.4fr)",
      sortBy: by((container) => Math.min(...container.Ports.map(({ PublicPort }) => PublicPort ?? 65_536), 65_537)),
      cell: either((container) => <PortsCell container={container} />),
    },
    {
      id: "cpu",
      header: columns.cpu,
      width: "var(--cpu-column)",
      alignRight: true,
      className: "max-[720px]:hidden",
      cell: either((container) => <CpuCell container={container} />),
    },
    {
      id: "memory",
      header: columns.memory,
      width: "var(--memory-column)",
      alignRight: true,
      className: "max-[720px]:hidden",
      cell: either((container) => <MemoryCell container={container} />),
    },
    {
      id: "created",
      header: columns.created,
      width: "124px",
      sortBy: by(({ Created }) => Created),
      className: "max-[860px]:hidden",
      cell: either(({ Created }) => <CreatedCell seconds={Created} />),
    },
    {
      id: "actions",
      header: columns.actions,
      quietHeader: true,
      width: "104px",
      alignRight: true,
      cell: either(
        (container) => <RowActions container={container} actions={actions} />,
        (row) => <MembersButtons {...row} actions={actions} />,
      ),
    },
  ];
  return all.filter(({ id }) => !(optionalColumns as readonly string[]).includes(id) || (shown as readonly string[]).includes(id));
}

function CreatedCell({ seconds }: { readonly seconds: number }) {
  const now = useNow(60_000);
  return (
    <time className="truncate text-fg2" data-tip={exactTime(seconds)}>
      {ago(seconds, now)}
    </time>
  );
}

function RowActions({ container, actions }: { readonly container: ContainerSummary; readonly actions: ContainerActions }) {
  const pending = usePending(container.Id) !== undefined;
  const targets: readonly Target[] = [targetOf(container)];
  return (
    <div data-controls className="flex justify-end">
      {canStop(container.State) ? (
        <>
          <IconButton icon={RotateCw} label={t.containers.restart} disabled={pending} onClick={() => void actions.run("restart", targets)} />
          <IconButton icon={Square} label={t.containers.stop} disabled={pending} onClick={() => void actions.run("stop", targets)} />
        </>
      ) : (
        <IconButton
          icon={Play}
          label={t.containers.start}
          disabled={pending || !canStart(container.State)}
          onClick={() => void actions.run("start", targets)}
        />
      )}
      <MenuButton name={nameOf(container)} />
    </div>
  );
}

/** Shows and hides columns. */
export function ColumnChooser({
  shown,
  onChange,
}: {
  readonly shown: readonly OptionalColumn[];
  readonly onChange: (shown: readonly OptionalColumn[]) => void;
}) {
  const [at, setAt] = useState<{ readonly x: number; readonly y: number; readonly alignRight: true }>();
  return (
    <>
      <IconButton
        icon={Columns3}
        label={t.containers.chooseColumns}
        aria-haspopup="menu"
        onClick={(event) => {
          const { right, bottom } = event.currentTarget.getBoundingClientRect();
          setAt({ x: right, y: bottom + 4, alignRight: true });
        }}
      />
      {at !== undefined && (
        <Menu
          label={t.containers.chooseColumns}
          at={at}
          onClose={() => setAt(undefined)}
          items={optionalColumns.map((id) => ({
            label: t.containers.columns[id],
            checked: shown.includes(id),
            onSelect: () => onChange(shown.includes(id) ? shown.filter((other) => other !== id) : [...shown, id]),
          }))}
        />
      )}
    </>
  );
}
