import { Monitor, Plus, Server, X } from "lucide-react";
import { useState } from "react";
import type { RemoteEngine } from "#bridge/bridge.ts";
import { useApp } from "#renderer/appcontext.ts";
import { keys } from "#renderer/core/keys.ts";
import { switchTo } from "#renderer/core/switching.ts";
import { t } from "#renderer/core/texts.ts";
import { toastFailed, toastUndo } from "#renderer/core/toasts.ts";
import { useEngines } from "#renderer/queries.ts";
import { Badge } from "#renderer/ui/badge.tsx";
import { Button, IconButton } from "#renderer/ui/button.tsx";
import { Middle } from "#renderer/ui/middle.tsx";
import { AddEngine } from "#renderer/views/engines/addengine.tsx";
import { wayTo } from "#renderer/views/engines/useengines.ts";
import { Searchable, Section } from "./section.tsx";

/** The engines that the window can show. Removing one loses nothing, and is undone by a click. */
export function EnginesSettings() {
  const app = useApp();
  const engines = useEngines().data ?? [];
  const [adding, setAdding] = useState(false);
  const refresh = (): Promise<void> => app.queries.invalidateQueries({ queryKey: keys.engines });
  const remove = async ({ id, name, url, tls }: RemoteEngine): Promise<void> => {
    try {
      await app.bridge.call("engines.remove", { id });
      await refresh();
      toastUndo(t.engines.removed(name), async () => {
        await app.bridge.call("engines.add", { name, url, ...(tls !== undefined && { tls }) });
        await refresh();
      });
      if (app.shown?.id === id) switchTo(app, undefined);
    } catch (error) {
      toastFailed(error, t.engines.removeFailed(name));
    }
  };
  return (
    <Section title={t.engines.title}>
      <Searchable text={`${t.engines.title} ${t.engines.hint} ${engines.map(({ name, url }) => `${name} ${url}`).join(" ")} docker ssh tcp`}>
        <div className="flex flex-col gap-2 py-3" data-testid="engines">
          <p className="text-sm text-fg3">{t.engines.hint}</p>
          <ul aria-label={t.engines.title} className="flex flex-col gap-1">
            <li className="flex h-[34px] items-center gap-2 rounded-md bg-sunken pr-1 pl-2.5">
              <Monitor size={14} aria-hidden className="shrink-0 text-fg3" />
              <span className="flex-1 font-medium">{t.engines.here}</span>
              <ShowButton name={t.engines.here} />
            </li>
            {engines.map((engine) => (
              <li key={engine.id} data-testid={`engine-${engine.name}`} className="flex h-[34px] items-center gap-2 rounded-md bg-sunken pr-1 pl-2.5">
                <Server size={14} aria-hidden className="shrink-0 text-fg3" />
                <span className="max-w-[40%] truncate font-medium" data-tip-cut={engine.name}>
                  {engine.name}
                </span>
                <span className="min-w-0 flex-1 font-mono text-xs text-fg2">
                  <Middle text={engine.url} />
                </span>
                {wayTo(engine) === "tcp" && engine.tls === undefined && <Badge tone="warn">{t.engines.inTheClear}</Badge>}
                {engine.source === "context" && <Badge>{t.engines.ofContext}</Badge>}
                <ShowButton name={engine.name} engine={engine} />
                {engine.source === "added" && <IconButton small icon={X} label={t.engines.remove(engine.name)} onClick={() => void remove(engine)} />}
              </li>
            ))}
          </ul>
          <Button icon={Plus} className="self-start" onClick={() => setAdding(true)}>
            {t.engines.addDots}
          </Button>
        </div>
      </Searchable>
      {adding && <AddEngine onClose={() => setAdding(false)} />}
    </Section>
  );
}

function ShowButton({ name, engine }: { readonly name: string; readonly engine?: RemoteEngine }) {
  const app = useApp();
  if (app.shown?.id === engine?.id) return <span className="px-2 text-sm text-fg2">{t.engines.isShown}</span>;
  return (
    <Button small variant="ghost" aria-label={t.engines.showNamed(name)} onClick={() => switchTo(app, engine)}>
      {t.engines.show}
    </Button>
  );
}
