import type { Duplex } from "node:stream";

/** `head` completed to at least `length` bytes; undefined when the client went before, or said nothing for `idleMsMax`. */
export async function withBody(socket: Duplex, head: Buffer, length: number, idleMsMax: number): Promise<Buffer | undefined> {
  if (head.length >= length) return head;
  const chunks = [head];
  let have = head.length;
  return await new Promise((resolve) => {
    const done = (result: Buffer | undefined): void => {
      clearTimeout(patience);
      socket.off("data", more).off("close", gone).off("end", gone).off("error", gone);
      socket.pause();
      resolve(result);
    };
    const more = (chunk: Buffer): void => {
      patience.refresh();
      chunks.push(chunk);
      have += chunk.length;
      if (have >= length) done(Buffer.concat(chunks));
    };
    const gone = (): void => done(undefined);
    const patience = setTimeout(gone, idleMsMax);
    socket.on("data", more).on("close", gone).on("end", gone).on("error", gone);
  });
}
