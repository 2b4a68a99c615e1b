import { Box, Play, Plus } from "lucide-react";
import { useState } from "react";
import { useStore } from "zustand";
import { useApp } from "#renderer/appcontext.ts";
import { explain } from "#renderer/core/explain.ts";
import { runContainer } from "#renderer/core/run.ts";
import { emptyRunForm } from "#renderer/core/runform.ts";
import { starterImage, type StarterState, starterState } from "#renderer/core/starter.ts";
import { t } from "#renderer/core/texts.ts";
import { useNow } from "#renderer/now.ts";
import { useEngineUp, useImages } from "#renderer/queries.ts";
import { useForeign } from "#renderer/views/engines/useengines.ts";
import { Button } from "#renderer/ui/button.tsx";
import { Command } from "#renderer/ui/copy.tsx";
import { EmptyState } from "#renderer/ui/emptystate.tsx";
import { ErrorNotice } from "#renderer/ui/errornotice.tsx";

const starter = { ...emptyRunForm, image: starterImage, name: "welcome", ports: [{ host: "8080", container: "80", protocol: "tcp" as const }] };
const lookMs = 5_000;

/** The page without containers: one click runs the image that came with Slipway, without any network. */
export function FirstContainer({ onOther }: { readonly onOther: (image: string) => void }) {
  const app = useApp();
  const up = useEngineUp();
  const state = useStarterState();
  const [busy, setBusy] = useState(false);
  const [failure, setFailure] = useState<unknown>();
  const run = async (): Promise<void> => {
    setBusy(true);
    setFailure(undefined);
    try {
      await runContainer(app, starter, () => undefined);
    } catch (error) {
      setFailure(error);
    }
    setBusy(false);
  };
  return (
    <EmptyState icon={Box} title={t.containers.emptyTitle} text={t.containers.emptyText}>
      {state === "gone" ? (
        <Button variant="primary" icon={Plus} disabled={!up} onClick={() => onOther("")}>
          {t.containers.emptyAny}
        </Button>
      ) : (
        <>
          <div className="flex flex-wrap justify-center gap-2">
            <Button variant="primary" icon={Play} busy={busy || state === "coming"} disabled={!up} onClick={() => void run()} data-testid="run-welcome">
              {t.containers.emptyRun}
            </Button>
            <Button disabled={!up} onClick={() => onOther("")}>
              {t.containers.emptyOther}
            </Button>
          </div>
          <p role="status" data-testid="starter-state" className="min-h-4 text-sm text-fg3">
            {state === "coming" && t.containers.emptyComing}
          </p>
          <div className="flex flex-col items-center gap-1.5">
            <span className="text-sm text-fg3">{t.containers.emptyCommandHint}</span>
            <Command text={t.containers.emptyCommand} />
          </div>
        </>
      )}
      {failure !== undefined && (
        <div className="w-[480px] max-w-full text-left">
          <ErrorNotice explanation={explain(failure, t.run.failed(starterImage))}>
            <Button small onClick={() => onOther(starterImage)}>
              {t.containers.emptyOther}
            </Button>
          </ErrorNotice>
        </div>
      )}
    </EmptyState>
  );
}

/** Looked at again while the image is on its way; the list of images itself is read anew by the engine's event. */
function useStarterState(): StarterState {
  const images = useImages().data;
  const foreign = useForeign();
  const since = useStore(useApp().machine, (view) => view.runningSince);
  const waiting = images === undefined || images.length === 0;
  const now = useNow(waiting && !foreign ? lookMs : undefined);
  return foreign ? "gone" : starterState(images, since, now);
}
