import type { FlagCase } from "./run-flags.case.ts";
import { defaultsCases } from "./run-flags.defaults.ts";
import { filesCases } from "./run-flags.files.ts";
import { limitsCases } from "./run-flags.limits.ts";
import { networksCases } from "./run-flags.networks.ts";
import { processCases } from "./run-flags.process.ts";
import { securityCases } from "./run-flags.security.ts";
import { upkeepCases } from "./run-flags.upkeep.ts";

export const caseFiles: Readonly<Record<string, string>> = {
  "env.list": "FROM_FILE=1\n# a comment\nOTHER=two words\n",
  "label.list": "from=file\n",
  "allow.json": JSON.stringify({ defaultAction: "SCMP_ACT_ALLOW", syscalls: [{ names: ["mkdir", "mkdirat"], action: "SCMP_ACT_ERRNO" }] }),
  "bad.json": "{",
  "file.txt": "from the host\n",
};

/** What they do depends on the controllers that the machine gives to cgroup v2. */
export const limitCases: readonly FlagCase[] = limitsCases.filter(({ flags }) => !flags.includes("shm-size"));

export const flagCases: readonly FlagCase[] = [
  ...defaultsCases,
  ...processCases,
  ...securityCases,
  ...limitsCases,
  ...filesCases,
  ...networksCases,
  ...upkeepCases,
];

/** Known to the CLI and hidden from its help by a Linux engine: refused by name. */
export const windowsFlags: readonly (readonly [flag: string, value: string])[] = [
  ["--cpu-count", "2"],
  ["--cpu-percent", "50"],
  ["--io-maxbandwidth", "1m"],
  ["--io-maxiops", "100"],
];
