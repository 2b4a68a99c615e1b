import { useState } from "react";
import { useStore } from "zustand";
import { useApp } from "#renderer/appcontext.ts";
import { validate, emptyRunForm } from "#renderer/core/runform.ts";
import { t } from "#renderer/core/texts.ts";
import { Button } from "#renderer/ui/button.tsx";
import { Dialog } from "#renderer/ui/dialog.tsx";
import { Field, Input } from "#renderer/ui/field.tsx";
import { TransferView } from "#renderer/views/shell/transferview.tsx";

/** Asks for a reference, then shows the pull; closing the dialog leaves the pull running. */
export function PullDialog({ onClose }: { readonly onClose: () => void }) {
  const { transfers } = useApp();
  const [image, setImage] = useState("");
  const [tried, setTried] = useState(false);
  const [id, setId] = useState<number>();
  const transfer = useStore(transfers.store, (state) => state.list.find((one) => one.id === id));
  const running = transfer?.state.kind === "running";
  const error = tried ? validate({ ...emptyRunForm, image })["image"] : undefined;
  const pull = (): void => {
    setTried(true);
    if (running || validate({ ...emptyRunForm, image })["image"] !== undefined) return;
    if (id !== undefined) transfers.clear(id);
    setId(transfers.pull(image.trim()).id);
  };
  // A failure that was seen here need not be told again on the page.
  const close = (): void => {
    if (transfer?.state.kind === "failed") transfers.clear(transfer.id);
    onClose();
  };
  return (
    <Dialog
      title={t.images.pullTitle}
      width={560}
      onClose={close}
      onSubmit={pull}
      testId="pull-dialog"
      footer={
        <>
          <Button onClick={close}>{running ? t.transfers.background : transfer?.state.kind === "done" ? t.common.close : t.common.cancel}</Button>
          <Button type="submit" variant="primary" disabled={running} data-testid="pull-submit">
            {t.images.pull}
          </Button>
        </>
      }
    >
      <Field label={t.images.pullLabel} hint={t.images.pullHint} error={error === undefined ? undefined : t.formErrors[error]}>
        {(props) => (
          <Input
            {...props}
            data-autofocus
            placeholder={t.images.pullPlaceholder}
            value={image}
            disabled={running}
            onChange={(event) => setImage(event.target.value)}
          />
        )}
      </Field>
      {transfer !== undefined && (
        <div className="mt-4 rounded-lg border border-line bg-sunken p-3">
          <TransferView transfer={transfer} layers />
        </div>
      )}
    </Dialog>
  );
}
