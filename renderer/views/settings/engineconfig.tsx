import { useState } from "react";
import { useStore } from "zustand";
import { parseConfigObject } from "#api/gojson.ts";
import { messageOf } from "#base/errors.ts";
import { useApp } from "#renderer/appcontext.ts";
import { keys } from "#renderer/core/keys.ts";
import { t } from "#renderer/core/texts.ts";
import { toastDone, toastFailed } from "#renderer/core/toasts.ts";
import { useDaemonConfig } from "#renderer/queries.ts";
import { Button } from "#renderer/ui/button.tsx";
import { Searchable, Section } from "./section.tsx";

/** The engine's daemon.json, where the engine is ours to configure. What is no JSON is told as it is typed, with its line, and cannot be saved. */
export function EngineConfigSettings() {
  const driver = useStore(useApp().machine, (view) => view.status?.driver);
  const { data } = useDaemonConfig();
  if (data === undefined || (driver !== "qemu" && driver !== "native")) return null;
  return (
    <Section title={t.settings.engineConfig}>
      <Searchable text={`${t.settings.engineConfig} ${t.settings.engineConfigHint(data.path)}`}>
        <Editor key={data.text} {...data} />
      </Searchable>
    </Section>
  );
}

function Editor({ path, text: saved }: { readonly path: string; readonly text: string }) {
  const { bridge, queries, machine } = useApp();
  const notices = useStore(machine, (view) => view.status?.notices) ?? [];
  const [text, setText] = useState(saved);
  const [busy, setBusy] = useState(false);
  const mistake = mistakeIn(text);
  const save = async (): Promise<void> => {
    setBusy(true);
    try {
      await bridge.call("config.set", { text });
      toastDone(t.settings.engineConfigSaved);
      await queries.invalidateQueries({ queryKey: keys.daemonConfig });
    } catch (error) {
      toastFailed(error, t.settings.engineConfigFailed);
    }
    setBusy(false);
  };
  return (
    <div className="flex flex-col gap-2 py-3">
      <p className="text-sm text-fg2">{t.settings.engineConfigHint(path)}</p>
      <textarea
        aria-label={t.settings.engineConfigText}
        aria-invalid={mistake !== undefined || undefined}
        rows={8}
        spellCheck={false}
        placeholder={'{\n  "registry-mirrors": []\n}'}
        value={text}
        onChange={(event) => setText(event.target.value)}
        className="w-full resize-y rounded-md border border-line-strong bg-page p-2.5 font-mono text-sm leading-5 text-fg focus:border-focus focus:outline-2 focus:-outline-offset-1 focus:outline-[var(--focus)]"
      />
      {notices
        .filter((notice) => notice.startsWith("daemon.json: "))
        .map((notice) => (
          <p key={notice} role="status" data-testid="config-notice" className="text-sm text-warn-text">
            {notice}
          </p>
        ))}
      <div className="flex items-center gap-2">
        <p role="alert" className="min-w-0 flex-1 text-sm text-danger-text">
          {mistake}
        </p>
        <Button disabled={text === saved} onClick={() => setText(saved)}>
          {t.settings.engineConfigRevert}
        </Button>
        <Button variant="primary" busy={busy} disabled={text === saved || mistake !== undefined} onClick={() => void save()}>
          {t.settings.engineConfigSave}
        </Button>
      </div>
    </div>
  );
}

function mistakeIn(text: string): string | undefined {
  try {
    parseConfigObject(text);
    return undefined;
  } catch (error) {
    return messageOf(error);
  }
}
