import { useState } from "react";
import { useStore } from "zustand";
import type { Settings } from "#bridge/bridge.ts";
import { useApp } from "#renderer/appcontext.ts";
import { t } from "#renderer/core/texts.ts";
import { toastDone, toastFailed } from "#renderer/core/toasts.ts";
import { useSaveSettings, useSettings } from "#renderer/queries.ts";
import { Badge } from "#renderer/ui/badge.tsx";
import { Button } from "#renderer/ui/button.tsx";
import { Input } from "#renderer/ui/field.tsx";
import { Row, Section } from "./section.tsx";

const memoryMiB = { min: 512, max: 1_048_576 } as const;
const cpus = { min: 1, max: 256 } as const;
const within = (text: string, { min, max }: { min: number; max: number }): boolean => /^\d+$/.test(text) && Number(text) >= min && Number(text) <= max;

/** Memory and CPUs of the machine. Nothing happens until Apply, which says what it restarts. */
export function MachineSettings() {
  const settings = useSettings().data;
  const driver = useStore(useApp().machine, (view) => view.status?.driver);
  if (settings === undefined) return null;
  if (driver === "remote" || driver === "native") {
    return (
      <Section title={t.settings.machine}>
        <p className="py-3 text-fg2">{t.settings.notMachine}</p>
      </Section>
    );
  }
  return <MachineForm key={`${settings.memoryMiB} ${settings.cpus}`} settings={settings} />;
}

function MachineForm({ settings }: { readonly settings: Settings }) {
  const { bridge } = useApp();
  const save = useSaveSettings();
  const [memory, setMemory] = useState(String(settings.memoryMiB));
  const [cpuCount, setCpuCount] = useState(String(settings.cpus));
  const [busy, setBusy] = useState(false);
  const memoryOk = within(memory, memoryMiB);
  const cpusOk = within(cpuCount, cpus);
  const changed = Number(memory) !== settings.memoryMiB || Number(cpuCount) !== settings.cpus;
  const apply = async (): Promise<void> => {
    setBusy(true);
    try {
      await save({ memoryMiB: Number(memory), cpus: Number(cpuCount) });
      await bridge.call("machine.restart");
      toastDone(t.settings.applied);
    } catch (error) {
      toastFailed(error, t.settings.failed);
    }
    setBusy(false);
  };
  return (
    <Section title={t.settings.machine}>
      <Row label={t.settings.memory} hint={memoryOk ? t.settings.memoryHint : t.settings.memoryInvalid}>
        <Input
          aria-label={t.settings.memory}
          inputMode="numeric"
          unit="MiB"
          invalid={!memoryOk}
          value={memory}
          onChange={(event) => setMemory(event.target.value)}
          className="max-w-[120px]"
        />
      </Row>
      <Row label={t.settings.cpus} hint={cpusOk ? t.settings.cpusHint : t.settings.cpusInvalid}>
        <Input
          aria-label={t.settings.cpus}
          inputMode="numeric"
          invalid={!cpusOk}
          value={cpuCount}
          onChange={(event) => setCpuCount(event.target.value)}
          className="w-[120px]"
        />
      </Row>
      <div className="flex items-center gap-3 py-3">
        <Badge tone="warn">{t.settings.needsRestart}</Badge>
        <p className="flex-1 text-sm text-fg3">{t.settings.applyText}</p>
        <Button variant="primary" busy={busy} disabled={!changed || !memoryOk || !cpusOk} onClick={() => void apply()}>
          {t.settings.apply}
        </Button>
      </div>
    </Section>
  );
}
