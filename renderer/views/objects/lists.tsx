import { Link } from "wouter";
import type { ContainerSummary } from "#api/containers.ts";
import { plainName } from "#renderer/core/format.ts";
import { t } from "#renderer/core/texts.ts";

export const LabelList = ({ labels }: { readonly labels: Readonly<Record<string, string>> | null | undefined }) => {
  const entries = Object.entries(labels ?? {});
  if (entries.length === 0) return <span className="text-fg3">{t.common.none}</span>;
  return (
    <ul className="flex flex-col gap-0.5 font-mono text-sm">
      {entries.map(([key, value]) => (
        <li key={key}>
          <span className="text-fg2">{key}</span>={value}
        </li>
      ))}
    </ul>
  );
};

export interface UserListProps {
  readonly containers: readonly ContainerSummary[];
  readonly names: readonly string[];
  readonly none: string;
}

/** Containers that use an object, as links to them. */
export const UserList = ({ containers, names, none }: UserListProps) => {
  if (names.length === 0) return <span className="text-fg3">{none}</span>;
  return (
    <ul className="flex flex-wrap gap-x-3 gap-y-0.5">
      {names.map((name) => {
        const id = containers.find(({ Names }) => plainName(Names) === name)?.Id;
        return (
          <li key={name}>
            {id === undefined ? (
              name
            ) : (
              <Link href={`/containers/${id}/logs`} className="rounded-sm text-accent-text hover:underline">
                {name}
              </Link>
            )}
          </li>
        );
      })}
    </ul>
  );
};
