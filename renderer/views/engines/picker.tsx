import { Check, ChevronsUpDown, Monitor, Plus, Server, SlidersHorizontal } from "lucide-react";
import { useState } from "react";
import { useLocation } from "wouter";
import { useApp } from "#renderer/appcontext.ts";
import { switchTo } from "#renderer/core/switching.ts";
import { t } from "#renderer/core/texts.ts";
import { useEngines } from "#renderer/queries.ts";
import { cx } from "#renderer/ui/cx.ts";
import { Menu, type MenuItem } from "#renderer/ui/menu.tsx";
import { AddEngine } from "./addengine.tsx";
import { useShownName, wayTo } from "./useengines.ts";

/** Which engine the window shows, and the others it can. */
export function EnginePicker() {
  const app = useApp();
  const [, go] = useLocation();
  const engines = useEngines().data ?? [];
  const [menu, setMenu] = useState<{ readonly x: number; readonly y: number }>();
  const [adding, setAdding] = useState(false);
  const name = useShownName();
  const Icon = app.shown === undefined ? Monitor : Server;
  const items: readonly MenuItem[] = [
    { label: t.engines.here, icon: app.shown === undefined ? Check : Monitor, onSelect: () => switchTo(app, undefined) },
    ...engines.map(
      (engine): MenuItem => ({
        label: engine.name,
        icon: engine.id === app.shown?.id ? Check : Server,
        keys: wayTo(engine),
        onSelect: () => switchTo(app, engine),
      }),
    ),
    { kind: "line" },
    { label: t.engines.addDots, icon: Plus, onSelect: () => setAdding(true) },
    { label: t.engines.manage, icon: SlidersHorizontal, onSelect: () => go("/settings") },
  ];
  return (
    <>
      <button
        type="button"
        data-testid="engine-picker"
        aria-haspopup="menu"
        aria-label={t.engines.pick(name)}
        data-tip={t.engines.pick(name)}
        onClick={(event) => {
          const box = event.currentTarget.getBoundingClientRect();
          setMenu({ x: box.left, y: box.top - 4 });
        }}
        className={cx(
          "flex h-5 max-w-[180px] min-w-0 items-center gap-1.5 rounded-sm px-1.5 font-medium hover:bg-hover",
          app.shown === undefined ? "hover:text-fg" : "bg-accent-soft text-accent-text",
        )}
      >
        <Icon size={12} aria-hidden className="shrink-0" />
        <span className={cx("truncate", app.shown === undefined && "max-[860px]:sr-only")} data-tip-cut={name}>
          {name}
        </span>
        <ChevronsUpDown size={11} aria-hidden className="shrink-0" />
      </button>
      {menu !== undefined && <Menu label={t.engines.title} items={items} at={menu} onClose={() => setMenu(undefined)} />}
      {adding && <AddEngine onClose={() => setAdding(false)} />}
    </>
  );
}
