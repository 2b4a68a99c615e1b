import { Eraser, X } from "lucide-react";
import { useStore } from "zustand";
import { useApp } from "#renderer/appcontext.ts";
import { type Act, curlLine } from "#renderer/core/activity.ts";
import { clockTime } from "#renderer/core/format.ts";
import { t } from "#renderer/core/texts.ts";
import { useHostInfo } from "#renderer/queries.ts";
import { Badge } from "#renderer/ui/badge.tsx";
import { IconButton } from "#renderer/ui/button.tsx";
import { CopyButton } from "#renderer/ui/copy.tsx";

/** What this window has had the engine do, each with its docker command and its API call. */
export function ActivityDrawer() {
  const { activity } = useApp();
  const { open, list } = useStore(activity.store);
  if (!open) return null;
  return (
    <aside aria-label={t.activity.title} data-testid="activity" className="flex w-[380px] shrink-0 flex-col border-l border-line bg-side max-[860px]:w-[300px]">
      <header className="flex h-[52px] shrink-0 items-center gap-1 border-b border-line pr-2 pl-4">
        <h2 className="mr-auto text-lg font-semibold tracking-[-0.01em]">{t.activity.title}</h2>
        <IconButton icon={Eraser} label={t.activity.clear} disabled={list.length === 0} onClick={() => activity.clear()} />
        <IconButton icon={X} label={t.common.close} onClick={() => activity.toggle()} />
      </header>
      {list.length === 0 && <p className="p-4 text-fg2">{t.activity.empty}</p>}
      <ol className="min-h-0 flex-1 overflow-y-auto">
        {list.map((act) => (
          <Entry key={act.id} act={act} />
        ))}
      </ol>
    </aside>
  );
}

const tones = { running: "accent", done: "ok", failed: "danger" } as const;

function Entry({ act }: { readonly act: Act }) {
  const { shown } = useApp();
  const socket = useHostInfo().data?.socketPath ?? "";
  const { result, call, body, command, startedAt, tookMs } = act;
  return (
    <li data-testid="activity-entry" className="flex flex-col gap-1 border-b border-line px-4 py-2.5">
      <div className="flex items-center gap-2 text-sm text-fg3">
        <time dateTime={new Date(startedAt).toISOString()} className="tabular">
          {clockTime(startedAt)}
        </time>
        {tookMs !== undefined && <span className="tabular">{t.activity.took(tookMs)}</span>}
        <span className="ml-auto">
          <Badge tone={tones[result.kind]}>{t.activity.results[result.kind]}</Badge>
        </span>
      </div>
      {command !== undefined && <Line text={command} label={t.activity.copyCommand} strong />}
      <Line text={call} label={t.activity.copyCall} copied={shown === undefined ? curlLine(act, socket) : call} />
      {body !== "" && (
        <details className="text-sm">
          <summary className="w-fit rounded-sm text-fg2 hover:text-fg">{t.activity.body}</summary>
          <pre className="selectable mt-1 max-h-40 overflow-auto rounded-md border border-line bg-page p-2 font-mono text-xs whitespace-pre-wrap [overflow-wrap:anywhere]">
            {body}
          </pre>
        </details>
      )}
      {result.kind === "failed" && <p className="selectable text-sm text-danger-text [overflow-wrap:anywhere]">{result.words}</p>}
    </li>
  );
}

interface LineProps {
  readonly text: string;
  readonly label: string;
  readonly copied?: string;
  readonly strong?: boolean;
}

const Line = ({ text, label, copied = text, strong = false }: LineProps) => (
  <div className="flex items-start gap-1">
    <code className={`selectable min-w-0 flex-1 pt-0.5 font-mono text-xs [overflow-wrap:anywhere] ${strong ? "text-fg" : "text-fg2"}`}>{text}</code>
    <CopyButton small text={copied} label={label} />
  </div>
);
