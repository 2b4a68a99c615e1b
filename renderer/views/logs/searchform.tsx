import { ChevronDown, Play, Search, Square } from "lucide-react";
import { type SubmitEvent, useState } from "react";
import { type LogLevelName, logLevelNames } from "#api/log-search.ts";
import { plainName } from "#renderer/core/format.ts";
import type { LogQuestion } from "#renderer/core/logs/found.ts";
import { t } from "#renderer/core/texts.ts";
import { useContainers } from "#renderer/queries.ts";
import { Button } from "#renderer/ui/button.tsx";
import { Checkbox, Input, SearchField, Select } from "#renderer/ui/field.tsx";
import { Menu } from "#renderer/ui/menu.tsx";

const spans = [900, 3_600, 86_400, 0] as const;

export interface SearchFormProps {
  readonly question: LogQuestion;
  readonly onChange: (question: LogQuestion) => void;
  readonly live: boolean;
  readonly onLive: (live: boolean) => void;
  /** A search runs, or lines are followed. */
  readonly busy: boolean;
  readonly onSubmit: () => void;
  /** Present while lines are followed. */
  readonly onEnd: (() => void) | undefined;
}

/** What to look for in the output of everything, and whether to go on with what is written. */
export function SearchForm({ question, onChange, live, onLive, busy, onSubmit, onEnd }: SearchFormProps) {
  const change = (part: Partial<LogQuestion>): void => onChange({ ...question, ...part });
  const submit = (event: SubmitEvent): void => {
    event.preventDefault();
    onSubmit();
  };
  return (
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
      <Containers chosen={question.containers} onChange={(containers) => change({ containers })} />
      <Input
        aria-label={t.logSearch.field}
        placeholder={t.logSearch.fieldPlaceholder}
        value={question.field}
        onChange={({ target }) => change({ field: target.value.trim() })}
        className="!w-40"
        mono
      />
      <span data-tip={t.logSearch.liveTip}>
        <Check label={t.logSearch.live} checked={live} onChange={onLive} />
      </span>
      <Button variant="primary" type="submit" icon={live ? Play : Search} busy={busy}>
        {live ? t.logSearch.follow : t.logSearch.search}
      </Button>
      {onEnd !== undefined && (
        <Button icon={Square} onClick={onEnd}>
          {t.logSearch.end}
        </Button>
      )}
    </form>
  );
}

const Check = ({ label, checked, onChange }: { readonly label: string; readonly checked: boolean; readonly onChange: (checked: boolean) => void }) => (
  <label className="flex items-center gap-1.5 text-sm whitespace-nowrap text-fg2">
    <Checkbox checked={checked} onChange={({ target }) => onChange(target.checked)} />
    {label}
  </label>
);

/** Which containers: those that are there, and such chosen before as are gone. */
function Containers({ chosen, onChange }: { readonly chosen: readonly string[]; readonly onChange: (chosen: readonly string[]) => void }) {
  const { data = [] } = useContainers();
  const [at, setAt] = useState<{ readonly x: number; readonly y: number }>();
  const names = [...new Set([...chosen, ...data.map(({ Names }) => plainName(Names))])].toSorted((a, b) => a.localeCompare(b));
  return (
    <>
      <Button
        icon={ChevronDown}
        aria-haspopup="menu"
        disabled={names.length === 0}
        onClick={(event) => {
          const { left, bottom } = event.currentTarget.getBoundingClientRect();
          setAt({ x: left, y: bottom + 4 });
        }}
      >
        {t.logSearch.containers(chosen.length)}
      </Button>
      {at !== undefined && (
        <Menu
          label={t.logSearch.containers(0)}
          at={at}
          onClose={() => setAt(undefined)}
          items={names.map((name) => ({
            label: name,
            checked: chosen.includes(name),
            onSelect: () => onChange(chosen.includes(name) ? chosen.filter((other) => other !== name) : [...chosen, name]),
          }))}
        />
      )}
    </>
  );
}
