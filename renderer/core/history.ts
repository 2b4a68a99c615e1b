import type { ImageHistoryItem } from "#api/images.ts";

export interface LayerRow {
  /** From the bottom, 1 first; absent for a step that changed no file. */
  readonly number: number | undefined;
  readonly command: string;
  readonly size: number;
  readonly created: number;
  /** Of all layers' bytes, 0 to 1. */
  readonly share: number;
}

/** An image's steps from the bottom up, with the instruction as its Dockerfile had it. */
export function layerRows(history: readonly ImageHistoryItem[]): readonly LayerRow[] {
  const total = history.reduce((sum, { Size }) => sum + Size, 0);
  let number = 0;
  return history.toReversed().map(({ CreatedBy, Size, Created }) => {
    if (Size > 0) number += 1;
    return { number: Size > 0 ? number : undefined, command: instruction(CreatedBy), size: Size, created: Created, share: total === 0 ? 0 : Size / total };
  });
}

/** `/bin/sh -c #(nop)  CMD ["x"]` is how builders write CMD; `RUN /bin/sh -c x # buildkit` is RUN x. */
export function instruction(createdBy: string): string {
  const text = createdBy.replace(/ # buildkit$/, "");
  const nop = /^\/bin\/sh -c #\(nop\)\s+(.*)$/s.exec(text);
  if (nop !== null) return nop[1] ?? "";
  const run = /^(?:RUN )?(?:\|\d+ (?:\S+=\S* )*)?\/bin\/sh -c (.*)$/s.exec(text);
  return run === null ? text : `RUN ${run[1] ?? ""}`;
}
