import { Plus, X } from "lucide-react";
import type { ReactNode } from "react";
import type { EnvRow, FormErrors, PortRow, VolumeRow } from "#renderer/core/runform.ts";
import { t } from "#renderer/core/texts.ts";
import { Button, IconButton } from "#renderer/ui/button.tsx";
import { Checkbox, Input, Select } from "#renderer/ui/field.tsx";

interface RowsProps<Row> {
  readonly rows: readonly Row[];
  readonly errors: FormErrors;
  /** What others stand in the way of, by field; told, but no mistake of the form. */
  readonly notes?: Readonly<Record<string, string>>;
  readonly onChange: (rows: readonly Row[]) => void;
}

interface RowListProps<Row> extends RowsProps<Row> {
  /** The form's field: errors are named `field.0.part`. */
  readonly field: string;
  readonly title: string;
  readonly hint?: string;
  readonly addLabel: string;
  readonly blank: Row;
  readonly draw: (row: Row, change: (part: Partial<Row>) => void, invalid: (part: string) => boolean, number: number) => ReactNode;
}

/** Rows that can be added and removed, with each row's mistake below it. */
function RowList<Row>({ field, title, hint, addLabel, blank, rows, errors, notes = {}, onChange, draw }: RowListProps<Row>) {
  const of = <T,>(all: Readonly<Record<string, T>>, index: number) => Object.entries(all).filter(([name]) => name.startsWith(`${field}.${index}.`));
  return (
    <fieldset className="flex flex-col gap-1.5">
      <div className="flex items-center justify-between">
        <legend className="contents text-sm font-medium text-fg2">{title}</legend>
        <Button small variant="ghost" icon={Plus} className="-mr-1" onClick={() => onChange([...rows, blank])}>
          {addLabel}
        </Button>
      </div>
      {rows.map((row, index) => (
        // oxlint-disable-next-line react/no-array-index-key -- a row of a form has no identity but its place
        <div key={index} className="flex flex-col gap-1">
          <div className="flex items-center gap-1.5">
            {draw(
              row,
              (part) => onChange(rows.map((other, i) => (i === index ? { ...other, ...part } : other))),
              (part) => errors[`${field}.${index}.${part}`] !== undefined,
              index + 1,
            )}
            <IconButton icon={X} label={t.run.removeRow(title, index + 1)} onClick={() => onChange(rows.filter((_, i) => i !== index))} />
          </div>
          {of(notes, index).map(([name, note]) => (
            <p key={name} role="status" className="text-sm text-warn-text">
              {note}
            </p>
          ))}
          {of(errors, index).map(([name, error]) => (
            <p key={name} role="alert" className="text-sm text-danger-text">
              {t.formErrors[error]}
            </p>
          ))}
        </div>
      ))}
      {hint !== undefined && rows.length > 0 && <p className="text-sm text-fg3">{hint}</p>}
    </fieldset>
  );
}

export const PortRows = (props: RowsProps<PortRow>) => (
  <RowList
    {...props}
    field="ports"
    title={t.run.ports}
    hint={t.run.portsHint}
    addLabel={t.run.addPort}
    blank={{ host: "", container: "", protocol: "tcp" }}
    draw={(row, change, invalid, number) => (
      <>
        <Input
          aria-label={`${t.run.hostPort} ${number}`}
          placeholder={t.run.hostPort}
          inputMode="numeric"
          invalid={invalid("host")}
          value={row.host}
          onChange={(event) => change({ host: event.target.value })}
        />
        <span aria-hidden className="text-fg3">
          →
        </span>
        <Input
          aria-label={`${t.run.containerPort} ${number}`}
          placeholder={t.run.containerPort}
          inputMode="numeric"
          invalid={invalid("container")}
          value={row.container}
          onChange={(event) => change({ container: event.target.value })}
        />
        <Select
          aria-label={`${t.run.protocol} ${number}`}
          value={row.protocol}
          onChange={(event) => change({ protocol: event.target.value === "udp" ? "udp" : "tcp" })}
          className="w-[76px]! shrink-0"
        >
          <option value="tcp">TCP</option>
          <option value="udp">UDP</option>
        </Select>
      </>
    )}
  />
);

export const EnvRows = (props: RowsProps<EnvRow>) => (
  <RowList
    {...props}
    field="env"
    title={t.run.env}
    addLabel={t.run.addEnv}
    blank={{ name: "", value: "" }}
    draw={(row, change, invalid, number) => (
      <>
        <Input
          mono
          aria-label={`${t.run.envName} ${number}`}
          placeholder={t.run.envName}
          invalid={invalid("name")}
          value={row.name}
          onChange={(event) => change({ name: event.target.value })}
          className="max-w-[200px]"
        />
        <span aria-hidden className="text-fg3">
          =
        </span>
        <Input
          mono
          aria-label={`${t.run.envValue} ${number}`}
          placeholder={t.run.envValue}
          value={row.value}
          onChange={(event) => change({ value: event.target.value })}
        />
      </>
    )}
  />
);

export const LabelRows = (props: RowsProps<EnvRow>) => (
  <RowList
    {...props}
    field="labels"
    title={t.run.labels}
    addLabel={t.run.addLabel}
    blank={{ name: "", value: "" }}
    draw={(row, change, invalid, number) => (
      <>
        <Input
          mono
          aria-label={`${t.run.labelName} ${number}`}
          placeholder={t.run.labelName}
          invalid={invalid("name")}
          value={row.name}
          onChange={(event) => change({ name: event.target.value })}
        />
        <span aria-hidden className="text-fg3">
          =
        </span>
        <Input
          mono
          aria-label={`${t.run.labelName} ${number}: ${t.run.envValue}`}
          placeholder={t.run.envValue}
          value={row.value}
          onChange={(event) => change({ value: event.target.value })}
        />
      </>
    )}
  />
);

export const VolumeRows = (props: RowsProps<VolumeRow>) => (
  <RowList
    {...props}
    field="volumes"
    title={t.run.volumes}
    addLabel={t.run.addVolume}
    blank={{ source: "", target: "", readOnly: false }}
    draw={(row, change, invalid, number) => (
      <>
        <Input
          aria-label={`${t.run.volumeSource} ${number}`}
          placeholder={t.run.volumeSource}
          invalid={invalid("source")}
          value={row.source}
          onChange={(event) => change({ source: event.target.value })}
        />
        <span aria-hidden className="text-fg3">
          →
        </span>
        <Input
          aria-label={`${t.run.volumeTarget} ${number}`}
          placeholder={t.run.volumeTarget}
          invalid={invalid("target")}
          value={row.target}
          onChange={(event) => change({ target: event.target.value })}
        />
        <label className="flex shrink-0 items-center gap-1.5 px-1 text-sm text-fg2">
          <Checkbox checked={row.readOnly} onChange={(event) => change({ readOnly: event.target.checked })} />
          {t.run.readOnly}
        </label>
      </>
    )}
  />
);
