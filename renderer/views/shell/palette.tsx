import { Search } from "lucide-react";
import { type KeyboardEvent, useEffect, useId, useMemo, useRef, useState } from "react";
import { useLocation } from "wouter";
import { useApp } from "#renderer/appcontext.ts";
import { type PaletteEntry, paletteEntries, searchPalette } from "#renderer/core/palette.ts";
import { switchTo } from "#renderer/core/switching.ts";
import { t } from "#renderer/core/texts.ts";
import { keeps } from "#renderer/core/trash.ts";
import { useContainers, useEngines, useImages, useNetworks, useTrash, useVolumes } from "#renderer/queries.ts";
import { cx } from "#renderer/ui/cx.ts";
import { useContainerActions } from "#renderer/views/containers/actions.ts";
import { places } from "./navigation.ts";

export interface PaletteProps {
  readonly onRun: (image: string) => void;
  readonly onAddEngine: () => void;
  readonly onClose: () => void;
}

/** Every object and every act by typing. What loses something asks for Enter once more. */
export function Palette({ onRun, onAddEngine, onClose }: PaletteProps) {
  const app = useApp();
  const [, go] = useLocation();
  const actions = useContainerActions();
  const objects = { containers: useContainers().data, images: useImages().data, volumes: useVolumes().data, networks: useNetworks().data };
  const { containers, images, volumes, networks } = objects;
  const kept = keeps(useTrash().data);
  const known = useEngines().data;
  const entries = useMemo(() => {
    const engines = [undefined, ...(known ?? [])].filter((engine) => engine?.id !== app.shown?.id);
    return paletteEntries({ places: places(), containers: containers ?? [], images: images ?? [], volumes: volumes ?? [], networks: networks ?? [], engines });
  }, [containers, images, volumes, networks, known, app.shown]);
  const [query, setQuery] = useState("");
  const [chosen, setChosen] = useState(0);
  const [asked, setAsked] = useState<string>();
  const dialog = useRef<HTMLDialogElement>(null);
  const listId = useId();
  const found = useMemo(() => searchPalette(entries, query), [entries, query]);
  const at = Math.min(chosen, Math.max(0, found.length - 1));

  useEffect(() => {
    const before = document.activeElement;
    dialog.current?.showModal();
    dialog.current?.querySelector("input")?.focus();
    return () => {
      if (before instanceof HTMLElement && before.isConnected) before.focus();
    };
  }, []);
  useEffect(() => {
    // Not returned: browsers answer with a promise, which React would take for a clean-up.
    dialog.current?.querySelector("[aria-selected=true]")?.scrollIntoView?.({ block: "nearest" });
  }, [at]);

  const take = ({ key, deed, loses }: PaletteEntry): void => {
    if (loses && asked !== key) return setAsked(key);
    onClose();
    if (deed.kind === "go") go(deed.path);
    else if (deed.kind === "run") onRun(deed.image);
    else if (deed.kind === "show") switchTo(app, deed.engine);
    else if (deed.kind === "addEngine") onAddEngine();
    else void actions.run(deed.act, [deed]);
  };
  const move = (to: number): void => {
    setChosen((to + found.length) % Math.max(1, found.length));
    setAsked(undefined);
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    event.stopPropagation();
    const entry = found[at];
    if (event.key === "ArrowDown") move(at + 1);
    else if (event.key === "ArrowUp") move(at - 1);
    else if (event.key === "Enter" && entry !== undefined) take(entry);
    else return;
    event.preventDefault();
  };
  return (
    <dialog
      ref={dialog}
      aria-label={t.palette.title}
      data-testid="palette"
      className="mx-auto mt-[12vh] w-[min(620px,calc(100vw-48px))] overflow-hidden rounded-xl bg-raised p-0 text-fg shadow-dialog"
      onCancel={(event) => {
        event.preventDefault();
        onClose();
      }}
      onMouseDown={(event) => {
        if (event.target === dialog.current) onClose();
      }}
      onKeyDown={onKeyDown}
    >
      <div className="flex items-center gap-2.5 border-b border-line px-4">
        <Search size={16} aria-hidden className="shrink-0 text-fg3" />
        <input
          role="combobox"
          aria-expanded
          aria-controls={listId}
          aria-activedescendant={found[at] === undefined ? undefined : `${listId}-${at}`}
          aria-label={t.palette.placeholder}
          placeholder={t.palette.placeholder}
          spellCheck={false}
          autoComplete="off"
          value={query}
          onChange={(event) => {
            setQuery(event.target.value);
            move(0);
          }}
          className="h-12 w-full bg-transparent text-base outline-none"
        />
      </div>
      <div id={listId} role="listbox" aria-label={t.palette.title} className="max-h-[50vh] overflow-y-auto p-1.5">
        {found.length === 0 && <p className="px-3 py-2 text-fg3">{t.common.noMatch(query)}</p>}
        {found.map((entry, index) => (
          <div
            key={entry.key}
            id={`${listId}-${index}`}
            role="option"
            aria-selected={index === at}
            tabIndex={-1}
            onMouseMove={() => index !== at && move(index)}
            onClick={() => take(entry)}
            onKeyDown={() => undefined}
            className={cx("flex cursor-default items-center gap-3 rounded-md px-3 py-1.5", index === at && "bg-hover", asked === entry.key && "bg-danger-soft")}
          >
            <span className={cx("min-w-0 flex-1 truncate", entry.loses && "text-danger-text")}>{entry.title}</span>
            <span className="shrink-0 text-sm text-fg2">{asked === entry.key ? (kept ? t.palette.againKept : t.palette.again) : entry.note}</span>
          </div>
        ))}
      </div>
    </dialog>
  );
}
