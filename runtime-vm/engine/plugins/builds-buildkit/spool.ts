import { type FileHandle, open, rm } from "node:fs/promises";
import { EngineError } from "#base/errors.ts";

/** Where some bytes are: in memory, or in the file. */
export type Piece = Buffer | { readonly at: number; readonly bytes: number };

/** So much is kept in memory: most of what clients send is small, and files for it cost more than its bytes. */
const heldBytesMax = 4 * 1024 * 1024;

/** Bytes that are read again, the first of them kept in memory and the rest in a file. Disposing removes the file. */
export class Spool implements AsyncDisposable {
  readonly #path: string;
  #file: FileHandle | undefined;
  #bytes = 0;
  #spooled = 0;

  constructor(path: string) {
    this.#path = path;
  }

  /** All that was added. */
  get bytes(): number {
    return this.#bytes;
  }

  /** One at a time. */
  async add(bytes: Buffer): Promise<Piece> {
    this.#bytes += bytes.length;
    if (this.#bytes <= heldBytesMax) return bytes;
    this.#file ??= await open(this.#path, "wx+", 0o600);
    const at = this.#spooled;
    this.#spooled += bytes.length;
    await this.#file.write(bytes, 0, bytes.length, at);
    return { at, bytes: bytes.length };
  }

  async read(piece: Piece): Promise<Buffer> {
    if (Buffer.isBuffer(piece)) return piece;
    const buffer = Buffer.allocUnsafe(piece.bytes);
    const read = await this.#file?.read(buffer, 0, piece.bytes, piece.at);
    if (read?.bytesRead !== piece.bytes) throw new EngineError("internal", `${this.#path}: ends before byte ${piece.at + piece.bytes}`);
    return buffer;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#file === undefined) return;
    await this.#file.close();
    await rm(this.#path, { force: true });
  }
}
