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
    const { host, pathname } = new URL(url);
    const names = decode(pathname)?.split("/").filter(Boolean) ?? [".."];
    if (host !== "slipway" || names.some((name) => name === ".." || name.includes("\\") || name.includes("\0")))
      return new Response("no such page", { status: 404 });
    const path = join(directory, ...(names.length === 0 ? ["index.html"] : names));
    try {
      return new Response(new Uint8Array(await readFile(path)), {
        headers: {
          "content-type": contentTypes[extname(path)] ?? "application/octet-stream",
          "content-security-policy": contentSecurityPolicy,
          "x-content-type-options": "nosniff",
        },
      });
    } catch {
      return new Response("no such page", { status: 404 });
    }
  });
}

function decode(path: string): string | undefined {
  try {
    return decodeURIComponent(path);
  } catch {
    return undefined;
  }
}
