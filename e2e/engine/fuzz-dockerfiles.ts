import type { Dice } from "./fuzz-requests.ts";

/** What parsers stumble over: quotes and brackets left open, line ends, escapes, depth, length, flags, heredocs. */
const oddities: readonly string[] = [
  ...["\\\n", "\\", "`", "$", "${", "}", "${a:-", "${a:?", "${a//", '"', "'", "[", "]", '["', "[a-", "*", "?", "**/", "!", "~", "#", "\0", "\r", "\r\n", "\t"],
  ...[
    "\uFEFF",
    "\u2028",
    "\u{1F433}",
    "\uFFFD",
    "<<EOF\n",
    "<<-'E O'\n",
    "<<",
    "EOF\n",
    "../../../../etc/passwd",
    "/",
    "//",
    ".",
    "..",
    "%",
    "=",
    ":",
    "@",
    ",",
  ],
  ...[
    "FROM ",
    "FROM scratch\n",
    "\nFROM busybox AS x\n",
    "ONBUILD ",
    "ONBUILD ONBUILD ",
    "ARG ",
    "ARG a\n",
    "ENV ",
    "COPY . .\n",
    "WORKDIR ",
    "USER 4294967296\n",
  ],
  ...[
    "# escape=`\n",
    "# escape=x\n",
    "# syntax=docker/dockerfile:1\n",
    "# check=error=true\n",
    "HEALTHCHECK --interval=1x CMD ",
    "EXPOSE 70000/abc ",
    "VOLUME [",
    "SHELL []\n",
  ],
  ...[
    "--",
    "--mount=",
    "--mount=type=bind,from=",
    "--mount=type=cache,target=",
    "--from=",
    "--from=0 ",
    "--chmod=",
    "--chmod=u+ ",
    "--chown=a:b:c ",
    "--link ",
    "--platform=$ ",
  ],
  ...[
    "--checksum=sha256: ",
    "--parents ",
    "--exclude=* ",
    "--network=none ",
    "1e999",
    "-1",
    "99999999999999999999",
    "x".repeat(10_000),
    "${a:-".repeat(5_000),
    "[".repeat(5_000),
  ],
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
