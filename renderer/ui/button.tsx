import type { LucideIcon } from "lucide-react";
import type { ComponentPropsWithRef } from "react";
import { cx } from "./cx.ts";
import { useRowTab } from "./rowtab.ts";
import { Spinner } from "./spinner.tsx";

type Variant = "primary" | "secondary" | "ghost" | "danger";

const variants: Record<Variant, string> = {
  primary: "bg-accent text-white shadow-control hover:bg-accent-hover active:bg-accent-hover",
  secondary: "bg-raised text-fg border border-line-strong shadow-control hover:bg-hover active:bg-press",
  ghost: "text-fg2 hover:bg-hover hover:text-fg active:bg-press",
  danger: "bg-danger text-white shadow-control hover:bg-danger-hover",
};

export interface ButtonProps extends ComponentPropsWithRef<"button"> {
  readonly variant?: Variant;
  readonly small?: boolean;
  readonly icon?: LucideIcon | undefined;
  /** Something is under way: a spinner, and no second click. */
  readonly busy?: boolean;
}

export function Button({ variant = "secondary", small = false, icon: Icon, busy = false, className, children, disabled, ...rest }: ButtonProps) {
  return (
    <button
      type="button"
      aria-busy={busy || undefined}
      disabled={disabled === true || busy}
      className={cx(
        "inline-flex shrink-0 items-center justify-center gap-1.5 rounded-md font-medium whitespace-nowrap transition-colors duration-100",
        "disabled:pointer-events-none disabled:opacity-50",
        small ? "h-6 px-2 text-sm" : "h-[30px] px-3 text-base",
        variants[variant],
        className,
      )}
      {...rest}
    >
      {busy ? <Spinner /> : Icon !== undefined && <Icon size={small ? 13 : 14} strokeWidth={2} aria-hidden />}
      {children}
    </button>
  );
}

export interface IconButtonProps extends Omit<ComponentPropsWithRef<"button">, "children"> {
  readonly icon: LucideIcon;
  /** The accessible name, also shown as a tooltip. */
  readonly label: string;
  readonly pressed?: boolean;
  readonly danger?: boolean;
  /** To sit in a line of text. */
  readonly small?: boolean;
}

export function IconButton({ icon: Icon, label, pressed, danger = false, small = false, className, ...rest }: IconButtonProps) {
  const rowTab = useRowTab();
  return (
    <button
      type="button"
      tabIndex={rowTab}
      aria-label={label}
      data-tip={label}
      aria-pressed={pressed}
      className={cx(
        "inline-flex shrink-0 items-center justify-center rounded-md text-fg2 transition-colors duration-100 hover:bg-hover hover:text-fg active:bg-press",
        "disabled:pointer-events-none disabled:opacity-35",
        small ? "size-5" : "size-7",
        pressed === true && "bg-accent-soft text-accent-text hover:bg-accent-soft hover:text-accent-text",
        danger && "hover:bg-danger-soft hover:text-danger-text",
        className,
      )}
      {...rest}
    >
      <Icon size={small ? 12 : 15} strokeWidth={1.9} aria-hidden />
    </button>
  );
}
