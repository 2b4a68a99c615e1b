import type { ContainerSummary } from "#api/containers.ts";
import type { Tone } from "./containers.ts";

/** A row that stands above the containers of one Compose project. */
export interface ProjectRow {
  readonly project: string;
  readonly members: readonly ContainerSummary[];
  readonly collapsed: boolean;
}
export type ListRow = ContainerSummary | ProjectRow;

export const isProject = (row: ListRow): row is ProjectRow => "project" in row;
export const projectOf = ({ Labels }: ContainerSummary): string | undefined => Labels?.["com.docker.compose.project"] || undefined;
export const rowId = (row: ListRow): string => (isProject(row) ? `project:${row.project}` : row.Id);

/** How many of some containers run: a project's, or a service's. */
export const runningIn = (members: readonly ContainerSummary[]): number => members.filter(({ State }) => State === "running").length;

export const toneOf = (members: readonly ContainerSummary[]): Tone =>
  runningIn(members) === members.length ? "running" : runningIn(members) === 0 ? "idle" : "paused";

/**
 * Gathers the containers of each project below a row of its own, where the first of them stands in the order given; those of a
 * collapsed project are left out. One container alone is a project all the same: its file has it as one.
 */
export function arrangeProjects(rows: readonly ListRow[], collapsed: ReadonlySet<string>): readonly ListRow[] {
  const containers = rows.filter((row): row is ContainerSummary => !isProject(row));
  const byProject = Map.groupBy(containers, projectOf);
  const seen = new Set<string>();
  return containers.flatMap((container): readonly ListRow[] => {
    const project = projectOf(container);
    if (project === undefined) return [container];
    if (seen.has(project)) return [];
    seen.add(project);
    const members = byProject.get(project) ?? [];
    const shut = collapsed.has(project);
    return [{ project, members, collapsed: shut }, ...(shut ? [] : members)];
  });
}

export type StateFilter = "all" | "running" | "stopped";

export const passes = (filter: StateFilter, { State }: ContainerSummary): boolean =>
  filter === "all" || (filter === "running") === (State === "running" || State === "paused" || State === "restarting");
