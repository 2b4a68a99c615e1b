import type { Readable } from "node:stream";
import { EngineError } from "#base/errors.ts";
import type { LogStream } from "../logs/logs.ts";
import { parseDetachKeys } from "./detach-keys.ts";
import { publishEvent } from "./events.ts";
import { DetachKeys, type InputEnd, feedInput } from "./input.ts";
import { openLog } from "./logs.ts";
import type { Supervisor } from "./supervisor.ts";

export interface AttachOptions {
  readonly stdin: boolean;
  readonly stdout: boolean;
  readonly stderr: boolean;
  /** What was printed before comes first. */
  readonly logs: boolean;
  /** Stay for what comes. */
  readonly stream: boolean;
  readonly detachKeys: string;
  readonly signal: AbortSignal;
}

/** A client's place at a container's streams. */
export interface Attached {
  readonly tty: boolean;
  readonly output: AsyncIterable<{ readonly stream: LogStream; readonly bytes: Buffer }>;
  /** Absent when the client asked for no input, or the container takes none. */
  readonly input: ((source: Readable) => Promise<InputEnd>) | undefined;
}

/** Everything printed after this call is in `output`, whether the container runs already or is started next. */
export async function attachContainer(supervisor: Supervisor, reference: string, options: AttachOptions): Promise<Attached> {
  const { stdin, stdout, stderr, logs, stream, signal } = options;
  const detachKeys = parseDetachKeys(options.detachKeys);
  const container = supervisor.catalog.get(reference);
  if (container.status === "paused") throw new EngineError("conflict", `container ${reference} is paused, unpause the container before attach`);
  if (container.status === "restarting") throw new EngineError("conflict", `container ${reference} is restarting, wait until the container is running`);
  const log = await openLog(supervisor.backends, container);
  const { OpenStdin, StdinOnce, Tty: tty = false } = container.spec.config;
  const input = stdin && stream && OpenStdin === true;
  // With nothing to say and nothing to hear it is over.
  const stays = stream && (stdout || stderr || input);
  const output = stays ? log.attach({ stdout, stderr, replay: logs, signal }) : logs ? log.read({ stdout, stderr, follow: false, signal }) : none();
  const feed = async (source: Readable): Promise<InputEnd> => {
    const process = await container.input.process(signal);
    const keys = tty ? { detachKeys: new DetachKeys(detachKeys) } : {};
    const end = await feedInput(source, process, { ...keys, closeAtEnd: StdinOnce === true && !tty, signal });
    if (end === "detached") publishEvent(supervisor.backends.events, container, "detach");
    return end;
  };
  publishEvent(supervisor.backends.events, container, "attach");
  return { tty, output, input: input ? feed : undefined };
}

async function* none(): AsyncGenerator<never> {}
