import { useQuery } from "@tanstack/react-query";
import { CircleAlert, CircleCheck, CircleX, type LucideIcon } from "lucide-react";
import type { DiagnosticCheck } from "#bridge/bridge.ts";
import { useApp } from "#renderer/appcontext.ts";
import { explain } from "#renderer/core/explain.ts";
import { keys } from "#renderer/core/keys.ts";
import { t } from "#renderer/core/texts.ts";
import { Button } from "#renderer/ui/button.tsx";
import { Dialog } from "#renderer/ui/dialog.tsx";
import { ErrorNotice } from "#renderer/ui/errornotice.tsx";
import { Spinner } from "#renderer/ui/spinner.tsx";
import { RepairButton } from "./repairbutton.tsx";

const looks: Record<DiagnosticCheck["result"], { readonly icon: LucideIcon; readonly color: string }> = {
  pass: { icon: CircleCheck, color: "text-ok-text" },
  warn: { icon: CircleAlert, color: "text-warn-text" },
  fail: { icon: CircleX, color: "text-danger-text" },
};

/** Checks of what usually goes wrong on this computer, each with what to do. Nothing leaves it. */
export function DiagnosticsDialog({ onClose }: { readonly onClose: () => void }) {
  const { bridge } = useApp();
  const { data, error, isFetching, refetch } = useQuery({
    queryKey: keys.diagnostics,
    queryFn: () => bridge.call("diagnostics.run"),
    staleTime: 0,
    retry: false,
  });
  return (
    <Dialog
      title={t.diagnostics.title}
      width={560}
      onClose={onClose}
      testId="diagnostics"
      footer={
        <>
          {data?.some(({ result }) => result !== "pass") === true && <RepairButton onDone={() => void refetch()} />}
          <Button busy={isFetching} onClick={() => void refetch()}>
            {t.diagnostics.again}
          </Button>
          <Button variant="primary" onClick={onClose} data-autofocus>
            {t.common.close}
          </Button>
        </>
      }
    >
      {error !== null && <ErrorNotice explanation={explain(error, t.diagnostics.failed)} />}
      {data === undefined && error === null && (
        <p role="status" className="flex items-center gap-2 py-3 text-fg2">
          <Spinner /> {t.diagnostics.running}
        </p>
      )}
      {data !== undefined && (
        <ul className="overflow-hidden rounded-lg border border-line">
          {data.map((check) => (
            <Check key={check.name} check={check} />
          ))}
        </ul>
      )}
    </Dialog>
  );
}

function Check({ check }: { readonly check: DiagnosticCheck }) {
  const { icon: Icon, color } = looks[check.result];
  return (
    <li className="flex items-start gap-3 border-b border-line px-3 py-2 last:border-0">
      <Icon size={15} aria-hidden className={`mt-[3px] shrink-0 ${color}`} />
      <div className="selectable min-w-0 flex-1">
        <p>
          {t.diagnostics.titles[check.name] ?? check.title} <span className={`text-sm ${color}`}>{t.diagnostics.results[check.result]}</span>
        </p>
        <p className="text-sm text-fg2 [overflow-wrap:anywhere]">{check.detail}</p>
        {check.fix !== undefined && <p className="text-sm text-fg2 [overflow-wrap:anywhere]">{check.fix}</p>}
      </div>
    </li>
  );
}
