import type { ContainerSummary } from "#api/containers.ts";
import type { NetworkInspect } from "#api/networks.ts";
import { quoted } from "./copyrun.ts";
import { projectOf } from "./projects.ts";

/** A Compose project as its containers' labels tell of it: the engine knows no other. */
export interface ComposeProject {
  readonly name: string;
  /** Where it was brought up from; "" when its containers do not say. */
  readonly folder: string;
  readonly files: readonly string[];
  readonly services: readonly ComposeService[];
  readonly members: readonly ContainerSummary[];
}

export interface ComposeService {
  readonly name: string;
  readonly members: readonly ContainerSummary[];
  /** Services it was told to start after. */
  readonly after: readonly string[];
}

const label = ({ Labels }: ContainerSummary, name: string): string => Labels?.[`com.docker.compose.${name}`] ?? "";

/** By name; a service's containers by their number. What `docker compose run` left is none of a service's. */
export function composeProjects(containers: readonly ContainerSummary[]): readonly ComposeProject[] {
  const byProject = Map.groupBy(
    containers.filter((container) => projectOf(container) !== undefined && label(container, "oneoff") !== "True"),
    (container) => projectOf(container) ?? "",
  );
  return [...byProject].map(([name, members]) => projectFrom(name, members)).toSorted((a, b) => (a.name < b.name ? -1 : 1));
}

function projectFrom(name: string, members: readonly ContainerSummary[]): ComposeProject {
  // Containers of an earlier `up` may tell of another folder: the newest is right.
  const newest = members.toSorted((a, b) => b.Created - a.Created)[0];
  const services = [...Map.groupBy(members, (member) => label(member, "service"))].map(([service, its]) => ({
    name: service,
    members: its.toSorted((a, b) => Number(label(a, "container-number")) - Number(label(b, "container-number"))),
    after: [...new Set(its.flatMap((one) => label(one, "depends_on").split(",")))].map((text) => text.split(":")[0] ?? "").filter((text) => text !== ""),
  }));
  return {
    name,
    folder: newest === undefined ? "" : label(newest, "project.working_dir"),
    files:
      newest === undefined
        ? []
        : label(newest, "project.config_files")
            .split(",")
            .filter((file) => file !== ""),
    services: services.toSorted((a, b) => (a.name < b.name ? -1 : 1)),
    members,
  };
}

/** The words that `docker compose ls` uses: `running(3), exited(1)`. */
export function composeStatus(members: readonly ContainerSummary[]): string {
  const counts = [...Map.groupBy(members, ({ State }) => State)].map(([state, its]) => `${state}(${its.length})`);
  return counts.toSorted().toReversed().join(", ");
}

/** The networks that go when the project is taken down. */
export const networksOf = (project: string, networks: readonly NetworkInspect[]): readonly NetworkInspect[] =>
  networks.filter(({ Labels }) => Labels?.["com.docker.compose.project"] === project);

/** Services in the order they are taken down: those that need others first. */
export function downOrder(services: readonly ComposeService[]): readonly ComposeService[] {
  const byName = new Map(services.map((service) => [service.name, service]));
  const done = new Set<ComposeService>();
  const visit = (service: ComposeService): void => {
    if (done.has(service)) return;
    done.add(service);
    for (const name of service.after) {
      const needed = byName.get(name);
      if (needed !== undefined) visit(needed);
    }
    ordered.push(service);
  };
  const ordered: ComposeService[] = [];
  for (const service of services) visit(service);
  return ordered.toReversed();
}

/** `docker compose …` for the project as it was brought up. */
export function composeCommand({ name, folder, files }: ComposeProject, verb: string): string {
  const words = ["docker", "compose", "-p", name, ...files.flatMap((file) => ["-f", file]), ...(folder === "" ? [] : ["--project-directory", folder])];
  return `${words.map(quoted).join(" ")} ${verb}`;
}
