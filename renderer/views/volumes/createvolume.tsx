import { useState } from "react";
import { useApp } from "#renderer/appcontext.ts";
import { explain } from "#renderer/core/explain.ts";
import { keys } from "#renderer/core/keys.ts";
import { t } from "#renderer/core/texts.ts";
import { Button } from "#renderer/ui/button.tsx";
import { Dialog } from "#renderer/ui/dialog.tsx";
import { ErrorNotice } from "#renderer/ui/errornotice.tsx";
import { Field, Input } from "#renderer/ui/field.tsx";

const namePattern = /^[a-zA-Z0-9][a-zA-Z0-9_.-]+$/;

export function CreateVolume({ onClose }: { readonly onClose: () => void }) {
  const app = useApp();
  const [name, setName] = useState("");
  const [tried, setTried] = useState(false);
  const [busy, setBusy] = useState(false);
  const [failure, setFailure] = useState<unknown>();
  const valid = namePattern.test(name.trim());
  const create = async (): Promise<void> => {
    setTried(true);
    setFailure(undefined);
    if (!valid || busy) return;
    setBusy(true);
    try {
      await app.engine.volumes.create({ Name: name.trim() });
      await app.queries.invalidateQueries({ queryKey: keys.volumes });
      onClose();
    } catch (error) {
      setFailure(error);
      setBusy(false);
    }
  };
  return (
    <Dialog
      title={t.volumes.createTitle}
      width={420}
      onClose={onClose}
      onSubmit={() => void create()}
      footer={
        <>
          <Button onClick={onClose}>{t.common.cancel}</Button>
          <Button type="submit" variant="primary" busy={busy} data-testid="create-submit">
            {t.common.create}
          </Button>
        </>
      }
    >
      <div className="flex flex-col gap-3">
        {failure !== undefined && <ErrorNotice explanation={explain(failure, t.volumes.createFailed(name.trim()))} />}
        <Field label={t.common.name} hint={t.volumes.nameHint} error={tried && !valid ? t.formErrors.nameInvalid : undefined}>
          {(props) => <Input {...props} data-autofocus value={name} onChange={(event) => setName(event.target.value)} />}
        </Field>
      </div>
    </Dialog>
  );
}
