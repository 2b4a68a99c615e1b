import type { ContainerInspect, ContainerSummary } from "#api/containers.ts";
import type { ImageRunConfig } from "#api/oci.ts";
import { type Difference, type ServiceModel, serviceDifferences } from "./composediff.ts";
import { plainName } from "./format.ts";

/** A project as docker compose understands its files. */
export interface ProjectModel {
  readonly name: string;
  readonly services: Readonly<Record<string, ServiceModel>>;
  readonly volumes?: Readonly<Record<string, { readonly name?: string }>>;
}

export type PlanAction = "keep" | "start" | "create" | "recreate" | "remove" | "orphan";

/** What bringing the project up does with one container, there or to come. */
export interface PlanRow {
  readonly service: string;
  /** Its name; that of one to come is as docker compose will call it. */
  readonly container: string;
  readonly action: PlanAction;
  readonly differences: readonly Difference[];
}

/** What is known of containers of the project and their images, by id. */
export interface PlanFacts {
  readonly model: ProjectModel;
  /** Of each service, as docker compose would write it on a container. */
  readonly hashes: Readonly<Record<string, string>>;
  readonly members: readonly ContainerSummary[];
  readonly inspected: ReadonlyMap<string, ContainerInspect>;
  readonly images: ReadonlyMap<string, ImageRunConfig>;
  /** The image that a reference stands for now. */
  readonly imageIds: ReadonlyMap<string, string>;
}

const label = ({ Labels }: ContainerSummary, name: string): string => Labels?.[`com.docker.compose.${name}`] ?? "";
const number = (container: ContainerSummary): number => Number(label(container, "container-number")) || 0;

/** As docker compose decides it: by the hash of a service's configuration, its image, and how many there are to be. */
export function upPlan(facts: PlanFacts): readonly PlanRow[] {
  const { model, members } = facts;
  const rows = Object.entries(model.services).flatMap(([name, service]) => serviceRows(name, service, facts));
  const orphans = members
    .filter((member) => !(label(member, "service") in model.services))
    .map((member): PlanRow => ({ service: label(member, "service"), container: plainName(member.Names), action: "orphan", differences: [] }));
  return [...rows, ...orphans];
}

function serviceRows(name: string, service: ServiceModel, facts: PlanFacts): readonly PlanRow[] {
  const wanted = service.scale ?? service.deploy?.replicas ?? 1;
  const there = facts.members.filter((member) => label(member, "service") === name).toSorted((a, b) => number(a) - number(b));
  const rows = there.map((member, index): PlanRow => {
    const row = { service: name, container: plainName(member.Names), differences: [] };
    if (index >= wanted) return { ...row, action: "remove" };
    const differences = changesOf(name, service, member, facts);
    if (differences !== undefined) return { ...row, action: "recreate", differences };
    return { ...row, action: member.State === "running" ? "keep" : "start" };
  });
  const used = new Set(there.map(number));
  const free = Array.from({ length: wanted + there.length }, (_, index) => index + 1).filter((one) => !used.has(one));
  const missing = free.slice(0, Math.max(0, wanted - there.length));
  const nameOf = (index: number): string => service.container_name ?? `${facts.model.name}-${name}-${index}`;
  return [...rows, ...missing.map((index): PlanRow => ({ service: name, container: nameOf(index), action: "create", differences: [] }))];
}

/** Undefined: it stays as it is. None: it is made anew for something that cannot be told. */
function changesOf(name: string, service: ServiceModel, member: ContainerSummary, facts: PlanFacts): readonly Difference[] | undefined {
  const image = service.image ?? `${facts.model.name}-${name}`;
  const now = facts.imageIds.get(image);
  const newerImage = now !== undefined && label(member, "image") !== "" && label(member, "image") !== now;
  if (label(member, "config-hash") === facts.hashes[name] && !newerImage) return undefined;
  const inspect = facts.inspected.get(member.Id);
  const found = inspect === undefined ? [] : serviceDifferences(service, inspect, facts.images.get(inspect.Image) ?? {}, facts.model.volumes ?? {});
  const ofImage =
    newerImage && !found.some(({ field }) => field === "image") ? [{ field: "image", from: label(member, "image").slice(7, 19), to: now.slice(7, 19) }] : [];
  return [...ofImage, ...found];
}
