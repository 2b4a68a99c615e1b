import { Box, Play } from "lucide-react";
import { useState } from "react";
import { useApp } from "#renderer/appcontext.ts";
import { explain } from "#renderer/core/explain.ts";
import { runContainer } from "#renderer/core/run.ts";
import { emptyRunForm } from "#renderer/core/runform.ts";
import { t } from "#renderer/core/texts.ts";
import { Button } from "#renderer/ui/button.tsx";
import { Command } from "#renderer/ui/copy.tsx";
import { EmptyState } from "#renderer/ui/emptystate.tsx";
import { ErrorNotice } from "#renderer/ui/errornotice.tsx";

const starterImage = "slipway/welcome";
const starter = { ...emptyRunForm, image: starterImage, name: "welcome", ports: [{ host: "8080", container: "80", protocol: "tcp" as const }] };

/** The page without containers: one click runs the image that came with Slipway, without any network. */
export function FirstContainer({ onOther }: { readonly onOther: (image: string) => void }) {
  const app = useApp();
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
      <div className="flex gap-2">
        <Button variant="primary" icon={Play} busy={busy} onClick={() => void run()} data-testid="run-welcome">
          {t.containers.emptyRun}
        </Button>
        <Button onClick={() => onOther("")}>{t.containers.emptyOther}</Button>
      </div>
      <div className="mt-3 flex flex-col items-center gap-1.5">
        <span className="text-sm text-fg3">{t.containers.emptyCommandHint}</span>
        <Command text={t.containers.emptyCommand} />
      </div>
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
