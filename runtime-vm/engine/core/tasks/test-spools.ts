import { closeSync, constants, fstatSync, ftruncateSync, mkdtempSync, openSync, rmSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Readable } from "node:stream";
import type { OutputSpool } from "./spool.ts";
import type { TaskStdio } from "./tasks.ts";

/** A task's output for tests, out of any streams. `directory`: its files stay there, and a second call goes on with them, as after a restart of the engine. */
export function spooled(output: { stdout: Readable; stderr?: Readable }, directory?: string): TaskStdio {
  return {
    ...output,
    spools: () => {
      const into = directory ?? mkdtempSync(join(tmpdir(), "slipway-spool-"));
      const progress = openFile(join(into, "progress"));
      const spools = {
        stdout: new StreamSpool(output.stdout, join(into, "stdout")),
        ...(output.stderr && { stderr: new StreamSpool(output.stderr, join(into, "stderr")) }),
      };
      return {
        ...spools,
        progress,
        [Symbol.dispose]: () => {
          closeSync(progress);
          for (const spool of Object.values(spools)) spool[Symbol.dispose]();
          if (directory === undefined) rmSync(into, { recursive: true });
        },
      };
    },
  };
}

class StreamSpool implements OutputSpool, Disposable {
  readonly fd: number;
  readonly pipeBytes = 1024 * 1024;
  readonly #chunks: AsyncIterator<Buffer>;
  end: number;

  constructor(from: Readable, path: string) {
    this.fd = openFile(path);
    this.end = fstatSync(this.fd).size;
    this.#chunks = (from as AsyncIterable<Buffer>)[Symbol.asyncIterator]();
  }

  async fill(): Promise<number> {
    const next = await this.#chunks.next();
    if (next.done) return 0;
    const bytes = writeSync(this.fd, next.value, 0, next.value.length, this.end);
    this.end += bytes;
    return bytes;
  }

  free(): void {}

  cut(offset: number): void {
    ftruncateSync(this.fd, offset);
    this.end = offset;
  }

  [Symbol.dispose](): void {
    closeSync(this.fd);
  }
}

const openFile = (path: string): number => openSync(path, constants.O_RDWR | constants.O_CREAT);
