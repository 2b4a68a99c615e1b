import { hostname } from "node:os";
import { expect, test } from "vitest";
import { extraAttributes, type LogSubject } from "./subject.ts";
import { logTag } from "./tag.ts";

const subject: LogSubject = {
  id: "8e2efce33304aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
  name: "lt",
  imageId: "sha256:1234567890abcdef",
  imageName: "busybox:latest",
  createdAt: "2026-11-25T16:33:05.898093277Z",
  command: ["echo", "hi"],
  env: ["A=1", "BB=x,y", "EMPTY"],
  labels: { l1: "v1", l2: "v 2" },
};
const tag = (text: string): string => logTag(subject, { tag: text });

test.each([
  ["{{.ID}}/{{.Name}}/{{.ImageName}}/{{.ImageID}}", "8e2efce33304/lt/busybox:latest/1234567890ab"],
  ["{{.FullID}}", subject.id],
  ["{{.Command}}", "echo hi"],
  ["{{.Hostname}}", hostname()],
  ["{{.DaemonName}}", "docker"],
  ["{{lower .Name}}", "lt"],
  ["{{.Name | upper}}", "LT"],
  ['{{index .ContainerLabels "l1"}}', "v1"],
  ["{{.ContainerLabels.l1}}", "v1"],
  ["{{json .ContainerLabels}}", '{"l1":"v1","l2":"v 2"}'],
  ["{{truncate .Name 1}}", "l"],
  ['{{join .ContainerEnv "+"}}', "A=1+BB=x,y+EMPTY"],
  ['{{printf "%s-%s" .Name .ID}}', "lt-8e2efce33304"],
  ["{{ .ContainerCreated }}", "2026-11-25 16:33:05.898093277 +0000 UTC"],
  ["{{pad .Name 1 2}}", " lt  "],
  ['{{split .Name "t"}}', "[l ]"],
  ["{{title .Name}}", "Lt"],
  ["{{.ContainerLabels}}", "map[l1:v1 l2:v 2]"],
  ["{{len .Name}}", "2"],
  ["{{slice .Name 0 1}}", "l"],
  ["{{/* c */}}q", "q"],
  ["a {{- .Name -}} z", "altz"],
  ["", "8e2efce33304"],
  ["plain", "plain"],
])("the tag %j is %j", (text, expected) => {
  expect(tag(text)).toBe(expected);
});

test.each([
  ["{{.Bad}}", `template: log-tag:1:2: executing "log-tag" at <.Bad>: can't evaluate field Bad in type *logger.Info`],
  ["{{.Name", "template: log-tag:1: unclosed action"],
  ["{{.Name | nope}}", 'template: log-tag:1: function "nope" not defined'],
  ["{{}}", "template: log-tag:1: missing value for command"],
  ["{{if .Name}}x{{end}}", "template: log-tag:1: {{if}} is not supported in log tags"],
])("the tag %j is refused", (text, message) => {
  expect(() => tag(text)).toThrow(message);
});

test("labels and environment are picked by name and by pattern, sorted, missing ones left out", () => {
  expect(extraAttributes(subject, { labels: "l2,l1,zz", env: "A", "env-regex": "^B" })).toEqual({ A: "1", BB: "x,y", l1: "v1", l2: "v 2" });
  expect(extraAttributes(subject, { "labels-regex": "2$" }, (name) => `_${name}`)).toEqual({ _l2: "v 2" });
  expect(extraAttributes(subject, { "labels-regex": "(?i)L(?P<n>2)$" })).toEqual({ l2: "v 2" });
});

test.each([
  ["(", "missing closing ): `(`"],
  ["[", "missing closing ]: `[`"],
  ["*", "missing argument to repetition operator: `*`"],
  ["a{2,1}", "invalid repeat count: `{2,1}`"],
  ["^a(?=b)", "invalid or unsupported Perl syntax: `(?=`"],
])("the pattern %j is refused", (pattern, message) => {
  expect(() => extraAttributes(subject, { "env-regex": pattern })).toThrow(`error parsing regexp: ${message}`);
});
