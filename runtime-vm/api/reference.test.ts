import { expect, test } from "vitest";
import { familiarName, familiarRepository, isDigest, normalizedName, parseAnyReference, parseReference, withDefaultTag, withTag } from "./reference.ts";

const digest = `sha256:${"0123456789abcdef".repeat(4)}`;

test.each([
  ["busybox", "docker.io/library/busybox", "busybox"],
  ["busybox:1.36", "docker.io/library/busybox:1.36", "busybox:1.36"],
  ["library/busybox", "docker.io/library/busybox", "busybox"],
  ["docker.io/busybox", "docker.io/library/busybox", "busybox"],
  ["index.docker.io/library/busybox", "docker.io/library/busybox", "busybox"],
  ["docker.io/library/a/b", "docker.io/library/a/b", "library/a/b"],
  ["user/app:v1", "docker.io/user/app:v1", "user/app:v1"],
  ["localhost/app", "localhost/app", "localhost/app"],
  ["localhost:5000/app:x", "localhost:5000/app:x", "localhost:5000/app:x"],
  ["127.0.0.1:5000/a/b_c__d-e.f", "127.0.0.1:5000/a/b_c__d-e.f", "127.0.0.1:5000/a/b_c__d-e.f"],
  ["[::1]:5000/app", "[::1]:5000/app", "[::1]:5000/app"],
  ["Uppercase/app", "Uppercase/app", "Uppercase/app"],
  [`busybox@${digest}`, `docker.io/library/busybox@${digest}`, `busybox@${digest}`],
  [`busybox:1@${digest}`, `docker.io/library/busybox:1@${digest}`, `busybox:1@${digest}`],
])("%s is %s, shown as %s", (text, normalized, familiar) => {
  const ref = parseReference(text);
  expect(normalizedName(ref)).toBe(normalized);
  expect(familiarName(ref)).toBe(familiar);
});

test.each([
  ["UPPER", "invalid reference format: repository name (library/UPPER) must be lowercase"],
  ["foo/UPPER:x", "invalid reference format: repository name (foo/UPPER) must be lowercase"],
  ["a:b:c", "invalid reference format"],
  ["", "invalid reference format"],
  ["-x", "invalid reference format"],
  ["x..y/../z", "invalid reference format"],
  ["x:", "invalid reference format"],
  ["x:@", "invalid reference format"],
  ["x@sha256:123", "invalid reference format"],
  [`x@sha256:${"a".repeat(63)}`, "invalid checksum digest length"],
  [`x@md5:${"a".repeat(32)}`, "unsupported digest algorithm"],
  [`x:${"t".repeat(129)}`, "invalid reference format"],
  ["x y", "invalid reference format"],
  ["a".repeat(300), "repository name must not be more than 255 characters"],
  ["0".repeat(64), `invalid repository name (${"0".repeat(64)}), cannot specify 64-byte hexadecimal strings`],
])("%s is refused with Docker's sentence", (text, message) => {
  expect(() => parseReference(text)).toThrow(expect.objectContaining({ class: "invalidArgument", message }));
});

test("64 hex digits, with or without sha256:, are an image id", () => {
  expect(parseAnyReference(digest)).toEqual({ digest });
  expect(parseAnyReference(digest.slice(7))).toEqual({ digest });
  expect(parseAnyReference("deadbeef")).toMatchObject({ path: "library/deadbeef" });
});

test("the default tag is only added where nothing says which", () => {
  expect(withDefaultTag(parseReference("a"))).toMatchObject({ tag: "latest" });
  expect(withDefaultTag(parseReference("a:b")).tag).toBe("b");
  expect(withDefaultTag(parseReference(`a@${digest}`)).tag).toBeUndefined();
});

test("a tag outside the grammar is refused", () => {
  expect(() => withTag(parseReference("a"), ":x")).toThrow("invalid tag format");
  expect(familiarRepository(withTag(parseReference("a:b"), "c"))).toBe("a");
});

test("digests are lower-case hex of the algorithm's length", () => {
  expect(isDigest(digest)).toBe(true);
  expect(isDigest(digest.toUpperCase())).toBe(false);
  expect(isDigest("sha256:abc")).toBe(false);
});
