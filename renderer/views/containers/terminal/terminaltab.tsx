import "@xterm/xterm/css/xterm.css";
import { Play, Plus, RotateCw, SquareTerminal, X } from "lucide-react";
import { useEffect, useMemo, useRef } from "react";
import { useStore } from "zustand";
import type { ContainerInspect } from "#api/containers.ts";
import { useApp } from "#renderer/appcontext.ts";
import { explain } from "#renderer/core/explain.ts";
import type { TerminalState } from "#renderer/core/terminal/session.ts";
import { t } from "#renderer/core/texts.ts";
import { Button, IconButton } from "#renderer/ui/button.tsx";
import { cx } from "#renderer/ui/cx.ts";
import { EmptyState } from "#renderer/ui/emptystate.tsx";
import { ErrorNotice } from "#renderer/ui/errornotice.tsx";
import { useContainerActions } from "#renderer/views/containers/actions.ts";
import { usePending } from "#renderer/views/containers/cells.tsx";
import { addTerminal, closeTerminal, dropTerminals, type OpenTerminal, showTerminal, type Terminals, terminalsOf } from "./terminals.ts";

export default function TerminalTab({ container }: { readonly container: ContainerInspect }) {
  return container.State.Running ? <LiveTerminal container={container} /> : <StoppedTerminal container={container} />;
}

function StoppedTerminal({ container }: { readonly container: ContainerInspect }) {
  const actions = useContainerActions();
  const pending = usePending(container.Id);
  useEffect(() => dropTerminals(container.Id), [container.Id]);
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
  const store = useMemo(() => terminalsOf(app, container.Id), [app, container.Id]);
  const terminals = useStore(store);
  const { shown: terminal } = terminals;
  useEffect(() => {
    if (host.current === null) return;
    const shown = terminal?.show(host.current);
    return () => shown?.[Symbol.dispose]();
  }, [terminal]);

  const reconnect = (ended: OpenTerminal): void => {
    closeTerminal(container.Id, ended);
    addTerminal(app, container.Id);
  };
  const close = (one: OpenTerminal): void => {
    closeTerminal(container.Id, one);
    if (store.getState().open.length === 0) addTerminal(app, container.Id);
  };
  return (
    <div className="flex min-h-0 flex-1 flex-col">
      <Shells terminals={terminals} onShow={(one) => showTerminal(container.Id, one)} onClose={close} onAdd={() => addTerminal(app, container.Id)} />
      {terminal !== undefined && <TerminalNotice terminal={terminal} name={container.Name.slice(1)} onReconnect={() => reconnect(terminal)} />}
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

interface ShellsProps {
  readonly terminals: Terminals;
  readonly onShow: (terminal: OpenTerminal) => void;
  readonly onClose: (terminal: OpenTerminal) => void;
  readonly onAdd: () => void;
}

/** The shells that are open in this container, each with its own screen. */
const Shells = ({ terminals: { open, shown }, onShow, onClose, onAdd }: ShellsProps) => (
  <div role="toolbar" aria-label={t.terminal.shells} className="flex shrink-0 items-center gap-1 border-b border-line px-4 py-1">
    {open.map((one) => (
      <span key={one.number} className={cx("flex items-center rounded-md", one === shown ? "bg-hover" : "text-fg2")}>
        <button
          type="button"
          aria-pressed={one === shown}
          onClick={() => onShow(one)}
          className="flex h-7 items-center gap-1.5 rounded-md pr-1 pl-2 text-sm font-medium"
        >
          <SquareTerminal size={13} aria-hidden />
          {t.terminal.shell(one.number)}
        </button>
        <IconButton small icon={X} label={t.terminal.close(one.number)} onClick={() => onClose(one)} />
      </span>
    ))}
    <IconButton icon={Plus} label={t.terminal.add} onClick={onAdd} />
  </div>
);

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
