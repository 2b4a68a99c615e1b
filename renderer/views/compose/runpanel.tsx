import { CircleCheck, CircleX, LoaderCircle, X } from "lucide-react";
import { useStore } from "zustand";
import { useApp } from "#renderer/appcontext.ts";
import { type ComposeRun, stepState } from "#renderer/core/composeruns.ts";
import { explain } from "#renderer/core/explain.ts";
import { t } from "#renderer/core/texts.ts";
import { Badge } from "#renderer/ui/badge.tsx";
import { Button, IconButton } from "#renderer/ui/button.tsx";
import { ErrorNotice } from "#renderer/ui/errornotice.tsx";
import { Spinner } from "#renderer/ui/spinner.tsx";

const icons = { busy: LoaderCircle, done: CircleCheck, failed: CircleX } as const;
const colors = { busy: "text-accent-text", done: "text-ok-text", failed: "text-danger-text" } as const;
const tones = { running: "accent", done: "ok", failed: "danger", cancelled: "neutral" } as const;

/** What docker compose does with the project now, or did last: it stays until it is closed. */
export function RunPanel({ project }: { readonly project: string }) {
  const { composeRuns } = useApp();
  const run = useStore(composeRuns.store, ({ list }) => list.find((one) => one.project === project));
  if (run === undefined) return null;
  const { state, steps, output } = run;
  return (
    <section
      aria-label={t.compose.run.title[run.options.verb](project)}
      data-testid="compose-run"
      className="flex max-h-[45%] shrink-0 flex-col border-t border-line bg-sunken/40"
    >
      <header className="flex shrink-0 items-center gap-2 px-5 py-1.5">
        {state.kind === "running" && <Spinner />}
        <h2 className="font-medium">{t.compose.run.title[run.options.verb](project)}</h2>
        <span role="status" data-testid="compose-run-state">
          <Badge tone={tones[state.kind]}>{t.compose.run.states[state.kind]}</Badge>
        </span>
        <span className="ml-auto flex">
          {state.kind === "running" ? (
            <Button small onClick={() => composeRuns.cancel(run.id)}>
              {t.compose.run.cancel}
            </Button>
          ) : (
            <IconButton icon={X} label={t.compose.run.close} onClick={() => composeRuns.forget(run.id)} />
          )}
        </span>
      </header>
      <div className="min-h-0 flex-1 overflow-y-auto px-5 pb-3">
        {state.kind === "failed" && <ErrorNotice explanation={explain(state.error, t.compose.run.failed(project))} />}
        <Steps steps={steps} />
        {output.length > 0 && (
          <pre aria-label={t.compose.run.output} className="selectable mt-2 font-mono text-xs whitespace-pre-wrap text-fg2 [overflow-wrap:anywhere]">
            {output.join("\n")}
          </pre>
        )}
      </div>
    </section>
  );
}

const Steps = ({ steps }: { readonly steps: ComposeRun["steps"] }) => (
  <ul aria-label={t.compose.run.steps} className="grid grid-cols-[repeat(auto-fill,minmax(260px,1fr))] gap-x-5 gap-y-1 py-1">
    {steps.map((step) => {
      const state = stepState(step);
      const Icon = icons[state];
      return (
        <li key={step.name} className="flex min-w-0 items-center gap-2 text-sm">
          <Icon size={13} aria-hidden className={`shrink-0 ${colors[state]}`} />
          <span className="min-w-0 truncate font-mono" data-tip-cut={step.name}>
            {step.name}
          </span>
          <span className="min-w-0 truncate text-fg3" data-tip-cut={step.word}>
            {step.word}
          </span>
        </li>
      );
    })}
  </ul>
);
