import type { BridgeStream } from "#bridge/bridge.ts";

/** Hands bytes to the person as a file. The browser keeps large ones on disk while they arrive. */
export async function saveStream(stream: BridgeStream, name: string): Promise<void> {
  const chunks: Uint8Array<ArrayBuffer>[] = [];
  for await (const chunk of stream.bytes) chunks.push(new Uint8Array(chunk));
  saveBlob(new Blob(chunks), name);
}

/** Hands a text to the person as a file. */
export const saveText = (text: string, name: string): void => saveBlob(new Blob([text], { type: "text/plain" }), name);

function saveBlob(blob: Blob, name: string): void {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  // The download has begun by then; the address is not needed any more.
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}
