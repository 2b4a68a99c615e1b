import { contextBridge, ipcRenderer } from "electron";

// Sandboxed preloads are CommonJS: this file is bundled to preload.cjs. It exposes one function and no ipcRenderer.
// A port cannot cross the context bridge, so it is posted to the page's own window.
declare const window: { postMessage(message: unknown, origin: string, transfer: readonly unknown[]): void; readonly location: { readonly origin: string } };

const channel = "slipway.port";

ipcRenderer.on(channel, (event, id: unknown) => window.postMessage({ slipwayPort: id }, window.location.origin, event.ports));
contextBridge.exposeInMainWorld("slipway", { getPort: (id: unknown) => ipcRenderer.send(channel, String(id)) });
