import { expect, test } from "vitest";
import { checkDockerfile, checkPolicy } from "./check.ts";
import { ruleUrl } from "./check-rules.ts";
import { parseDockerfile } from "./parse.ts";
import { readSource } from "./source.ts";

function check(text: string): string[] {
  const source = readSource(text);
  const options = { predefined: ["TARGETPLATFORM", "HTTP_PROXY"], environmentOf: (image: string) => (image === "busybox" ? ["LANG"] : undefined) };
  return checkDockerfile(source, parseDockerfile(source), options).map(({ rule, detail, lines }) => `${rule} ${lines.start}: ${detail}`);
}

test.each([
  ["FROM busybox AS Base", "StageNameCasing 1: Stage name 'Base' should be lowercase"],
  ["FROM busybox as base", "FromAsCasing 1: 'as' and 'FROM' keywords' casing do not match"],
  ["FROM busybox AS scratch", 'ReservedStageName 1: Stage name should not use the same name as reserved stage "scratch"'],
  ["FROM busybox AS a\nFROM busybox AS a", 'DuplicateStageName 2: Duplicate stage name "a", stage names should be unique'],
  [
    "FROM --platform=$TARGETPLATFORM busybox",
    "RedundantTargetPlatform 1: Setting platform to predefined $TARGETPLATFORM in FROM is redundant as this is the default behavior",
  ],
  ["FROM --platform=linux/amd64 busybox", 'FromPlatformFlagConstDisallowed 1: FROM --platform flag should not use constant value "linux/amd64"'],
  ["FROM busybox\nRUN a \\\n\n b", "NoEmptyContinuation 4: Empty continuation line"],
  ["FROM busybox\nrun x\nUSER y", "ConsistentInstructionCasing 2: Command 'run' should match the case of the command majority (uppercase)"],
  ["FROM busybox\nMAINTAINER x", "MaintainerDeprecated 2: Maintainer instruction is deprecated in favor of using label"],
  ["FROM busybox\nWORKDIR rel", 'WorkdirRelativePath 2: Relative workdir "rel" can have unexpected results if the base image changes'],
  ["FROM busybox\nENV a b", 'LegacyKeyValueFormat 2: "ENV key=value" should be used instead of legacy "ENV key value" format'],
  ["FROM busybox\nARG API_TOKEN", 'SecretsUsedInArgOrEnv 2: Do not use ARG or ENV instructions for sensitive data (ARG "API_TOKEN")'],
  ["FROM busybox\nCMD x", "JSONArgsRecommended 2: JSON arguments recommended for CMD to prevent unintended behavior related to OS signals"],
  [
    'FROM busybox\nCMD ["x"]\nCMD ["y"]',
    "MultipleInstructionsDisallowed 2: Multiple CMD instructions should not be used in the same stage because only the last one will be used",
  ],
  ["FROM busybox\nEXPOSE 80/TCP", "ExposeProtoCasing 2: Defined protocol '80/TCP' in EXPOSE instruction should be lowercase"],
  ["FROM busybox\nEXPOSE 1:2", "ExposeInvalidFormat 2: EXPOSE instruction should not define an IP address or host-port mapping, found '1:2'"],
  ["FROM busybox\nENV A=$LANGG", "UndefinedVar 2: Usage of undefined variable '$LANGG' (did you mean $LANG?)"],
  ["FROM busy$x", "UndefinedArgInFrom 1: FROM argument 'x' is not declared"],
  ["ARG x\nFROM $x", "InvalidDefaultArgInFrom 2: Default value for ARG $x results in empty or invalid base image name"],
])("%j is warned of", (text, warning) => {
  expect(check(text)).toEqual([warning]);
});

test.each([
  "FROM busybox AS base\nFROM base\nENV A=$LANG B=${C:-d} C='$E' D=\\$F\nCOPY $A /x",
  "FROM unknown\nENV A=$WHATEVER",
  "from busybox as base\nworkdir /a\nworkdir b",
  'FROM busybox\nSHELL ["/bin/sh", "-c"]\nCMD x',
  "FROM --platform=linux/amd64 busybox AS build_amd64",
  "ARG x=busybox\nFROM $x",
  "FROM busybox\nENV PUBLIC_KEY=a PASSENGER=b",
])("%j is in order", (text) => {
  expect(check(text)).toEqual([]);
});

test.each(["FROM busy${a//x", "FROM busy${a:?needed}", "FROM busy$"])("%s is the build's to refuse, not the check's", (text) => {
  expect(check(text)).toEqual([]);
});

test("rules are skipped, and a warning fails the build, as the directive says", () => {
  const policy = checkPolicy("skip=A,StageNameCasing;error=true");
  expect([policy.skips("StageNameCasing"), policy.skips("UndefinedVar"), policy.fails]).toEqual([true, false, true]);
  expect(checkPolicy("skip=all").skips("UndefinedVar")).toBe(true);
  expect(ruleUrl("JSONArgsRecommended")).toBe("https://docs.docker.com/go/dockerfile/rule/json-args-recommended/");
});
