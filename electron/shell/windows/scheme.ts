import { readFile } from "node:fs/promises";
import { extname, join } from "node:path";
import { type Protocol, protocol } from "electron";
import { contentSecurityPolicy, contentTypes } from "#bridge/policy.ts";

export const appPage = "app://slipway/index.html";

/** Whether an address is one of our page's. Node gives schemes of one's own no origin: the parts are compared. */
export function isOurAddress(address: string): boolean {
  const url = URL.parse(address);
  return url?.protocol === "app:" && url.host === "slipway";
}

/** Before the app is ready: `app:` is an origin like https, with none of its exceptions. */
export function registerScheme(): void {
  protocol.registerSchemesAsPrivileged([{ scheme: "app", privileges: { standard: true, secure: true, supportFetchAPI: true, codeCache: true } }]);
}

/** Serves the built window from `directory` as `app://slipway/`; nothing outside it, nothing by file://. */
export function serveScheme(on: Protocol, directory: string): void {
  on.handle("app", async ({ url }) => {
    try {
      const { host, pathname } = new URL(url);
      const names = decodeURIComponent(pathname).split("/").filter(Boolean);
      if (host !== "slipway" || names.some((name) => name === ".." || /[\\\0]/.test(name))) throw new Error("outside");
      const path = join(directory, ...(names.length === 0 ? ["index.html"] : names));
      const headers = { "content-type": contentTypes[extname(path)] ?? "application/octet-stream", "x-content-type-options": "nosniff" };
      return new Response(new Uint8Array(await readFile(path)), { headers: { ...headers, "content-security-policy": contentSecurityPolicy } });
    } catch {
      return new Response("there is no such page", { status: 404 });
    }
  });
}
