import { FitAddon } from "@xterm/addon-fit";
import { WebglAddon } from "@xterm/addon-webgl";
import { Terminal } from "@xterm/xterm";
import { createStore, type StoreApi } from "zustand/vanilla";
import type { App } from "#renderer/core/app.ts";
import { openTerminal, type TerminalSession } from "#renderer/core/terminal/session.ts";
import { theme } from "#renderer/core/theme.ts";
import { hasRealGpu, terminalTheme } from "./look.ts";

/** A terminal with its shell. It outlives the page: its element is put into whatever page shows it. */
export interface OpenTerminal {
  /** What it is told from its neighbours by, from 1. */
  readonly number: number;
  readonly session: TerminalSession;
  readonly element: HTMLElement;
  /** Shows it in `host`; disposing takes it out again and leaves the shell running. */
  show(host: HTMLElement): Disposable;
  close(): void;
}

/** A container's terminals, in the order in which they were opened, and the one that is shown. */
export interface Terminals {
  readonly open: readonly OpenTerminal[];
  readonly shown: OpenTerminal | undefined;
}

const terminals = new Map<string, StoreApi<Terminals>>();

/** The container's terminals; the first is opened when it is asked for. */
export function terminalsOf(app: App, container: string): StoreApi<Terminals> {
  const store = storeOf(container);
  if (store.getState().open.length === 0) addTerminal(app, container);
  return store;
}

function storeOf(container: string): StoreApi<Terminals> {
  const known = terminals.get(container);
  if (known !== undefined) return known;
  const made = createStore<Terminals>(() => ({ open: [], shown: undefined }));
  terminals.set(container, made);
  return made;
}

/** Opens one more, and shows it. */
export function addTerminal(app: App, container: string): void {
  const store = storeOf(container);
  const { open } = store.getState();
  const made = createTerminal(app, container, Math.max(0, ...open.map(({ number }) => number)) + 1);
  store.setState({ open: [...open, made], shown: made });
}

export const showTerminal = (container: string, shown: OpenTerminal): void => storeOf(container).setState({ shown });

/** Ends its shell; the one beside it is shown. */
export function closeTerminal(container: string, terminal: OpenTerminal): void {
  terminal.close();
  storeOf(container).setState(({ open, shown }) => {
    const at = open.indexOf(terminal);
    const left = open.filter((one) => one !== terminal);
    return { open: left, shown: shown === terminal ? (left[at] ?? left[at - 1]) : shown };
  });
}

/** Of a container that does not run: none of them has a shell any more. */
export function dropTerminals(container: string): void {
  for (const one of terminals.get(container)?.getState().open ?? []) one.close();
  terminals.delete(container);
}

function createTerminal(app: App, container: string, number: number): OpenTerminal {
  const element = document.createElement("div");
  element.style.cssText = "width:100%;height:100%";
  const terminal = new Terminal({
    fontFamily: getComputedStyle(document.documentElement).getPropertyValue("--font-mono") || "monospace",
    fontSize: 12.5,
    lineHeight: 1.2,
    scrollback: 10_000,
    cursorBlink: !matchMedia("(prefers-reduced-motion: reduce)").matches,
    theme: terminalTheme(),
    allowProposedApi: false,
    macOptionIsMeta: true,
    screenReaderMode: false,
  });
  const fit = new FitAddon();
  terminal.loadAddon(fit);
  const session = openTerminal(app.engine, container, { rows: terminal.rows, columns: terminal.cols });
  const output = session.output.on((bytes) => terminal.write(bytes));
  terminal.onData((data) => session.write(data));
  terminal.onResize(({ rows, cols }) => session.resize({ rows, columns: cols }));
  terminal.attachCustomKeyEventHandler(copyAndPaste(terminal));
  const unfollowTheme = theme.subscribe(() => (terminal.options.theme = terminalTheme()));
  let opened = false;

  return {
    number,
    session,
    element,
    show(host) {
      host.append(element);
      if (!opened) {
        terminal.open(element);
        if (hasRealGpu()) terminal.loadAddon(new WebglAddon());
        opened = true;
      }
      const observer = new ResizeObserver(() => fit.fit());
      observer.observe(host);
      terminal.focus();
      return {
        [Symbol.dispose]: () => {
          observer.disconnect();
          element.remove();
        },
      };
    },
    close() {
      unfollowTheme();
      output[Symbol.dispose]();
      session[Symbol.dispose]();
      terminal.dispose();
      element.remove();
    },
  };
}

/** Ctrl+Shift+C and V as terminals on Linux and Windows have them; the Mac's Cmd keys work by themselves. */
function copyAndPaste(terminal: Terminal): (event: KeyboardEvent) => boolean {
  return (event) => {
    if (event.type !== "keydown" || !event.ctrlKey || !event.shiftKey) return true;
    if (event.code === "KeyC" && terminal.hasSelection()) {
      void navigator.clipboard.writeText(terminal.getSelection());
      event.preventDefault();
      return false;
    }
    // The browser's own paste event follows; xterm takes it from there.
    return event.code !== "KeyV";
  };
}
