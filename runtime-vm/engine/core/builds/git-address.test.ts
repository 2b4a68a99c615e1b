import { expect, test } from "vitest";
import { gitAddress } from "./git-address.ts";

const plain = { ref: "", subdir: "", checksum: "", keepGitDir: undefined, submodules: true };

test.each([
  ["https://h/r.git", { remote: "https://h/r.git" }],
  ["http://h:81/r.git#v1", { remote: "http://h:81/r.git", ref: "v1" }],
  ["https://h/r.git#:a/b/", { remote: "https://h/r.git", subdir: "a/b" }],
  ["git://h/r#refs/heads/x:d", { remote: "git://h/r", ref: "refs/heads/x", subdir: "d" }],
  ["ssh://git@h:22/r.git", { remote: "ssh://git@h:22/r.git" }],
  ["git@h:o/r.git#x", { remote: "git@h:o/r.git", ref: "x" }],
  ["github.com/o/r", { remote: "https://github.com/o/r" }],
  ["https://h/r.git?branch=b&subdir=/d", { remote: "https://h/r.git", ref: "refs/heads/b", subdir: "d" }],
  ["https://h/r.git?tag=t&commit=12ab", { remote: "https://h/r.git", ref: "refs/tags/t", checksum: "12ab" }],
  ["https://h/r.git?ref=x&submodules=false&keep-git-dir=1#x", { remote: "https://h/r.git", ref: "x", submodules: false, keepGitDir: true }],
])("%s is a repository", (text, wanted) => {
  expect(gitAddress(text)).toEqual({ ...plain, ...wanted });
});

test.each(["https://h/r.tar", "https://h/r.git/x", "a.txt", "./git@x:y/..", "https://u@h:x", "d/sub", "C:/x", "", "file:///r.git"])("%j is none", (text) => {
  expect(gitAddress(text)).toBeUndefined();
});

test("queries are BuildKit's alone", () => {
  expect(gitAddress("https://h/r.git?branch=b", "classic")).toBeUndefined();
  expect(gitAddress("https://h/r.git#b", "classic")).toMatchObject({ ref: "b" });
});

test.each([
  ["https://h/r.git?wat=1", 'unexpected query "wat"'],
  ["https://h/r.git?branch=main#other", 'ref conflicts: "other" vs "refs/heads/main"'],
  ["https://h/r.git?submodules=maybe", 'invalid submodules value: "maybe"'],
])("%s is refused", (text, message) => {
  expect(() => gitAddress(text)).toThrow(message);
});
