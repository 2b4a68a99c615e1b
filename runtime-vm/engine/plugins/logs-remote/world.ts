import { hostname } from "node:os";
import { join } from "node:path";
import type { Sockets } from "#core/kernel/kernel.ts";
import type { LogOptions } from "#core/logs/options.ts";
import type { LogSubject } from "#core/logs/subject.ts";
import type { Sending } from "./remote-log.ts";

/** What drivers need of the world around them. */
export interface World {
  readonly kernel: Pick<Sockets, "connectDatagram">;
  /** Where the host's files are to be found. */
  readonly hostPrefix: string;
}

export type Driver = (subject: LogSubject, options: LogOptions, world: World) => Sending;

/** Options that pick what is sent along. */
export const attributeOptions = ["labels", "labels-regex", "env", "env-regex", "tag"] as const;

export const hostPath = (world: World, path: string): string => join("/", world.hostPrefix, path);

export const thisHost = hostname();
