import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import type { ComposeProjectSource } from "#api/compose.ts";
import { EngineError } from "#base/errors.ts";
import { useApp } from "#renderer/appcontext.ts";
import { actOptions } from "#renderer/core/composeruns.ts";
import type { Difference } from "#renderer/core/composediff.ts";
import { type PlanAction, type PlanRow, upPlan } from "#renderer/core/composeplan.ts";
import { readPlanFacts } from "#renderer/core/composefacts.ts";
import { explain } from "#renderer/core/explain.ts";
import { keys } from "#renderer/core/keys.ts";
import { isSecretName } from "#renderer/core/secrets.ts";
import { t } from "#renderer/core/texts.ts";
import { Badge, type BadgeTone } from "#renderer/ui/badge.tsx";
import { Button } from "#renderer/ui/button.tsx";
import { Dialog } from "#renderer/ui/dialog.tsx";
import { ErrorNotice } from "#renderer/ui/errornotice.tsx";
import { Checkbox } from "#renderer/ui/field.tsx";
import { Reading } from "#renderer/ui/reading.tsx";
import { SimpleTable } from "#renderer/ui/simpletable.tsx";

export interface UpDialogProps {
  readonly name: string;
  readonly source: ComposeProjectSource;
  readonly onClose: () => void;
}

const tones: Readonly<Record<PlanAction, BadgeTone>> = { keep: "neutral", start: "ok", create: "ok", recreate: "warn", remove: "danger", orphan: "warn" };

/** What bringing the project up would change, before it does. */
export function UpDialog({ name, source, onClose }: UpDialogProps) {
  const { engine, composeRuns } = useApp();
  const [build, setBuild] = useState(false);
  const [removeOrphans, setRemoveOrphans] = useState(false);
  const plan = useQuery({
    queryKey: keys.composePlan(source.files),
    queryFn: async () => {
      const check = await engine.compose.check(source);
      if (check.error !== undefined) throw new EngineError("invalidArgument", check.error);
      return { rows: upPlan(await readPlanFacts(engine, name, check)), warnings: check.warnings };
    },
    staleTime: 0,
    gcTime: 0,
    retry: false,
  });
  const rows = plan.data?.rows ?? [];
  const orphans = rows.filter(({ action }) => action === "orphan").length;
  const submit = (): void => {
    if (plan.data === undefined) return;
    void composeRuns.start(name, source, actOptions("up", { build, removeOrphans }));
    onClose();
  };
  return (
    <Dialog
      title={t.compose.upTitle(name)}
      width={760}
      testId="compose-up"
      onClose={onClose}
      onSubmit={submit}
      footer={
        <>
          <Button onClick={onClose}>{t.common.cancel}</Button>
          <Button type="submit" variant="primary" disabled={plan.data === undefined} data-testid="compose-up-submit">
            {t.compose.upVerb}
          </Button>
        </>
      }
    >
      <div className="flex flex-col gap-3">
        {plan.isLoading && <Reading />}
        {plan.error !== null && <ErrorNotice explanation={explain(plan.error, t.compose.planFailed)} />}
        {plan.data?.warnings.map((warning) => (
          <p key={warning} className="rounded-md bg-warn-soft px-3 py-1.5 text-sm">
            {warning}
          </p>
        ))}
        {rows.length > 0 && <Plan rows={rows} />}
        {plan.data !== undefined && (
          <div className="flex flex-col gap-2">
            <label className="flex items-center gap-2">
              <Checkbox checked={build} onChange={(event) => setBuild(event.target.checked)} /> {t.compose.buildFirst}
            </label>
            {orphans > 0 && (
              <label className="flex items-center gap-2">
                <Checkbox checked={removeOrphans} onChange={(event) => setRemoveOrphans(event.target.checked)} /> {t.compose.removeOrphans(orphans)}
              </label>
            )}
          </div>
        )}
      </div>
    </Dialog>
  );
}

function Plan({ rows }: { readonly rows: readonly PlanRow[] }) {
  const counts = Map.groupBy(rows, ({ action }) => action);
  const same = rows.every(({ action }) => action === "keep");
  const { container, action, differences } = t.compose.planColumns;
  return (
    <>
      <p className="text-fg2">{same ? t.compose.upSame : t.compose.upSummary([...counts].map(([word, its]) => t.compose.planCounts[word](its.length)))}</p>
      <SimpleTable
        label={t.compose.planLabel}
        head={[container, action, differences]}
        rows={rows.map((row) => ({
          key: row.container,
          cells: [
            <span key="name" className="font-mono text-sm">
              {row.container}
            </span>,
            <Badge key="action" tone={tones[row.action]}>
              {t.compose.planWords[row.action]}
            </Badge>,
            row.action === "recreate" ? (
              <Differences key="differences" list={row.differences} />
            ) : (
              <span key="none" className="text-fg3">
                –
              </span>
            ),
          ],
        }))}
      />
      {counts.has("recreate") && <p className="text-sm text-fg3">{t.compose.anewHint}</p>}
    </>
  );
}

const Differences = ({ list }: { readonly list: readonly Difference[] }) =>
  list.length === 0 ? (
    <span className="text-fg2">{t.compose.unknownDifference}</span>
  ) : (
    <ul className="flex flex-col gap-0.5 text-sm">
      {list.map(({ field, from, to }) => (
        <li key={field}>
          <span className="font-medium">{field}</span>: <Value field={field} text={from} /> → <Value field={field} text={to} />
        </li>
      ))}
    </ul>
  );

const Value = ({ field, text }: { readonly field: string; readonly text: string }) =>
  text === "" ? <span className="text-fg3">{t.compose.nothing}</span> : <code className="font-mono">{isSecretName(field) ? "••••" : text}</code>;
