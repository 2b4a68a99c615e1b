import type { Duplex } from "node:stream";
import type { DiskRoom } from "#base/disk-room.ts";
import { EngineError, type ErrorClass, messageOf } from "#base/errors.ts";
import { linkLimits } from "./limits.ts";
import { JsonLines } from "./lines.ts";

/** Calls by name: one JSON argument, one JSON answer. */
export type CallMap = { readonly [name: string]: { readonly arg: unknown; readonly result: unknown } };
export type Handlers<In extends CallMap> = { readonly [N in keyof In]: (arg: In[N]["arg"], opts: { signal: AbortSignal }) => Promise<In[N]["result"]> };

/** Where a published port leads in the guest. */
export interface GuestTarget {
  readonly address: string;
  readonly port: number;
}

export interface PortRequest {
  readonly proto: "tcp" | "udp";
  readonly hostIp: string;
  /** 0: any free one. */
  readonly hostPort: number;
  readonly target: GuestTarget;
  /** A port of the guest's own address from where its packet rules lead to the target: what forwards to it needs no tunnel. */
  readonly relayPort?: number;
}

/** A DNS answer as the host's resolver gave it; `data` has the shape of the `dns-packet` package for its type. */
export interface Resolution {
  readonly code: "NOERROR" | "NXDOMAIN" | "SERVFAIL" | "NOTIMP";
  readonly answers: readonly { readonly name: string; readonly type: string; readonly ttl: number; readonly data: unknown }[];
}

/** What the guest asks of the host. */
export type HostCalls = {
  /** Binds a port of the host. The lease lives until `unpublish`, or until the guest has not claimed it again some time after a reconnect. */
  readonly publish: { readonly arg: PortRequest; readonly result: { readonly lease: string; readonly hostPort: number } };
  readonly unpublish: { readonly arg: { readonly lease: string }; readonly result: null };
  readonly resolve: { readonly arg: { readonly name: string; readonly type: string }; readonly result: Resolution };
  /** Dials from the host; the connection comes back as an `accept` tunnel with this ticket before the call answers. */
  readonly dial: { readonly arg: { readonly address: string; readonly port: number; readonly ticket: string }; readonly result: null };
};

/** What the host asks of the guest. */
export type GuestCalls = {
  readonly usage: { readonly arg: null; readonly result: GuestUsage };
  /** The engine takes over another daemon.json, as at SIGHUP, and keeps it for its next start. Class `invalidArgument`, and nothing has changed, when it cannot be. */
  readonly configure: { readonly arg: { readonly text: string }; readonly result: Configured };
  /** What programs of the host have done with files and folders that the guest sees: its watchers of them are told. */
  readonly changed: { readonly arg: { readonly changes: readonly FileChange[] }; readonly result: null };
};

export interface FileChange {
  /** As the guest has it below its host prefix. */
  readonly path: string;
  readonly what: "came" | "changed" | "gone";
  readonly type: "file" | "folder" | "link" | "other";
  /** The file's own (st_ino), where it is known: by it the guest knows what its own programs did, and what was renamed. */
  readonly number?: string;
  /** How long before it was told it happened: what the guest's own programs did before that was something else. */
  readonly agoMs: number;
}

export interface Configured {
  readonly warnings: readonly string[];
  /** Settings whose new value counts from the engine's next start on. */
  readonly waiting: readonly string[];
}

export interface GuestUsage {
  readonly memoryBytes: number;
  readonly memoryTotalBytes: number;
  /** Busy and total clock ticks since boot; a difference of two readings is a load. */
  readonly cpuBusyTicks: number;
  readonly cpuTotalTicks: number;
  /** Of the data disk. */
  readonly disk: DiskRoom;
}

interface Pending {
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: Error) => void;
}

/**
 * Control calls over one stream, both ways at once: lines of JSON `{id, call, arg}`, answered in any order by
 * `{id, result}` or `{id, error: {class, message}}`; `{cancel: id}` aborts a call's signal on the far side.
 */
export class CallChannel<Out extends CallMap, In extends CallMap> {
  readonly #stream: Duplex;
  readonly #handlers: Handlers<In>;
  readonly #lines = new JsonLines(linkLimits.callLineBytesMax);
  readonly #pending = new Map<number, Pending>();
  readonly #running = new Map<number, AbortController>();
  #lastId = 0;

  constructor(stream: Duplex, handlers: Handlers<In>) {
    this.#stream = stream;
    this.#handlers = handlers;
    stream.on("data", (chunk: Buffer) => this.#onData(chunk));
    stream.on("end", () => stream.end());
    stream.on("error", () => {});
    stream.on("close", () => this.#onClose());
  }

  /** Rejects with the far side's class and message; class `unavailable` when the link is lost first. */
  async call<N extends keyof Out & string>(name: N, arg: Out[N]["arg"], opts: { signal?: AbortSignal } = {}): Promise<Out[N]["result"]> {
    opts.signal?.throwIfAborted();
    if (this.#stream.destroyed) throw lost(name);
    const id = ++this.#lastId;
    const cancel = (): void => {
      this.#send({ cancel: id });
      this.#settle(id)?.reject(new EngineError("cancelled", `the call ${name} was cancelled`, { cause: opts.signal?.reason }));
    };
    opts.signal?.addEventListener("abort", cancel, { once: true });
    try {
      return await new Promise<unknown>((resolve, reject) => {
        this.#pending.set(id, { resolve, reject });
        this.#send({ id, call: name, arg });
      });
    } finally {
      opts.signal?.removeEventListener("abort", cancel);
    }
  }

  #send(message: object): void {
    if (!this.#stream.destroyed && this.#stream.writable) this.#stream.write(`${JSON.stringify(message)}\n`);
  }

  #settle(id: number): Pending | undefined {
    const pending = this.#pending.get(id);
    this.#pending.delete(id);
    return pending;
  }

  #onData(chunk: Buffer): void {
    try {
      for (const message of this.#lines.push(chunk)) this.#onMessage(message);
    } catch (error) {
      this.#stream.destroy(error instanceof Error ? error : new Error(messageOf(error)));
    }
  }

  #onMessage(message: Record<string, unknown>): void {
    if (typeof message["cancel"] === "number") return this.#running.get(message["cancel"])?.abort();
    const id = message["id"];
    if (typeof id !== "number") return;
    if (typeof message["call"] === "string") return void this.#serve(id, message["call"], message["arg"]);
    const error = message["error"];
    if (isFailure(error)) this.#settle(id)?.reject(new EngineError(error.class, error.message));
    else this.#settle(id)?.resolve(message["result"]);
  }

  async #serve(id: number, name: string, arg: unknown): Promise<void> {
    const controller = new AbortController();
    this.#running.set(id, controller);
    try {
      const handler = Object.hasOwn(this.#handlers, name) ? this.#handlers[name] : undefined;
      if (!handler) throw new EngineError("notImplemented", `the far side knows no call ${name}`);
      this.#send({ id, result: (await handler(arg, { signal: controller.signal })) ?? null });
    } catch (error) {
      this.#send({ id, error: { class: error instanceof EngineError ? error.class : "internal", message: messageOf(error) } });
    } finally {
      this.#running.delete(id);
    }
  }

  #onClose(): void {
    for (const pending of this.#pending.values()) pending.reject(lost("under way"));
    this.#pending.clear();
    for (const controller of this.#running.values()) controller.abort();
  }
}

const lost = (what: string): EngineError => new EngineError("unavailable", `the link between host and guest was lost (call ${what})`);

const isFailure = (value: unknown): value is { class: ErrorClass; message: string } =>
  typeof value === "object" && value !== null && "class" in value && "message" in value && typeof value.message === "string";
