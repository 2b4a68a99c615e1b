import { useApp } from "#renderer/appcontext.ts";
import { type ComposeProject, downOrder, networksOf } from "#renderer/core/compose.ts";
import { canStop } from "#renderer/core/containers.ts";
import { plainName } from "#renderer/core/format.ts";
import { keys } from "#renderer/core/keys.ts";
import { t } from "#renderer/core/texts.ts";
import { toastDone, toastFailed } from "#renderer/core/toasts.ts";
import { useNetworks } from "#renderer/queries.ts";
import { Confirm } from "#renderer/ui/confirm.tsx";
import { targetOf, useContainerActions } from "#renderer/views/containers/actions.ts";

export interface DownProjectsProps {
  readonly projects: readonly ComposeProject[];
  readonly onClose: () => void;
  readonly onDown?: () => void;
}

/** `docker compose down`: containers are stopped and go, then the project's networks; volumes stay. */
export function DownProjects({ projects, onClose, onDown }: DownProjectsProps) {
  const { acts, engine, queries } = useApp();
  const actions = useContainerActions();
  const all = useNetworks().data ?? [];
  const networks = projects.flatMap(({ name }) => networksOf(name, all));
  const members = projects.flatMap((project) => project.members);
  /** Whether all of it went; what did not was told. */
  const down = async (project: ComposeProject): Promise<boolean> => {
    for (const { members } of downOrder(project.services)) {
      const stopped = await actions.run("stop", members.filter(({ State }) => canStop(State)).map(targetOf));
      if (stopped.length > 0) return false;
      const failures = await acts.run("remove", members.map(targetOf), (id) => engine.containers.remove(id, false, false));
      for (const { error, name } of failures) toastFailed(error, t.containers.failed.remove(name));
      await queries.invalidateQueries({ queryKey: keys.containers });
      if (failures.length > 0) return false;
    }
    for (const { Id, Name } of networksOf(project.name, all))
      await engine.networks.remove(Id).catch((error: unknown) => toastFailed(error, t.compose.networkFailed(Name)));
    await queries.invalidateQueries({ queryKey: keys.networks });
    toastDone(t.compose.downDone(project.name));
    return true;
  };
  const downAll = async (): Promise<void> => {
    const gone = await Promise.all(projects.map(down));
    if (!gone.includes(false)) onDown?.();
  };
  const [first] = projects;
  return (
    <Confirm
      title={t.compose.downTitle(projects.length, first?.name ?? "")}
      verb={t.compose.downVerb(projects.length, first?.name ?? "")}
      objects={[...members.map(({ Names }) => plainName(Names)), ...networks.map(({ Name }) => Name)].toSorted()}
      onClose={onClose}
      onConfirm={downAll}
    >
      <p>{t.compose.downText(members.length, networks.length)}</p>
    </Confirm>
  );
}
