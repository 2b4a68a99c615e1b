import { Duplex } from "node:stream";

/**
 * A transport whose writes never hold up its reads. Node's HTTP/2 stops reading while one of its writes is under way:
 * when both ends write more than the transport takes, neither reads and the link stands still for ever. Here a write
 * is done once it is queued; what may be queued is bounded by the session window of the far side. One end with it is
 * enough: the host's.
 */
export class Decoupled extends Duplex {
  readonly #transport: Duplex;

  constructor(transport: Duplex) {
    super({ allowHalfOpen: true });
    this.#transport = transport;
    transport.on("data", (chunk: Buffer) => {
      if (!this.push(chunk)) transport.pause();
    });
    transport.on("end", () => this.push(null));
    transport.on("error", (error: Error) => this.destroy(error));
    transport.on("close", () => this.destroy());
  }

  override _read(): void {
    this.#transport.resume();
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    this.#transport.write(chunk);
    done();
  }

  override _writev(chunks: { chunk: Buffer }[], done: (error?: Error | null) => void): void {
    this.#transport.cork();
    for (const { chunk } of chunks) this.#transport.write(chunk);
    this.#transport.uncork();
    done();
  }

  override _final(done: (error?: Error | null) => void): void {
    this.#transport.end(done);
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this.#transport.destroy();
    done(error);
  }
}
