import { EngineError, messageOf } from "#base/errors.ts";
import { Emitter } from "#base/event.ts";
import type { Bridge, BridgeStream, CallArg, CallName, CallResult, HostEvents, StreamOpen } from "./bridge.ts";
import { Line } from "./line.ts";
import { WindowStream } from "./session.ts";
import type { Connect } from "./transport.ts";
import { connectWebSocket } from "./websocket.ts";

/**
 * The window's bridge over anything that connects. Upgraded streams (terminals) get a connection of their own, opened
 * at the first one, so that a flood of log bytes cannot sit before a keystroke.
 */
export function createBridge(connect: Connect): Bridge & Disposable {
  const events = new Map<keyof HostEvents, Emitter<HostEvents[keyof HostEvents]>>();
  const main = new Line(connect, (name, value) => events.get(name)?.fire(value));
  let terminals: Line | undefined;

  const attach = (line: Line, stream: WindowStream): void => {
    if (line.now !== undefined) return line.now.attach(stream);
    line.session().then(
      (session) => session.attach(stream),
      (error: unknown) => stream.fail(error instanceof EngineError ? error : new EngineError("unavailable", messageOf(error), { cause: error })),
    );
  };

  return {
    async call<C extends CallName>(name: C, ...arg: CallArg<C> extends undefined ? [] : [CallArg<C>]): Promise<CallResult<C>> {
      const session = await main.session();
      return await session.call(name, arg[0]);
    },
    stream(open: StreamOpen): BridgeStream {
      const stream = new WindowStream(open);
      attach(open.kind === "upgrade" ? (terminals ??= new Line(connect, () => undefined)) : main, stream);
      return stream;
    },
    on<E extends keyof HostEvents>(event: E, listener: (value: HostEvents[E]) => void): Disposable {
      let emitter = events.get(event);
      if (emitter === undefined) events.set(event, (emitter = new Emitter()));
      // The emitter kept under an event's name carries that event's values only.
      return emitter.on(listener as (value: HostEvents[keyof HostEvents]) => void);
    },
    get connected() {
      return main.connected;
    },
    onConnected: (listener) => main.onConnected(listener),
    [Symbol.dispose]() {
      main[Symbol.dispose]();
      terminals?.[Symbol.dispose]();
    },
  };
}

/** Browser mode: `url` is the WebSocket's (`ws://127.0.0.1:PORT/bridge`), `key` what the one-time token was exchanged for. */
export const connectWebSocketBridge = (opts: { readonly url: string; readonly key: string }): Bridge & Disposable =>
  createBridge((signal) => connectWebSocket({ ...opts, signal }));
