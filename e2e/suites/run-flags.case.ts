/**
 * What `docker run` is asked for, flag by flag. Recorded from a real dockerd 28.5 into dockerd-28.5.flags.json: exit code, output, error text and
 * what inspect shows. `{dir}` is a directory with the files of `caseFiles`, `{n}` the case's own container name.
 */
export interface FlagCase {
  /** Flags of `docker run --help` this case stands for, without dashes. */
  readonly flags: readonly string[];
  readonly name: string;
  /** What follows `docker run --name {n}`. */
  readonly args: readonly string[];
  /** docker commands run first; they must succeed. */
  readonly before?: readonly (readonly string[])[];
  /** docker commands run after, whatever they say. */
  readonly after?: readonly (readonly string[])[];
  /** Fields of inspect to be shown. */
  readonly show?: readonly string[];
  readonly input?: string;
  /** `-t`: util-linux `script` gives the CLI a terminal. */
  readonly tty?: boolean;
  /** What ours answers where dockerd is wrong or names its own parts, and why. */
  readonly ours?: {
    readonly reason: string;
    readonly code?: number;
    readonly err: RegExp;
  };
}

export const one = (flag: string, args: readonly string[], more: Partial<FlagCase> = {}): FlagCase => ({
  flags: flag.split(" "),
  name: `${args.join(" ")}`,
  args,
  ...more,
});
export const sh = (script: string): readonly string[] => ["busybox", "sh", "-c", script];
export const capabilities = "grep -E 'Cap(Prm|Bnd|Eff|Inh|Amb)|NoNewPrivs|Seccomp:' /proc/self/status";
export const host = (...names: readonly string[]): { show: readonly string[] } => ({ show: names.map((name) => `HostConfig.${name}`) });
export const config = (...names: readonly string[]): { show: readonly string[] } => ({ show: names.map((name) => `Config.${name}`) });
export const mounted = (path: string): string => `grep ' ${path} ' /proc/self/mountinfo | cut -d' ' -f5,6,7 | sed 's/ shared:.*//; s/ master:.*//'`;
export const peer = {
  before: [
    [
      "run",
      "-d",
      "--name",
      "{n}-peer",
      "--ipc",
      "shareable",
      "-e",
      "PEER=yes",
      "--expose",
      "90",
      "-v",
      "/shared",
      ...sh("echo kept > /shared/file; echo q > /dev/shm/q; sleep 600"),
    ],
    ["exec", "{n}-peer", "sh", "-c", "until test -s /dev/shm/q; do sleep 0.1; done"],
  ],
  after: [["rm", "-fv", "{n}-peer"]],
};
export const network = {
  before: [["network", "create", "--subnet", "10.99.0.0/24", "{n}-net"]],
  after: [
    ["rm", "-f", "{n}"],
    ["network", "rm", "{n}-net"],
  ],
};
