import type { BuildSummary } from "#api/builds.ts";
import { useApp } from "#renderer/appcontext.ts";
import { buildName } from "#renderer/core/builds.ts";
import { keys } from "#renderer/core/keys.ts";
import { t } from "#renderer/core/texts.ts";
import { Confirm } from "#renderer/ui/confirm.tsx";
import { deleteAll } from "#renderer/views/objects/bulkdelete.ts";

export interface DeleteBuildsProps {
  readonly builds: readonly BuildSummary[];
  readonly onClose: () => void;
  readonly onDeleted?: () => void;
}

export function DeleteBuilds({ builds, onClose, onDeleted }: DeleteBuildsProps) {
  const app = useApp();
  const confirm = async (): Promise<void> => {
    const failures = await deleteAll(app, {
      targets: builds.map((build) => ({ id: build.ref, name: buildName(build) })),
      remove: (ref) => app.engine.builds.remove(ref),
      key: keys.builds,
      selection: app.selections.builds,
      doneText: t.builds.removed,
      failedText: t.builds.removeFailed,
    });
    if (failures.length === 0) onDeleted?.();
  };
  return (
    <Confirm
      title={t.builds.removeTitle(builds.length, builds[0] === undefined ? "" : buildName(builds[0]))}
      verb={t.builds.removeVerb(builds.length)}
      objects={builds.map(buildName)}
      onClose={onClose}
      onConfirm={confirm}
    >
      <p>{t.builds.removeText}</p>
    </Confirm>
  );
}
