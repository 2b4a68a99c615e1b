import type { TrashKind } from "#api/trash.ts";
import type { ActFailure } from "#renderer/core/acts.ts";
import type { App } from "#renderer/core/app.ts";
import type { Key } from "#renderer/core/keys.ts";
import type { SelectionStore } from "#renderer/core/selection.ts";
import { toastFailed } from "#renderer/core/toasts.ts";
import { toldDeleted } from "#renderer/core/trash.ts";

export interface BulkDelete {
  readonly targets: readonly { readonly id: string; readonly name: string }[];
  readonly remove: (id: string) => Promise<unknown>;
  /** Where it goes to the trash. */
  readonly kind?: TrashKind;
  readonly key: Key;
  readonly selection: SelectionStore;
  readonly doneText: (n: number, name: string) => string;
  readonly failedText: (name: string) => string;
}

/** Deletes each; what cannot be deleted stays selected and is told with its reason. */
export async function deleteAll(app: App, { targets, remove, kind, key, selection, doneText, failedText }: BulkDelete): Promise<readonly ActFailure[]> {
  const failures = await app.acts.run("remove", targets, remove);
  await app.queries.invalidateQueries({ queryKey: key });
  const done = targets.filter(({ id }) => failures.every((failure) => failure.id !== id));
  if (done.length > 0) await toldDeleted(app, doneText(done.length, done[0]?.name ?? ""), kind === undefined ? [] : done.map((one) => ({ ...one, kind })));
  for (const { error, name } of failures) toastFailed(error, failedText(name));
  const { ids } = selection.getState();
  const failed = new Set(failures.map(({ id }) => id));
  const gone = new Set(targets.map(({ id }) => id).filter((id) => !failed.has(id)));
  selection.setState({ ids: new Set([...ids].filter((id) => !gone.has(id))) });
  return failures;
}
