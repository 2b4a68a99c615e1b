import { type IpcMainEvent, MessageChannelMain, type MessagePortMain, ipcMain } from "electron";
import { isOurAddress } from "./scheme.ts";

/** The one channel between a page's preload and us: it asks for a port to the host core, by an id of its choosing. */
export const portChannel = "slipway.port";

const idForm = /^[0-9a-f-]{36}$/;

/** Gives each of our pages that asks a port of its own; `connect` hands the other end to the host core's process. */
export function servePorts(connect: (port: MessagePortMain) => void): void {
  ipcMain.on(portChannel, (event, id: unknown) => {
    if (!isOurPage(event) || typeof id !== "string" || !idForm.test(id)) return;
    const { port1, port2 } = new MessageChannelMain();
    connect(port1);
    event.sender.postMessage(portChannel, id, [port2]);
  });
}

/** A message counts only from the main frame of a page of our origin; a frame that is gone is null. */
function isOurPage({ sender, senderFrame }: IpcMainEvent): boolean {
  return senderFrame !== null && senderFrame === sender.mainFrame && isOurAddress(senderFrame.url);
}
