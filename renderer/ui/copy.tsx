import { Check, Copy } from "lucide-react";
import { useState } from "react";
import { t } from "#renderer/core/texts.ts";
import { IconButton } from "./button.tsx";
import { cx } from "./cx.ts";

const shownMs = 1_400;

export interface CopyButtonProps {
  readonly text: string | (() => Promise<string>);
  readonly label?: string;
  readonly small?: boolean;
  readonly className?: string;
}

/** Copies `text`; the icon says that it did. */
export function CopyButton({ text, label = t.common.copy, small = false, className }: CopyButtonProps) {
  const [done, setDone] = useState(false);
  const copy = async (): Promise<void> => {
    await navigator.clipboard.writeText(typeof text === "string" ? text : await text());
    setDone(true);
    setTimeout(() => setDone(false), shownMs);
  };
  return (
    <IconButton
      icon={done ? Check : Copy}
      label={done ? t.common.copied : label}
      small={small}
      className={cx(done && "text-ok-text", className)}
      onClick={(event) => {
        event.stopPropagation();
        void copy();
      }}
    />
  );
}

/** A command to try in a terminal, with its copy button. */
export const Command = ({ text }: { readonly text: string }) => (
  <div className="flex items-center gap-1 rounded-md border border-line bg-sunken py-0.5 pr-0.5 pl-3">
    <code className="font-mono text-sm text-fg2">{text}</code>
    <CopyButton text={text} />
  </div>
);
