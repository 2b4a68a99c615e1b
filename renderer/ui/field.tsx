import { ChevronDown, Search, X } from "lucide-react";
import { type ComponentPropsWithRef, type ReactNode, useId } from "react";
import { t } from "#renderer/core/texts.ts";
import { cx } from "./cx.ts";

const box =
  "h-[30px] w-full rounded-md border bg-page px-2.5 text-base text-fg shadow-control transition-colors focus:border-focus focus:outline-2 focus:-outline-offset-1 focus:outline-[var(--focus)] disabled:opacity-50";

export interface InputProps extends ComponentPropsWithRef<"input"> {
  readonly invalid?: boolean;
  readonly mono?: boolean;
  /** A unit shown at the right end. */
  readonly unit?: string;
}

export function Input({ invalid = false, mono = false, unit, className, ...rest }: InputProps) {
  const input = (
    <input
      spellCheck={false}
      autoComplete="off"
      autoCapitalize="off"
      aria-invalid={invalid || undefined}
      className={cx(box, invalid ? "border-danger" : "border-line-strong", mono && "font-mono text-sm", unit !== undefined && "pr-12", className)}
      {...rest}
    />
  );
  if (unit === undefined) return input;
  return (
    <span className="relative block w-full">
      {input}
      <span className="pointer-events-none absolute inset-y-0 right-2.5 flex items-center text-sm text-fg3">{unit}</span>
    </span>
  );
}

export const Select = ({ className, children, ...rest }: ComponentPropsWithRef<"select">) => (
  <span className={cx("relative block w-full", className)}>
    <select className={cx(box, "appearance-none border-line-strong pr-7")} {...rest}>
      {children}
    </select>
    <ChevronDown size={14} aria-hidden className="pointer-events-none absolute top-1/2 right-2 -translate-y-1/2 text-fg3" />
  </span>
);

export const TextArea = ({ invalid = false, className, ...rest }: ComponentPropsWithRef<"textarea"> & { readonly invalid?: boolean }) => (
  <textarea
    spellCheck={false}
    aria-invalid={invalid || undefined}
    className={cx(
      "w-full resize-y rounded-md border bg-page px-2.5 py-1.5 font-mono text-sm text-fg shadow-control focus:border-focus focus:outline-2 focus:-outline-offset-1 focus:outline-[var(--focus)]",
      invalid ? "border-danger" : "border-line-strong",
      className,
    )}
    {...rest}
  />
);

export interface FieldProps {
  readonly label: string;
  readonly hint?: ReactNode;
  readonly error?: string | undefined;
  readonly children: (props: { readonly id: string; readonly "aria-describedby": string | undefined; readonly invalid: boolean }) => ReactNode;
  readonly className?: string;
}

/** Label above, hint or error below; the error replaces the hint and is announced. */
export function Field({ label, hint, error, children, className }: FieldProps) {
  const id = useId();
  const note = `${id}-note`;
  return (
    <div className={cx("flex flex-col gap-1", className)}>
      <label htmlFor={id} className="text-sm font-medium text-fg2">
        {label}
      </label>
      {children({ id, "aria-describedby": error !== undefined || hint !== undefined ? note : undefined, invalid: error !== undefined })}
      {error !== undefined ? (
        <p id={note} role="alert" className="text-sm text-danger-text">
          {error}
        </p>
      ) : (
        hint !== undefined && (
          <p id={note} className="text-sm text-fg3">
            {hint}
          </p>
        )
      )}
    </div>
  );
}

export interface SearchFieldProps {
  readonly label: string;
  readonly value: string;
  readonly onChange: (value: string) => void;
  readonly className?: string;
}

/** `/` focuses the page's search field; Escape empties it, then leaves it. */
export function SearchField({ label, value, onChange, className }: SearchFieldProps) {
  return (
    <div className={cx("relative", className)}>
      <Search size={14} aria-hidden className="pointer-events-none absolute top-1/2 left-2.5 -translate-y-1/2 text-fg3" />
      <input
        type="text"
        role="searchbox"
        data-search
        aria-label={label}
        placeholder={label}
        spellCheck={false}
        value={value}
        onChange={(event) => onChange(event.target.value)}
        onKeyDown={(event) => {
          if (event.key !== "Escape") return;
          event.stopPropagation();
          if (value === "") event.currentTarget.blur();
          else onChange("");
        }}
        className={cx(box, "border-line-strong pr-7 pl-8 shadow-none")}
      />
      {value === "" ? (
        <kbd
          aria-hidden
          className="pointer-events-none absolute top-1/2 right-2 -translate-y-1/2 rounded-sm border border-line px-1 text-xs leading-4 text-fg3"
        >
          /
        </kbd>
      ) : (
        <button
          type="button"
          aria-label={t.common.clearSearch}
          onClick={() => onChange("")}
          className="absolute top-1/2 right-1 flex size-5 -translate-y-1/2 items-center justify-center rounded-sm text-fg3 hover:bg-hover hover:text-fg"
        >
          <X size={13} aria-hidden />
        </button>
      )}
    </div>
  );
}

export interface CheckboxProps extends Omit<ComponentPropsWithRef<"input">, "type"> {
  readonly mixed?: boolean;
}

export const Checkbox = ({ mixed = false, className, ...rest }: CheckboxProps) => (
  <input
    type="checkbox"
    ref={(element) => {
      if (element !== null) element.indeterminate = mixed;
    }}
    className={cx("checkbox", className)}
    {...rest}
  />
);

export interface SwitchProps {
  readonly checked: boolean;
  readonly onChange: (checked: boolean) => void;
  readonly label: string;
  readonly disabled?: boolean;
}

export const Switch = ({ checked, onChange, label, disabled = false }: SwitchProps) => (
  <button
    type="button"
    role="switch"
    aria-checked={checked}
    aria-label={label}
    disabled={disabled}
    onClick={() => onChange(!checked)}
    className={cx(
      "inline-flex h-[18px] w-8 shrink-0 items-center rounded-full p-0.5 transition-colors duration-150 disabled:opacity-50",
      checked ? "bg-accent" : "bg-idle",
    )}
  >
    <span className={cx("size-3.5 rounded-full bg-white shadow-control transition-transform duration-150", checked && "translate-x-3.5")} />
  </button>
);
