import { ChevronDown } from "lucide-react";
import { useEffect, useMemo, useState } from "react";
import { useStore } from "zustand";
import { useLocation } from "wouter";
import { isClass } from "#base/errors.ts";
import { useApp } from "#renderer/appcontext.ts";
import { explain } from "#renderer/core/explain.ts";
import type { PastedRun } from "#renderer/core/dockerrun.ts";
import { conflicts, type RunTab, tabWithError } from "#renderer/core/runchecks.ts";
import { runContainer, type RunStep } from "#renderer/core/run.ts";
import { emptyRunForm, type FormErrors, type RunForm, validate } from "#renderer/core/runform.ts";
import { t } from "#renderer/core/texts.ts";
import { useContainers, useImages } from "#renderer/queries.ts";
import { Button } from "#renderer/ui/button.tsx";
import { Dialog } from "#renderer/ui/dialog.tsx";
import { ErrorNotice } from "#renderer/ui/errornotice.tsx";
import { Field, Input, Select } from "#renderer/ui/field.tsx";
import { Spinner } from "#renderer/ui/spinner.tsx";
import { Segmented } from "#renderer/ui/tabs.tsx";
import { TransferView } from "#renderer/views/shell/transferview.tsx";
import { AdvancedPart, NetworkPart, type PartProps, SecurityPart, textOf } from "./runparts.tsx";
import { RunPaste } from "./runpaste.tsx";
import { EnvRows, PortRows, VolumeRows } from "./runrows.tsx";

const tabs = (["basic", "advanced", "network", "security"] as const).map((id) => ({ id, label: t.run.tabs[id] }));

export interface RunDialogProps {
  readonly image: string;
  readonly onClose: () => void;
}

/** The run form. What the engine refuses is told in the form, which stays as it was filled in. */
export function RunDialog({ image, onClose }: RunDialogProps) {
  const app = useApp();
  const [, go] = useLocation();
  const [form, setForm] = useState<RunForm>(() => ({ ...emptyRunForm, image, ports: [{ host: "", container: "", protocol: "tcp" }] }));
  const [tried, setTried] = useState(false);
  const [refused, setRefused] = useState(0);
  const [step, setStep] = useState<RunStep>();
  const [failure, setFailure] = useState<unknown>();
  const [tab, setTab] = useState<RunTab>("basic");
  const [left, setLeft] = useState<readonly string[]>([]);
  const containers = useContainers().data;
  const notes = useMemo(() => conflicts(form, containers ?? []), [form, containers]);
  const paste = (pasted: PastedRun): void => {
    setForm(pasted.form);
    setLeft(pasted.left);
  };
  const errors: FormErrors = useMemo(() => (tried ? validate(form) : {}), [tried, form]);
  const change = (part: Partial<RunForm>): void => setForm((now) => ({ ...now, ...part }));

  useEffect(() => {
    if (refused > 0) document.querySelector<HTMLElement>("dialog[open] [aria-invalid=true]")?.focus();
  }, [refused]);
  const submit = async (): Promise<void> => {
    setTried(true);
    setFailure(undefined);
    if (step !== undefined) return;
    const wrong = tabWithError(validate(form));
    if (wrong !== undefined) {
      setTab(wrong);
      return setRefused((times) => times + 1);
    }
    try {
      const id = await runContainer(app, form, setStep);
      onClose();
      go(`/containers/${id}/logs`);
    } catch (error) {
      if (!isClass(error, "cancelled")) setFailure(error);
      setStep(undefined);
    }
  };
  return (
    <Dialog
      title={t.run.title}
      width={600}
      onClose={onClose}
      onSubmit={() => void submit()}
      testId="run-dialog"
      footer={
        <>
          <span role="status" className="mr-auto flex min-w-0 items-center gap-2 truncate text-sm text-fg2">
            {step !== undefined && step.kind !== "pulling" && <Spinner size={13} />}
            {step?.kind === "creating" && t.run.creating}
            {step?.kind === "starting" && t.run.starting}
          </span>
          <Button onClick={onClose}>{step?.kind === "pulling" ? t.transfers.background : t.common.cancel}</Button>
          <Button type="submit" variant="primary" busy={step !== undefined} data-testid="run-submit">
            {t.run.submit}
          </Button>
        </>
      }
    >
      <fieldset disabled={step !== undefined} className="flex flex-col gap-4">
        {failure !== undefined && <ErrorNotice explanation={explain(failure, t.run.failed(form.image))} />}
        {step?.kind === "pulling" && <Pulling id={step.transfer} />}
        <RunPaste left={left} onPasted={paste} />
        <Segmented label={t.run.tabsLabel} choices={tabs} current={tab} onSelect={setTab} />
        {tab === "basic" && (
          <>
            <ImageField form={form} errors={errors} change={change} />
            <div className="grid grid-cols-2 gap-3">
              <Field label={t.run.name} error={textOf(errors, "name") ?? notes["name"]}>
                {(props) => (
                  <Input {...props} placeholder={t.run.namePlaceholder} value={form.name} onChange={(event) => change({ name: event.target.value })} />
                )}
              </Field>
              <Field label={t.run.command} error={textOf(errors, "command")}>
                {(props) => (
                  <Input
                    {...props}
                    mono
                    placeholder={t.run.commandPlaceholder}
                    value={form.command}
                    onChange={(event) => change({ command: event.target.value })}
                  />
                )}
              </Field>
            </div>
            <PortRows rows={form.ports} errors={errors} notes={notes} onChange={(ports) => change({ ports })} />
            <VolumeRows rows={form.volumes} errors={errors} onChange={(volumes) => change({ volumes })} />
            <EnvRows rows={form.env} errors={errors} onChange={(env) => change({ env })} />
            <Limits form={form} errors={errors} change={change} />
          </>
        )}
        {tab === "advanced" && <AdvancedPart form={form} errors={errors} change={change} />}
        {tab === "network" && <NetworkPart form={form} errors={errors} change={change} />}
        {tab === "security" && <SecurityPart form={form} errors={errors} change={change} />}
      </fieldset>
    </Dialog>
  );
}

function ImageField({ form, errors, change }: PartProps) {
  const tags = (useImages().data ?? []).flatMap(({ RepoTags }) => RepoTags).filter((tag) => !tag.startsWith("<none>"));
  return (
    <Field label={t.run.image} hint={t.run.imageHint} error={textOf(errors, "image")}>
      {(props) => (
        <span className="relative block">
          <Input {...props} data-autofocus list="local-images" value={form.image} onChange={(event) => change({ image: event.target.value })} />
          <ChevronDown size={14} aria-hidden className="pointer-events-none absolute top-1/2 right-2 -translate-y-1/2 text-fg3" />
          <datalist id="local-images">
            {tags.map((tag) => (
              <option key={tag} value={tag} />
            ))}
          </datalist>
        </span>
      )}
    </Field>
  );
}

function Limits({ form, errors, change }: PartProps) {
  const { "": _none, ...choices } = t.run.restartChoices;
  return (
    <div className="grid grid-cols-3 gap-3">
      <Field label={t.run.memory} error={textOf(errors, "memory")}>
        {(props) => (
          <Input
            {...props}
            inputMode="numeric"
            unit={t.run.memoryUnit}
            placeholder={t.run.noLimit}
            value={form.memory}
            onChange={(event) => change({ memory: event.target.value })}
          />
        )}
      </Field>
      <Field label={t.run.cpus} error={textOf(errors, "cpus")}>
        {(props) => (
          <Input {...props} inputMode="decimal" placeholder={t.run.noLimit} value={form.cpus} onChange={(event) => change({ cpus: event.target.value })} />
        )}
      </Field>
      <Field label={t.run.restart}>
        {({ id }) => (
          <Select id={id} value={form.restart} onChange={(event) => change({ restart: event.target.value as RunForm["restart"] })}>
            {Object.entries(choices).map(([value, text]) => (
              <option key={value} value={value}>
                {text}
              </option>
            ))}
          </Select>
        )}
      </Field>
    </div>
  );
}

function Pulling({ id }: { readonly id: number }) {
  const transfer = useStore(useApp().transfers.store, (state) => state.list.find((one) => one.id === id));
  if (transfer === undefined) return null;
  return (
    <div className="rounded-lg border border-line bg-sunken p-3">
      <TransferView transfer={transfer} layers />
    </div>
  );
}
