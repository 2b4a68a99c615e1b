import { parseMount } from "#core/builds/mount-flags.ts";
import { expanded, globalArgs, type Variables } from "#core/builds/scope.ts";
import { stageNamed, stageOf, targetIndex } from "#core/builds/stage-numbers.ts";
import { namesOf } from "#core/builds/stage-sources.ts";
import type { LineRange } from "#core/dockerfile/errors.ts";
import type { Dockerfile, FromInstruction, Stage } from "#core/dockerfile/instructions.ts";

/** A name that a build takes, and the line that asks for it. */
interface Asked {
  readonly name: string;
  readonly lines: LineRange;
}

interface AskedArg extends Asked {
  readonly description?: string;
  readonly value?: string;
}

interface AskedSecret extends Asked {
  readonly required: boolean;
}

/** What can be given to a build of a target: its own stage's ARGs, secrets and SSH agents, and those of the stages it is built from. */
export interface Outline {
  readonly from: FromInstruction | undefined;
  readonly args: readonly AskedArg[];
  readonly secrets: readonly AskedSecret[];
  readonly agents: readonly AskedSecret[];
}

/** `given`: `--build-arg`. Class invalidArgument when there is no such target. */
export function outlineOf(dockerfile: Dockerfile, what: { target: string; given: Variables; escape: string }): Outline {
  const { stages, globals } = dockerfile;
  const values = globalArgs(globals, what.given, new Map(), what.escape);
  const needed = new Set<number>();
  const need = (at: number | undefined): void => {
    const stage = at === undefined || needed.has(at) ? undefined : stages[at];
    if (at === undefined || stage === undefined) return;
    needed.add(at);
    need(stageNamed(stages, expanded(stage.from.base, values, what.escape), at));
    for (const { name, mountedAt } of stage.instructions.flatMap(namesOf)) need(stageOf(stages, { from: name, index: at, isMount: mountedAt !== undefined }));
  };
  need(targetIndex(stages, what.target));
  // The target comes last: what it is built from stands before it.
  const own = [...needed].toSorted((a, b) => a - b).flatMap((at) => stages[at] ?? []);
  const mounts = own.flatMap(mountsOf);
  return {
    from: own.at(-1)?.from,
    args: unique(own.flatMap((one) => argsOf(one, values, what))),
    secrets: unique(mounts.filter(({ type }) => type === "secret")),
    agents: unique(mounts.filter(({ type }) => type === "ssh")),
  };
}

function argsOf({ instructions }: Stage, globals: Variables, { given, escape }: { given: Variables; escape: string }): readonly AskedArg[] {
  const values = new Map(globals);
  return instructions.flatMap((one) => {
    if (one.kind !== "arg") return [];
    return one.args.map(({ key, value }) => {
      const told = given.get(key) ?? (value === undefined ? globals.get(key) : expanded(value, values, escape));
      if (told !== undefined) values.set(key, told);
      const description = describedIn(one.node.comments, key);
      return { name: key, lines: one.node.lines, ...(description === undefined ? {} : { description }), ...(told === undefined ? {} : { value: told }) };
    });
  });
}

function mountsOf({ instructions }: Stage): readonly (AskedSecret & { readonly type: string })[] {
  return instructions.flatMap((one) => {
    if (one.kind !== "run") return [];
    return one.mounts.flatMap(({ text }) => {
      if (!/(?:^|,)type=(?:secret|ssh)(?:,|$)/.test(text)) return [];
      const { type, id, target, required } = parseMount(text);
      return [{ type, name: id || (type === "ssh" ? "default" : (target.split("/").at(-1) ?? "")), required, lines: one.node.lines }];
    });
  });
}

/** The last one of a name counts; by their lines. */
const unique = <T extends Asked>(asked: readonly T[]): readonly T[] =>
  [...new Map(asked.map((one) => [one.name, one])).values()].toSorted((a, b) => a.lines.start - b.lines.start || (a.name < b.name ? -1 : 1));

/** A comment above an instruction that begins with a name says what that is for. */
export function describedIn(comments: readonly string[], name: string): string | undefined {
  const found = name === "" ? undefined : comments.find((comment) => comment.toLowerCase().startsWith(`${name.toLowerCase()} `));
  return found?.slice(name.length).trim();
}
