import { Keyboard, type LucideIcon, Search } from "lucide-react";
import { Link, useLocation } from "wouter";
import { t } from "#renderer/core/texts.ts";
import { keeps } from "#renderer/core/trash.ts";
import { useContainers, useImages, useNetworks, useTrash, useVolumes } from "#renderer/queries.ts";
import { cx } from "#renderer/ui/cx.ts";
import { Logo } from "./logo.tsx";
import { modifier, type Place, places, trashPlace } from "./navigation.ts";

/** What a narrow window leaves out: there the navigation is its icons, each with its name as a tip. */
const wide = "max-[860px]:hidden";

export function Sidebar({ onShortcuts, onPalette }: { readonly onShortcuts: () => void; readonly onPalette: () => void }) {
  const containers = useContainers().data;
  const trash = useTrash().data;
  const counts: Record<string, number | undefined> = {
    "/containers": containers?.length,
    "/images": useImages().data?.length,
    "/volumes": useVolumes().data?.length,
    "/networks": useNetworks().data?.length,
  };
  return (
    <nav
      aria-label={t.nav.label}
      className="flex w-[208px] shrink-0 flex-col overflow-y-auto border-r border-line bg-side max-[1040px]:w-[184px] max-[860px]:w-[52px]"
    >
      <div className="flex h-[52px] items-center gap-2.5 px-4 max-[860px]:px-3.5">
        <Logo />
        <span className={cx("text-lg font-semibold tracking-[-0.015em]", wide)}>{t.app}</span>
      </div>
      <ul className="flex flex-1 shrink-0 flex-col gap-0.5 px-2 pt-1">
        {places()
          .slice(0, -2)
          .map((place, index) => (
            <NavLink key={place.path} place={place} number={index + 1} count={counts[place.path]} />
          ))}
      </ul>
      <ul className="flex shrink-0 flex-col gap-0.5 px-2 pb-2">
        <NavButton icon={Search} label={t.palette.title} keys={`${modifier}K`} onClick={onPalette} />
        <NavButton icon={Keyboard} label={t.nav.shortcuts} keys="?" onClick={onShortcuts} />
        {trash !== undefined && (keeps(trash) || trash.Items.length > 0) && <NavLink place={trashPlace()} number={undefined} count={trash.Items.length} />}
        {places()
          .slice(-2)
          .map((place, index) => (
            <NavLink key={place.path} place={place} number={places().length - 1 + index} count={undefined} />
          ))}
      </ul>
    </nav>
  );
}

function NavButton({
  icon: Icon,
  label,
  keys,
  onClick,
}: {
  readonly icon: LucideIcon;
  readonly label: string;
  readonly keys: string;
  readonly onClick: () => void;
}) {
  return (
    <li>
      <button
        type="button"
        onClick={onClick}
        data-tip={`${label}  ${keys}`}
        aria-label={label}
        className="flex h-[30px] w-full items-center gap-2.5 rounded-md px-2 text-fg2 transition-colors hover:bg-hover hover:text-fg max-[860px]:px-2.5"
      >
        <Icon size={16} strokeWidth={1.8} aria-hidden />
        <span className={cx("flex-1 text-left", wide)}>{label}</span>
        {/* Drawn, not written: the button is called by its label alone. */}
        <span aria-hidden data-keys={keys} className={cx("font-mono text-xs text-fg3 after:content-[attr(data-keys)]", wide)} />
      </button>
    </li>
  );
}

function NavLink({
  place: { path, label, icon: Icon },
  number,
  count,
}: {
  readonly place: Place;
  readonly number: number | undefined;
  readonly count: number | undefined;
}) {
  const [location] = useLocation();
  const here = location === path || location.startsWith(`${path}/`);
  return (
    <li>
      <Link
        href={path}
        aria-current={here ? "page" : undefined}
        data-tip={number === undefined ? label : `${label}  ${modifier}${number}`}
        className={cx(
          "flex h-[30px] items-center gap-2.5 rounded-md px-2 transition-colors max-[860px]:px-2.5",
          here ? "bg-press font-medium text-fg" : "text-fg2 hover:bg-hover hover:text-fg",
        )}
      >
        <Icon size={16} strokeWidth={here ? 2 : 1.8} aria-hidden className={cx(here && "text-accent-text")} />
        <span className="flex-1 max-[860px]:sr-only">{label}</span>
        {count !== undefined && count > 0 && <span className={cx("tabular text-xs text-fg3", wide)}>{count}</span>}
      </Link>
    </li>
  );
}
