import { createContext, useContext, useEffect } from "react";
import { useStore } from "zustand";
import type { ContainerSummary } from "#api/containers.ts";
import { useApp } from "#renderer/appcontext.ts";
import type { ActName } from "#renderer/core/acts.ts";
import { healthOf, type PortLink, portLinks, sinceOf, statusWord, toneOf } from "#renderer/core/containers.ts";
import { elapsed, memory, percent, plainName, secondsAgo, shortId } from "#renderer/core/format.ts";
import { historyOf } from "#renderer/core/statsstore.ts";
import { t } from "#renderer/core/texts.ts";
import { useNow } from "#renderer/now.ts";
import { Badge } from "#renderer/ui/badge.tsx";
import { CopyButton } from "#renderer/ui/copy.tsx";
import { cx } from "#renderer/ui/cx.ts";
import { Middle } from "#renderer/ui/middle.tsx";
import { NameLink } from "#renderer/ui/namelink.tsx";
import { useRowTab } from "#renderer/ui/rowtab.ts";
import { Spinner } from "#renderer/ui/spinner.tsx";
import { StateDot, toneText } from "#renderer/ui/statedot.tsx";
import { Sparkline } from "./sparkline.tsx";

/** What all rows share, handed down once: a query hook in each row would be asked for each row that scrolls by. */
export const ListContext = createContext({ readAt: 0, portHost: "localhost" });

interface CellProps {
  readonly container: ContainerSummary;
}

export const usePending = (id: string): ActName | undefined => useStore(useApp().acts.pending, (state) => state.byId.get(id));

export function NameCell({ container }: CellProps) {
  const { Id, Names, Image } = container;
  return (
    <div className="flex min-w-0 flex-col">
      <NameLink href={`/containers/${Id}/logs`} name={plainName(Names)} />
      <span className="text-sm text-fg3" data-tip-cut={Image}>
        <Middle text={Image.startsWith("sha256:") ? shortId(Image) : Image} />
      </span>
    </div>
  );
}

const tickMs = 5_000;

/** Goes on counting from when the list was read: time alone is no event. */
function SinceText({ status }: { readonly status: string }) {
  const { readAt } = useContext(ListContext);
  const now = useNow(tickMs);
  const since = sinceOf(status);
  if (since === undefined) return null;
  const seconds = since.seconds + Math.max(0, now - readAt) / 1000;
  return <span className="truncate pl-3.5 text-sm text-fg3">{since.up ? t.containers.up(elapsed(seconds)) : secondsAgo(seconds)}</span>;
}

const healthTones = { healthy: "ok", unhealthy: "danger", starting: "accent" } as const;

export function StateCell({ container }: CellProps) {
  const pending = usePending(container.Id);
  const health = healthOf(container.Status);
  const tone = toneOf(container.State);
  return (
    <div className="flex min-w-0 flex-col" data-testid="state">
      {pending === undefined ? (
        <span className={cx("flex items-center gap-1.5", toneText(tone))}>
          <StateDot tone={tone} />
          <span className="truncate">{statusWord(container.State, container.Status)}</span>
          {health !== undefined && <Badge tone={healthTones[health]}>{t.containers.health[health]}</Badge>}
        </span>
      ) : (
        <span className="flex items-center gap-1.5 text-accent-text">
          <Spinner size={11} className="-mx-px" />
          {t.containers.pending[pending]}
        </span>
      )}
      <SinceText status={container.Status} />
    </div>
  );
}

/** As many ports as fit a row without being cut; the rest is counted. */
const portCharactersMax = 20;

function splitPorts(links: readonly PortLink[]): readonly [shown: readonly PortLink[], rest: readonly PortLink[]] {
  // Ports that are only exposed say little beside published ones.
  const [published, exposed] = [links.filter((link) => link.published), links.filter((link) => !link.published)];
  const main = published.length > 0 ? published : exposed;
  let length = 0;
  const fit = main.filter(({ text }, index) => (length += text.length) <= portCharactersMax || index === 0);
  return [fit, [...main.filter((link) => !fit.includes(link)), ...(published.length > 0 ? exposed : [])]];
}

export function PortsCell({ container }: CellProps) {
  const { portHost } = useContext(ListContext);
  const links = portLinks(container.Ports, portHost);
  const [shown, rest] = splitPorts(links);
  const tab = useRowTab();
  if (links.length === 0) return <span className="text-fg3">–</span>;
  return (
    <div className="flex min-w-0 items-center gap-x-2">
      {shown.map((link, index) => (
        <span key={link.text} className={cx(index > 0 && "max-[1100px]:hidden")}>
          <PortText {...link} tab={tab} />
        </span>
      ))}
      <MorePorts links={rest} className="max-[1100px]:hidden" />
      <MorePorts links={[...shown.slice(1), ...rest]} className="min-[1100px]:hidden" />
    </div>
  );
}

const MorePorts = ({ links, className }: { readonly links: readonly PortLink[]; readonly className: string }) =>
  links.length > 0 && (
    <span data-tip={links.map(({ text }) => text).join("\n")} className={cx("tabular rounded-sm bg-hover px-1 text-xs text-fg2", className)}>
      {t.containers.morePorts(links.length)}
    </span>
  );

export function PortText({
  text,
  url,
  tab,
  copy = false,
}: {
  readonly text: string;
  readonly url?: string;
  readonly tab?: number | undefined;
  readonly copy?: boolean;
}) {
  if (url === undefined) return <span className="tabular text-sm whitespace-nowrap text-fg3">{text}</span>;
  return (
    <span className="group/port flex min-w-0 items-center">
      <a
        href={url}
        target="_blank"
        rel="noreferrer"
        tabIndex={tab}
        data-tip={t.containers.openPort(url)}
        className="tabular rounded-sm text-sm whitespace-nowrap text-accent-text hover:underline"
      >
        {text}
      </a>
      {copy && <CopyButton text={url} label={t.containers.copyPort(url)} small />}
    </span>
  );
}

const sparkPoints = 40;

const useHistory = ({ Id }: ContainerSummary) => useStore(useApp().stats.history, (state) => historyOf(state, Id));

/** Live while the row is drawn; only rows in sight are drawn. */
function useLive(container: ContainerSummary) {
  const { stats } = useApp();
  const running = container.State === "running";
  useEffect(() => {
    if (!running) return;
    const watch = stats.watch(container.Id);
    return () => watch[Symbol.dispose]();
  }, [stats, container.Id, running]);
  const history = useHistory(container);
  return running ? history : undefined;
}

export function CpuCell({ container }: CellProps) {
  const history = useLive(container);
  const values = (history ?? []).flatMap(({ cpu }) => cpu ?? []);
  const last = values.at(-1);
  if (last === undefined) return <span className="text-fg3">–</span>;
  return (
    <div className="flex items-center justify-end gap-2">
      <Sparkline values={values.slice(-sparkPoints)} max={100} points={sparkPoints} />
      <span className="tabular min-w-[44px] text-right">{percent(last)}</span>
    </div>
  );
}

export function MemoryCell({ container }: CellProps) {
  // The CPU cell beside it keeps the figures coming.
  const last = useHistory(container).at(-1);
  const used = last?.memory ?? undefined;
  if (used === undefined || container.State !== "running") return <span className="text-fg3">–</span>;
  return <span className="tabular">{memory(used)}</span>;
}
