import type { Notified, Settings } from "#bridge/bridge.ts";
import { t } from "#renderer/core/texts.ts";
import { toastFailed } from "#renderer/core/toasts.ts";
import { useSaveSettings, useSettings, useSettingsDefaults } from "#renderer/queries.ts";
import { Switch } from "#renderer/ui/field.tsx";
import { Segmented } from "#renderer/ui/tabs.tsx";
import { Row, Section } from "./section.tsx";

const closings = () =>
  [
    { id: "hide", label: t.settings.onCloseChoices.hide },
    { id: "quit", label: t.settings.onCloseChoices.quit },
  ] as const;
const notified: readonly Notified[] = ["exits", "health", "engine"];
const word = (on: boolean): string => (on ? t.settings.on : t.settings.off);

/** What the desktop app does beside its window; each counts at once. */
export function DesktopSettings() {
  const settings = useSettings().data;
  const defaults = useSettingsDefaults().data;
  const save = useSaveSettings();
  if (settings === undefined || defaults === undefined) return null;
  const set = (change: Partial<Settings>): void => void save(change).catch((error: unknown) => toastFailed(error, t.settings.failed));
  const notify = (kind: Notified, on: boolean): void => set({ notify: notified.filter((each) => (each === kind ? on : settings.notify.includes(each))) });
  return (
    <Section title={t.settings.desktop}>
      <Row
        label={t.settings.tray}
        hint={t.settings.trayHint}
        standard={{ value: word(defaults.tray), differs: settings.tray !== defaults.tray, reset: () => set({ tray: defaults.tray }) }}
      >
        <Switch label={t.settings.tray} checked={settings.tray} onChange={(tray) => set({ tray })} />
      </Row>
      {settings.tray && (
        <Row
          label={t.settings.onClose}
          hint={t.settings.onCloseHint}
          standard={{
            value: t.settings.onCloseChoices[defaults.onClose],
            differs: settings.onClose !== defaults.onClose,
            reset: () => set({ onClose: defaults.onClose }),
          }}
        >
          <Segmented label={t.settings.onClose} choices={closings()} current={settings.onClose} onSelect={(onClose) => set({ onClose })} />
        </Row>
      )}
      {notified.map((kind) => {
        const [label, hint] = t.settings.notify[kind];
        const [on, standard] = [settings.notify.includes(kind), defaults.notify.includes(kind)];
        return (
          <Row key={kind} label={label} hint={hint} standard={{ value: word(standard), differs: on !== standard, reset: () => notify(kind, standard) }}>
            <Switch label={label} checked={on} onChange={(next) => notify(kind, next)} />
          </Row>
        );
      })}
    </Section>
  );
}
