import { Middle } from "./middle.tsx";
import { useRowTab } from "./rowtab.ts";

export interface NameLinkProps {
  readonly href: string;
  readonly name: string;
  /** What is shown, when it is not the name itself. */
  readonly shown?: string;
  /** Said more quietly after the name: a tag. */
  readonly suffix?: string | undefined;
}

/** The name of a row: a real link. Long names lose their middle and keep it in the tooltip. */
export const NameLink = ({ href, name, shown = name, suffix = "" }: NameLinkProps) => (
  <a
    href={`#${href}`}
    tabIndex={useRowTab()}
    aria-label={`${shown}${suffix}`}
    data-tip-cut={`${name}${suffix}`}
    className="flex w-fit max-w-full rounded-sm font-medium hover:underline"
  >
    <Middle text={shown} />
    {suffix !== "" && <span className="max-w-1/2 truncate font-normal text-fg3">{suffix}</span>}
  </a>
);
