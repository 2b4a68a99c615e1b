import { useEffect, useRef } from "react";
import { useStore } from "zustand";
import { useApp } from "#renderer/appcontext.ts";
import { t } from "#renderer/core/texts.ts";
import { TransferView } from "./transferview.tsx";

/** All transfers of this window, above the footer. */
export function TransfersPopover({ onClose }: { readonly onClose: () => void }) {
  const list = useStore(useApp().transfers.store, (state) => state.list);
  const ref = useRef<HTMLDivElement>(null);
  useEffect(() => {
    const outside = (event: PointerEvent): void => {
      const target = event.target;
      if (target instanceof Element && ref.current?.contains(target) === false && target.closest("[data-testid=transfers]") === null) onClose();
    };
    document.addEventListener("pointerdown", outside);
    return () => document.removeEventListener("pointerdown", outside);
  }, [onClose]);
  return (
    <div
      ref={ref}
      role="dialog"
      aria-label={t.transfers.title}
      onKeyDown={(event) => event.key === "Escape" && onClose()}
      className="menu-in fixed right-2 bottom-8 z-30 flex max-h-[60vh] w-[420px] flex-col gap-4 overflow-y-auto rounded-lg bg-raised p-4 text-base text-fg shadow-float"
    >
      {list.length === 0 && <p className="text-fg2">{t.transfers.none}</p>}
      {list.map((transfer) => (
        <TransferView key={transfer.id} transfer={transfer} layers={transfer.state.kind === "running"} />
      ))}
    </div>
  );
}
