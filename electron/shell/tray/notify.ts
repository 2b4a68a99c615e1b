import { Notification } from "electron";
import type { Happening } from "#host/happenings.ts";
import type { ShellSettings } from "../process/messages.ts";
import type { ShellTexts } from "../texts.ts";

/** Tells of what happened while nobody looked, of the kinds that are asked for. A click opens what it is about. */
export function notify(happening: Happening, texts: ShellTexts, { notify: wanted }: Pick<ShellSettings, "notify">, open: (container?: string) => void): void {
  if (!wanted.includes(happening.kind) || !Notification.isSupported()) return;
  const notification = new Notification({ ...texts.happened(happening), silent: true });
  notification.on("click", () => open("container" in happening ? happening.container : undefined));
  notification.show();
}
