import { intl } from "#renderer/core/intl.ts";
import { readPref, writePref } from "#renderer/core/prefs.ts";

export interface SortOrder {
  readonly column: string;
  readonly down: boolean;
}

/** What a table keeps while its page is not shown. The sort order also outlives the window. */
interface Remembered {
  readonly sort: SortOrder;
  scrollTop: number;
  active: string | undefined;
  /** The page was left by opening the active row: coming back, the row takes the focus again. */
  returnFocus: boolean;
  saveSort(sort: SortOrder): void;
}

const tables = new Map<string, Remembered>();

export function rememberedTable(name: string, defaultSort: SortOrder): Remembered {
  const known = tables.get(name);
  if (known !== undefined) return known;
  let sort = readPref(`sort.${name}`, defaultSort);
  const kept: Remembered = {
    get sort() {
      return sort;
    },
    scrollTop: 0,
    active: undefined,
    returnFocus: false,
    saveSort(next) {
      sort = next;
      writePref(`sort.${name}`, next);
    },
  };
  tables.set(name, kept);
  return kept;
}

/** A sorted copy; equal rows keep one order, by id, so that a refresh never shuffles them. */
export function sortRows<Row>(
  rows: readonly Row[],
  key: ((row: Row) => string | number) | undefined,
  sort: SortOrder,
  idOf: (row: Row) => string,
): readonly Row[] {
  if (key === undefined) return rows;
  const { collator } = intl();
  const sign = sort.down ? -1 : 1;
  return rows
    .map((row) => ({ row, value: key(row) }))
    .sort(({ row: a, value: x }, { row: b, value: y }) => {
      const order = typeof x === "number" && typeof y === "number" ? x - y : collator.compare(String(x), String(y));
      return sign * order || (idOf(a) < idOf(b) ? -1 : 1);
    })
    .map(({ row }) => row);
}
