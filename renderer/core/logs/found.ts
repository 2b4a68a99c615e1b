import { createStore, type StoreApi } from "zustand/vanilla";
import type { LogHit, LogLevelName, LogRunMark, LogSearchEnd, LogSearchLine } from "#api/log-search.ts";
import type { Engine } from "#renderer/core/engine/engine.ts";
import type { Query } from "#renderer/core/engine/request.ts";

/** What is asked of the output of everything that ever ran. */
export interface LogQuestion {
  readonly text: string;
  /** The text is a regular expression. */
  readonly regex: boolean;
  readonly ignoreCase: boolean;
  readonly level: LogLevelName | "";
  /** Names or ids; none: all. */
  readonly containers: readonly string[];
  /** Of lines that are JSON: `http.status=500`; "" for any. */
  readonly field: string;
  /** Of the past, in seconds; 0 for everything. */
  readonly withinSeconds: number;
}

export type FoundLine = LogHit | LogRunMark;

export interface FoundLogs {
  readonly state: "idle" | "running" | "done" | "failed";
  readonly question: LogQuestion | undefined;
  /** Newest first. */
  readonly lines: readonly FoundLine[];
  readonly end: LogSearchEnd | undefined;
  readonly failure: unknown;
}

export const foundMax = 1_000;

const nothing: FoundLogs = { state: "idle", question: undefined, lines: [], end: undefined, failure: undefined };

/** One search at a time; the next ends the one before. Kept while the window is open, so that Back finds the same lines. */
export interface LogFinder {
  readonly store: StoreApi<FoundLogs>;
  find(question: LogQuestion): Promise<void>;
}

export function createLogFinder(engine: Pick<Engine, "searchLogs">): LogFinder {
  const store = createStore<FoundLogs>(() => nothing);
  let running = new AbortController();
  return {
    store,
    async find(question) {
      running.abort();
      running = new AbortController();
      const { signal } = running;
      store.setState({ ...nothing, state: "running", question });
      try {
        const { lines, end } = await read(engine.searchLogs({ ...queryOf(question), limit: foundMax }, signal));
        if (!signal.aborted) store.setState({ state: "done", lines, end });
      } catch (failure) {
        if (!signal.aborted) store.setState({ state: "failed", failure });
      }
    },
  };
}

async function read(answer: AsyncIterable<LogSearchLine>): Promise<{ lines: FoundLine[]; end: LogSearchEnd | undefined }> {
  const lines: FoundLine[] = [];
  let end: LogSearchEnd | undefined;
  for await (const line of answer) {
    if ("error" in line) throw new Error(line.error);
    if ("End" in line) end = line.End;
    else if (!("Told" in line)) lines.push(line);
  }
  return { lines: lines.toSorted((a, b) => (a.Time < b.Time ? 1 : a.Time > b.Time ? -1 : 0)), end };
}

/** As the engine's parameters. */
export function queryOf({ text, regex, ignoreCase, level, containers, field, withinSeconds }: LogQuestion): Query {
  return {
    [regex ? "regex" : "text"]: text || undefined,
    ignoreCase,
    level: level || undefined,
    container: containers,
    field: field || undefined,
    since: withinSeconds === 0 ? undefined : Math.floor(Date.now() / 1_000) - withinSeconds,
  };
}

/** A piece of a line as it is shown. */
export interface LinePiece {
  readonly text: string;
  readonly kind: "plain" | "key" | "string" | "value" | "found";
}

const token = /("(?:[^"\\]|\\.)*")(\s*:)?|-?\d+(?:\.\d+)?(?:e[+-]?\d+)?|\b(?:true|false|null)\b/gi;

/** Keys, strings and values of a line that is JSON told apart, and above that what was searched for. */
export function pieces(text: string, question: LogQuestion | undefined): readonly LinePiece[] {
  const found = question === undefined || question.text === "" ? [] : hitsIn(text, question);
  const colours = /^\s*[[{]/.test(text) ? jsonRanges(text) : [];
  const cuts = [...new Set([0, text.length, ...[...found, ...colours].flatMap(({ from, to }) => [from, to])])].toSorted((a, b) => a - b);
  return cuts.slice(0, -1).map((from, index) => {
    const at = ({ from: start, to: end }: Range): boolean => start <= from && from < end;
    return { text: text.slice(from, cuts[index + 1]), kind: found.some(at) ? "found" : (colours.find(at)?.kind ?? "plain") };
  });
}

interface Range {
  readonly from: number;
  readonly to: number;
}

function jsonRanges(text: string): (Range & { readonly kind: LinePiece["kind"] })[] {
  return Array.from(text.matchAll(token), (match) => {
    const [all, string, colon] = match;
    return {
      from: match.index,
      to: match.index + (string ?? all).length,
      kind: string === undefined ? "value" : colon === undefined ? "string" : "key",
    } as const;
  });
}

/** Marked at most in a line. */
const hitsMax = 20;

function hitsIn(text: string, { text: wanted, regex, ignoreCase }: LogQuestion): Range[] {
  // The engine has stopped an expression that does not end; here only what it found is gone through once more, and no line that is long.
  if (regex && text.length > 2_000) return [];
  try {
    const pattern = new RegExp(regex ? wanted : wanted.replace(/[\\^$.*+?()[\]{}|]/g, "\\$&"), ignoreCase ? "gi" : "g");
    const found = text.matchAll(pattern).filter(([all]) => all !== "");
    return [...found.take(hitsMax)].map((match) => ({ from: match.index, to: match.index + match[0].length }));
  } catch {
    return [];
  }
}
