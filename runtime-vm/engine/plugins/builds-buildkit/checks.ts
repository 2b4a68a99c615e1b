import { platformArgs } from "#core/builds/base.ts";
import { checkDockerfile, type CheckOptions, type CheckPolicy, checkPolicy, type CheckWarning } from "#core/dockerfile/check.ts";
import type { Builds } from "#core/builds/builds.ts";
import type { Dockerfile } from "#core/dockerfile/instructions.ts";
import type { Source } from "#core/dockerfile/source.ts";
import type { Attributes } from "./attributes.ts";

const proxies = ["HTTP_PROXY", "HTTPS_PROXY", "FTP_PROXY", "NO_PROXY", "ALL_PROXY"].flatMap((name) => [name, name.toLowerCase()]);

/** What is to be warned of, and how much it weighs. */
export interface Checked {
  readonly warnings: readonly CheckWarning[];
  readonly policy: CheckPolicy;
}

/** Checks a Dockerfile before it is built. Images are looked at only where they are here. */
export async function checked(
  { backends }: Builds,
  { source, dockerfile }: { source: Source; dockerfile: Dockerfile },
  attributes: Attributes,
): Promise<Checked> {
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
