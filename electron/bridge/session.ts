import { EngineError } from "#base/errors.ts";
import type { BridgeStream, CallName, CallResult, HostEvents, StreamOpen } from "./bridge.ts";
import { ByteChannel } from "./channel.ts";
import { fromWire } from "./errors.ts";
import { type Frame, type FrameKind, decodeCredit, decodeFrame, decodeJson, encodeCredit, encodeFrame, encodeJson } from "./frames.ts";
import { bridgeLimits } from "./limits.ts";
import type { Transport } from "./transport.ts";

type Head = Awaited<BridgeStream["head"]>;

/** A stream from the window's side; it may be made, written and ended before there is a connection. */
export class WindowStream implements BridgeStream {
  readonly open: StreamOpen;
  readonly channel: ByteChannel;
  readonly answer = Promise.withResolvers<Head>();
  readonly bytes: AsyncIterable<Uint8Array>;
  onClosed: () => void = () => undefined;

  constructor(open: StreamOpen) {
    if (!(open.windowBytes > 0 && open.windowBytes <= bridgeLimits.windowBytesMax))
      throw new EngineError("invalidArgument", `a stream's window has 1 to ${bridgeLimits.windowBytesMax} bytes, not ${open.windowBytes}`);
    this.open = open;
    this.channel = new ByteChannel(open.windowBytes, () => {
      this.answer.reject(new EngineError("cancelled", "the stream was closed before its answer"));
      this.onClosed();
    });
    this.bytes = { [Symbol.asyncIterator]: () => this.#read() };
    // Whoever only reads the bytes sees the failure there; an unread head must not count as unhandled.
    this.answer.promise.catch(() => undefined);
    if (open.kind === "download") this.end();
  }

  /** Once a hijacked connection's output is over nobody answers what is typed: our direction ends, too, as the docker CLI's does. */
  async *#read(): AsyncGenerator<Uint8Array, void, void> {
    yield* this.channel.read();
    if (this.open.kind === "upgrade") this.end();
  }

  get head(): Promise<Head> {
    return this.answer.promise;
  }
  write(bytes: Uint8Array): Promise<void> {
    return this.channel.write(bytes);
  }
  end(): void {
    void this.channel.end();
  }
  close(): void {
    this.channel.close();
  }
  fail(error: EngineError): void {
    this.answer.reject(error);
    this.channel.receiveReset(error);
  }
}

/** The window's end of one connection: what is open on it fails when it goes. */
export class Session {
  readonly #transport: Transport;
  readonly #onEvent: (name: keyof HostEvents, value: HostEvents[keyof HostEvents]) => void;
  readonly #calls = new Map<number, PromiseWithResolvers<unknown>>();
  readonly #streams = new Map<number, WindowStream>();
  #lastId = 0;
  #gone: EngineError | undefined;

  constructor(transport: Transport, onEvent: (name: keyof HostEvents, value: HostEvents[keyof HostEvents]) => void, onGone: () => void) {
    this.#transport = transport;
    this.#onEvent = onEvent;
    transport.onFrame((bytes) => this.#receive(bytes));
    transport.onClose((reason) => {
      this.#fail(
        new EngineError("unavailable", `the connection to Slipway's host core was lost${reason ? ` (${reason})` : ""}; what was asked may have been done`),
      );
      onGone();
    });
  }

  async call<C extends CallName>(name: C, arg: unknown): Promise<CallResult<C>> {
    if (this.#gone !== undefined) throw this.#gone;
    const id = this.#nextId();
    const answer = Promise.withResolvers<unknown>();
    this.#calls.set(id, answer);
    this.#send("call", id, encodeJson({ name, arg }));
    // The host core's calls are typed by the same table.
    return (await answer.promise) as CallResult<C>;
  }

  attach(stream: WindowStream): void {
    if (this.#gone !== undefined) return stream.fail(this.#gone);
    if (stream.channel.closed) return;
    const id = this.#nextId();
    this.#streams.set(id, stream);
    stream.onClosed = () => void this.#streams.delete(id);
    this.#send("open", id, encodeJson(stream.open));
    stream.channel.bind({
      data: (bytes) => this.#send("data", id, bytes),
      end: () => this.#send("end", id),
      reset: (error) => this.#send("reset", id, error === undefined ? undefined : encodeJson(error)),
      credit: (bytes) => this.#send("credit", id, encodeCredit(bytes)),
    });
  }

  close(): void {
    this.#transport.close();
  }

  #nextId(): number {
    this.#lastId = (this.#lastId % 0xffff_ffff) + 1;
    return this.#lastId;
  }

  #send(kind: FrameKind, id: number, payload?: Uint8Array): void {
    this.#transport.send(encodeFrame(kind, id, payload));
  }

  #receive(bytes: Uint8Array): void {
    try {
      this.#dispatch(decodeFrame(bytes));
    } catch (error) {
      this.#transport.close(error instanceof Error ? error.message : "a broken frame");
    }
  }

  #dispatch({ kind, id, payload }: Frame): void {
    const stream = this.#streams.get(id);
    switch (kind) {
      case "result":
        return this.#settle(id)?.resolve(decodeJson(payload));
      case "failure":
        return this.#settle(id)?.reject(fromWire(decodeJson(payload)));
      case "event": {
        const { name, value } = decodeJson(payload) as { name: keyof HostEvents; value: HostEvents[keyof HostEvents] };
        return this.#onEvent(name, value);
      }
      case "head":
        return stream?.answer.resolve(decodeJson(payload) as Head);
      case "data":
        return stream?.channel.receive(payload);
      case "end":
        return stream?.channel.receiveEnd();
      case "reset":
        return stream?.fail(payload.byteLength > 0 ? fromWire(decodeJson(payload)) : new EngineError("cancelled", "the far end closed the stream"));
      case "credit":
        return stream?.channel.grant(decodeCredit(payload));
      case "call":
      case "open":
        throw new EngineError("invalidArgument", `the host core may not send ${kind}`);
    }
  }

  #settle(id: number): PromiseWithResolvers<unknown> | undefined {
    const call = this.#calls.get(id);
    this.#calls.delete(id);
    return call;
  }

  #fail(error: EngineError): void {
    this.#gone = error;
    for (const call of this.#calls.values()) call.reject(error);
    this.#calls.clear();
    for (const stream of [...this.#streams.values()]) stream.fail(error);
  }
}
