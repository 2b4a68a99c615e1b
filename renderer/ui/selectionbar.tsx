import { X } from "lucide-react";
import type { ReactNode } from "react";
import { t } from "#renderer/core/texts.ts";
import { IconButton } from "./button.tsx";

export interface SelectionBarProps {
  readonly count: number;
  readonly onClear: () => void;
  readonly children: ReactNode;
}

/** Floats above a table while rows are selected. */
export const SelectionBar = ({ count, onClear, children }: SelectionBarProps) => (
  <div className="pointer-events-none sticky bottom-0 z-10 flex h-0 justify-center">
    <div
      role="toolbar"
      aria-label={t.common.selected(count)}
      data-testid="bulk-bar"
      className="toast-in pointer-events-auto absolute bottom-3 flex max-w-[560px] flex-wrap items-center gap-1.5 rounded-xl bg-raised py-1.5 pr-1.5 pl-3.5 shadow-float"
    >
      <span className="tabular mr-1.5 font-medium whitespace-nowrap">{t.common.selected(count)}</span>
      {children}
      <IconButton icon={X} label={t.common.close} onClick={onClear} />
    </div>
  </div>
);
