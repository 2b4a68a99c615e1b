import { Wrench } from "lucide-react";
import { useState } from "react";
import { useApp } from "#renderer/appcontext.ts";
import { t } from "#renderer/core/texts.ts";
import { toastDone, toastFailed } from "#renderer/core/toasts.ts";
import { Button } from "#renderer/ui/button.tsx";

/** Makes anew what is broken beside the person's data, and says what that was. */
export function RepairButton({ small = false, onDone }: { readonly small?: boolean; readonly onDone?: () => void }) {
  const { bridge } = useApp();
  const [busy, setBusy] = useState(false);
  const repair = async (): Promise<void> => {
    setBusy(true);
    try {
      const done = await bridge.call("machine.repair");
      toastDone(t.engine.repaired(done.map((name) => t.engine.repairs[name])));
    } catch (error) {
      toastFailed(error, t.engine.failedTo.repair);
    }
    setBusy(false);
    onDone?.();
  };
  return (
    <Button small={small} icon={Wrench} busy={busy} data-tip={t.engine.repairTip} onClick={() => void repair()}>
      {busy ? t.engine.repairing : t.engine.repair}
    </Button>
  );
}
