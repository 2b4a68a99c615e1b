import { expect, test } from "vitest";
import type { ContainerConfig } from "#api/containers.ts";
import { applyChanges } from "./commit-changes.ts";

const config: ContainerConfig = { Image: "busybox", Env: ["A=1", "PATH=/bin"], Cmd: ["own"], WorkingDir: "/tmp", Labels: { l: "1" } };
/** What goes away is undefined. */
const unset = Object.fromEntries(Object.keys(config).map((key) => [key, undefined]));
const changed = (...lines: string[]): Readonly<Record<string, unknown>> => {
  const after = { ...unset, ...applyChanges(config, lines) };
  return Object.fromEntries(Object.entries(after).filter(([key, value]) => value !== config[key as keyof ContainerConfig]));
};

// What dockerd 28.5 made of the same lines.
test.each<[string, Readonly<Record<string, unknown>>]>([
  [`ENV X=y Z="a b" Q=$A`, { Env: ["A=1", "PATH=/bin", "X=y", "Z=a b", "Q=1"] }],
  ["ENV a b c", { Env: ["A=1", "PATH=/bin", "a=b c"] }],
  ["ENV A=2 B=$A", { Env: ["A=2", "PATH=/bin", "B=1"] }],
  ["ENV a='$A' b=\\$A c=${N:-d} d=${A:+set}", { Env: ["A=1", "PATH=/bin", "a=$A", "b=$A", "c=d", "d=set"] }],
  [`CMD ["a","b"]`, { Cmd: ["a", "b"] }],
  ["cmd echo $HOME", { Cmd: ["/bin/sh", "-c", "echo $HOME"] }],
  ["ENTRYPOINT e f", { Entrypoint: ["/bin/sh", "-c", "e f"], Cmd: undefined }],
  ["EXPOSE 80-81 90/udp", { ExposedPorts: { "80/tcp": {}, "81/tcp": {}, "90/udp": {} } }],
  ["EXPOSE 1.2.3.4:80:90", { ExposedPorts: { "90/tcp": {} } }],
  ["# escape=`\nENV a=b`c", { Env: ["A=1", "PATH=/bin", "a=bc"] }],
  ["ONBUILD RUN x \\\n y", { OnBuild: ["RUN x  y"] }],
  ["ENTRYPOINT", { Cmd: undefined }],
  [`LABEL k="v w" l=2`, { Labels: { l: "2", k: "v w" } }],
  ["WORKDIR $A/x", { WorkingDir: "/tmp/1/x" }],
  ["USER a b", { User: "a b" }],
  [`VOLUME ["/a b","/c"]`, { Volumes: { "/a b": {}, "/c": {} } }],
  ["ONBUILD ADD . /x", { OnBuild: ["ADD . /x"] }],
  ["STOPSIGNAL SIGINT", { StopSignal: "SIGINT" }],
  [
    "HEALTHCHECK --interval=3s --start-period=1m30s --retries=2 CMD foo bar",
    { Healthcheck: { Interval: 3e9, StartPeriod: 90e9, Retries: 2, Test: ["CMD-SHELL", "foo bar"] } },
  ],
  ["HEALTHCHECK NONE", { Healthcheck: { Test: ["NONE"] } }],
])("--change %s", (line, expected) => {
  expect(changed(line)).toStrictEqual(expected);
});

test.each([
  ["RUN x", "RUN is not a valid change command"],
  ["foo bar", "foo is not a valid change command"],
  ["ENV", "ENV requires at least one argument"],
  ["ENV a", "ENV must have two arguments"],
  [`ENV "Z=a b"`, `failed to process "\\"Z": unexpected end of statement while looking for matching double-quote`],
  ["EXPOSE x", "Invalid containerPort: x"],
  ["STOPSIGNAL foo", "invalid signal: foo"],
  ["HEALTHCHECK CMD", "Missing command after HEALTHCHECK CMD"],
  ["HEALTHCHECK x", 'Unknown type "X" in HEALTHCHECK (try CMD)'],
  ["VOLUME []", "VOLUME requires at least one argument"],
  ["ONBUILD FROM x", "FROM isn't allowed as an ONBUILD trigger"],
  ['SHELL ["x"]', "SHELL is not a valid change command"],
  ["HEALTHCHECK --interval=1s --interval=2s CMD x", "duplicate flag specified: --interval"],
  ["ENV --x=1 a=b", "unknown flag: --x"],
  ["STOPSIGNAL a b", "invalid signal: a b"],
  ["# comment", "file with no instructions"],
])("--change %s is refused", (line, message) => {
  expect(() => changed(line)).toThrow(expect.objectContaining({ class: "invalidArgument", message }));
});

test("a command given after the entrypoint stays", () => {
  expect(changed(`ENTRYPOINT ["e"]`, `CMD ["c"]`)).toEqual({ Entrypoint: ["e"], Cmd: ["c"] });
  expect(changed(`CMD ["c"]`, `ENTRYPOINT ["e"]`)).toEqual({ Entrypoint: ["e"], Cmd: ["c"] });
});
