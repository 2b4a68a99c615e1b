import { checkKnown, invalidOption, parseBool, parseDecimalSize, parseInteger, parseMode, parseSize, within, type LogOptions } from "#core/logs/options.ts";
import { extraAttributes, type LogSubject } from "#core/logs/subject.ts";
import { logTag } from "#core/logs/tag.ts";

/** `--log-opt`s of one container, understood. */
export interface FileOptions {
  readonly maxBytes: number;
  readonly maxFiles: number;
  readonly compress: boolean;
  /** What each entry says of its container. */
  readonly attributes: Readonly<Record<string, string>>;
  readonly dropPastBytes?: number;
}

const ownOptions = ["max-size", "max-file", "compress"];

export function jsonFileOptions(subject: LogSubject, options: LogOptions): FileOptions {
  const mode = parseMode(options);
  checkKnown("json-file", options, [...ownOptions, "labels", "labels-regex", "env", "env-regex", "tag"]);
  const size = options["max-size"];
  const maxBytes = size === undefined ? 0 : parseDecimalSize(size);
  if (size !== undefined && maxBytes === 0) throw invalidOption("max-size must be a positive number");
  const maxFiles = parseInteger(options["max-file"] ?? "1", "Atoi");
  if (maxFiles < 1) throw invalidOption("max-file cannot be less than 1");
  const compress = parseBool(options["compress"] ?? "false");
  if (compress && (maxFiles < 2 || maxBytes === 0)) throw invalidOption("compress cannot be true when max-file is less than 2 or max-size is not set");
  const tag = options["tag"] === undefined || options["tag"] === "" ? {} : { tag: logTag(subject, options) };
  return { maxBytes, maxFiles, compress, attributes: { ...extraAttributes(subject, options), ...tag }, ...mode };
}

/** Docker's `local` by its limits; the file format is that of json-file, which everybody can read. */
export function localOptions(options: LogOptions): FileOptions {
  const mode = parseMode(options);
  checkKnown("local", options, ownOptions);
  const value = (name: string, byDefault: string, read: (text: string) => number): number => {
    const text = options[name] ?? byDefault;
    return within(`invalid value for ${name}: ${text}`, () => read(text));
  };
  const maxBytes = value("max-size", "20m", parseSize);
  const maxFiles = value("max-file", "5", (text) => parseInteger(text, "Atoi"));
  const compress = within("error reading compress log option", () => parseBool(options["compress"] ?? "true"));
  if (maxFiles <= 1 && compress) throw invalidOption("compression cannot be enabled when max file count is 1");
  if (maxFiles < 1) throw invalidOption("max file count cannot be less than 1");
  return { maxBytes, maxFiles, compress: compress && maxBytes > 0, attributes: {}, ...mode };
}

/** The copy that drivers keep which send elsewhere: what cannot be understood is as if it were not given, as with dockerd. */
export function cacheOptions(options: LogOptions): FileOptions {
  const given = <T>(name: string, byDefault: string, read: (text: string) => T, good: (value: T) => boolean): T => {
    try {
      const value = read(options[`cache-${name}`] ?? byDefault);
      return good(value) ? value : read(byDefault);
    } catch {
      return read(byDefault);
    }
  };
  const maxBytes = given("max-size", "20m", parseSize, (bytes) => bytes > 0);
  const maxFiles = given(
    "max-file",
    "5",
    (text) => parseInteger(text, "Atoi"),
    (count) => count >= 1,
  );
  const compress = given("compress", "true", parseBool, () => true);
  return { maxBytes, maxFiles, compress: compress && maxFiles > 1, attributes: {} };
}
