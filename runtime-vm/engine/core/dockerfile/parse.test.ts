import { expect, test } from "vitest";
import { DockerfileError } from "./errors.ts";
import { heredocText } from "./heredoc.ts";
import { parseDockerfile } from "./parse.ts";
import { readSource } from "./source.ts";

const parse = (text: string) => parseDockerfile(readSource(text));

function failure(text: string): { message: string; start: number | undefined } {
  try {
    parse(text);
  } catch (error) {
    if (error instanceof DockerfileError) return { message: error.message, start: error.lines?.start };
    throw error;
  }
  throw new Error(`no error: ${text}`);
}

test.each<[string, string, number?]>([
  ["FROM busybox\nFOO bar\n", "dockerfile parse error on line 2: unknown instruction: FOO (did you mean FROM?)", 2],
  ["FROM busybox\nRUNN bar\n", "dockerfile parse error on line 2: unknown instruction: RUNN (did you mean RUN?)", 2],
  ["# nothing\n", "file with no instructions", 1],
  ["RUN true\n", "no build stage in current context", 1],
  ["FROM\n", "dockerfile parse error on line 1: FROM requires either one or three arguments"],
  ["FROM a b\n", "dockerfile parse error on line 1: FROM requires either one or three arguments"],
  ["FROM busybox AS 1a\n", `dockerfile parse error on line 1: invalid name for build stage: "1a", name can't start with a number or contain symbols`],
  ["FROM --foo=1 busybox\n", "dockerfile parse error on line 1: unknown flag: --foo"],
  ["FROM busybox\nENV a\n", "ENV must have two arguments", 2],
  ["FROM busybox\nENV a=b c\n", `Syntax error - can't find = in "c". Must be of the form: name=value`, 2],
  ["FROM busybox\nRUN --network=wat true\n", 'dockerfile parse error on line 2: invalid network mode "wat"'],
  ["FROM busybox\nRUN --network= true\n", 'dockerfile parse error on line 2: invalid network mode ""'],
  ["FROM busybox\nENV =b\n", "dockerfile parse error on line 2: ENV names can not be blank"],
  ["FROM busybox\nLABEL a\n", "LABEL must have two arguments"],
  [
    "FROM busybox\nCOPY a\n",
    "dockerfile parse error on line 2: COPY requires at least two arguments, but only one was provided. Destination could not be determined",
  ],
  ["FROM busybox\nCOPY --wat=1 a /c\n", "dockerfile parse error on line 2: unknown flag: --wat"],
  ["FROM busybox\nCMD [1,2]\n", "when using JSON array syntax, arrays must be comprised of strings only"],
  ["FROM busybox\nSHELL /bin/sh\n", "dockerfile parse error on line 2: SHELL requires the arguments to be in JSON form"],
  ["FROM busybox\nSHELL []\n", "dockerfile parse error on line 2: SHELL requires at least one argument"],
  ["FROM busybox\nRUN --wat true\n", "dockerfile parse error on line 2: unknown flag: --wat"],
  ["# escape=x\nFROM busybox\n", "invalid escape token 'x' does not match ` or \\"],
  ["# escape=`\n# escape=`\nFROM busybox\n", "only one escape parser directive can be used"],
  ["FROM busybox\nRUN <<EOF\necho\n", "unterminated heredoc", 2],
  ["FROM busybox\nEXPOSE\n", "dockerfile parse error on line 2: EXPOSE requires at least one argument"],
  ['FROM busybox\nVOLUME [""]\n', "dockerfile parse error on line 2: VOLUME specified can not be an empty string"],
  ["FROM busybox\nUSER\n", "dockerfile parse error on line 2: USER requires exactly one argument"],
  ["FROM busybox\nHEALTHCHECK\n", "dockerfile parse error on line 2: HEALTHCHECK requires at least one argument"],
  ["FROM busybox\nHEALTHCHECK FOO\n", 'dockerfile parse error on line 2: Unknown type "FOO" in HEALTHCHECK (try CMD)'],
  ["FROM busybox\nHEALTHCHECK --interval=1us CMD true\n", 'dockerfile parse error on line 2: Interval "interval" cannot be less than 1ms'],
  ["FROM busybox\nHEALTHCHECK CMD\n", "dockerfile parse error on line 2: Missing command after HEALTHCHECK CMD"],
  ["FROM busybox\nONBUILD ONBUILD RUN true\n", "dockerfile parse error on line 2: Chaining ONBUILD via `ONBUILD ONBUILD` isn't allowed"],
  ["FROM busybox\nONBUILD FROM busybox\n", "dockerfile parse error on line 2: FROM isn't allowed as an ONBUILD trigger"],
  ["FROM busybox\nARG\n", "dockerfile parse error on line 2: ARG requires at least one argument"],
  ["FROM busybox\nARG =x\n", "dockerfile parse error on line 2: ARG names can not be blank"],
  ["FROM busybox\nMAINTAINER\n", "dockerfile parse error on line 2: MAINTAINER requires exactly one argument"],
])("%j is refused as dockerd 28.5 refuses it", (text, message, line) => {
  const found = failure(text);
  expect(found.message).toBe(message);
  if (line !== undefined) expect(found.start).toBe(line);
});

test("lines that go on, comments in them and blank lines make one instruction with its lines", () => {
  const source = readSource("FROM x\n\n# why\nRUN echo a \\\n# not this\n\n  && echo b\nCMD c\n");
  expect(source.nodes.map(({ name, rest, lines }) => ({ name, rest, lines }))).toEqual([
    { name: "FROM", rest: "x", lines: { start: 1, end: 1 } },
    { name: "RUN", rest: "echo a   && echo b", lines: { start: 4, end: 7 } },
    { name: "CMD", rest: "c", lines: { start: 8, end: 8 } },
  ]);
  expect(source.warnings).toEqual([{ rule: "NoEmptyContinuation", lines: { start: 4, end: 7 } }]);
  expect(source.nodes[1]?.comments).toEqual(["why"]);
});

test("the escape directive makes ` the character that joins lines", () => {
  const [, run] = readSource("# escape=`\nFROM x\nRUN a `\n b \\\nCMD d\n").nodes;
  expect(run?.rest).toBe("a  b \\");
});

test("directives count only at the very top", () => {
  expect([...readSource("# syntax=docker/dockerfile:1\n# check=skip=all\nFROM x").directives.keys()]).toEqual(["syntax", "check"]);
  expect([...readSource("# a comment\n# escape=`\nFROM x").directives.keys()]).toEqual([]);
});

test("heredocs are files of a COPY and lines of a RUN", () => {
  const { stages } = parse("FROM x\nCOPY <<a <<-'b' c /d/\n1 $x\na\n\t\t2\n\tb\nRUN <<EOF\necho 3\nEOF\n");
  const [copy, run] = stages[0]?.instructions ?? [];
  if (copy?.kind !== "copy" || run?.kind !== "run") throw new Error("not what was written");
  expect(copy.sources).toEqual(["c"]);
  expect(copy.files.map((file) => ({ name: file.name, expand: file.expand, text: heredocText(file) }))).toEqual([
    { name: "a", expand: true, text: "1 $x\n" },
    { name: "b", expand: false, text: "2\n" },
  ]);
  expect(run.command.heredocs.map(({ content }) => content)).toEqual(["echo 3\n"]);
});

test("a here-string of the shell is no heredoc", () => {
  expect(readSource("FROM x\nRUN cat <<<hello\n").nodes[1]?.heredocs).toEqual([]);
});

test("flags stand before everything else, and -- ends them", () => {
  expect(() => parse("FROM busybox\nRUN --security=wat true\n")).toThrow('dockerfile parse error on line 2: security "wat" is not valid');
  const { stages } = parse("FROM --platform=linux/arm64 x AS Y\nRUN --mount=type=cache,target=/c --network=none -- --odd\n");
  expect(stages[0]?.from).toMatchObject({ base: "x", name: "y", platform: "linux/arm64" });
  expect(stages[0]?.instructions[0]).toMatchObject({ network: "none", mounts: [{ text: "type=cache,target=/c" }], command: { words: ["--odd"], shell: true } });
});
