import { Check, type LucideIcon } from "lucide-react";
import { type KeyboardEvent, useEffect, useLayoutEffect, useRef, useState } from "react";
import { createPortal } from "react-dom";
import { cx } from "./cx.ts";

export type MenuItem =
  | { readonly kind: "line" }
  | {
      readonly kind?: "item";
      readonly label: string;
      readonly icon?: LucideIcon;
      readonly onSelect: () => void;
      readonly disabled?: boolean;
      readonly danger?: boolean;
      /** For what is switched on and off; the menu stays open for the next. */
      readonly checked?: boolean;
      readonly keys?: string;
    };

export interface MenuProps {
  readonly label: string;
  readonly items: readonly MenuItem[];
  /** Where it opens; below a button, at the pointer. */
  readonly at: { readonly x: number; readonly y: number; readonly alignRight?: boolean };
  readonly onClose: () => void;
}

/** A menu as platforms have them: arrows move, a letter jumps, Escape and Tab close and give focus back. */
export function Menu({ label, items, at, onClose }: MenuProps) {
  const ref = useRef<HTMLDivElement>(null);
  const [place, setPlace] = useState({ left: at.x, top: at.y });

  useLayoutEffect(() => {
    const box = ref.current?.getBoundingClientRect();
    if (box === undefined) return;
    const left = Math.max(8, Math.min(at.alignRight === true ? at.x - box.width : at.x, innerWidth - box.width - 8));
    const top = at.y + box.height > innerHeight - 8 ? Math.max(8, at.y - box.height) : at.y;
    setPlace({ left, top });
  }, [at]);

  useEffect(() => {
    const before = document.activeElement;
    buttons(ref.current)[0]?.focus();
    return () => {
      if (before instanceof HTMLElement && before.isConnected) before.focus();
    };
  }, []);

  const onKeyDown = (event: KeyboardEvent): void => {
    event.stopPropagation();
    const list = buttons(ref.current);
    const index = list.indexOf(document.activeElement as HTMLButtonElement);
    const move = (to: number): void => {
      event.preventDefault();
      list[(to + list.length) % list.length]?.focus();
    };
    if (event.key === "ArrowDown") move(index + 1);
    else if (event.key === "ArrowUp") move(index - 1);
    else if (event.key === "Home") move(0);
    else if (event.key === "End") move(list.length - 1);
    else if (event.key === "Escape" || event.key === "Tab") {
      event.preventDefault();
      onClose();
    } else if (event.key.length === 1 && event.key !== " ") {
      const starts = (button: HTMLButtonElement): boolean => button.textContent.toLowerCase().startsWith(event.key.toLowerCase());
      const found = list.findIndex((button, i) => i > index && starts(button));
      const first = found >= 0 ? found : list.findIndex(starts);
      if (first >= 0) move(first);
    }
  };

  return createPortal(
    <div
      className="fixed inset-0 z-40"
      onMouseDown={(event) => {
        if (event.target === event.currentTarget) onClose();
      }}
      onContextMenu={(event) => {
        event.preventDefault();
        if (event.target === event.currentTarget) onClose();
      }}
    >
      <div
        ref={ref}
        role="menu"
        aria-label={label}
        tabIndex={-1}
        onKeyDown={onKeyDown}
        style={place}
        className="menu-in absolute min-w-[190px] rounded-lg bg-raised p-1 shadow-float"
      >
        {items.map((item, index) =>
          item.kind === "line" ? (
            // oxlint-disable-next-line react/no-array-index-key -- a separator has no identity but its place
            <hr key={`line-${index}`} className="mx-1 my-1 border-line" />
          ) : (
            <button
              key={item.label}
              type="button"
              role={item.checked === undefined ? "menuitem" : "menuitemcheckbox"}
              aria-checked={item.checked}
              tabIndex={-1}
              disabled={item.disabled}
              onClick={() => {
                if (item.checked === undefined) onClose();
                item.onSelect();
              }}
              onMouseEnter={(event) => event.currentTarget.focus()}
              className={cx(
                "flex h-7 w-full items-center gap-2 rounded-md px-2 text-left text-base outline-none disabled:opacity-40",
                item.danger === true ? "text-danger-text focus:bg-danger-soft" : "focus:bg-hover",
              )}
            >
              <span className="flex w-4 justify-center opacity-80">
                <Icon item={item} />
              </span>
              <span className="flex-1 pr-4 whitespace-nowrap">{item.label}</span>
              {item.keys !== undefined && <kbd className="text-sm text-fg3">{item.keys}</kbd>}
            </button>
          ),
        )}
      </div>
    </div>,
    document.body,
  );
}

function Icon({ item: { icon: Own, checked } }: { readonly item: Extract<MenuItem, { readonly label: string }> }) {
  const Shown = checked === true ? Check : Own;
  return Shown !== undefined && <Shown size={14} strokeWidth={1.9} aria-hidden />;
}

const buttons = (menu: HTMLElement | null): HTMLButtonElement[] => [...(menu?.querySelectorAll<HTMLButtonElement>("button:not(:disabled)") ?? [])];
