import { expect, test } from "vitest";
import { parseOptions } from "./options.ts";

const defaults = { maxFiles: 1, maxSize: "-1", compress: false };
const parse = (options: Record<string, string>) => parseOptions("json-file", options, defaults);

test("without options there is one file without a limit, and the program waits for the disk", () => {
  expect(parse({})).toEqual({ maxBytes: 0, maxFiles: 1, compress: false });
});

test.for([
  [{ "max-size": "10m" }, { maxBytes: 10 * 1024 * 1024, maxFiles: 1 }],
  [
    { "max-size": "1.5k", "max-file": "3" },
    { maxBytes: 1536, maxFiles: 3 },
  ],
  [{ "max-size": "10MB", "max-file": "3", compress: "true" }, { compress: true }],
  [{ mode: "non-blocking" }, { dropPastBytes: 1024 * 1024 }],
  [{ mode: "non-blocking", "max-buffer-size": "4m" }, { dropPastBytes: 4 * 1024 * 1024 }],
  [{ labels: "a", env: "B", tag: "{{.ID}}" }, { maxFiles: 1 }],
] as const)("%o is understood", ([options, expected]) => {
  expect(parse(options as Record<string, string>)).toMatchObject(expected);
});

test.for([
  [{ "max-sise": "10m" }, "unknown log opt 'max-sise' for json-file log driver"],
  [{ "max-size": "lots" }, "invalid value for max-size: invalid size: 'lots'"],
  [{ "max-size": "0" }, "invalid value for max-size: invalid size: '0'"],
  [{ "max-file": "0" }, 'max-file cannot be less than 1, got "0"'],
  [{ "max-file": "3" }, "max-file cannot be set without max-size"],
  [{ compress: "perhaps" }, 'invalid value for compress: "perhaps"'],
  [{ mode: "maybe" }, "logger: logging mode not supported: maybe"],
  [{ "max-buffer-size": "1m" }, "logger: max-buffer-size option is only supported with 'mode=non-blocking'"],
] as const)("%o is refused", ([options, message]) => {
  expect(() => parse(options as Record<string, string>)).toThrow(expect.objectContaining({ class: "invalidArgument", message }) as Error);
});
