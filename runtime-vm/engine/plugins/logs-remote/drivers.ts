import type { LogCache, LogDriver } from "#core/logs/logs.ts";
import { parseCacheDisabled, parseMode } from "#core/logs/options.ts";
import { fluentd } from "./fluentd.ts";
import { gelf } from "./gelf.ts";
import { journald } from "./journald.ts";
import { RemoteLog } from "./remote-log.ts";
import { splunk } from "./splunk.ts";
import { syslog } from "./syslog.ts";
import type { Driver, World } from "./world.ts";

const drivers = { fluentd, gelf, journald, splunk, syslog } satisfies Record<string, Driver>;

/** The drivers that send output elsewhere, by the name a `LogConfig.Type` has. Each keeps a copy in `cache` unless told not to. */
export function createRemoteLogDrivers({
  cache,
  report,
  ...world
}: World & { readonly cache: LogCache; readonly report: (line: string) => void }): Readonly<Record<string, LogDriver>> {
  const made = Object.entries(drivers).map(([name, driver]): [string, LogDriver] => [
    name,
    {
      async open(subject, options) {
        const mode = parseMode(options);
        const kept = !parseCacheDisabled(options);
        const say = (line: string): void => report(`container ${subject.id}: log driver ${name}: ${line}`);
        return await RemoteLog.open(driver(subject, options, world), mode, say, (tap) => cache.open(subject, options, { kept, tap }));
      },
      remove: (id) => cache.remove(id),
    },
  ]);
  return Object.fromEntries(made);
}
