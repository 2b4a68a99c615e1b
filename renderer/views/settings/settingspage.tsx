import { useState } from "react";
import { useApp } from "#renderer/appcontext.ts";
import { keys } from "#renderer/core/keys.ts";
import { t } from "#renderer/core/texts.ts";
import { toastFailed } from "#renderer/core/toasts.ts";
import { useContextStatus, useEngineInfo, useHostInfo, useSaveSettings } from "#renderer/queries.ts";
import { CopyButton } from "#renderer/ui/copy.tsx";
import { SearchField, Switch } from "#renderer/ui/field.tsx";
import { Facts, Page } from "#renderer/ui/page.tsx";
import { AppearanceSettings } from "./appearance.tsx";
import { DesktopSettings } from "./desktopsettings.tsx";
import { EngineConfigSettings } from "./engineconfig.tsx";
import { EnginesSettings } from "./enginessettings.tsx";
import { MachineSettings } from "./machinesettings.tsx";
import { Row, Searchable, Section, SettingsSearch } from "./section.tsx";

export function SettingsPage() {
  const [query, setQuery] = useState("");
  const isHere = useApp().shown === undefined;
  const inDesktop = useHostInfo().data?.mode === "electron";
  return (
    <Page title={t.settings.title} search={<SearchField label={t.settings.search} value={query} onChange={setQuery} className="w-[220px]" />}>
      <div className="min-h-0 flex-1 overflow-y-auto">
        <SettingsSearch value={query.trim().toLowerCase()}>
          <div className="group mx-auto flex max-w-[640px] flex-col gap-6 px-6 py-6">
            <AppearanceSettings />
            {inDesktop && <DesktopSettings />}
            {isHere ? (
              <>
                <MachineSettings />
                <EngineConfigSettings />
                <DockerContext />
              </>
            ) : (
              <p className="text-sm text-fg2">{t.engines.settingsHere}</p>
            )}
            <EnginesSettings />
            <About />
            {query.trim() !== "" && <p className="hidden py-8 text-center text-fg3 group-not-has-[[data-setting]]:block">{t.settings.none(query.trim())}</p>}
          </div>
        </SettingsSearch>
      </div>
    </Page>
  );
}

function DockerContext() {
  const app = useApp();
  const context = useContextStatus().data;
  const save = useSaveSettings();
  if (context === undefined) return null;
  const use = async (on: boolean): Promise<void> => {
    try {
      app.queries.setQueryData(keys.context, await app.bridge.call("context.use", { on }));
      await save({ contextAsked: true });
    } catch (error) {
      toastFailed(error, t.context.failed);
    }
  };
  const hint = context.hiddenBy === undefined ? t.settings.contextHint : t.context.hidden(context.hiddenBy);
  return (
    <Section title={t.settings.docker}>
      <Row label={t.settings.context} hint={`${hint} ${t.context.current(context.current)}.`}>
        <Switch label={t.settings.context} checked={context.current === "slipway"} disabled={!context.created} onChange={(on) => void use(on)} />
      </Row>
    </Section>
  );
}

function About() {
  const host = useHostInfo().data;
  const info = useEngineInfo().data;
  if (host === undefined) return null;
  const warnings = info?.Warnings ?? [];
  return (
    <Section title={t.settings.about}>
      <Searchable text={`${t.settings.about} ${t.settings.version} ${t.settings.updates} ${t.settings.socket} ${t.settings.kernel}`}>
        <div className="py-3">
          <Facts
            rows={[
              [t.settings.version, `${t.app} ${host.version}`],
              [t.settings.updates, t.settings.updatesText],
              [t.settings.mode, host.modeReason === undefined ? t.settings.modes[host.mode] : `${t.settings.modes[host.mode]}: ${host.modeReason}`],
              [
                t.settings.socket,
                <span key="socket" className="flex items-center gap-1">
                  <code className="font-mono text-sm">{host.socketPath}</code>
                  <CopyButton small text={host.socketPath} />
                </span>,
              ],
              ...(info === undefined
                ? []
                : ([
                    [t.settings.engine, info.ServerVersion],
                    [t.settings.kernel, `${info.OperatingSystem}, ${info.KernelVersion}`],
                  ] as const)),
              ...(warnings.length === 0
                ? []
                : ([
                    [
                      t.settings.warnings,
                      <ul key="warnings" className="flex flex-col gap-0.5">
                        {warnings.map((warning) => (
                          <li key={warning}>{warning.replace(/^WARNING: /, "")}</li>
                        ))}
                      </ul>,
                    ],
                  ] as const)),
            ]}
          />
        </div>
      </Searchable>
    </Section>
  );
}
