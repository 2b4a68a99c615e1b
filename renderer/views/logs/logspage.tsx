import { ScrollText, Search } from "lucide-react";
import { type SubmitEvent, useState } from "react";
import { useStore } from "zustand";
import { type LogLevelName, logLevelNames } from "#api/log-search.ts";
import { useApp } from "#renderer/appcontext.ts";
import { explain } from "#renderer/core/explain.ts";
import { size } from "#renderer/core/format.ts";
import { type FoundLogs, foundMax, type LogQuestion } from "#renderer/core/logs/found.ts";
import { t } from "#renderer/core/texts.ts";
import { Button } from "#renderer/ui/button.tsx";
import { EmptyState } from "#renderer/ui/emptystate.tsx";
import { ErrorNotice } from "#renderer/ui/errornotice.tsx";
import { Checkbox, Input, SearchField, Select } from "#renderer/ui/field.tsx";
import { Page } from "#renderer/ui/page.tsx";
import { FoundRow } from "./foundrow.tsx";

const first: LogQuestion = { text: "", regex: false, ignoreCase: true, level: "", container: "", withinSeconds: 0 };
const spans = [900, 3_600, 86_400, 0] as const;

/** Searches the output of every container there is and of those that were removed. */
export function LogsPage() {
  const { logFinder } = useApp();
  const found = useStore(logFinder.store);
  const [question, setQuestion] = useState(found.question ?? first);
  const change = (part: Partial<LogQuestion>): void => setQuestion({ ...question, ...part });
  const submit = (event: SubmitEvent): void => {
    event.preventDefault();
    void logFinder.find(question);
  };
  return (
    <Page title={t.logSearch.title} note={noteOf(found)}>
      <form onSubmit={submit} className="flex flex-wrap items-center gap-2 border-b border-line px-4 py-2" data-testid="log-search">
        <SearchField label={t.logSearch.text} value={question.text} onChange={(text) => change({ text })} className="min-w-[220px] flex-1" />
        <Check label={t.logSearch.regex} checked={question.regex} onChange={(regex) => change({ regex })} />
        <Check label={t.logSearch.ignoreCase} checked={question.ignoreCase} onChange={(ignoreCase) => change({ ignoreCase })} />
        <Select
          aria-label={t.logSearch.level}
          value={question.level}
          onChange={({ target }) => change({ level: target.value as LogLevelName | "" })}
          className="!w-40"
        >
          {(["", ...logLevelNames] as const).map((level) => (
            <option key={level} value={level}>
              {t.logSearch.levels[level]}
            </option>
          ))}
        </Select>
        <Select
          aria-label={t.logSearch.within}
          value={question.withinSeconds}
          onChange={({ target }) => change({ withinSeconds: Number(target.value) })}
          className="!w-40"
        >
          {spans.map((span) => (
            <option key={span} value={span}>
              {t.logSearch.spans[span]}
            </option>
          ))}
        </Select>
        <Input
          aria-label={t.logSearch.container}
          placeholder={t.logSearch.containerPlaceholder}
          value={question.container}
          onChange={({ target }) => change({ container: target.value.trim() })}
          className="!w-40"
        />
        <Button variant="primary" type="submit" icon={Search} busy={found.state === "running"}>
          {t.logSearch.search}
        </Button>
      </form>
      <Found found={found} />
    </Page>
  );
}

const Check = ({ label, checked, onChange }: { readonly label: string; readonly checked: boolean; readonly onChange: (checked: boolean) => void }) => (
  <label className="flex items-center gap-1.5 text-sm whitespace-nowrap text-fg2">
    <Checkbox checked={checked} onChange={({ target }) => onChange(target.checked)} />
    {label}
  </label>
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
