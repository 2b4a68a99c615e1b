import { type ReactNode, useEffect, useRef } from "react";
import { Confirm, type ConfirmProps } from "#renderer/ui/confirm.tsx";

export interface DeletionProps extends Omit<ConfirmProps, "children"> {
  /** It goes where it can be brought back from, and nothing is lost by it: nobody is asked. */
  readonly undoable: boolean;
  readonly children: ReactNode;
}

/** Deletes, and asks before that where it cannot be undone. */
export function Deletion({ undoable, ...confirm }: DeletionProps) {
  return undoable ? <AtOnce onConfirm={confirm.onConfirm} onClose={confirm.onClose} /> : <Confirm {...confirm} />;
}

function AtOnce({ onConfirm, onClose }: Pick<ConfirmProps, "onConfirm" | "onClose">) {
  const begun = useRef(false);
  useEffect(() => {
    if (begun.current) return;
    begun.current = true;
    void onConfirm().then(onClose);
  }, [onConfirm, onClose]);
  return null;
}
