import { isAbsolute, normalize } from "node:path";
import { type ComposeActOptions, type ComposeProjectSource, type ComposeVerb, composeVerbs } from "#api/compose.ts";
import { EngineError } from "#base/errors.ts";

const servicePattern = /^[a-zA-Z0-9._-]+$/;
const projectPattern = /^[a-z0-9][a-z0-9_-]*$/;
const scaleMax = 1_000;
const filesMax = 32;

/** The same source, checked: a path that is none would be read by compose as an option, or somewhere else. */
export function checkedSource(source: ComposeProjectSource): ComposeProjectSource {
  const { folder, files, project, home } = source;
  for (const path of [folder, ...files, ...(home === "" ? [] : [home])]) {
    const isFine = isAbsolute(path) && normalize(path) === path && !path.endsWith("/") && !path.includes("\0");
    if (!isFine) throw new EngineError("invalidArgument", `${JSON.stringify(path)}: a path of a Compose project is absolute, without . and ..`);
  }
  if (files.length === 0 || files.length > filesMax)
    throw new EngineError("invalidArgument", `a Compose project has 1 to ${filesMax} files, got ${files.length}`);
  if (project !== "" && !projectPattern.test(project))
    throw new EngineError("invalidArgument", `project ${JSON.stringify(project)}: lowercase letters, digits, - and _, beginning with a letter or a digit`);
  return source;
}

/** First parts of the paths that compose has to see. */
export const topsOf = ({ folder, files }: ComposeProjectSource): readonly string[] => [...new Set([folder, ...files].map((path) => path.split("/")[1] ?? ""))];

/** What stands before the verb. With `typed`, the last file is read from stdin instead. */
export function projectArguments({ folder, files, project }: ComposeProjectSource, typed: boolean): readonly string[] {
  const named = typed ? [...files.slice(0, -1), "-"] : files;
  return ["--ansi", "never", "--project-directory", folder, ...(project === "" ? [] : ["-p", project]), ...named.flatMap((file) => ["-f", file])];
}

export function actArguments(options: ComposeActOptions): readonly string[] {
  const { services, build, removeOrphans, volumes, dryRun } = options;
  const verb = verbOf(options.verb);
  const scale = scaleOf(options.scale);
  for (const name of services) if (!servicePattern.test(name)) throw new EngineError("invalidArgument", `${JSON.stringify(name)} is no service's name`);
  const orphans = removeOrphans ? ["--remove-orphans"] : [];
  switch (verb) {
    case "up":
      return [
        "up",
        "-d",
        ...orphans,
        ...(build ? ["--build"] : []),
        ...(dryRun ? ["--dry-run"] : []),
        ...scale.flatMap((one) => ["--scale", one]),
        ...services,
      ];
    case "down":
      return ["down", ...orphans, ...(volumes ? ["--volumes"] : []), ...services];
    case "scale":
      if (scale.length === 0) throw new EngineError("invalidArgument", 'scale: say how many of which service, as in {"web":3}');
      // Not by `scale`, which makes containers anew where the files say another number.
      return ["up", "-d", "--no-recreate", "--no-deps", ...scale.flatMap((one) => ["--scale", one]), ...Object.keys(options.scale)];
    case "start":
    case "stop":
    case "restart":
    case "pull":
    case "build":
      return [verb, ...services];
  }
}

function verbOf(verb: string): ComposeVerb {
  const known = composeVerbs.find((one) => one === verb);
  if (known === undefined) throw new EngineError("invalidArgument", `compose ${JSON.stringify(verb)}: known are ${composeVerbs.join(", ")}`);
  return known;
}

function scaleOf(scale: Readonly<Record<string, number>>): readonly string[] {
  return Object.entries(scale).map(([service, count]) => {
    if (!servicePattern.test(service)) throw new EngineError("invalidArgument", `${JSON.stringify(service)} is no service's name`);
    if (!Number.isInteger(count) || count < 0 || count > scaleMax)
      throw new EngineError("invalidArgument", `scale of ${service}: 0 to ${scaleMax}, got ${count}`);
    return `${service}=${count}`;
  });
}
