/**
 * poll(2) as a promise on Node's own event loop (libuv's uv_poll through koffi). libuv allows one handle an fd, so all
 * waits on an fd share one, and it lives only while somebody waits. The loop tells that something happened; what, is
 * asked of poll(2) itself, since libuv folds hang-ups into readable and writable.
 */
import { KernelError, type Devices } from "#core/kernel/kernel.ts";
import { c, check, koffi } from "./libc.ts";

const POLLIN = 1;
const POLLOUT = 4;
const CLOCK_REALTIME = 0;

interface Wait {
  readonly events: number;
  settle(revents: number): void;
}
interface Interest {
  readonly readable: boolean;
  readonly writable: boolean;
}
interface PollHandle {
  start(interest: Interest, ready: () => void): void;
  stop(): void;
  close(): void;
}

export function createDevices(): Devices {
  const watches = new Map<number, Watch>();

  const wait = (fd: number, events: number, timeoutMs: number, signal: AbortSignal | undefined): Promise<number> =>
    new Promise((resolve, reject) => {
      const finish = (answer: () => void): void => {
        clearTimeout(timer);
        signal?.removeEventListener("abort", aborted);
        const watch = watches.get(fd);
        if (watch?.leave(own) === true) watches.delete(fd);
        answer();
      };
      const own: Wait = { events, settle: (revents) => finish(() => resolve(revents)) };
      const aborted = (): void => finish(() => reject(signal?.reason));
      const timer = setTimeout(() => own.settle(0), timeoutMs);
      signal?.addEventListener("abort", aborted, { once: true });
      try {
        const watch = watches.get(fd) ?? new Watch(fd);
        watches.set(fd, watch);
        watch.join(own);
      } catch (error) {
        finish(() => reject(error));
      }
    });

  return {
    async poll(fd, events, timeoutMs, signal) {
      signal?.throwIfAborted();
      const now = readyNow(fd, events);
      return now !== 0 || timeoutMs === 0 ? now : await wait(fd, events, timeoutMs, signal);
    },

    setTime(unixMs) {
      const time = Buffer.alloc(16); // struct timespec
      time.writeBigInt64LE(BigInt(Math.floor(unixMs / 1000)), 0);
      time.writeBigInt64LE(BigInt(Math.floor((unixMs % 1000) * 1e6)), 8);
      check(c.clockSettime(CLOCK_REALTIME, time), "set clock to", new Date(unixMs).toISOString());
    },
  };
}

class Watch {
  readonly #fd: number;
  readonly #waits = new Set<Wait>();
  #handle: PollHandle | undefined;

  constructor(fd: number) {
    this.#fd = fd;
  }

  join(wait: Wait): void {
    this.#waits.add(wait);
    this.#listen();
  }

  /** True when nobody waits any more: the fd is then off the loop. */
  leave(wait: Wait): boolean {
    this.#waits.delete(wait);
    if (this.#waits.size > 0) return false;
    this.#handle?.close();
    this.#handle = undefined;
    return true;
  }

  #listen(): void {
    const wanted = [...this.#waits].reduce((all, wait) => all | wait.events, 0);
    const interest = { readable: (wanted & POLLIN) !== 0, writable: (wanted & POLLOUT) !== 0 };
    if (this.#handle === undefined) this.#handle = startPoll(this.#fd, interest, this.#ready);
    else this.#handle.start(interest, this.#ready);
  }

  #ready = (): void => {
    this.#handle?.stop();
    // koffi calls back outside of Node's callback scope, where promises are not drained: go through the loop.
    setImmediate(() => {
      for (const wait of [...this.#waits]) {
        const revents = readyNow(this.#fd, wait.events);
        if (revents !== 0) wait.settle(revents);
      }
      if (this.#waits.size > 0) this.#listen();
    });
  };
}

function startPoll(fd: number, interest: Interest, ready: () => void): PollHandle {
  const { poll } = koffi().node as unknown as { poll(fd: number, interest: Interest, ready: () => void): PollHandle };
  return poll(fd, interest, ready);
}

/** `revents` at this moment; struct pollfd is int fd, short events, short revents. */
function readyNow(fd: number, events: number): number {
  const pollfd = Buffer.alloc(8);
  pollfd.writeInt32LE(fd, 0);
  pollfd.writeInt16LE(events, 4);
  for (;;) {
    try {
      check(c.poll(pollfd, 1, 0), "poll", `fd ${fd}`);
      return pollfd.readInt16LE(6);
    } catch (error) {
      // A signal came (a child ended, a profiler looks), at which poll(2) gives up even when it is not to wait.
      if (!(error instanceof KernelError) || error.code !== "EINTR") throw error;
    }
  }
}
