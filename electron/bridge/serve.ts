import { EngineError } from "#base/errors.ts";
import type { BridgeStream, CallArg, CallName, CallResult, HostEvents, StreamOpen } from "./bridge.ts";
import { ByteChannel } from "./channel.ts";
import { fromWire, toWire } from "./errors.ts";
import { type Frame, type FrameKind, decodeCredit, decodeFrame, decodeJson, encodeCredit, encodeFrame, encodeJson } from "./frames.ts";
import { bridgeLimits } from "./limits.ts";
import { parseCall, parseStreamOpen } from "./schemas.ts";
import type { Transport } from "./transport.ts";

/** What the host core offers to windows. `signal` is aborted when the window that asked is gone. */
export type HostApi = { readonly [C in CallName]: (arg: CallArg<C>, opts: { readonly signal: AbortSignal }) => Promise<CallResult<C>> };

export type HostEvent = { [E in keyof HostEvents]: { readonly name: E; readonly value: HostEvents[E] } }[keyof HostEvents];

/** A stream from the host's side: the engine's answer is written to it, what the window sends is read from it. */
export interface HostStream {
  head(head: Awaited<BridgeStream["head"]>): void;
  write(bytes: Uint8Array): Promise<void>;
  /** Half-closes; resolves when the window has been sent everything. */
  end(): Promise<void>;
  /** Ends both directions; the window sees `error`. */
  close(error: unknown): void;
  read(): AsyncIterable<Uint8Array>;
  /** Aborted when the window closes the stream, or is gone. */
  readonly signal: AbortSignal;
}

export interface BridgeHost {
  readonly calls: HostApi;
  /** Serves one stream to its end; what it throws is told to the window. */
  stream(open: StreamOpen, stream: HostStream): Promise<void>;
  onEvent(listener: (event: HostEvent) => void): Disposable;
}

/** Serves one window until its transport closes. What it sends is checked against the schemas; what is no frame ends the connection. */
export function serveBridge(transport: Transport, host: BridgeHost): void {
  new Server(transport, host);
}

class Server {
  readonly #transport: Transport;
  readonly #host: BridgeHost;
  readonly #streams = new Map<number, ByteChannel>();
  readonly #gone = new AbortController();
  #callsOpen = 0;

  constructor(transport: Transport, host: BridgeHost) {
    this.#transport = transport;
    this.#host = host;
    const events = host.onEvent((event) => this.#send("event", 0, encodeJson(event)));
    transport.onClose(() => {
      events[Symbol.dispose]();
      const error = new EngineError("cancelled", "the window is gone");
      this.#gone.abort(error);
      for (const channel of [...this.#streams.values()]) channel.receiveReset(error);
    });
    transport.onFrame((bytes) => this.#receive(bytes));
  }

  #send(kind: FrameKind, id: number, payload?: Uint8Array): void {
    this.#transport.send(encodeFrame(kind, id, payload));
  }

  #receive(bytes: Uint8Array): void {
    try {
      this.#dispatch(decodeFrame(bytes));
    } catch (error) {
      this.#transport.close(toWire(error).message);
    }
  }

  #dispatch({ kind, id, payload }: Frame): void {
    const channel = this.#streams.get(id);
    switch (kind) {
      case "call":
        return void this.#call(id, payload);
      case "open":
        return this.#open(id, payload);
      case "data":
        return channel?.receive(payload);
      case "end":
        return channel?.receiveEnd();
      case "reset":
        return channel?.receiveReset(payload.byteLength > 0 ? fromWire(decodeJson(payload)) : new EngineError("cancelled", "the window closed the stream"));
      case "credit":
        return channel?.grant(decodeCredit(payload));
      case "result":
      case "failure":
      case "event":
      case "head":
        throw new EngineError("invalidArgument", `a window may not send ${kind}`);
    }
  }

  async #call(id: number, payload: Uint8Array): Promise<void> {
    this.#callsOpen += 1;
    try {
      if (this.#callsOpen > bridgeLimits.openMax) throw new EngineError("exhausted", `more than ${bridgeLimits.openMax} calls at a time`);
      const { name, arg } = parseCall(decodeJson(payload));
      // parseCall has checked `arg` against the schema of `name`.
      const serve = this.#host.calls[name] as (arg: unknown, opts: { signal: AbortSignal }) => Promise<unknown>;
      this.#send("result", id, encodeJson(await serve(arg, { signal: this.#gone.signal })));
    } catch (error) {
      this.#send("failure", id, encodeJson(toWire(error)));
    } finally {
      this.#callsOpen -= 1;
    }
  }

  #open(id: number, payload: Uint8Array): void {
    if (this.#streams.has(id)) throw new EngineError("invalidArgument", `stream ${id} is already open`);
    let open: StreamOpen;
    try {
      if (this.#streams.size >= bridgeLimits.openMax) throw new EngineError("exhausted", `more than ${bridgeLimits.openMax} streams at a time`);
      open = parseStreamOpen(decodeJson(payload));
    } catch (error) {
      return this.#send("reset", id, encodeJson(toWire(error)));
    }
    const closed = new AbortController();
    const channel = new ByteChannel(open.windowBytes, () => {
      this.#streams.delete(id);
      closed.abort(new EngineError("cancelled", "the stream is closed"));
    });
    this.#streams.set(id, channel);
    channel.bind({
      data: (bytes) => this.#send("data", id, bytes),
      end: () => this.#send("end", id),
      reset: (error) => this.#send("reset", id, error === undefined ? undefined : encodeJson(error)),
      credit: (bytes) => this.#send("credit", id, encodeCredit(bytes)),
    });
    const stream: HostStream = {
      head: (head) => this.#send("head", id, encodeJson(head)),
      write: (bytes) => channel.write(bytes),
      end: () => channel.end(),
      close: (error) => channel.close(error),
      read: () => channel.read(),
      signal: closed.signal,
    };
    this.#host.stream(open, stream).catch((error: unknown) => channel.close(error));
  }
}
