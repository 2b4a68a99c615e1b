import { createStore, type StoreApi } from "zustand/vanilla";
import { EngineError } from "#base/errors.ts";
import { Emitter } from "#base/event.ts";
import type { BridgeStream } from "#bridge/bridge.ts";
import type { Engine } from "#renderer/core/engine/engine.ts";

export interface TerminalSize {
  readonly rows: number;
  readonly columns: number;
}

export type TerminalState =
  | { readonly kind: "opening" }
  | { readonly kind: "open" }
  | { readonly kind: "ended"; readonly exitCode: number | undefined }
  | { readonly kind: "failed"; readonly error: unknown };

/** A shell in a container: an exec with a TTY. It lives until it ends or is closed, whatever page is shown. */
export interface TerminalSession extends Disposable {
  readonly state: StoreApi<{ readonly now: TerminalState }>;
  readonly output: Emitter<Uint8Array>;
  write(text: string): void;
  resize(size: TerminalSize): void;
}

/** bash where there is one; any other image with a shell has `sh`. */
const shell = ["/bin/sh", "-c", "if command -v bash >/dev/null 2>&1; then exec bash; else exec sh; fi"];
const encoder = new TextEncoder();

export function openTerminal(engine: Pick<Engine, "exec">, container: string, first: TerminalSize): TerminalSession {
  const state = createStore<{ readonly now: TerminalState }>(() => ({ now: { kind: "opening" } }));
  const output = new Emitter<Uint8Array>();
  const stop = new AbortController();
  let size = first;
  let open: { readonly exec: string; readonly stream: BridgeStream } | undefined;
  /** Keystrokes in order: a write waits for the one before it. */
  let written: Promise<unknown> = Promise.resolve();

  async function run(): Promise<void> {
    const { Id: exec } = await engine.exec.create(container, shell);
    const stream = await engine.exec.start(exec, size, stop.signal);
    open = { exec, stream };
    state.setState({ now: { kind: "open" } });
    await applySize(exec, size);
    for await (const bytes of stream.bytes) output.fire(bytes);
    open = undefined;
    const { ExitCode } = await engine.exec.inspect(exec);
    state.setState({ now: { kind: "ended", exitCode: ExitCode ?? undefined } });
  }

  // The process may end between a resize of the window and the request: nothing is lost then.
  const applySize = (exec: string, to: TerminalSize): Promise<void> => engine.exec.resize(exec, to).catch(() => undefined);

  run().catch((error: unknown) => {
    const wasOpen = state.getState().now.kind === "open";
    open = undefined;
    // A container that is removed takes the exec along: the shell has ended, how is no longer known.
    state.setState({ now: wasOpen ? { kind: "ended", exitCode: undefined } : { kind: "failed", error } });
  });

  return {
    state,
    output,
    write(text) {
      const stream = open?.stream;
      if (stream !== undefined) written = written.then(() => stream.write(encoder.encode(text))).catch(() => undefined);
    },
    resize(to) {
      if (to.rows === size.rows && to.columns === size.columns) return;
      size = to;
      if (open !== undefined) void applySize(open.exec, to);
    },
    [Symbol.dispose]() {
      stop.abort(new EngineError("cancelled", "the terminal was closed"));
      open?.stream.close();
    },
  };
}
