import { RotateCcw } from "lucide-react";
import { type ReactNode, createContext, useContext } from "react";
import { t } from "#renderer/core/texts.ts";
import { IconButton } from "#renderer/ui/button.tsx";

/** What is looked for among the settings, in lower case; empty shows them all. */
export const SettingsSearch = createContext("");

/** A group of settings; without one that fits what is looked for it is not shown. */
export const Section = ({ title, children }: { readonly title: string; readonly children: ReactNode }) => (
  <section aria-label={title} className="not-has-[[data-setting]]:hidden">
    <h2 className="mb-2 text-sm font-medium text-fg3">{title}</h2>
    <div className="rounded-xl border border-line bg-page px-4 shadow-control">{children}</div>
  </section>
);

/** Shows what is about `text` unless something else is looked for. */
export function Searchable({ text, children }: { readonly text: string; readonly children: ReactNode }) {
  const query = useContext(SettingsSearch);
  return text.toLowerCase().includes(query) ? (
    <div data-setting className="border-b border-line last:border-0">
      {children}
    </div>
  ) : null;
}

export interface Default {
  /** As people read it: `4096 MiB`. */
  readonly value: string;
  /** Whether the setting differs from it. */
  readonly differs: boolean;
  readonly reset: () => void;
}

export interface RowProps {
  readonly label: string;
  readonly hint?: string | undefined;
  readonly standard?: Default | undefined;
  readonly children: ReactNode;
}

/** One setting: its name and what it does, its default with a way back to it, and its control. */
export function Row({ label, hint, standard, children }: RowProps) {
  return (
    <Searchable text={`${label} ${hint ?? ""}`}>
      <div className="flex min-h-[52px] items-center gap-6 py-2.5">
        <div className="min-w-0 flex-1">
          <p>{label}</p>
          {hint !== undefined && (
            <p className="text-sm text-fg3">
              {hint} {standard !== undefined && t.settings.default(standard.value)}
            </p>
          )}
        </div>
        <div className="flex shrink-0 items-center gap-1">
          {standard?.differs === true && <IconButton small icon={RotateCcw} label={t.settings.reset(standard.value)} onClick={standard.reset} />}
          {children}
        </div>
      </div>
    </Searchable>
  );
}
