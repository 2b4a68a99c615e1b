import { createStore, type StoreApi } from "zustand/vanilla";
import type { Bridge, BridgeStream, EngineRequest, EngineResponse } from "#bridge/bridge.ts";
import { messageOf } from "#base/errors.ts";
import { quoted } from "./copyrun.ts";
import { dockerCommand } from "./dockercommand.ts";
import { masked } from "./secrets.ts";

/** One thing that this window has had the engine do. Reading is none. */
export interface Act {
  readonly id: number;
  readonly startedAt: number;
  readonly tookMs: number | undefined;
  /** `POST /containers/web/start` */
  readonly call: string;
  /** JSON with the values of secrets hidden; "" for none. */
  readonly body: string;
  /** The same as a `docker` line, where there is one. */
  readonly command: string | undefined;
  readonly result: { readonly kind: "running" } | { readonly kind: "done"; readonly status: number } | { readonly kind: "failed"; readonly words: string };
}

export interface Activity {
  readonly store: StoreApi<{ readonly open: boolean; readonly list: readonly Act[] }>;
  /** The same bridge; what goes over it is written down. */
  readonly bridge: Bridge;
  toggle(): void;
  clear(): void;
}

const keptMax = 200;
const bodyCharsMax = 4_000;
/** Asked for to look at something, though not by GET. */
const reading = /^\/slipway\/compose\/check|^\/exec\/[^/]+\/(?:resize|start)|^\/slipway\/search/;

/** `docker`: how the command is told the engine that is shown. */
export function createActivity(bridge: Bridge, docker: readonly string[] = ["docker"]): Activity {
  const store = createStore<{ readonly open: boolean; readonly list: readonly Act[] }>(() => ({ open: false, list: [] }));
  let lastId = 0;

  /** Writes it down as begun; what it returns writes down how it ended. */
  function begin(request: EngineRequest): (result: Act["result"]) => void {
    const { method, path } = request;
    if (method === "GET" || method === "HEAD" || reading.test(path)) return () => undefined;
    const id = (lastId += 1);
    const startedAt = Date.now();
    const hidden = masked(request.body);
    const act: Act = {
      id,
      startedAt,
      tookMs: undefined,
      call: `${method} ${path}`,
      body: request.body === undefined ? "" : JSON.stringify(hidden).slice(0, bodyCharsMax),
      command: dockerCommand({ method, path, body: hidden }, docker),
      result: { kind: "running" },
    };
    store.setState(({ list }) => ({ list: [act, ...list].slice(0, keptMax) }));
    return (result) => store.setState(({ list }) => ({ list: list.map((one) => (one.id === id ? { ...one, result, tookMs: Date.now() - startedAt } : one)) }));
  }

  const call = async (name: string, arg: unknown): Promise<unknown> => {
    const through = bridge.call as (name: string, arg: unknown) => Promise<unknown>;
    if (name !== "engine.request") return await through(name, arg);
    const end = begin(arg as EngineRequest);
    try {
      const answer = (await through(name, arg)) as EngineResponse;
      end(resultOf(answer.status, (answer.body as { message?: string } | undefined)?.message));
      return answer;
    } catch (error) {
      end({ kind: "failed", words: messageOf(error) });
      throw error;
    }
  };

  return {
    store,
    bridge: {
      call: ((name: string, arg: unknown) => call(name, arg)) as Bridge["call"],
      stream(open): BridgeStream {
        const end = begin(open.request);
        const stream = bridge.stream(open);
        stream.head.then(
          ({ status }) => end(resultOf(status, undefined)),
          (error: unknown) => end({ kind: "failed", words: messageOf(error) }),
        );
        return stream;
      },
      on: (event, listener) => bridge.on(event, listener),
      get connected() {
        return bridge.connected;
      },
      onConnected: (listener) => bridge.onConnected(listener),
    },
    toggle: () => store.setState(({ open }) => ({ open: !open })),
    clear: () => store.setState({ list: [] }),
  };
}

const resultOf = (status: number, words: string | undefined): Act["result"] =>
  status >= 400 ? { kind: "failed", words: `HTTP ${status}${words === undefined ? "" : `: ${words}`}` } : { kind: "done", status };

/** The call itself, for a terminal. */
export function curlLine({ call, body }: Pick<Act, "call" | "body">, socket: string): string {
  const [method = "", path = ""] = call.split(" ");
  const json = body === "" ? [] : ["-H", "Content-Type: application/json", "-d", body];
  return ["curl", "--unix-socket", socket, "-X", method, ...json, `http://localhost${path}`].map(quoted).join(" ");
}
