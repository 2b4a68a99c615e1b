import type { UseOfKind } from "#renderer/core/diskuse.ts";
import { useApp } from "#renderer/appcontext.ts";
import { size } from "#renderer/core/format.ts";
import { keys } from "#renderer/core/keys.ts";
import { t } from "#renderer/core/texts.ts";
import { toastDone, toastFailed } from "#renderer/core/toasts.ts";
import { keeps } from "#renderer/core/trash.ts";
import { useTrash } from "#renderer/queries.ts";
import { Confirm } from "#renderer/ui/confirm.tsx";

/** Asks before a prune, with each thing it deletes and its bytes. Volumes hold what people made: there a word must be typed. */
export function Reclaim({ use: { kind, unused, reclaimable }, onClose }: { readonly use: UseOfKind; readonly onClose: () => void }) {
  const { engine, queries } = useApp();
  const trash = useTrash().data;
  const kept = keeps(trash);
  const prune = async (): Promise<void> => {
    try {
      const { SpaceReclaimed = 0 } = await engine.prune(kind);
      toastDone(kept ? t.trash.reclaimed(size(SpaceReclaimed)) : t.enginePage.reclaimed(size(SpaceReclaimed)));
    } catch (error) {
      toastFailed(error, t.enginePage.reclaimFailed);
    }
    for (const queryKey of [keys.diskUse, keys.usage, keys.images, keys.containers, keys.volumes, keys.trash]) await queries.invalidateQueries({ queryKey });
  };
  return (
    <Confirm
      title={t.enginePage.reclaimTitle[kind]}
      verb={t.enginePage.reclaimVerb(unused.length, size(reclaimable))}
      objects={unused.map(({ name, bytes }) => `${name}  ${size(bytes)}`)}
      {...(kind === "volumes" && !kept ? { typed: t.enginePage.reclaimWord } : {})}
      onConfirm={prune}
      onClose={onClose}
    >
      <p>{kept ? t.trash.reclaimText : t.enginePage.reclaimText[kind]}</p>
      {unused.length === 1 && <p className="font-mono text-sm">{`${unused[0]?.name}  ${size(reclaimable)}`}</p>}
    </Confirm>
  );
}
