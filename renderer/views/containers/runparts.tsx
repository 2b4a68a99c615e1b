import type { FormErrors, RunForm } from "#renderer/core/runform.ts";
import { t } from "#renderer/core/texts.ts";
import { useNetworks } from "#renderer/queries.ts";
import { Checkbox, Field, Input, Select } from "#renderer/ui/field.tsx";
import { LabelRows } from "./runrows.tsx";

export interface PartProps {
  readonly form: RunForm;
  readonly errors: FormErrors;
  readonly change: (part: Partial<RunForm>) => void;
}

export const textOf = (errors: FormErrors, field: string): string | undefined => {
  const error = errors[field];
  return error === undefined ? undefined : t.formErrors[error];
};

type TextField = { [K in keyof RunForm]: RunForm[K] extends string ? K : never }[keyof RunForm];
type SwitchField = { [K in keyof RunForm]: RunForm[K] extends boolean ? K : never }[keyof RunForm];

interface TextProps extends PartProps {
  readonly field: TextField;
  readonly label: string;
  readonly placeholder?: string;
  readonly mono?: boolean;
}

const TextPart = ({ form, errors, change, field, label, placeholder, mono = false }: TextProps) => (
  <Field label={label} error={textOf(errors, field)}>
    {(props) => <Input {...props} mono={mono} placeholder={placeholder} value={form[field]} onChange={(event) => change({ [field]: event.target.value })} />}
  </Field>
);

const SwitchPart = ({ form, errors, change, field, label }: PartProps & { readonly field: SwitchField; readonly label: string }) => (
  <div>
    <label className="flex items-center gap-2">
      <Checkbox checked={form[field]} onChange={(event) => change({ [field]: event.target.checked })} />
      {label}
    </label>
    {errors[field] !== undefined && (
      <p role="alert" className="pl-6 text-sm text-danger-text">
        {textOf(errors, field)}
      </p>
    )}
  </div>
);

export const AdvancedPart = (props: PartProps) => (
  <>
    <div className="grid grid-cols-2 gap-3">
      <TextPart {...props} field="entrypoint" label={t.run.entrypoint} placeholder={t.run.commandPlaceholder} mono />
      <TextPart {...props} field="workdir" label={t.run.workdir} placeholder={t.run.commandPlaceholder} mono />
      <TextPart {...props} field="user" label={t.run.user} placeholder={t.run.commandPlaceholder} />
      <TextPart {...props} field="hostname" label={t.run.hostname} placeholder={t.run.hostnamePlaceholder} />
      <TextPart {...props} field="pidsLimit" label={t.run.pidsLimit} placeholder={t.run.noLimit} />
    </div>
    <LabelRows rows={props.form.labels} errors={props.errors} onChange={(labels) => props.change({ labels })} />
    <div className="flex flex-col gap-2">
      <SwitchPart {...props} field="tty" label={t.run.tty} />
      <SwitchPart {...props} field="init" label={t.run.init} />
      <SwitchPart {...props} field="autoRemove" label={t.run.autoRemove} />
    </div>
  </>
);

export function NetworkPart(props: PartProps) {
  const names = (useNetworks().data ?? []).map(({ Name }) => Name).filter((name) => name !== "bridge");
  const { network } = props.form;
  const others = network === "" || names.includes(network) ? names : [...names, network];
  return (
    <>
      <Field label={t.run.network}>
        {({ id }) => (
          <Select id={id} value={network} onChange={(event) => props.change({ network: event.target.value })}>
            <option value="">{t.run.networkDefault}</option>
            {others.map((name) => (
              <option key={name}>{name}</option>
            ))}
          </Select>
        )}
      </Field>
      <TextPart {...props} field="aliases" label={t.run.aliases} />
      <TextPart {...props} field="dns" label={t.run.dns} placeholder="1.1.1.1 9.9.9.9" mono />
      <TextPart {...props} field="extraHosts" label={t.run.extraHosts} placeholder={t.run.extraHostsPlaceholder} mono />
    </>
  );
}

export const SecurityPart = (props: PartProps) => (
  <>
    <div className="grid grid-cols-2 gap-3">
      <TextPart {...props} field="capAdd" label={t.run.capAdd} placeholder="NET_ADMIN" mono />
      <TextPart {...props} field="capDrop" label={t.run.capDrop} placeholder="ALL" mono />
    </div>
    <div className="flex flex-col gap-2">
      <SwitchPart {...props} field="readOnlyRoot" label={t.run.readOnlyRoot} />
      <SwitchPart {...props} field="noNewPrivileges" label={t.run.noNewPrivileges} />
      <SwitchPart {...props} field="privileged" label={t.run.privileged} />
    </div>
  </>
);
