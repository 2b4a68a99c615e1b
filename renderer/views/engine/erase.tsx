import { Trash2 } from "lucide-react";
import { useState } from "react";
import { useApp } from "#renderer/appcontext.ts";
import { t } from "#renderer/core/texts.ts";
import { toastDone, toastFailed } from "#renderer/core/toasts.ts";
import { useContainers, useImages, useVolumes } from "#renderer/queries.ts";
import { Button } from "#renderer/ui/button.tsx";
import { Confirm } from "#renderer/ui/confirm.tsx";
import { Titled } from "./titled.tsx";

/** Deletes the machine's disk with all that is on it, after a word is typed. */
export function Erase() {
  const { bridge, queries } = useApp();
  const [asking, setAsking] = useState(false);
  const counts = [useContainers().data?.length ?? 0, useImages().data?.length ?? 0, useVolumes().data?.length ?? 0] as const;
  const erase = async (): Promise<void> => {
    setAsking(false);
    try {
      await bridge.call("machine.erase");
      toastDone(t.enginePage.erased);
    } catch (error) {
      toastFailed(error, t.enginePage.eraseFailed);
    }
    await queries.invalidateQueries();
  };
  return (
    <Titled title={t.enginePage.danger}>
      <div className="flex items-center gap-6 rounded-xl border border-line bg-page px-4 py-3 shadow-control">
        <p className="flex-1 text-fg2">{t.enginePage.eraseText}</p>
        <Button icon={Trash2} onClick={() => setAsking(true)}>
          {t.enginePage.erase}
        </Button>
      </div>
      {asking && (
        <Confirm title={t.enginePage.eraseTitle} verb={t.enginePage.erase} typed={t.enginePage.eraseWord} onConfirm={erase} onClose={() => setAsking(false)}>
          <p>{t.enginePage.eraseCounts(...counts)}</p>
          <p>{t.enginePage.eraseText}</p>
        </Confirm>
      )}
    </Titled>
  );
}
