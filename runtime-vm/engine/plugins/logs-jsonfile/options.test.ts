import { expect, test } from "vitest";
import { subject } from "./test-subject.ts";
import { cacheOptions, jsonFileOptions, localOptions } from "./options.ts";

const parse = (options: Record<string, string>) => jsonFileOptions(subject("c1"), options);

test("without options there is one file without a limit, and the program waits for the disk", () => {
  expect(parse({})).toEqual({ maxBytes: 0, maxFiles: 1, compress: false, attributes: {} });
});

test.for([
  [{ "max-size": "10m" }, { maxBytes: 10_000_000, maxFiles: 1 }],
  [
    { "max-size": "1.5k", "max-file": "3" },
    { maxBytes: 1500, maxFiles: 3 },
  ],
  [{ "max-size": "10MB", "max-file": "3", compress: "true" }, { compress: true }],
  [{ mode: "non-blocking" }, { dropPastBytes: 1024 * 1024 }],
  [{ mode: "non-blocking", "max-buffer-size": "4m" }, { dropPastBytes: 4 * 1024 * 1024 }],
  [{ labels: "a", env: "B", tag: "{{.Name}}" }, { attributes: { a: "1", B: "2", tag: "name-of-c1" } }],
  [{ "max-file": "2" }, { maxFiles: 2, maxBytes: 0 }],
  [{ "max-size": "1e3" }, { maxBytes: 1_000 }],
  [{ "max-size": "5 MB", "cache-disabled": "" }, { maxBytes: 5_000_000 }],
] as const)("%o is understood", ([options, expected]) => {
  expect(parse(options as Record<string, string>)).toMatchObject(expected);
});

test.for([
  [{ "max-sise": "10m" }, "unknown log opt 'max-sise' for json-file log driver"],
  [{ "max-size": "lots" }, "invalid size: 'lots'"],
  [{ "max-size": "-5" }, "invalid size: '-5'"],
  [{ "max-size": "1x" }, "invalid suffix: 'x'"],
  [{ "max-size": " 5m" }, 'strconv.ParseFloat: parsing " 5": invalid syntax'],
  [{ "max-size": "0" }, "max-size must be a positive number"],
  [{ "max-size": "1k", "max-file": "0" }, "max-file cannot be less than 1"],
  [{ "max-file": "x" }, 'strconv.Atoi: parsing "x": invalid syntax'],
  [{ compress: "perhaps" }, 'strconv.ParseBool: parsing "perhaps": invalid syntax'],
  [{ compress: "true", "max-size": "1k" }, "compress cannot be true when max-file is less than 2 or max-size is not set"],
  [{ mode: "maybe" }, "logger: logging mode not supported: maybe"],
  [{ "max-buffer-size": "1m" }, "logger: max-buffer-size option is only supported with 'mode=non-blocking'"],
  [{ mode: "non-blocking", "max-buffer-size": "x" }, "error parsing option max-buffer-size: invalid size: 'x'"],
  [{ "cache-disabled": "x" }, "invalid value for option cache-disabled: x"],
] as const)("%o is refused", ([options, message]) => {
  expect(() => parse(options as Record<string, string>)).toThrow(expect.objectContaining({ class: "invalidArgument", message }) as Error);
});

test("driver local keeps five compressed files of 20 MB, and refuses what it cannot keep", () => {
  expect(localOptions({})).toMatchObject({ maxBytes: 20 * 1024 * 1024, maxFiles: 5, compress: true });
  expect(localOptions({ "max-file": "1", compress: "false" })).toMatchObject({ maxFiles: 1, compress: false });
  expect(() => localOptions({ "max-size": "abc" })).toThrow("invalid value for max-size: abc: invalid size: 'abc'");
  expect(() => localOptions({ "max-file": "x" })).toThrow('invalid value for max-file: x: strconv.Atoi: parsing "x": invalid syntax');
  expect(() => localOptions({ "max-file": "1" })).toThrow("compression cannot be enabled when max file count is 1");
  expect(() => localOptions({ compress: "z" })).toThrow('error reading compress log option: strconv.ParseBool: parsing "z": invalid syntax');
  expect(() => localOptions({ tag: "x" })).toThrow("unknown log opt 'tag' for log driver local");
});

test("options of a copy that make no sense are as if they were not given", () => {
  expect(cacheOptions({ "cache-max-size": "1k", "cache-max-file": "2", "cache-compress": "false" })).toMatchObject({
    maxBytes: 1024,
    maxFiles: 2,
    compress: false,
  });
  expect(cacheOptions({ "cache-max-size": "x", "cache-max-file": "0", "cache-compress": "x" })).toEqual(cacheOptions({}));
});
