import type { ActFailure } from "#renderer/core/acts.ts";
import type { App } from "#renderer/core/app.ts";
import type { Key } from "#renderer/core/keys.ts";
import type { SelectionStore } from "#renderer/core/selection.ts";
import { toastDone, toastFailed } from "#renderer/core/toasts.ts";

export interface BulkDelete {
  readonly targets: readonly { readonly id: string; readonly name: string }[];
  readonly remove: (id: string) => Promise<unknown>;
  readonly key: Key;
  readonly selection: SelectionStore;
  readonly doneText: (n: number, name: string) => string;
  readonly failedText: (name: string) => string;
}

/** Deletes each; what cannot be deleted stays selected and is told with its reason. */
export async function deleteAll(app: App, { targets, remove, key, selection, doneText, failedText }: BulkDelete): Promise<readonly ActFailure[]> {
  const failures = await app.acts.run("remove", targets, remove);
  await app.queries.invalidateQueries({ queryKey: key });
  const done = targets.length - failures.length;
  if (done > 0) toastDone(doneText(done, targets.find(({ id }) => failures.every((failure) => failure.id !== id))?.name ?? ""));
  for (const { error, name } of failures) toastFailed(error, failedText(name));
  const { ids } = selection.getState();
  const failed = new Set(failures.map(({ id }) => id));
  const gone = new Set(targets.map(({ id }) => id).filter((id) => !failed.has(id)));
  selection.setState({ ids: new Set([...ids].filter((id) => !gone.has(id))) });
  return failures;
}
