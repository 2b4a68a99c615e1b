import { useState } from "react";
import { masked } from "#renderer/core/secrets.ts";
import { t } from "#renderer/core/texts.ts";
import { Button } from "#renderer/ui/button.tsx";
import { CopyButton } from "#renderer/ui/copy.tsx";
import { SearchField } from "#renderer/ui/field.tsx";
import { JsonTree } from "#renderer/ui/jsontree.tsx";
import { Segmented } from "#renderer/ui/tabs.tsx";

type Mode = "tree" | "json";
const modes = () =>
  [
    { id: "tree", label: t.inspect.tree },
    { id: "json", label: t.inspect.json },
  ] as const;

/** The engine's whole answer about an object. */
export function InspectTab({ value }: { readonly value: unknown }) {
  const [mode, setMode] = useState<Mode>("tree");
  const [filter, setFilter] = useState("");
  const [all, setAll] = useState<{ readonly open: boolean }>();
  return (
    <div className="flex min-h-0 flex-1 flex-col" data-testid="inspect">
      <div className="flex shrink-0 items-center gap-2 border-b border-line px-4 py-1.5">
        <Segmented label={t.common.inspect} choices={modes()} current={mode} onSelect={setMode} />
        {mode === "tree" && (
          <>
            <SearchField label={t.inspect.search} value={filter} onChange={setFilter} className="w-[240px]" />
            <Button small variant="ghost" onClick={() => setAll({ open: true })}>
              {t.inspect.expandAll}
            </Button>
            <Button small variant="ghost" onClick={() => setAll({ open: false })}>
              {t.inspect.collapseAll}
            </Button>
          </>
        )}
        <CopyButton text={() => Promise.resolve(JSON.stringify(value, null, 2))} label={t.inspect.copy} className="ml-auto" />
      </div>
      <div className="min-h-0 flex-1 overflow-auto px-4 py-2">
        {mode === "tree" ? (
          <JsonTree value={value} filter={filter} all={all} />
        ) : (
          <pre className="font-mono text-sm whitespace-pre-wrap [overflow-wrap:anywhere]">{JSON.stringify(masked(value), null, 2)}</pre>
        )}
      </div>
    </div>
  );
}
