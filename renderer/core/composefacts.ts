import type { ComposeCheck } from "#api/compose.ts";
import type { ContainerInspect } from "#api/containers.ts";
import type { ImageRunConfig } from "#api/oci.ts";
import { composeProjects } from "./compose.ts";
import type { PlanFacts, ProjectModel } from "./composeplan.ts";
import type { Engine } from "./engine/engine.ts";

/**
 * Asks the engine for what a plan is made of: also for the project's containers, as the window's own list may be
 * a moment behind. What goes meanwhile, or is not there yet, is left out.
 */
export async function readPlanFacts(engine: Pick<Engine, "containers" | "images">, project: string, check: ComposeCheck): Promise<PlanFacts> {
  const members = composeProjects(await engine.containers.list()).find(({ name }) => name === project)?.members ?? [];
  const model = check.model as ProjectModel;
  const wanted = Object.entries(model.services).map(([name, service]) => service.image ?? `${model.name}-${name}`);
  const inspects = await each(
    members.map(({ Id }) => Id),
    (id) => engine.containers.inspect(id),
  );
  const used = [...new Set([...inspects.values()].map(({ Image }) => Image))];
  const [now, configs] = await Promise.all([each([...new Set(wanted)], (name) => engine.images.inspect(name)), each(used, (id) => engine.images.inspect(id))]);
  return {
    model,
    hashes: check.hashes ?? {},
    members,
    inspected: inspects as ReadonlyMap<string, ContainerInspect>,
    images: new Map([...configs].map(([id, { Config }]) => [id, (Config ?? {}) as ImageRunConfig])),
    imageIds: new Map([...now].map(([name, { Id }]) => [name, Id])),
  };
}

async function each<T>(names: readonly string[], ask: (name: string) => Promise<T>): Promise<ReadonlyMap<string, T>> {
  const answers = await Promise.all(names.map(async (name) => [name, await ask(name).catch(() => undefined)] as const));
  return new Map(answers.filter((answer): answer is readonly [string, Awaited<T>] => answer[1] !== undefined));
}
