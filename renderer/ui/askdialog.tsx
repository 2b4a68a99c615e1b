import { type ReactNode, useState } from "react";
import { explain } from "#renderer/core/explain.ts";
import { t } from "#renderer/core/texts.ts";
import { Button } from "./button.tsx";
import { Dialog } from "./dialog.tsx";
import { ErrorNotice } from "./errornotice.tsx";

interface AskDialogProps {
  readonly testId: string;
  readonly title: string;
  readonly verb: string;
  readonly failed: string;
  readonly disabled?: boolean;
  readonly work: () => Promise<unknown>;
  readonly onClose: () => void;
  readonly children: ReactNode;
}

/** A small form with one act; a refusal is told in it and leaves what was typed. */
export function AskDialog({ testId, title, verb, failed, disabled = false, work, onClose, children }: AskDialogProps) {
  const [busy, setBusy] = useState(false);
  const [failure, setFailure] = useState<unknown>();
  const submit = async (): Promise<void> => {
    if (busy || disabled) return;
    setBusy(true);
    setFailure(undefined);
    try {
      await work();
      onClose();
    } catch (error) {
      setFailure(error);
      setBusy(false);
    }
  };
  return (
    <Dialog
      title={title}
      width={440}
      onClose={onClose}
      onSubmit={() => void submit()}
      testId={testId}
      footer={
        <>
          <Button onClick={onClose}>{t.common.cancel}</Button>
          <Button type="submit" variant="primary" busy={busy} disabled={disabled}>
            {verb}
          </Button>
        </>
      }
    >
      <div className="flex flex-col gap-3">
        {failure !== undefined && <ErrorNotice explanation={explain(failure, failed)} />}
        {children}
      </div>
    </Dialog>
  );
}
