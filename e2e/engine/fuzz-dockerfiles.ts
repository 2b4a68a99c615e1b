import type { Dice } from "./fuzz-requests.ts";

const signs = Array.from("\\`${}\"'[]*?!~#%=:@,/.\0\r\n\t\uFEFF\u2028\u{1F433}\uFFFD");
/** Parted by blanks, which go to where an underscore is. */
const pieces = "${a:- ${a:? ${a// [\" [a- **/ // .. <<EOF <<-'E_O' << EOF ../../../../etc/passwd 1e999 -1 99999999999999999999";
const instructions =
  "FROM_ FROM_scratch ONBUILD_ ONBUILD_ONBUILD_ ARG_ ARG_a ENV_ COPY_._. WORKDIR_ USER_4294967296 HEALTHCHECK_--interval=1x_CMD_ EXPOSE_70000/abc_ VOLUME_[ SHELL_[]";
const directives = "#_escape=` #_escape=x #_syntax=docker/dockerfile:1 #_check=error=true";
const flags =
  "-- --mount= --mount=type=bind,from= --mount=type=cache,target= --from= --from=0_ --chmod= --chmod=u+_ --chown=a:b:c_ --link_ --platform=$_ --checksum=sha256:_ --parents_ --exclude=*_ --network=none_";
const parted = (text: string): string[] => text.split(" ").map((piece) => piece.replaceAll("_", " "));

/** What parsers stumble over: quotes and brackets left open, line ends, escapes, depth, length, flags, heredocs. */
const oddities: readonly string[] = [
  ...[...signs, ...parted(pieces), ...parted(flags)],
  ...[...parted(instructions), ...parted(directives), "EOF"].flatMap((line) => [line, `\n${line}\n`]),
  ...["x".repeat(10_000), "${a:-".repeat(5_000), "[".repeat(5_000)],
];

/** One of the files with up to five things wrong with it; equal dice make equal files. */
export function fuzzDockerfile(dice: Dice, files: readonly string[]): string {
  let text = dice.pick(files);
  for (let left = 1 + dice.below(5); left > 0; left -= 1) text = changed(dice, text, files);
  return text;
}

function changed(dice: Dice, text: string, files: readonly string[]): string {
  const at = dice.below(text.length + 1);
  const end = Math.min(text.length, at + 1 + dice.below(12));
  const lines = text.split("\n");
  const line = dice.below(lines.length);
  switch (dice.below(7)) {
    case 0:
      return text.slice(0, at) + text.slice(end);
    case 1:
      return text.slice(0, at) + dice.pick(oddities) + text.slice(at);
    case 2:
      return text.slice(0, at) + dice.pick(oddities) + text.slice(end);
    case 3:
      return lines.toSpliced(line, 0, lines[dice.below(lines.length)] ?? "").join("\n");
    case 4:
      return lines.toSpliced(line, 1).join("\n");
    case 5:
      return lines.toSpliced(line, 0, dice.pick(dice.pick(files).split("\n"))).join("\n");
    default:
      return text.slice(0, at) + String.fromCharCode(dice.below(0x250)) + text.slice(at + 1);
  }
}
