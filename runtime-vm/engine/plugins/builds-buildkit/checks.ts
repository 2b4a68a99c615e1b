import { otherPlatform, platformArgs, platformFrom, platformOf } from "#core/builds/base.ts";
import { globalArgs } from "#core/builds/scope.ts";
import { stageNamed } from "#core/builds/stage-numbers.ts";
import { checkDockerfile, type CheckOptions, type CheckPolicy, checkPolicy, type CheckWarning } from "#core/dockerfile/check.ts";
import type { Builds } from "#core/builds/builds.ts";
import type { Dockerfile } from "#core/dockerfile/instructions.ts";
import type { Source } from "#core/dockerfile/source.ts";
import { expandWord } from "#core/dockerfile/words.ts";
import { formatPlatform } from "#core/images/platform.ts";
import type { Attributes } from "./attributes.ts";

const proxies = ["HTTP_PROXY", "HTTPS_PROXY", "FTP_PROXY", "NO_PROXY", "ALL_PROXY"].flatMap((name) => [name, name.toLowerCase()]);

/** What is to be warned of, and how much it weighs. */
export interface Checked {
  readonly warnings: readonly CheckWarning[];
  readonly policy: CheckPolicy;
}

interface Read {
  readonly source: Source;
  readonly dockerfile: Dockerfile;
}

/** Checks a Dockerfile before it is built. Images are looked at only where they are here. */
export async function checked({ backends }: Builds, { source, dockerfile }: Read, attributes: Attributes): Promise<Checked> {
  const policy = checkPolicy(attributes.args.get("BUILDKIT_DOCKERFILE_CHECK") ?? source.directives.get("check")?.value ?? "");
  const names = [...new Set(dockerfile.stages.map(({ from }) => from.base))].filter((name) => name !== "scratch" && !name.includes("$"));
  const environments = new Map<string, readonly string[]>();
  for (const name of names) {
    const image = await backends.images.resolve(name).catch(() => undefined);
    if (image !== undefined)
      environments.set(
        name,
        (image.config.config?.Env ?? []).map((entry) => entry.split("=", 1)[0] ?? ""),
      );
  }
  const predefined = [...platformArgs(backends.host, backends.host, "").keys(), ...proxies];
  const options: CheckOptions = { predefined, environmentOf: (name) => environments.get(name) };
  return { warnings: checkDockerfile(source, dockerfile, options).filter(({ rule }) => !policy.skips(rule)), policy };
}

/** As `checked`, and what a build would find out on its way: images that are here for another platform than the `--platform` of their FROM. */
export async function checkedAlone(builds: Builds, read: Read, attributes: Attributes): Promise<Checked> {
  const { warnings, policy } = await checked(builds, read, attributes);
  const others = policy.skips("InvalidBaseImagePlatform") ? [] : await otherPlatforms(builds, read, attributes);
  return { warnings: [...warnings, ...others].toSorted((a, b) => a.lines.start - b.lines.start), policy };
}

async function otherPlatforms({ backends: { host, images } }: Builds, { source, dockerfile }: Read, attributes: Attributes): Promise<CheckWarning[]> {
  const found: CheckWarning[] = [];
  const { escape } = source;
  const environment = globalArgs(dockerfile.globals, attributes.args, platformArgs(host, host, ""), escape);
  for (const [index, { from }] of dockerfile.stages.entries()) {
    const name = expandWord(from.base, { environment, escape });
    const isOther = name === "scratch" || stageNamed(dockerfile.stages, name, index) !== undefined || attributes.contexts.has(name);
    if (from.platform === "" || isOther) continue;
    const expected = platformFrom(expandWord(from.platform, { environment, escape }), host);
    if ((await images.resolve(name, formatPlatform(expected)).catch(() => undefined)) !== undefined) continue;
    const other = await images.resolve(name).catch(() => undefined);
    if (other !== undefined) found.push(otherPlatform(name, { actual: platformOf(other.config), expected }, from.node.lines));
  }
  return found;
}
