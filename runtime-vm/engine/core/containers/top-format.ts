import { EngineError } from "#base/errors.ts";
import { type Accounts, type Column, columnNamed, columns, minutes } from "./top-columns.ts";
import type { Proc } from "./top-process.ts";

/**
 * The arguments of ps(1), as `docker top` takes them: options with a dash (Unix), without (BSD), and lists of columns (`-o`, `o`,
 * `--format`). Only processes of the container are ever shown, so that what merely chooses more of them (`-e`, `a`, `x`) says nothing.
 */
export interface PsFormat {
  readonly row: readonly Column[];
  /** One line a thread. */
  readonly threads: boolean;
  readonly accepts: (process: Proc, names: Accounts) => boolean;
}

const wrong = (reason: string): EngineError => new EngineError("invalidArgument", `ps: error: ${reason}`);

export function parsePsArgs(text: string): PsFormat {
  const words = text.split(/\s+/).filter((word) => word !== "");
  const given = new Given();
  for (let i = 0; i < words.length; i += 1) if (given.take(words[i] ?? "", words[i + 1])) i += 1;
  const row = given.row();
  // The client finds its processes by this column, and so does dockerd.
  if (!row.some(({ title }) => title === "PID")) throw new EngineError("invalidArgument", "Couldn't find PID field in ps output");
  return { row, threads: given.threads, accepts: (process, names) => given.chosen.every((one) => one(process, names)) };
}

/** Unix options that change nothing here, or the format; those with a value of their own. */
const unixLetters = /^[eAadNwHfFljyLTZMcP]+$/;
const bsdLetters = /^[axrwfuljvcnST]+$/;
const withValue: Readonly<Record<string, (value: string) => PsFormat["accepts"]>> = {
  "-C": (value) => (p) => value.split(",").includes(p.comm),
  "-p": (value) => (p) => value.split(",").includes(String(p.pid)),
  "--pid": (value) => (p) => value.split(",").includes(String(p.pid)),
  "--ppid": (value) => (p) => value.split(",").includes(String(p.ppid)),
  "-u": (value) => (p, names) => value.split(",").some((one) => one === String(p.uid) || one === names.user(p.uid)),
  "--user": (value) => (p, names) => value.split(",").some((one) => one === String(p.uid) || one === names.user(p.uid)),
  "-U": (value) => (p, names) => value.split(",").some((one) => one === String(p.realUid) || one === names.user(p.realUid)),
  "-t": (value) => (p) => value.split(",").includes(p.tty),
  "--sort": () => () => true,
  "--cols": () => () => true,
};
const plainLong = ["--forest", "--headers", "--cumulative"];

class Given {
  readonly #unix = new Set<string>();
  readonly #bsd = new Set<string>();
  readonly #list: Column[] = [];
  readonly chosen: PsFormat["accepts"][] = [];

  get threads(): boolean {
    return this.#unix.has("L") || this.#unix.has("T");
  }

  /** Takes one word, and says whether it took the next one, too. */
  take(word: string, next: string | undefined): boolean {
    const [name = "", value] = word.startsWith("--") ? (/^(--[a-z]+)(?:=(.*))?$/.exec(word)?.slice(1) ?? [word]) : [word];
    const select = withValue[name];
    if (select !== undefined) {
      const chosen = value ?? next;
      if (chosen === undefined) throw wrong(`${name} needs a value`);
      this.chosen.push(select(chosen));
      return value === undefined;
    }
    if (name === "--format") return this.#takeList(value, next);
    if (plainLong.includes(word)) return false;
    if (word.startsWith("--")) throw wrong(`unknown gnu long option ${JSON.stringify(word)}`);
    return word.startsWith("-") ? this.#takeUnix(word.slice(1), next) : this.#takeBsd(word, next);
  }

  #takeUnix(letters: string, next: string | undefined): boolean {
    const [before, list] = splitAt(letters, "o");
    // `-x` is no option of Unix: ps reads it as BSD's.
    if (list === undefined && before !== "" && !unixLetters.test(before) && bsdLetters.test(before)) return this.#takeBsd(before, next);
    if (letters === "" || (before !== "" && !unixLetters.test(before))) throw wrong(`unsupported SysV option ${JSON.stringify(`-${letters}`)}`);
    for (const letter of before) this.#unix.add(letter);
    return list === undefined ? false : this.#takeList(list === "" ? undefined : list, next);
  }

  #takeBsd(letters: string, next: string | undefined): boolean {
    const [before, list] = splitAt(letters, "o");
    if (before !== "" && !bsdLetters.test(before)) throw wrong(`unsupported option ${JSON.stringify(letters)}`);
    for (const letter of before) this.#bsd.add(letter);
    return list === undefined ? false : this.#takeList(list === "" ? undefined : list, next);
  }

  #takeList(inline: string | undefined, next: string | undefined): boolean {
    const list = inline ?? next;
    if (list === undefined) throw wrong("format specification must follow -o");
    // A title may hold commas: it goes to the end.
    const titled = /^(.*?)([^,=]+)=(.*)$/.exec(list);
    const plain = (titled?.[1] ?? list).split(",").filter((name) => name !== "");
    for (const name of plain) this.#list.push(columnNamed(bare(name)));
    if (titled !== null) this.#list.push({ ...columnNamed(bare(titled[2] ?? "")), title: titled[3] ?? "" });
    return inline === undefined;
  }

  row(): readonly Column[] {
    const formats = ["f", "F", "l", "j"].filter((letter) => this.#unix.has(letter));
    if (this.#list.length > 0) {
      if (formats.length > 0 || this.#bsdFormat() !== undefined) throw wrong("conflicting format options");
      return this.#list;
    }
    const bsd = this.#bsdFormat() ?? (this.#bsd.size > 0 && formats.length === 0 ? bsdRows.plain : undefined);
    if (bsd !== undefined) return bsd;
    if (this.#unix.has("y") && !this.#unix.has("l")) throw wrong("modifier -y without format -l makes no sense");
    return unixRow(this.#unix);
  }

  #bsdFormat(): readonly Column[] | undefined {
    for (const letter of ["u", "l", "j", "v"] as const) if (this.#bsd.has(letter)) return bsdRows[letter];
    return undefined;
  }
}

/** Without the width that may follow a name. */
const bare = (name: string): string => name.replace(/:\d+$/, "").toLowerCase();

function splitAt(text: string, letter: string): [before: string, after: string | undefined] {
  const at = text.indexOf(letter);
  return at < 0 ? [text, undefined] : [text.slice(0, at), text.slice(at + 1)];
}

const { pid, ppid, pgid, sid, tpgid, c, sz, rss, vsz, psr, f, state, stat, addr, wchan, ni, lwp, spid, nlwp, tname, stime, time, args, cmd, comm } = columns;
const { uid, user, label, maj_flt: majorFaults, "%cpu": cpu, "%mem": memory } = columns;
const userId = { title: "UID", value: user.value };
const shortCommand = { title: "CMD", value: comm.value };
const scale = (from: number) => ({ title: "PRI", value: ({ priority }: Proc) => String(from + priority) });

/** ps(1) puts its columns together by letter. */
function unixRow(letters: ReadonlySet<string>): readonly Column[] {
  const on = (letter: string, ...row: readonly Column[]): readonly Column[] => (letters.has(letter) ? row : []);
  const [long, full, jobs] = [letters.has("l"), letters.has("f") || letters.has("F"), letters.has("j")];
  const thread = [...on("L", lwp), ...on("T", spid)];
  const wide = full || long;
  return [
    ...(letters.has("Z") || letters.has("M") ? [label] : []),
    ...(long ? [...(letters.has("y") ? [] : [f]), state] : []),
    ...(wide ? [full ? userId : uid] : []),
    pid,
    ...(wide ? [ppid] : []),
    ...(jobs ? [pgid, sid] : []),
    ...thread,
    ...(wide ? [c] : []),
    ...(wide && letters.has("L") ? [nlwp] : []),
    ...(long ? [scale(60), ni, letters.has("y") ? rss : addr, sz, wchan] : []),
    ...on("F", sz, rss, psr),
    ...(full ? [stime] : []),
    tname,
    time,
    full ? cmd : shortCommand,
  ];
}

const bsdTime = { title: "TIME", value: minutes };
const bsdRows = {
  plain: [pid, tname, stat, bsdTime, args],
  u: [user, pid, cpu, memory, vsz, rss, tname, stat, { title: "START", value: stime.value }, bsdTime, args],
  l: [f, uid, pid, ppid, scale(0), ni, vsz, rss, wchan, stat, tname, bsdTime, args],
  j: [ppid, pid, pgid, sid, tname, tpgid, stat, uid, bsdTime, args],
  v: [pid, tname, stat, bsdTime, majorFaults, rss, memory, args],
} as const satisfies Readonly<Record<string, readonly Column[]>>;
