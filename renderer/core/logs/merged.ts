import type { LogHit, LogSearchLine } from "#api/log-search.ts";
import type { LineSink } from "./intake.ts";

/** Held back for being put in order, at most; what comes past that is shown as it came. */
const heldMax = 200_000;
const maxSources = 0xffff;

/**
 * Bytes of `GET /slipway/logs/search?follow=1` in, lines of several containers in the order of their times out. The engine tells what is there
 * container by container and then says so: until then lines are held back.
 */
export class MergedIntake {
  readonly #sink: LineSink;
  readonly #decoder = new TextDecoder();
  readonly #encoder = new TextEncoder();
  readonly #numbers = new Map<string, number>();
  /** By container: its newest line. */
  readonly #newest = new Map<string, string>();
  /** The same as it was when the stream broke off: what is told once more from there is not shown twice. */
  #before: ReadonlyMap<string, string> = new Map();
  #names: readonly string[] = [];
  #held: LogHit[] = [];
  #rest = "";
  #lastStamp = "";
  /** Why the engine broke off, in its words. */
  failure: string | undefined;

  constructor(sink: LineSink) {
    this.#sink = sink;
  }

  /** By number, which is what a line has as its source. */
  get names(): readonly string[] {
    return this.#names;
  }

  /** The newest stamp as the engine wrote it. */
  get lastStamp(): string {
    return this.#lastStamp;
  }

  /** Another stream goes on where the last one ended. */
  reopen(): void {
    this.#before = new Map(this.#newest);
    this.#rest = "";
    this.failure = undefined;
  }

  push(bytes: Uint8Array): void {
    const lines = (this.#rest + this.#decoder.decode(bytes, { stream: true })).split("\n");
    this.#rest = lines.pop() ?? "";
    for (const text of lines) this.#take(JSON.parse(text) as LogSearchLine);
  }

  /** The stream is over; what came last may have been cut. */
  end(): void {
    this.#rest = "";
    this.#commit();
  }

  #take(line: LogSearchLine): void {
    if ("error" in line) this.failure = line.error;
    else if ("Text" in line) this.#hold(line);
    else if (!("Event" in line)) this.#commit();
  }

  #hold(hit: LogHit): void {
    if (hit.Time <= (this.#before.get(hit.Id) ?? "")) return;
    this.#newest.set(hit.Id, hit.Time);
    this.#held.push(hit);
    if (this.#held.length >= heldMax) this.#commit();
  }

  #commit(): void {
    // Lines of one container keep their order, whatever their times.
    this.#held.sort((a, b) => (a.Time < b.Time ? -1 : a.Time > b.Time ? 1 : 0));
    for (const { Id, Name, Stream, Time, Text } of this.#held) {
      this.#sink.add(this.#encoder.encode(Text.replace(/\r$/, "")), { time: Date.parse(Time), stderr: Stream === "stderr", source: this.#number(Id, Name) });
      if (Time > this.#lastStamp) this.#lastStamp = Time;
    }
    this.#held = [];
  }

  #number(id: string, name: string): number {
    const known = this.#numbers.get(id);
    const number = known ?? Math.min(this.#numbers.size, maxSources);
    if (known === undefined) this.#numbers.set(id, number);
    // A container may be renamed.
    if (this.#names[number] !== name) this.#names = [...this.#names.slice(0, number), name, ...this.#names.slice(number + 1)];
    return number;
  }
}
