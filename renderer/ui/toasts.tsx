import { CircleAlert, CircleCheck, X } from "lucide-react";
import { useStore } from "zustand";
import { t } from "#renderer/core/texts.ts";
import { closeToast, toasts } from "#renderer/core/toasts.ts";
import { Button, IconButton } from "./button.tsx";
import { ErrorText } from "./errornotice.tsx";

/** Messages at the bottom right. They take no focus; failures are announced at once, good news politely. */
export function ToastHost() {
  const list = useStore(toasts, (state) => state.list);
  return (
    <div className="pointer-events-none fixed right-4 bottom-10 z-20 flex w-[360px] flex-col gap-2">
      <div aria-live="polite" role="status" className="contents">
        {list.map(
          (toast) =>
            toast.kind === "done" && (
              <div
                key={toast.id}
                data-testid="toast"
                className="toast-in pointer-events-auto flex items-center gap-2 self-end rounded-lg bg-raised py-1.5 pr-1.5 pl-3 shadow-float"
              >
                <CircleCheck size={15} aria-hidden className="shrink-0 text-ok-text" />
                <span className="min-w-0 break-words">{toast.text}</span>
                {toast.undo !== undefined && <Undo id={toast.id} undo={toast.undo} />}
                <IconButton icon={X} label={t.common.close} onClick={() => closeToast(toast.id)} />
              </div>
            ),
        )}
      </div>
      {list.map(
        (toast) =>
          toast.kind === "failed" && (
            <div
              key={toast.id}
              role="alert"
              data-testid="toast-error"
              className="toast-in pointer-events-auto flex gap-2.5 rounded-lg bg-raised py-2.5 pr-1.5 pl-3 shadow-float"
            >
              <CircleAlert size={16} aria-hidden className="mt-0.5 shrink-0 text-danger-text" />
              <div className="min-w-0 flex-1">
                <ErrorText explanation={toast.explanation} />
              </div>
              <IconButton icon={X} label={t.common.close} onClick={() => closeToast(toast.id)} className="-mt-1" />
            </div>
          ),
      )}
    </div>
  );
}

function Undo({ id, undo }: { readonly id: number; readonly undo: () => Promise<void> }) {
  const take = (): void => {
    closeToast(id);
    void undo();
  };
  return (
    <Button small onClick={take} data-testid="undo" data-undo>
      {t.trash.undo}
    </Button>
  );
}
