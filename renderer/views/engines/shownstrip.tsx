import { Server } from "lucide-react";
import { useStore } from "zustand";
import { useApp } from "#renderer/appcontext.ts";
import { switchTo, underWay } from "#renderer/core/switching.ts";
import { t } from "#renderer/core/texts.ts";
import { Button } from "#renderer/ui/button.tsx";
import { Confirm } from "#renderer/ui/confirm.tsx";
import { Middle } from "#renderer/ui/middle.tsx";

/** Says all the time that what is seen is not on this computer, and leads back to it. */
export function ShownStrip() {
  const app = useApp();
  if (app.shown === undefined) return null;
  return (
    <aside
      aria-label={t.engines.title}
      data-testid="shown-engine"
      className="flex h-8 shrink-0 items-center gap-2 border-b border-line bg-accent-soft pr-2 pl-4 text-accent-text"
    >
      <Server size={14} strokeWidth={2} aria-hidden className="shrink-0" />
      <p className="flex min-w-0 flex-1 items-baseline gap-1.5 whitespace-nowrap">
        <span className="max-[860px]:sr-only">{t.engines.showing}</span> <strong className="max-w-[50%] truncate font-semibold">{app.shown.name}</strong>
        <span className="min-w-0 flex-1 font-mono text-xs">
          <Middle text={app.shown.url} />
        </span>
      </p>
      <Button small variant="ghost" onClick={() => switchTo(app, undefined)}>
        {t.engines.showHere}
      </Button>
    </aside>
  );
}

/** Asked when something of this window's ends with the engine it shows. */
export function SwitchQuestion() {
  const app = useApp();
  const to = useStore(app.switching, (state) => state.to);
  if (to === undefined) return null;
  const name = to?.name ?? t.engines.here;
  return (
    <Confirm
      title={t.engines.switchTitle(name)}
      verb={t.engines.showNamed(name)}
      onConfirm={async () => app.show(to ?? undefined)}
      onClose={() => app.switching.setState({ to: undefined })}
    >
      <p>{t.engines.switchText(underWay(app))}</p>
    </Confirm>
  );
}
