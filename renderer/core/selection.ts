import { createStore, type StoreApi } from "zustand/vanilla";

/** Selected rows of one table. `anchor` is where a Shift-range begins. */
export interface Selection {
  readonly ids: ReadonlySet<string>;
  readonly anchor: string | undefined;
}
export type SelectionStore = StoreApi<Selection>;

const empty: Selection = { ids: new Set(), anchor: undefined };
export const createSelection = (): SelectionStore => createStore<Selection>(() => empty);

export function toggle(store: SelectionStore, id: string): void {
  store.setState(({ ids }) => {
    const next = new Set(ids);
    if (!next.delete(id)) next.add(id);
    return { ids: next, anchor: id };
  });
}

/** Selects all from the anchor to `id` in the order shown; the anchor stays, so that the range can be changed. */
export function selectRange(store: SelectionStore, order: readonly string[], id: string): void {
  const { ids, anchor } = store.getState();
  const from = anchor === undefined ? -1 : order.indexOf(anchor);
  if (from < 0) {
    toggle(store, id);
    return;
  }
  const to = order.indexOf(id);
  const range = order.slice(Math.min(from, to), Math.max(from, to) + 1);
  store.setState({ ids: new Set([...ids, ...range]) });
}

export const selectAll = (store: SelectionStore, order: readonly string[]): void => store.setState({ ids: new Set(order), anchor: order[0] });
export const clearSelection = (store: SelectionStore): void => store.setState(empty);

/** Drops what is no longer there: a row deleted elsewhere must not be acted on. */
export function keepOnly(store: SelectionStore, existing: ReadonlySet<string>): void {
  const { ids } = store.getState();
  if ([...ids].every((id) => existing.has(id))) return;
  store.setState({ ids: new Set([...ids].filter((id) => existing.has(id))) });
}
