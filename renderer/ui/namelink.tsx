import { Link } from "wouter";
import { middle } from "#renderer/core/format.ts";
import { useRowTab } from "./rowtab.ts";

const shownMax = 56;

export interface NameLinkProps {
  readonly href: string;
  readonly name: string;
  /** Said more quietly after the name: a tag. */
  readonly suffix?: string | undefined;
}

/** The name of a row: a real link. Long names lose their middle and keep it in the tooltip. */
export const NameLink = ({ href, name, suffix }: NameLinkProps) => (
  <Link
    href={href}
    tabIndex={useRowTab()}
    data-tip={name.length > shownMax ? name : undefined}
    className="block w-fit max-w-full truncate rounded-sm font-medium hover:underline"
  >
    {middle(name, shownMax)}
    {suffix !== undefined && <span className="font-normal text-fg3">{suffix}</span>}
  </Link>
);
