import { emptyRunForm, type RunForm } from "./runform.ts";
import { splitCommand } from "./shellwords.ts";
import { quoted } from "./copyrun.ts";

/** What a pasted `docker run` line says: the form it fills, and the flags that have no field. */
export interface PastedRun {
  readonly form: RunForm;
  readonly left: readonly string[];
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] extends readonly (infer E)[] ? E[] : T[K] };
type Draft = Mutable<RunForm>;
/** Takes a value into the form; false when the form has no place for it. */
type Take = (form: Draft, value: string) => boolean | void;

const append = (text: string, more: string): string => (text === "" ? more : `${text} ${more}`);
const pair = (text: string, by = "="): readonly [string, string] => {
  const at = text.indexOf(by);
  return at === -1 ? [text, ""] : [text.slice(0, at), text.slice(at + by.length)];
};

const valued: Readonly<Record<string, Take>> = {
  "--name": (form, value) => void (form.name = value),
  "--publish": takePort,
  "--env": (form, value) => {
    if (!value.includes("=")) return false; // from the shell it was meant for
    const [name, rest] = pair(value);
    form.env.push({ name, value: rest });
    return true;
  },
  "--volume": takeVolume,
  "--mount": takeMount,
  "--label": (form, value) => {
    const [name, rest] = pair(value);
    form.labels.push({ name, value: rest });
  },
  "--memory": takeMemory,
  "--cpus": (form, value) => void (form.cpus = value),
  "--restart": (form, value) => {
    const known = ["no", "always", "unless-stopped", "on-failure"] as const;
    const found = known.find((name) => name === value);
    if (found === undefined) return false;
    form.restart = found;
    return true;
  },
  "--entrypoint": (form, value) => void (form.entrypoint = quoted(value)),
  "--workdir": (form, value) => void (form.workdir = value),
  "--user": (form, value) => void (form.user = value),
  "--hostname": (form, value) => void (form.hostname = value),
  "--network": (form, value) => void (form.network = value),
  "--network-alias": (form, value) => void (form.aliases = append(form.aliases, value)),
  "--dns": (form, value) => void (form.dns = append(form.dns, value)),
  "--add-host": (form, value) => void (form.extraHosts = append(form.extraHosts, value)),
  "--cap-add": (form, value) => void (form.capAdd = append(form.capAdd, value)),
  "--cap-drop": (form, value) => void (form.capDrop = append(form.capDrop, value)),
  "--security-opt": (form, value) => {
    if (!/^no-new-privileges(?:[:=]true)?$/.test(value)) return false;
    form.noNewPrivileges = true;
    return true;
  },
  "--pids-limit": (form, value) => {
    if (!/^\d+$/.test(value)) return false;
    form.pidsLimit = value;
    return true;
  },
  "--pull": () => undefined,
};

const switches: Readonly<Record<string, (form: Draft) => void>> = {
  "--detach": () => undefined,
  "--interactive": () => undefined,
  "--tty": (form) => void (form.tty = true),
  "--rm": (form) => void (form.autoRemove = true),
  "--init": (form) => void (form.init = true),
  "--privileged": (form) => void (form.privileged = true),
  "--read-only": (form) => void (form.readOnlyRoot = true),
};

/** Flags without a field of the form that take no value, so that the word after them is not theirs. */
const otherSwitches = new Set(["--publish-all", "--no-healthcheck", "--oom-kill-disable", "--quiet", "--sig-proxy", "--disable-content-trust", "--help"]);

const short: Readonly<Record<string, string>> = {
  p: "--publish",
  e: "--env",
  v: "--volume",
  l: "--label",
  m: "--memory",
  w: "--workdir",
  u: "--user",
  h: "--hostname",
  a: "--attach",
  c: "--cpu-shares",
  d: "--detach",
  i: "--interactive",
  t: "--tty",
  P: "--publish-all",
  q: "--quiet",
};

const isSwitch = (flag: string): boolean => Object.hasOwn(switches, flag) || otherSwitches.has(flag);

/** Reads `docker run …` (or `podman run …`, `docker container create …`) into the run form; undefined for any other line. */
export function parseRunLine(line: string): PastedRun | undefined {
  const words = splitCommand(
    line
      .replaceAll(/\\\r?\n/g, " ")
      .trim()
      .replace(/^\$ /, ""),
  );
  if (words === undefined) return undefined;
  const rest = withoutProgram(words);
  if (rest === undefined) return undefined;
  const form: Draft = { ...emptyRunForm, ports: [], env: [], volumes: [], labels: [] };
  const left: string[] = [];
  let at = 0;
  while (at < rest.length && rest[at]?.startsWith("-")) {
    if (rest[at] === "--") {
      at += 1;
      break;
    }
    at += takeFlag(form, rest, at, left);
  }
  const [image = "", ...command] = rest.slice(at);
  return { form: { ...form, image, command: command.map(quoted).join(" ") }, left };
}

function withoutProgram(words: readonly string[]): readonly string[] | undefined {
  const from = words[0] === "sudo" ? 1 : 0;
  if (!/(?:^|\/)(?:docker|podman|nerdctl)$/.test(words[from] ?? "")) return undefined;
  const verb = words[from + 1] === "container" ? from + 2 : from + 1;
  return ["run", "create"].includes(words[verb] ?? "") ? words.slice(verb + 1) : undefined;
}

/** Takes the flag at `at`, and says how many words it was. */
function takeFlag(form: Draft, words: readonly string[], at: number, left: string[]): number {
  const word = words[at] ?? "";
  if (!word.startsWith("--")) return takeShort(form, words, at, left);
  const [flag, inline] = pair(word);
  const alias = flag === "--net" ? "--network" : flag;
  if (isSwitch(alias)) {
    if (inline !== "false") takeSwitch(form, alias, left);
    return 1;
  }
  const value = word.includes("=") ? inline : (words[at + 1] ?? "");
  takeValue(form, alias, value, left);
  return word.includes("=") ? 1 : 2;
}

/** `-it`, `-p8080:80`, `-e A=b`: switches may stand together, and the first that takes a value takes all that follows. */
function takeShort(form: Draft, words: readonly string[], at: number, left: string[]): number {
  const letters = (words[at] ?? "").slice(1);
  for (let i = 0; i < letters.length; i++) {
    const flag = short[letters.charAt(i)];
    if (flag === undefined) {
      left.push(`-${letters.slice(i)}`);
      return 1;
    }
    if (isSwitch(flag)) takeSwitch(form, flag, left);
    else {
      const inline = letters.slice(i + 1).replace(/^=/, "");
      takeValue(form, flag, inline === "" ? (words[at + 1] ?? "") : inline, left);
      return inline === "" ? 2 : 1;
    }
  }
  return 1;
}

function takeSwitch(form: Draft, flag: string, left: string[]): void {
  const take = switches[flag];
  if (take === undefined) left.push(flag);
  else take(form);
}

function takeValue(form: Draft, flag: string, value: string, left: string[]): void {
  if (valued[flag]?.(form, value) === false || valued[flag] === undefined) left.push(`${flag} ${quoted(value)}`);
}

function takePort(form: Draft, value: string): boolean {
  const match = /^(?:(\d*):)?(\d+)(?:\/(tcp|udp))?$/.exec(value);
  if (match === null) return false;
  const [, host = "", container = "", protocol = "tcp"] = match;
  form.ports.push({ host, container, protocol: protocol === "udp" ? "udp" : "tcp" });
  return true;
}

function takeVolume(form: Draft, value: string): boolean {
  const match = /^((?:[A-Za-z]:[\\/])?[^:]+):(\/[^:]*)(?::([\w,]+))?$/.exec(value);
  if (match === null) return false;
  const [, source = "", target = "", options = ""] = match;
  if (!["", "ro", "rw"].includes(options)) return false;
  form.volumes.push({ source, target, readOnly: options === "ro" });
  return true;
}

function takeMount(form: Draft, value: string): boolean {
  const fields = new Map(value.split(",").map((field) => pair(field)));
  const known = ["type", "source", "src", "target", "dst", "destination", "readonly", "ro"];
  const type = fields.get("type") ?? "volume";
  const source = fields.get("source") ?? fields.get("src");
  const target = fields.get("target") ?? fields.get("dst") ?? fields.get("destination");
  if (!["bind", "volume"].includes(type) || source === undefined || target === undefined || [...fields.keys()].some((name) => !known.includes(name)))
    return false;
  form.volumes.push({ source, target, readOnly: ["", "true", "1"].includes(fields.get("readonly") ?? fields.get("ro") ?? "no") });
  return true;
}

const unitBytes: Readonly<Record<string, number>> = { b: 1, k: 1024, m: 1024 ** 2, g: 1024 ** 3 };

function takeMemory(form: Draft, value: string): boolean {
  const match = /^(\d+(?:\.\d+)?)([bkmg])?b?$/i.exec(value);
  if (match === null) return false;
  form.memory = String(Math.round((Number(match[1]) * (unitBytes[(match[2] ?? "b").toLowerCase()] ?? 1)) / 1024 ** 2));
  return true;
}
