import type { TrashKind } from "#api/trash.ts";
import { count } from "#renderer/core/format.ts";

/** Texts about what was deleted and can be brought back. */
export const trashTexts = {
  trash: {
    title: "Trash",
    search: "Search the trash",
    undo: "Undo",
    restore: "Restore",
    restored: (n: number, name: string) => (n === 1 ? `${name} is back` : `${n} things are back`),
    restoreFailed: (name: string) => `Could not bring back “${name}”`,
    remove: "Delete for good…",
    removeTitle: (n: number, name: string) => (n === 1 ? `Delete “${name}” for good?` : `Delete ${n} things for good?`),
    removeText: (bytes: string) => `Frees ${bytes}. Nothing brings it back after that.`,
    removeVerb: (n: number) => `Delete ${count(n, "thing")} for good`,
    removed: (n: number, name: string) => (n === 1 ? `${name} is gone for good` : `${n} things are gone for good`),
    removeFailed: (name: string) => `Could not delete “${name}” for good`,
    empty: "Empty trash…",
    emptyTitle: "Empty the trash?",
    emptyVerb: "Empty trash",
    emptied: (n: number, bytes: string) => `${count(n, "thing")} gone for good, ${bytes} freed`,
    emptyFailed: "Could not empty the trash",
    listFailed: "Could not list the trash",
    noneTitle: "The trash is empty",
    noneText: (days: number) => `What is deleted here, or by any Docker client, can be brought back for ${count(days, "day")}.`,
    noneCommand: "docker rm NAME",
    count: (n: number, bytes: string) => `${count(n, "thing")}, ${bytes}`,
    kept: (days: number) => `Kept ${count(days, "day")}, or until the room is needed.`,
    reclaimText: "They go to the trash, and can be brought back from there. Their room is free once the trash lets them go.",
    reclaimed: (bytes: string) => `${bytes} went to the trash`,
    goesThere: "Until the trash lets it go it can be brought back from there.",
    kinds: { container: "Container", image: "Image", volume: "Volume", network: "Network" } satisfies Record<TrashKind, string>,
    columns: { name: "Name", kind: "Kind", size: "Size", removed: "Deleted", actions: "Actions" },
  },
};
