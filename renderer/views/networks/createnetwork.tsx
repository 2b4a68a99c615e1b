import { useState } from "react";
import { useApp } from "#renderer/appcontext.ts";
import { explain } from "#renderer/core/explain.ts";
import { keys } from "#renderer/core/keys.ts";
import { isSubnet, networkRequest } from "#renderer/core/networks.ts";
import { t } from "#renderer/core/texts.ts";
import { Button } from "#renderer/ui/button.tsx";
import { Dialog } from "#renderer/ui/dialog.tsx";
import { ErrorNotice } from "#renderer/ui/errornotice.tsx";
import { Checkbox, Field, Input } from "#renderer/ui/field.tsx";

const namePattern = /^[a-zA-Z0-9][a-zA-Z0-9_.-]*$/;

export function CreateNetwork({ onClose }: { readonly onClose: () => void }) {
  const app = useApp();
  const [form, setForm] = useState({ name: "", subnet: "", internal: false });
  const [tried, setTried] = useState(false);
  const [busy, setBusy] = useState(false);
  const [failure, setFailure] = useState<unknown>();
  const nameOk = namePattern.test(form.name.trim());
  const subnetOk = form.subnet.trim() === "" || isSubnet(form.subnet.trim());
  const create = async (): Promise<void> => {
    setTried(true);
    setFailure(undefined);
    if (!nameOk || !subnetOk || busy) return;
    setBusy(true);
    try {
      await app.engine.networks.create(networkRequest(form));
      await app.queries.invalidateQueries({ queryKey: keys.networks });
      onClose();
    } catch (error) {
      setFailure(error);
      setBusy(false);
    }
  };
  return (
    <Dialog
      title={t.networks.createTitle}
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
        {failure !== undefined && <ErrorNotice explanation={explain(failure, t.networks.createFailed(form.name.trim()))} />}
        <Field label={t.common.name} error={tried && !nameOk ? t.networks.nameInvalid : undefined}>
          {(props) => <Input {...props} data-autofocus value={form.name} onChange={(event) => setForm({ ...form, name: event.target.value })} />}
        </Field>
        <Field label={t.networks.subnet} error={tried && !subnetOk ? t.networks.subnetInvalid : undefined}>
          {(props) => (
            <Input
              {...props}
              placeholder={t.networks.subnetPlaceholder}
              value={form.subnet}
              onChange={(event) => setForm({ ...form, subnet: event.target.value })}
            />
          )}
        </Field>
        <label className="flex items-start gap-2">
          <Checkbox className="mt-[3px]" checked={form.internal} onChange={(event) => setForm({ ...form, internal: event.target.checked })} />
          <span>
            {t.networks.internal}
            <span className="block text-sm text-fg3">{t.networks.internalHint}</span>
          </span>
        </label>
      </div>
    </Dialog>
  );
}
