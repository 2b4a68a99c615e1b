import { X } from "lucide-react";
import { type FormEvent, type ReactNode, useEffect, useId, useRef } from "react";
import { t } from "#renderer/core/texts.ts";
import { IconButton } from "./button.tsx";
import { cx } from "./cx.ts";

export interface DialogProps {
  readonly title: ReactNode;
  readonly children: ReactNode;
  /** Buttons, in reading order; the last is the act. */
  readonly footer: ReactNode;
  readonly onClose: () => void;
  /** Enter in a field submits. */
  readonly onSubmit?: () => void;
  readonly width?: number;
  readonly alert?: boolean;
  readonly testId?: string;
}

/**
 * A modal dialog in the top layer: the page behind is inert, Escape closes, focus goes to `[data-autofocus]` (else to
 * the first field) and back to where it was.
 */
export function Dialog({ title, children, footer, onClose, onSubmit, width = 480, alert = false, testId }: DialogProps) {
  const ref = useRef<HTMLDialogElement>(null);
  const titleId = useId();
  useEffect(() => {
    const dialog = ref.current;
    const before = document.activeElement;
    if (dialog === null) return;
    dialog.showModal();
    (dialog.querySelector<HTMLElement>("[data-autofocus]") ?? dialog.querySelector<HTMLElement>("input, select, textarea"))?.focus();
    return () => {
      dialog.close();
      if (before instanceof HTMLElement && before.isConnected) before.focus();
    };
  }, []);

  const submit = (event: FormEvent): void => {
    event.preventDefault();
    onSubmit?.();
  };
  return (
    <dialog
      ref={ref}
      role={alert ? "alertdialog" : undefined}
      aria-labelledby={titleId}
      data-testid={testId}
      style={{ width: `min(${width}px, calc(100vw - 48px))` }}
      className="m-auto max-h-[calc(100vh-64px)] overflow-hidden rounded-xl bg-raised p-0 text-fg shadow-dialog"
      onCancel={(event) => {
        event.preventDefault();
        onClose();
      }}
      onMouseDown={(event) => {
        if (event.target === ref.current && !alert) onClose();
      }}
      onKeyDown={(event) => event.stopPropagation()}
    >
      <form onSubmit={submit} noValidate className="flex max-h-[calc(100vh-64px)] flex-col">
        <header className="flex items-center justify-between gap-2 pt-4 pr-3 pb-2 pl-5">
          <h2 id={titleId} className="min-w-0 text-lg font-semibold tracking-[-0.01em] break-words">
            {title}
          </h2>
          <IconButton icon={X} label={t.common.close} onClick={onClose} className="self-start" />
        </header>
        <div className="min-h-0 flex-1 overflow-y-auto px-5 pb-4">{children}</div>
        <footer className={cx("flex items-center justify-end gap-2 border-t border-line bg-sunken/60 px-5 py-3")}>{footer}</footer>
      </form>
    </dialog>
  );
}
