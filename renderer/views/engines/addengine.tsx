import { TriangleAlert } from "lucide-react";
import { useEffect, useState } from "react";
import type { EngineCheck } from "#bridge/bridge.ts";
import { useApp } from "#renderer/appcontext.ts";
import { addressOf, emptyEngineForm, type EngineForm, isTcp, nameOf, notReached, urlOf } from "#renderer/core/engineform.ts";
import { explain, type Explanation } from "#renderer/core/explain.ts";
import { keys } from "#renderer/core/keys.ts";
import { t } from "#renderer/core/texts.ts";
import { toastDone } from "#renderer/core/toasts.ts";
import { Button } from "#renderer/ui/button.tsx";
import { Dialog } from "#renderer/ui/dialog.tsx";
import { ErrorNotice } from "#renderer/ui/errornotice.tsx";
import { Checkbox, Field, Input } from "#renderer/ui/field.tsx";

/** Adds an engine after trying to reach it. One that is away just now may be added all the same. */
export function AddEngine({ onClose }: { readonly onClose: () => void }) {
  const { bridge, queries } = useApp();
  const [form, setForm] = useState<EngineForm>(emptyEngineForm);
  const [busy, setBusy] = useState(false);
  const [failure, setFailure] = useState<{ readonly explanation: Explanation; readonly check?: EngineCheck }>();
  // The button that had the focus could not be pressed meanwhile, and lost it.
  useEffect(() => {
    if (failure !== undefined) document.querySelector<HTMLElement>("[data-testid=add-engine] input")?.focus();
  }, [failure]);
  const url = urlOf(form);
  const name = nameOf(form);
  const set = (part: Partial<EngineForm>): void => {
    setForm({ ...form, ...part });
    setFailure(undefined);
  };
  const add = async (unchecked: boolean): Promise<void> => {
    if (busy || url === "") return;
    setBusy(true);
    setFailure(undefined);
    try {
      const address = addressOf(form);
      const check = unchecked ? undefined : await bridge.call("engines.check", address);
      if (check?.reached === false) setFailure({ explanation: notReached(check, name), check });
      else {
        await bridge.call("engines.add", { name, ...address });
        await queries.invalidateQueries({ queryKey: keys.engines });
        toastDone(t.engines.added(name));
        return onClose();
      }
    } catch (error) {
      setFailure({ explanation: explain(error, t.engines.addFailed) });
    }
    setBusy(false);
  };
  const text = (key: "name" | "url" | "ca" | "cert" | "key", label: string, placeholder: string, hint?: string) => (
    <Field label={label} hint={hint}>
      {(props) => (
        <Input {...props} mono={key !== "name"} placeholder={placeholder} value={form[key]} onChange={(event) => set({ [key]: event.target.value })} />
      )}
    </Field>
  );
  return (
    <Dialog
      title={t.engines.add}
      width={520}
      onClose={onClose}
      onSubmit={() => void add(false)}
      testId="add-engine"
      footer={
        <>
          <Button onClick={onClose}>{t.common.cancel}</Button>
          {failure?.check !== undefined && (
            <Button disabled={busy} onClick={() => void add(true)}>
              {t.engines.addAnyway}
            </Button>
          )}
          <Button type="submit" variant="primary" busy={busy} disabled={url === ""}>
            {t.engines.checkAndAdd}
          </Button>
        </>
      }
    >
      <div className="flex flex-col gap-3">
        {failure !== undefined && <ErrorNotice explanation={failure.explanation} />}
        {text("url", t.engines.address, "ssh://me@server", t.engines.addressHint)}
        {text("name", t.common.name, name)}
        {url.startsWith("ssh://") && <p className="text-sm text-fg3">{t.engines.sshHint}</p>}
        {isTcp(form) && (
          <label className="flex items-center gap-2">
            <Checkbox checked={form.encrypted} onChange={(event) => set({ encrypted: event.target.checked })} />
            {t.engines.encrypted}
          </label>
        )}
        {isTcp(form) && form.encrypted && (
          <>
            {text("ca", t.engines.ca, "/home/me/.docker/ca.pem", t.engines.caHint)}
            {text("cert", t.engines.cert, "/home/me/.docker/cert.pem")}
            {text("key", t.engines.key, "/home/me/.docker/key.pem")}
          </>
        )}
        {isTcp(form) && !form.encrypted && (
          <p className="flex gap-2 rounded-lg bg-warn-soft px-3 py-2">
            <TriangleAlert size={15} aria-hidden className="mt-[3px] shrink-0 text-warn-text" />
            {t.engines.clearWarning}
          </p>
        )}
      </div>
    </Dialog>
  );
}
