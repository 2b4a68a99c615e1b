import { type App, type Session, shell } from "electron";
import { isOurAddress } from "./scheme.ts";

const allowedPermissions: ReadonlySet<string> = new Set(["clipboard-sanitized-write", "notifications"]);

/** Opens an address of the web or of mail in the program the person has for it; anything else is refused. The only way out. */
export function openExternal(address: string): boolean {
  let url: URL;
  try {
    url = new URL(address);
  } catch {
    return false;
  }
  // A published port's page is plain http on this computer; everything else of the web is https.
  const local = url.protocol === "http:" && (url.hostname === "localhost" || url.hostname === "127.0.0.1");
  if (url.protocol !== "https:" && url.protocol !== "mailto:" && !local) return false;
  void shell.openExternal(url.href);
  return true;
}

/** No page leaves our origin, opens a window, or embeds another: links go to the person's browser. */
export function guardContents(app: App): void {
  app.on("web-contents-created", (_event, contents) => {
    const stay = (event: { preventDefault(): void; readonly url: string }): void => {
      if (!isOurAddress(event.url)) event.preventDefault();
    };
    contents.on("will-navigate", stay);
    contents.on("will-frame-navigate", stay);
    contents.on("will-redirect", stay);
    contents.on("will-attach-webview", (event) => event.preventDefault());
    contents.setWindowOpenHandler(({ url }) => {
      openExternal(url);
      return { action: "deny" };
    });
  });
}

/** Pages may write to the clipboard and notify; no camera, no place, no device. */
export function guardSession(session: Session): void {
  session.setPermissionRequestHandler((_contents, permission, answer) => answer(allowedPermissions.has(permission)));
  session.setPermissionCheckHandler((_contents, permission) => allowedPermissions.has(permission));
  session.setDevicePermissionHandler(() => false);
}
