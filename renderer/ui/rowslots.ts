/**
 * Which elements a row is drawn with. A row that comes into sight gets those of one that has left: writing texts is
 * cheaper than making elements. While a row is in sight it keeps its own.
 */
export class RowSlots {
  #byId: ReadonlyMap<string, number> = new Map();

  /** The slots of the rows in sight. The elements of `pinned` go to nobody else: they may hold the focus. */
  assign(ids: readonly string[], pinned: string | undefined): ReadonlyMap<string, number> {
    const inSight = new Set(ids);
    const slots = new Map([...this.#byId].filter(([id]) => inSight.has(id) || id === pinned));
    const taken = new Set(slots.values());
    let free = 0;
    for (const id of ids) {
      if (slots.has(id)) continue;
      while (taken.has(free)) free += 1;
      taken.add(free);
      slots.set(id, free);
    }
    this.#byId = slots;
    return slots;
  }
}
