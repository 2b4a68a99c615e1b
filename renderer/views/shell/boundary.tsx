import { Component, type ReactNode } from "react";
import { explain } from "#renderer/core/explain.ts";
import { t } from "#renderer/core/texts.ts";
import { Button } from "#renderer/ui/button.tsx";
import { ErrorNotice } from "#renderer/ui/errornotice.tsx";

/** A page that fails to draw fails alone: navigation and footer go on. */
export class PageBoundary extends Component<{ readonly children: ReactNode }, { readonly error: unknown }> {
  override state: { readonly error: unknown } = { error: undefined };

  static getDerivedStateFromError(error: unknown): { readonly error: unknown } {
    return { error };
  }

  override render(): ReactNode {
    if (this.state.error === undefined) return this.props.children;
    return (
      <div className="p-6">
        <ErrorNotice explanation={{ ...explain(this.state.error, t.errors.crashed), advice: t.errors.crashedText }}>
          <Button small onClick={() => globalThis.location.reload()}>
            {t.errors.reload}
          </Button>
        </ErrorNotice>
      </div>
    );
  }
}
