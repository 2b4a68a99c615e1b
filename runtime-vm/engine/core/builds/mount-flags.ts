import { posix } from "node:path";
import { EngineError } from "#base/errors.ts";

/** `--mount` of a RUN, read. */
export interface StepMount {
  readonly type: "bind" | "cache" | "tmpfs" | "secret" | "ssh";
  readonly from: string;
  readonly source: string;
  /** "" where the type has a place of its own. */
  readonly target: string;
  readonly readOnly: boolean;
  readonly id: string;
  readonly sharing: "shared" | "private" | "locked";
  readonly required: boolean;
  readonly sizeBytes: number;
  readonly mode: number | undefined;
  readonly uid: number | undefined;
  readonly gid: number | undefined;
  /** Secrets: the variable it is put into. */
  readonly env: string;
}

const invalid = (message: string): EngineError => new EngineError("invalidArgument", message);
const types = ["bind", "cache", "tmpfs", "secret", "ssh"] as const;
const sharings = ["shared", "private", "locked"] as const;

type Draft = { -readonly [K in keyof StepMount]: StepMount[K] };

/** Reads a mount's text, its variables put in already. */
export function parseMount(text: string): StepMount {
  const mount: Draft = {
    type: "bind",
    from: "",
    source: "",
    target: "",
    readOnly: false,
    id: "",
    sharing: "shared",
    required: false,
    sizeBytes: 0,
    mode: undefined,
    uid: undefined,
    gid: undefined,
    env: "",
  };
  let readWrite: boolean | undefined;
  for (const field of fieldsOf(text)) {
    const at = field.indexOf("=");
    const key = (at < 0 ? field : field.slice(0, at)).toLowerCase();
    const value = at < 0 ? undefined : field.slice(at + 1);
    if (["readonly", "ro"].includes(key)) readWrite = !truth(key, value);
    else if (["readwrite", "rw"].includes(key)) readWrite = truth(key, value);
    else if (key === "required") mount.required = truth(key, value);
    else if (value === undefined) throw invalid(`invalid field '${field}' must be a key=value pair`);
    else setField(mount, key, value, field);
  }
  mount.readOnly = readWrite === undefined ? mount.type === "bind" : !readWrite;
  return checked(mount);
}

function setField(mount: Draft, key: string, value: string, field: string): void {
  switch (key) {
    case "type":
      mount.type = oneOf(types, value.toLowerCase()) ?? fail(`unsupported mount type ${JSON.stringify(value.toLowerCase())}`);
      return;
    case "from":
      mount.from = value;
      return;
    case "source":
    case "src":
      mount.source = value;
      return;
    case "target":
    case "dst":
    case "destination":
      mount.target = value;
      return;
    case "id":
      mount.id = value;
      return;
    case "sharing":
      mount.sharing = oneOf(sharings, value.toLowerCase()) ?? fail(`unsupported sharing value ${JSON.stringify(value)}`);
      return;
    case "size":
      mount.sizeBytes = sizeOf(value);
      return;
    case "mode":
      mount.mode = /^[0-7]+$/.test(value) ? Number.parseInt(value, 8) : fail(`invalid value ${value} for mode`);
      return;
    case "uid":
    case "gid":
      mount[key] = /^\d+$/.test(value) ? Number(value) : fail(`invalid value ${value} for ${key}`);
      return;
    case "env":
      mount.env = value;
      return;
    default:
      throw invalid(`unexpected key '${key}' in '${field}'`);
  }
}

function checked(mount: Draft): StepMount {
  if (mount.type === "cache" && mount.id === "") mount.id = posix.resolve("/", mount.target);
  if (mount.type === "secret") {
    if (mount.id === "") mount.id = posix.basename(mount.target === "" ? mount.source : mount.target);
    if (mount.source !== "") mount.id = mount.source;
    if (mount.id === "") throw invalid("secret mount requires an id or a target");
    if (mount.target === "" && mount.env === "") mount.target = `/run/secrets/${posix.basename(mount.id)}`;
  }
  if (mount.type === "ssh" && mount.id === "") mount.id = "default";
  if (mount.target !== "" && posix.resolve("/", mount.target) === "/") throw invalid(`invalid mount target ${JSON.stringify(mount.target)}`);
  return mount;
}

function fail(message: string): never {
  throw invalid(message);
}

const oneOf = <T extends string>(known: readonly T[], value: string): T | undefined => known.find((one) => one === value);

function truth(key: string, value: string | undefined): boolean {
  const text = value?.toLowerCase();
  if (text === undefined || text === "true" || text === "1") return true;
  if (text === "false" || text === "0") return false;
  throw invalid(`invalid value for ${key}: ${value}`);
}

function sizeOf(text: string): number {
  const [, number = "", unit = ""] = /^(\d+(?:\.\d+)?) ?([kmgt]?)(?:i?b)?$/i.exec(text) ?? [];
  if (number === "") throw invalid(`invalid value for size: ${text}`);
  return Math.floor(Number(number) * 1024 ** " kmgt".indexOf(unit.toLowerCase() || " "));
}

/** Comma-separated, a field in double quotes may hold commas. */
function fieldsOf(text: string): string[] {
  const fields = [...text.matchAll(/(?:^|,)(?:"((?:[^"]|"")*)"|([^,]*))/g)];
  return fields.map(([, quoted, plain]) => quoted?.replaceAll('""', '"') ?? plain ?? "");
}
