import { Server } from "lucide-react";
import type { ReactNode } from "react";
import { useApp } from "#renderer/appcontext.ts";
import { t } from "#renderer/core/texts.ts";
import { EmptyState } from "#renderer/ui/emptystate.tsx";
import { Page } from "#renderer/ui/page.tsx";
import { useForeign } from "./useengines.ts";

interface OwnOnlyProps {
  /** What it is called: the page, or the tab. */
  readonly name: string;
  readonly children: ReactNode;
}

/** What only Slipway's engine has; of another engine, why it is not there. */
export const OwnOnly = ({ name, children }: OwnOnlyProps) => (useForeign() ? <NotThere name={name} /> : children);

export const OwnPage = ({ name, children }: OwnOnlyProps) =>
  useForeign() ? (
    <Page title={name}>
      <NotThere name={name} />
    </Page>
  ) : (
    children
  );

function NotThere({ name }: { readonly name: string }) {
  const { shown } = useApp();
  return <EmptyState icon={Server} title={t.engines.ownOnly(name)} text={t.engines.ownOnlyText(shown?.name ?? t.engines.otherEngine)} />;
}
