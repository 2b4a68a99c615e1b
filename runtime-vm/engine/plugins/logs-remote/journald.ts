import { randomBytes } from "node:crypto";
import { existsSync } from "node:fs";
import { EngineError } from "#base/errors.ts";
import { formatNano } from "#core/clock/clock.ts";
import { checkKnown } from "#core/logs/options.ts";
import { extraAttributes } from "#core/logs/subject.ts";
import { logTag } from "#core/logs/tag.ts";
import { UnixDatagramTransport } from "./datagram-transport.ts";
import type { Transport } from "./outbox.ts";
import { attributeOptions, type Driver, hostPath, type World } from "./world.ts";

const journalSocket = "/run/systemd/journal/socket";

/** Driver `journald`: systemd's native protocol, one datagram an entry. */
export const journald: Driver = (subject, options, world) => {
  checkKnown("journald", options, attributeOptions);
  const tag = logTag(subject, options);
  const fixed = {
    CONTAINER_ID: subject.id.slice(0, 12),
    CONTAINER_ID_FULL: subject.id,
    CONTAINER_NAME: subject.name,
    CONTAINER_TAG: tag,
    IMAGE_NAME: subject.imageName,
    SYSLOG_IDENTIFIER: tag,
    ...extraAttributes(subject, options, fieldName),
  };
  // By these a reader that takes a log up again finds its place.
  const epoch = randomBytes(32).toString("hex");
  let ordinal = 0;
  return {
    transport: new Journal(world),
    retries: { attemptsMax: 10, retryMs: 100 },
    encode: ({ stream, line, at, partial }) =>
      entry({
        PRIORITY: stream === "stderr" ? "3" : "6",
        MESSAGE: line,
        ...fixed,
        SYSLOG_TIMESTAMP: formatNano(at),
        CONTAINER_LOG_EPOCH: epoch,
        CONTAINER_LOG_ORDINAL: String(++ordinal),
        ...(partial
          ? {
              CONTAINER_PARTIAL_ID: partial.id,
              CONTAINER_PARTIAL_ORDINAL: String(partial.ordinal),
              CONTAINER_PARTIAL_LAST: String(partial.last),
              ...(partial.last ? {} : { CONTAINER_PARTIAL_MESSAGE: "true" }),
            }
          : {}),
      }),
  };
};

/** The journal knows capital letters, digits and underscores, no underscore first. */
const fieldName = (name: string): string =>
  name
    .toUpperCase()
    .replace(/[^A-Z0-9_]/g, "_")
    .replace(/^_+/, "");

/** `NAME=value`, or with the length before it when the value has newlines. */
export function entry(fields: Readonly<Record<string, string | Buffer>>): Buffer {
  const parts = Object.entries(fields).flatMap(([name, value]) => {
    const bytes = Buffer.from(value as string);
    if (!bytes.includes(0x0a)) return [Buffer.from(`${name}=`), bytes, newline];
    const length = Buffer.alloc(8);
    length.writeBigUInt64LE(BigInt(bytes.length));
    return [Buffer.from(`${name}\n`), length, bytes, newline];
  });
  return Buffer.concat(parts);
}

const newline = Buffer.from("\n");

class Journal extends UnixDatagramTransport implements Transport {
  readonly #path: string;

  constructor(world: World) {
    const path = hostPath(world, journalSocket);
    super(world.kernel, path, journalSocket);
    this.#path = path;
  }

  override async connect(): Promise<void> {
    if (!existsSync(this.#path)) throw new EngineError("internal", "journald is not enabled on this host");
    await super.connect();
  }
}
