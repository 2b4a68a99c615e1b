import type { ReactNode } from "react";
import { cx } from "./cx.ts";

export type BadgeTone = "neutral" | "accent" | "ok" | "warn" | "danger";

const tones: Record<BadgeTone, string> = {
  neutral: "bg-hover text-fg2",
  accent: "bg-accent-soft text-accent-text",
  ok: "bg-ok-soft text-ok-text",
  warn: "bg-warn-soft text-warn-text",
  danger: "bg-danger-soft text-danger-text",
};

export const Badge = ({ tone = "neutral", children, tip }: { readonly tone?: BadgeTone; readonly children: ReactNode; readonly tip?: string }) => (
  <span data-tip={tip} className={cx("inline-flex h-[18px] shrink-0 items-center rounded-sm px-1.5 text-xs font-medium whitespace-nowrap", tones[tone])}>
    {children}
  </span>
);
