import { FitAddon } from "@xterm/addon-fit";
import { WebglAddon } from "@xterm/addon-webgl";
import { Terminal } from "@xterm/xterm";
import type { App } from "#renderer/core/app.ts";
import { openTerminal, type TerminalSession } from "#renderer/core/terminal/session.ts";
import { theme } from "#renderer/core/theme.ts";
import { hasRealGpu, terminalTheme } from "./look.ts";

/** A terminal with its shell. It outlives the page: its element is put into whatever page shows it. */
export interface OpenTerminal {
  readonly session: TerminalSession;
  readonly element: HTMLElement;
  /** Shows it in `host`; disposing takes it out again and leaves the shell running. */
  show(host: HTMLElement): Disposable;
  close(): void;
}

const terminals = new Map<string, OpenTerminal>();

/** The container's terminal: the one already open, else a new one. */
export function terminalFor(app: App, container: string): OpenTerminal {
  const open = terminals.get(container);
  if (open !== undefined) return open;
  const made = createTerminal(app, container, () => terminals.delete(container));
  terminals.set(container, made);
  return made;
}

/** Closes an ended terminal, so that the next one asked for is new. */
export const dropTerminal = (container: string): void => terminals.get(container)?.close();

function createTerminal(app: App, container: string, forget: () => void): OpenTerminal {
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
      forget();
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
