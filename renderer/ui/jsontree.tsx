import { ChevronRight, EyeOff } from "lucide-react";
import { useState } from "react";
import { isSecretName } from "#renderer/core/secrets.ts";
import { t } from "#renderer/core/texts.ts";
import { cx } from "./cx.ts";

export interface JsonTreeProps {
  readonly value: unknown;
  /** Only branches that contain it are shown, opened. */
  readonly filter: string;
  /** Opens or closes all; a new object is a new order. */
  readonly all?: { readonly open: boolean } | undefined;
}

const openDepth = 1;

/** JSON as a tree that opens and closes. Environment values that look like secrets are hidden until clicked. */
export const JsonTree = ({ value, filter, all }: JsonTreeProps) => (
  <div role="tree" aria-label="JSON" className="selectable font-mono text-sm leading-5">
    {entriesOf(value).map(([name, child]) => (
      <Node key={name} name={name} value={child} depth={0} filter={filter.toLowerCase()} all={all} secret={false} />
    ))}
  </div>
);

interface NodeProps {
  readonly name: string;
  readonly value: unknown;
  readonly depth: number;
  readonly filter: string;
  readonly all: { readonly open: boolean } | undefined;
  readonly secret: boolean;
}

function Node({ name, value, depth, filter, all, secret }: NodeProps) {
  const [opened, setOpened] = useState<{ readonly by: unknown; readonly open: boolean }>({ by: all, open: all?.open ?? depth < openDepth });
  if (opened.by !== all && all !== undefined) setOpened({ by: all, open: all.open });
  if (filter !== "" && !contains(name, value, filter)) return null;
  const indent = { paddingLeft: depth * 16 };
  const entries = entriesOf(value);
  if (entries.length === 0) {
    return (
      <div role="treeitem" aria-level={depth + 1} style={indent} className="flex gap-1.5 rounded-sm py-px hover:bg-hover">
        <span className="w-4 shrink-0" />
        <Key name={name} />
        <Leaf value={value} secret={secret} />
      </div>
    );
  }
  const open = filter !== "" || opened.open;
  const isArray = Array.isArray(value);
  return (
    <div role="treeitem" aria-level={depth + 1} aria-expanded={open}>
      <button
        type="button"
        style={indent}
        onClick={() => setOpened({ by: all, open: !open })}
        className="flex w-full gap-1.5 rounded-sm py-px text-left hover:bg-hover"
      >
        <ChevronRight size={14} aria-hidden className={cx("mt-[3px] w-4 shrink-0 text-fg3 transition-transform", open && "rotate-90")} />
        <Key name={name} />
        <span className="text-fg3">{isArray ? t.inspect.items(entries.length) : t.inspect.entries(entries.length)}</span>
      </button>
      {open && (
        // oxlint-disable-next-line jsx-a11y/prefer-tag-over-role -- a tree's group has no tag
        <div role="group" className="relative">
          {entries.map(([key, child]) => (
            <Node key={key} name={key} value={child} depth={depth + 1} filter={filter} all={all} secret={name === "Env"} />
          ))}
        </div>
      )}
    </div>
  );
}

const Key = ({ name }: { readonly name: string }) => <span className="shrink-0 text-fg2">{name}</span>;

function Leaf({ value, secret }: { readonly value: unknown; readonly secret: boolean }) {
  const [shown, setShown] = useState(false);
  if (secret && !shown && typeof value === "string" && isSecretName(value.split("=")[0] ?? "")) {
    return (
      <button type="button" data-tip={t.inspect.masked} onClick={() => setShown(true)} className="flex items-center gap-1.5 rounded-sm text-fg hover:bg-hover">
        {value.split("=")[0]}=•••••• <EyeOff size={12} aria-label={t.inspect.masked} className="text-fg3" />
      </button>
    );
  }
  const color =
    typeof value === "string" ? "text-fg" : typeof value === "number" ? "text-accent-text" : typeof value === "boolean" ? "text-warn-text" : "text-fg3";
  return <span className={cx("min-w-0 [overflow-wrap:anywhere] whitespace-pre-wrap", color)}>{textOf(value)}</span>;
}

function textOf(value: unknown): string {
  if (value === "") return '""';
  if (Array.isArray(value)) return "[]";
  if (typeof value === "object" && value !== null) return "{}";
  return String(value);
}

const entriesOf = (value: unknown): readonly (readonly [string, unknown])[] => (typeof value === "object" && value !== null ? Object.entries(value) : []);

function contains(name: string, value: unknown, filter: string): boolean {
  if (name.toLowerCase().includes(filter)) return true;
  const entries = entriesOf(value);
  return entries.length > 0 ? entries.some(([key, child]) => contains(key, child, filter)) : String(value).toLowerCase().includes(filter);
}
