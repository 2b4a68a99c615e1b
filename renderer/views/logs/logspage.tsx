import { ScrollText } from "lucide-react";
import { useEffect, useState } from "react";
import { useStore } from "zustand";
import { useApp } from "#renderer/appcontext.ts";
import { explain } from "#renderer/core/explain.ts";
import { size } from "#renderer/core/format.ts";
import { type FoundLogs, foundMax, type LogQuestion } from "#renderer/core/logs/found.ts";
import type { LogSession } from "#renderer/core/logs/session.ts";
import { t } from "#renderer/core/texts.ts";
import { useEngineUp } from "#renderer/queries.ts";
import { EmptyState } from "#renderer/ui/emptystate.tsx";
import { ErrorNotice } from "#renderer/ui/errornotice.tsx";
import { Page } from "#renderer/ui/page.tsx";
import { FoundRow } from "./foundrow.tsx";
import { LogPane } from "./logpane.tsx";
import { SavedSearches } from "./savedsearches.tsx";
import { SearchForm } from "./searchform.tsx";

const first: LogQuestion = { text: "", regex: false, ignoreCase: true, level: "", containers: [], field: "", withinSeconds: 0 };
/** Searches the output of every container there is and of those that were removed, and follows that of several at once. */
export function LogsPage() {
  const { logFinder, liveLogs } = useApp();
  const found = useStore(logFinder.store);
  const followed = useStore(liveLogs.store);
  const [live, setLive] = useState(followed.session !== undefined);
  const [question, setQuestion] = useState((live ? followed.question : found.question) ?? first);
  const up = useEngineUp();
  useEffect(() => {
    // After a break it goes on where it was.
    if (up) followed.session?.follow("found");
  }, [up, followed.session]);
  return (
    <Page title={t.logSearch.title} note={live ? t.logSearch.liveTip : noteOf(found)} actions={<SavedSearches question={question} onChoose={setQuestion} />}>
      <SearchForm
        question={question}
        onChange={setQuestion}
        live={live}
        onLive={setLive}
        busy={!live && found.state === "running"}
        onSubmit={() => (live ? liveLogs.start(question) : void logFinder.find(question))}
        onEnd={live && followed.session !== undefined ? () => liveLogs.stop() : undefined}
      />
      {live ? <Live session={followed.session} /> : <Found found={found} />}
    </Page>
  );
}

const Live = ({ session }: { readonly session: LogSession | undefined }) =>
  session === undefined ? (
    <EmptyState icon={ScrollText} title={t.logSearch.liveTitle} text={t.logSearch.liveText} />
  ) : (
    <LogPane session={session} name={t.logSearch.fileName} />
  );

function noteOf({ state, end }: FoundLogs): string {
  if (state === "running") return t.logSearch.running;
  return end === undefined ? t.logSearch.hint : t.logSearch.sums(end.Hits, end.Containers, size(end.Bytes), end.CpuMs);
}

function Found({ found }: { readonly found: FoundLogs }) {
  const { state, lines, end, failure, question } = found;
  if (state === "idle") return <EmptyState icon={ScrollText} title={t.logSearch.startTitle} text={t.logSearch.startText} />;
  if (state === "failed")
    return (
      <div className="p-4">
        <ErrorNotice explanation={explain(failure, t.logSearch.failed)} />
      </div>
    );
  if (state === "done" && lines.length === 0) return <EmptyState icon={ScrollText} title={t.logSearch.noneTitle} text={t.logSearch.noneText} />;
  return (
    // What scrolls has to be reached by the keyboard.
    // oxlint-disable-next-line no-noninteractive-tabindex
    <div className="min-h-0 flex-1 overflow-auto" tabIndex={0} role="region" aria-label={t.logSearch.results}>
      {end?.Truncated === true && <p className="border-b border-line bg-warn-soft px-4 py-1.5 text-sm">{t.logSearch.truncated(foundMax)}</p>}
      <ol className="log-rows selectable font-mono text-sm leading-5" data-testid="log-found">
        {lines.map((line, index) => (
          <FoundRow key={`${line.Id}-${line.Time}-${index}`} line={line} question={question} />
        ))}
      </ol>
    </div>
  );
}
