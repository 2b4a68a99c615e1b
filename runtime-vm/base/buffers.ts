/**
 * Gives a buffer's memory back at once, where it is the only one on it; whoever else holds it then finds it empty. Streams are
 * thousands of small buffers: left to the garbage collector they make it run again and again, over everything else there is.
 */
export function free({ buffer, byteLength }: Uint8Array): void {
  if (buffer instanceof ArrayBuffer && byteLength > 0 && buffer.byteLength === byteLength) buffer.transfer(0);
}
