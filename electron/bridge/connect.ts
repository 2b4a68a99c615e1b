import { EngineError, messageOf } from "#base/errors.ts";
import type { Bridge } from "./bridge.ts";
import { connectWebSocketBridge, createBridge } from "./client.ts";
import { domPort, portTransport } from "./messageport.ts";
import type { Transport } from "./transport.ts";

/** What Electron's preload puts on the window. The port itself arrives as a message: it cannot cross the context bridge. */
export interface PreloadApi {
  getPort(id: string): void;
}

/** The message that brings the port asked for by `getPort(id)`. */
export interface PortMessage {
  readonly slipwayPort: string;
}

const keyName = "slipway.key";

/** The bridge of this window: a message port in Electron, else a WebSocket with the key the page's one-time token gives. */
export async function connectBridge(window: Window): Promise<Bridge & Disposable> {
  const preload = (window as Window & { readonly slipway?: PreloadApi }).slipway;
  if (preload !== undefined) return createBridge((signal) => askPort(window, preload, signal));
  const key = await sessionKey(window);
  return connectWebSocketBridge({ url: `ws://${window.location.host}/bridge`, key });
}

function askPort(window: Window, preload: PreloadApi, signal: AbortSignal): Promise<Transport> {
  const id = crypto.randomUUID();
  return new Promise((resolve, reject) => {
    const stop = new AbortController();
    signal.addEventListener("abort", () => {
      stop.abort();
      reject(new EngineError("cancelled", "the bridge was closed"));
    });
    const take = (event: MessageEvent): void => {
      const [port] = event.ports;
      if (event.source !== window || (event.data as Partial<PortMessage> | null)?.slipwayPort !== id || port === undefined) return;
      stop.abort();
      resolve(portTransport(domPort(port)));
    };
    window.addEventListener("message", take, { signal: stop.signal });
    preload.getPort(id);
  });
}

/**
 * The key lives in sessionStorage: scoped to this origin with its port and to this tab, unlike a cookie, which every
 * port of 127.0.0.1 would receive. The token in the address is good for one exchange and leaves the address at once.
 */
async function sessionKey({ location, history, sessionStorage, fetch }: Window): Promise<string> {
  const token = new URLSearchParams(location.hash.slice(1)).get("token");
  if (token !== null) {
    history.replaceState(null, "", location.pathname + location.search);
    const answer = await fetch.call(globalThis, "/session", {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ token }),
    });
    if (answer.ok) sessionStorage.setItem(keyName, ((await answer.json()) as { key: string }).key);
    else if (sessionStorage.getItem(keyName) === null) throw new EngineError("unauthorized", messageOf(await answer.text()));
  }
  const key = sessionStorage.getItem(keyName);
  if (key === null) throw new EngineError("unauthorized", "this window has no key: open the address Slipway printed at its start");
  return key;
}
