import { type ReactNode, useState } from "react";
import { useStore } from "zustand";
import type { Settings } from "#bridge/bridge.ts";
import { useApp } from "#renderer/appcontext.ts";
import { t } from "#renderer/core/texts.ts";
import { toastDone, toastFailed } from "#renderer/core/toasts.ts";
import { useSaveSettings, useSettings, useSettingsDefaults } from "#renderer/queries.ts";
import { Badge } from "#renderer/ui/badge.tsx";
import { Button } from "#renderer/ui/button.tsx";
import { Input, Switch } from "#renderer/ui/field.tsx";
import { FolderSetting } from "./foldersetting.tsx";
import { Row, Searchable, Section } from "./section.tsx";

type Figure = "memoryMiB" | "cpus" | "diskGiB";
type Draft = Readonly<Record<Figure, string>> & Pick<Settings, "folders" | "hostAccess">;

/** What the virtual machine is made from. Nothing happens until Apply, which says what it restarts. */
export function MachineSettings() {
  const settings = useSettings().data;
  const defaults = useSettingsDefaults().data;
  const driver = useStore(useApp().machine, (view) => view.status?.driver);
  if (settings === undefined || defaults === undefined) return null;
  if (driver === "remote" || driver === "native") {
    return (
      <Section title={t.settings.machine}>
        <Searchable text={t.settings.notMachine}>
          <p className="py-3 text-fg2">{t.settings.notMachine}</p>
        </Searchable>
      </Section>
    );
  }
  return <MachineForm key={JSON.stringify(draftOf(settings))} settings={settings} defaults={defaults} />;
}

const draftOf = ({ memoryMiB, cpus, diskGiB, folders, hostAccess }: Settings): Draft => ({
  memoryMiB: String(memoryMiB),
  cpus: String(cpus),
  diskGiB: String(diskGiB),
  folders,
  hostAccess,
});

function MachineForm({ settings, defaults }: { readonly settings: Settings; readonly defaults: Settings }) {
  const { bridge } = useApp();
  const save = useSaveSettings();
  const [draft, setDraft] = useState(() => draftOf(settings));
  const [busy, setBusy] = useState(false);
  const change = (part: Partial<Draft>): void => setDraft({ ...draft, ...part });
  const bounds: Readonly<Record<Figure, readonly [min: number, max: number]>> = {
    memoryMiB: [512, 1_048_576],
    cpus: [1, 256],
    diskGiB: [Math.min(settings.diskGiB, 16_384), 16_384],
  };
  const valid = (key: Figure): boolean => /^\d{1,7}$/.test(draft[key]) && Number(draft[key]) >= bounds[key][0] && Number(draft[key]) <= bounds[key][1];
  const changed = JSON.stringify(draft) !== JSON.stringify(draftOf(settings));
  const apply = async (): Promise<void> => {
    setBusy(true);
    try {
      const { folders, hostAccess } = draft;
      await save({ memoryMiB: Number(draft.memoryMiB), cpus: Number(draft.cpus), diskGiB: Number(draft.diskGiB), folders, hostAccess });
      await bridge.call("machine.restart");
      toastDone(t.settings.applied);
    } catch (error) {
      toastFailed(error, t.settings.failed);
    }
    setBusy(false);
  };
  const figure = (key: Figure, label: string, hint: string, mistake: string, unit?: string): ReactNode => (
    <Row
      label={label}
      hint={valid(key) ? hint : mistake}
      standard={{
        value: unit === undefined ? String(defaults[key]) : `${defaults[key]} ${unit}`,
        differs: draft[key] !== String(defaults[key]) && defaults[key] >= bounds[key][0],
        reset: () => change({ [key]: String(defaults[key]) }),
      }}
    >
      <Input
        aria-label={label}
        inputMode="numeric"
        {...(unit === undefined ? {} : { unit })}
        invalid={!valid(key)}
        value={draft[key]}
        onChange={(event) => change({ [key]: event.target.value })}
        className="max-w-[120px]"
      />
    </Row>
  );
  return (
    <Section title={t.settings.machine}>
      {figure("memoryMiB", t.settings.memory, t.settings.memoryHint, t.settings.memoryInvalid, "MiB")}
      {figure("cpus", t.settings.cpus, t.settings.cpusHint, t.settings.cpusInvalid)}
      {figure("diskGiB", t.settings.disk, t.settings.diskHint, t.settings.diskInvalid(bounds.diskGiB[0]), "GiB")}
      <Row
        label={t.settings.hostAccess}
        hint={t.settings.hostAccessHint}
        standard={{
          value: defaults.hostAccess ? t.settings.on : t.settings.off,
          differs: draft.hostAccess !== defaults.hostAccess,
          reset: () => change({ hostAccess: defaults.hostAccess }),
        }}
      >
        <Switch label={t.settings.hostAccess} checked={draft.hostAccess} onChange={(hostAccess) => change({ hostAccess })} />
      </Row>
      <FolderSetting folders={draft.folders} defaults={defaults.folders} onChange={(folders) => change({ folders })} />
      <div className="flex items-center gap-3 py-3">
        <Badge tone="warn">{t.settings.needsRestart}</Badge>
        <p className="flex-1 text-sm text-fg3">{t.settings.applyText}</p>
        <Button variant="primary" busy={busy} disabled={!changed || !valid("memoryMiB") || !valid("cpus") || !valid("diskGiB")} onClick={() => void apply()}>
          {t.settings.apply}
        </Button>
      </div>
    </Section>
  );
}
