import { useState } from "react";
import { useApp } from "#renderer/appcontext.ts";
import { explain } from "#renderer/core/explain.ts";
import { keys } from "#renderer/core/keys.ts";
import { emptyNetworkForm, networkDrivers, type NetworkForm, networkMistakes, networkRequest } from "#renderer/core/networkform.ts";
import { t } from "#renderer/core/texts.ts";
import { Button } from "#renderer/ui/button.tsx";
import { Dialog } from "#renderer/ui/dialog.tsx";
import { ErrorNotice } from "#renderer/ui/errornotice.tsx";
import { Checkbox, Field, Input, Select, TextArea } from "#renderer/ui/field.tsx";

type TextField = { [K in keyof NetworkForm]: NetworkForm[K] extends string ? K : never }[keyof NetworkForm];

export function CreateNetwork({ onClose }: { readonly onClose: () => void }) {
  const app = useApp();
  const [form, setForm] = useState(emptyNetworkForm);
  const [tried, setTried] = useState(false);
  const [busy, setBusy] = useState(false);
  const [failure, setFailure] = useState<unknown>();
  const mistakes = tried ? networkMistakes(form) : {};
  const set = (part: Partial<NetworkForm>): void => setForm({ ...form, ...part });
  const create = async (): Promise<void> => {
    setTried(true);
    setFailure(undefined);
    if (busy || Object.keys(networkMistakes(form)).length > 0) return;
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
  const text = (field: TextField, label: string, more: { hint?: string; placeholder?: string; focus?: boolean } = {}) => (
    <Field label={label} hint={more.hint} error={mistakes[field]}>
      {(props) => (
        <Input
          {...props}
          mono={field !== "name"}
          data-autofocus={more.focus}
          placeholder={more.placeholder}
          value={form[field]}
          onChange={(event) => set({ [field]: event.target.value })}
        />
      )}
    </Field>
  );
  const lines = (field: TextField, label: string, hint: string, placeholder: string) => (
    <Field label={label} hint={hint} error={mistakes[field]}>
      {(props) => <TextArea {...props} rows={2} placeholder={placeholder} value={form[field]} onChange={(event) => set({ [field]: event.target.value })} />}
    </Field>
  );
  const tick = (field: "internal" | "ipv6", label: string, hint: string) => (
    <label className="flex items-start gap-2">
      <Checkbox className="mt-[3px]" checked={form[field]} onChange={(event) => set({ [field]: event.target.checked })} />
      <span>
        {label}
        <span className="block text-sm text-fg3">{hint}</span>
      </span>
    </label>
  );
  const open = (fields: readonly (keyof NetworkForm)[]): boolean => fields.some((field) => mistakes[field] !== undefined);
  return (
    <Dialog
      title={t.networks.createTitle}
      width={540}
      testId="create-network"
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
        <div className="grid grid-cols-[1fr_150px] gap-3">
          {text("name", t.common.name, { focus: true })}
          <Field label={t.common.driver}>
            {({ invalid: _, ...props }) => (
              <Select {...props} value={form.driver} onChange={(event) => set({ driver: event.target.value as NetworkForm["driver"] })}>
                {networkDrivers.map((driver) => (
                  <option key={driver}>{driver}</option>
                ))}
              </Select>
            )}
          </Field>
        </div>
        <div className="grid grid-cols-2 gap-3">
          {text("subnet", t.networks.subnet, { placeholder: t.networks.subnetPlaceholder })}
          {text("gateway", t.networks.gateway, { placeholder: "10.20.0.1" })}
          {text("range", t.networks.range, { hint: t.networks.rangeHint, placeholder: "10.20.128.0/17" })}
          {lines("auxiliary", t.networks.auxiliary, t.networks.auxiliaryHint, "router=10.20.0.5")}
        </div>
        {tick("internal", t.networks.internal, t.networks.internalHint)}
        {tick("ipv6", t.networks.ipv6Enable, t.networks.ipv6Hint)}
        {form.ipv6 && (
          <div className="grid grid-cols-2 gap-3">
            {text("subnet6", t.networks.subnet6, { placeholder: t.networks.subnetPlaceholder })}
            {text("gateway6", t.networks.gateway6, { placeholder: "fd00:20::1" })}
          </div>
        )}
        <details open={open(["options", "labels"]) || undefined}>
          <summary className="w-fit rounded-sm text-sm font-medium text-fg2 hover:text-fg">{t.networks.advanced}</summary>
          <div className="mt-2 grid grid-cols-2 gap-3">
            {lines("options", t.networks.options, t.networks.optionsHint, "com.docker.network.driver.mtu=1400")}
            {lines("labels", t.common.labels, t.networks.labelsHint, "team=shop")}
          </div>
        </details>
      </div>
    </Dialog>
  );
}
