import { createStore } from "zustand/vanilla";
import { explain, type Explanation } from "./explain.ts";

export type Toast =
  | { readonly id: number; readonly kind: "done"; readonly text: string; readonly undo?: () => Promise<void> }
  | { readonly id: number; readonly kind: "failed"; readonly explanation: Explanation };

const toastsMax = 4;
const doneMs = 4_000;
const undoMs = 10_000;

/** Newest last. Failures stay until they are closed; good news leaves by itself. */
export const toasts = createStore<{ readonly list: readonly Toast[] }>(() => ({ list: [] }));

let lastId = 0;

export function closeToast(id: number): void {
  toasts.setState(({ list }) => ({ list: list.filter((toast) => toast.id !== id) }));
}

export function toastDone(text: string): void {
  const id = (lastId += 1);
  show({ id, kind: "done", text });
  setTimeout(() => closeToast(id), doneMs);
}

/** Good news with a way back. */
export function toastUndo(text: string, undo: () => Promise<void>): void {
  const id = (lastId += 1);
  show({ id, kind: "done", text, undo });
  setTimeout(() => closeToast(id), undoMs);
}

/** `what`: "Could not start web". */
export function toastFailed(error: unknown, what: string): void {
  show({ id: (lastId += 1), kind: "failed", explanation: explain(error, what) });
}

const show = (toast: Toast): void => toasts.setState(({ list }) => ({ list: [...list, toast].slice(-toastsMax) }));
