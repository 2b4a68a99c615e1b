import { SquareTerminal } from "lucide-react";
import { useApp } from "#renderer/appcontext.ts";
import { keys } from "#renderer/core/keys.ts";
import { t } from "#renderer/core/texts.ts";
import { toastFailed } from "#renderer/core/toasts.ts";
import { useContextStatus, useSaveSettings, useSettings } from "#renderer/queries.ts";
import { Button } from "#renderer/ui/button.tsx";

/** Asked once: may `docker` use this engine? Never taken without a yes. */
export function ContextQuestion() {
  const app = useApp();
  const settings = useSettings().data;
  const context = useContextStatus().data;
  const save = useSaveSettings();
  if (app.shown !== undefined || settings === undefined || settings.contextAsked || context === undefined || !context.created || context.current === "slipway")
    return null;
  const answer = async (on: boolean): Promise<void> => {
    try {
      if (on) app.queries.setQueryData(keys.context, await app.bridge.call("context.use", { on }));
      await save({ contextAsked: true });
    } catch (error) {
      toastFailed(error, t.context.failed);
    }
  };
  return (
    <aside
      aria-label={t.context.title}
      data-testid="context-question"
      className="flex shrink-0 items-center gap-3 border-b border-line bg-accent-soft px-4 py-2"
    >
      <SquareTerminal size={18} strokeWidth={1.8} aria-hidden className="shrink-0 text-accent-text" />
      <div className="min-w-0 flex-1">
        <p className="font-medium">{t.context.title}</p>
        <p className="text-sm text-fg2">{context.hiddenBy === undefined ? t.context.text : t.context.hidden(context.hiddenBy)}</p>
      </div>
      <Button small onClick={() => void answer(false)}>
        {t.context.notNow}
      </Button>
      <Button small variant="primary" onClick={() => void answer(true)}>
        {t.context.use}
      </Button>
    </aside>
  );
}
