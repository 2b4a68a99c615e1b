import type { UseQueryResult } from "@tanstack/react-query";
import { ChevronLeft, type LucideIcon, Trash2 } from "lucide-react";
import { type ReactNode, useState } from "react";
import { useLocation } from "wouter";
import { explain } from "#renderer/core/explain.ts";
import { t } from "#renderer/core/texts.ts";
import { IconButton } from "#renderer/ui/button.tsx";
import { ErrorNotice } from "#renderer/ui/errornotice.tsx";
import { Facts } from "#renderer/ui/page.tsx";
import { Spinner } from "#renderer/ui/spinner.tsx";
import { TabPanel, Tabs } from "#renderer/ui/tabs.tsx";
import { useEscape } from "#renderer/views/shell/keyboard.ts";
import { InspectTab } from "./inspecttab.tsx";

export interface ObjectPageProps<T> {
  readonly title: string;
  readonly icon: LucideIcon;
  readonly note?: ReactNode;
  readonly listPath: string;
  readonly query: UseQueryResult<T>;
  readonly facts: (value: T) => readonly (readonly [label: string, value: ReactNode])[];
  readonly actions?: ReactNode;
  readonly onDelete?: (() => void) | undefined;
  /** Tabs between what matters and what the engine knows. */
  readonly views?: readonly { readonly id: string; readonly label: string; readonly draw: (value: T) => ReactNode }[] | undefined;
  readonly more?: ((value: T) => ReactNode) | undefined;
  readonly children?: ReactNode;
}

/** One image, volume or network: what matters about it, and all the engine knows. */
export function ObjectPage<T>({ title, icon: Icon, note, listPath, query, facts, actions, onDelete, views = [], more, children }: ObjectPageProps<T>) {
  const [, go] = useLocation();
  const [tab, setTab] = useState("overview");
  const tabs = [{ id: "overview", label: t.common.overview }, ...views, { id: "inspect", label: t.common.inspect }];
  useEscape(() => go(listPath));
  return (
    <section aria-label={title} className="flex min-h-0 flex-1 flex-col">
      <header className="flex shrink-0 flex-wrap items-center gap-x-2 gap-y-1.5 py-2.5 pr-4 pl-2">
        <div className="flex min-w-[160px] flex-1 items-center gap-2">
          <IconButton icon={ChevronLeft} label={t.common.back} onClick={() => go(listPath)} />
          <Icon size={18} strokeWidth={1.7} aria-hidden className="shrink-0 text-fg3" />
          <h1 className="selectable min-w-0 truncate text-lg font-semibold tracking-[-0.01em]">{title}</h1>
          {note}
        </div>
        <div className="ml-auto flex flex-wrap justify-end gap-1.5">
          {actions}
          {onDelete !== undefined && <IconButton icon={Trash2} danger label={t.containers.deleteDots} onClick={onDelete} className="size-[30px]" />}
        </div>
      </header>
      <div className="shrink-0 border-b border-line px-4">
        <Tabs label={title} tabs={tabs} current={tab} onSelect={setTab} />
      </div>
      <TabPanel current={tab}>
        {query.error !== null && (
          <div className="p-4">
            <ErrorNotice explanation={explain(query.error, t.inspect.failed(title))} />
          </div>
        )}
        {query.isLoading && (
          <div className="flex flex-1 items-center justify-center text-fg3">
            <Spinner size={18} />
          </div>
        )}
        {query.error === null && query.data !== undefined && tab === "overview" && (
          <div className="min-h-0 flex-1 overflow-y-auto p-5">
            <Facts rows={facts(query.data)} />
            {more?.(query.data)}
          </div>
        )}
        {query.error === null && query.data !== undefined && views.find(({ id }) => id === tab)?.draw(query.data)}
        {query.error === null && query.data !== undefined && tab === "inspect" && <InspectTab value={query.data} />}
      </TabPanel>
      {children}
    </section>
  );
}
