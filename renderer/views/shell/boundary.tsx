import { Component, type ReactNode } from "react";
import { explain } from "#renderer/core/explain.ts";
import { t } from "#renderer/core/texts.ts";
import { Button } from "#renderer/ui/button.tsx";
import { ErrorNotice } from "#renderer/ui/errornotice.tsx";

interface BoundaryProps {
  /** Another place is drawn afresh; the page itself stays as it is while it can be drawn. */
  readonly place: string;
  readonly children: ReactNode;
}
interface BoundaryState {
  readonly place: string;
  readonly error: unknown;
}

/** A page that fails to draw fails alone: navigation and footer go on, and so does the next page. */
export class PageBoundary extends Component<BoundaryProps, BoundaryState> {
  override state: BoundaryState = { place: this.props.place, error: undefined };

  static getDerivedStateFromError(error: unknown): Partial<BoundaryState> {
    return { error };
  }

  static getDerivedStateFromProps({ place }: BoundaryProps, state: BoundaryState): BoundaryState | null {
    return place === state.place ? null : { place, error: undefined };
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
