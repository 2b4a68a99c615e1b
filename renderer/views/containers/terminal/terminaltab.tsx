import "@xterm/xterm/css/xterm.css";
import { Play, RotateCw, SquareTerminal } from "lucide-react";
import { useEffect, useRef, useState } from "react";
import { useStore } from "zustand";
import type { ContainerInspect } from "#api/containers.ts";
import { useApp } from "#renderer/appcontext.ts";
import { explain } from "#renderer/core/explain.ts";
import type { TerminalState } from "#renderer/core/terminal/session.ts";
import { t } from "#renderer/core/texts.ts";
import { Button } from "#renderer/ui/button.tsx";
import { EmptyState } from "#renderer/ui/emptystate.tsx";
import { ErrorNotice } from "#renderer/ui/errornotice.tsx";
import { useContainerActions } from "#renderer/views/containers/actions.ts";
import { usePending } from "#renderer/views/containers/cells.tsx";
import { dropTerminal, type OpenTerminal, terminalFor } from "./terminals.ts";

export default function TerminalTab({ container }: { readonly container: ContainerInspect }) {
  return container.State.Running ? <LiveTerminal container={container} /> : <StoppedTerminal container={container} />;
}

function StoppedTerminal({ container }: { readonly container: ContainerInspect }) {
  const actions = useContainerActions();
  const pending = usePending(container.Id);
  useEffect(() => dropTerminal(container.Id), [container.Id]);
  return (
    <EmptyState icon={SquareTerminal} title={t.terminal.stoppedTitle} text={t.terminal.stoppedText}>
      <Button
        variant="primary"
        icon={Play}
        busy={pending !== undefined}
        onClick={() => void actions.run("start", [{ id: container.Id, name: container.Name.slice(1) }])}
      >
        {t.containers.start}
      </Button>
    </EmptyState>
  );
}

function LiveTerminal({ container }: { readonly container: ContainerInspect }) {
  const app = useApp();
  const host = useRef<HTMLDivElement>(null);
  const [terminal, setTerminal] = useState(() => terminalFor(app, container.Id));
  useEffect(() => {
    if (host.current === null) return;
    const shown = terminal.show(host.current);
    return () => shown[Symbol.dispose]();
  }, [terminal]);

  const reconnect = (): void => {
    dropTerminal(container.Id);
    setTerminal(terminalFor(app, container.Id));
  };
  return (
    <div className="flex min-h-0 flex-1 flex-col">
      <TerminalNotice terminal={terminal} name={container.Name.slice(1)} onReconnect={reconnect} />
      <div
        ref={host}
        role="group"
        aria-label={t.terminal.label(container.Name.slice(1))}
        data-testid="terminal"
        className="min-h-0 flex-1 overflow-hidden py-2 pl-4"
      />
    </div>
  );
}

interface NoticeProps {
  readonly terminal: OpenTerminal;
  readonly name: string;
  readonly onReconnect: () => void;
}

function TerminalNotice({ terminal, name, onReconnect }: NoticeProps) {
  const state: TerminalState = useStore(terminal.session.state, ({ now }) => now);
  switch (state.kind) {
    case "open":
      return null;
    case "opening":
      return (
        <p role="status" className="px-4 pt-3 text-sm text-fg3">
          {t.terminal.opening}
        </p>
      );
    case "ended":
      return (
        <div role="status" data-testid="terminal-ended" className="flex shrink-0 items-center gap-3 border-b border-line bg-side px-4 py-1.5">
          <span className="flex-1 text-fg2">{t.terminal.endedTitle(state.exitCode)}</span>
          <Button small icon={RotateCw} onClick={onReconnect} autoFocus>
            {t.terminal.reconnect}
          </Button>
        </div>
      );
    case "failed":
      return (
        <div className="p-4">
          <ErrorNotice explanation={explain(state.error, t.terminal.failed(name))}>
            <Button small icon={RotateCw} onClick={onReconnect}>
              {t.common.retry}
            </Button>
          </ErrorNotice>
        </div>
      );
  }
}
