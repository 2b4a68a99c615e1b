import type { LogHit, LogRunMark } from "#api/log-search.ts";
import type { SearchMark, SearchSource } from "./log-search.worker.ts";
import type { Found } from "./search-scan.ts";

/** Sent at a time, about. */
const pieceChars = 64 * 1024;
/** Sent and not yet taken by whoever asked: past that the search waits. */
const outstandingBytesMax = 1024 * 1024;

/** What a search found as JSON lines, with the starts and ends of the container between its lines. */
export class Output {
  readonly #control: Int32Array;
  readonly #send: (bytes: Uint8Array) => void;
  #source: Pick<LogHit, "Id" | "Name" | "Removed"> = { Id: "", Name: "" };
  #marks: SearchMark[] = [];
  #backwards = false;
  /** A line of this container was told. */
  #begun = false;
  #text = "";

  constructor(control: Int32Array, send: (bytes: Uint8Array) => void) {
    this.#control = control;
    this.#send = send;
  }

  begin({ id, name, removed, marks }: SearchSource, backwards: boolean): void {
    this.#source = { Id: id, Name: name, ...(removed ? { Removed: true } : {}) };
    this.#marks = backwards ? marks.toReversed() : [...marks];
    this.#backwards = backwards;
    this.#begun = false;
  }

  hit({ stream, time, level, text }: Found): void {
    this.#passMarks(time);
    this.#line({ ...this.#source, Stream: stream, Time: time, ...(level === undefined ? {} : { Level: level }), Text: text } satisfies LogHit);
  }

  flush(): void {
    if (this.#text === "") return;
    const bytes = new TextEncoder().encode(this.#text);
    this.#text = "";
    this.#waitForRoom();
    Atomics.add(this.#control, 0, bytes.length);
    this.#send(bytes);
  }

  /** Those between the line before and this one; of those before the first only the last. */
  #passMarks(time: string): void {
    const passed = this.#marks.findIndex((mark) => (this.#backwards ? mark.time <= time : mark.time > time));
    const marks = this.#marks.splice(0, passed < 0 ? this.#marks.length : passed);
    for (const { time: at, exitCode } of this.#begun ? marks : marks.slice(-1)) {
      const event = exitCode === undefined ? "start" : "die";
      this.#line({ ...this.#source, Event: event, Time: at, ...(exitCode === undefined ? {} : { ExitCode: exitCode }) } satisfies LogRunMark);
    }
    this.#begun = true;
  }

  #line(line: LogHit | LogRunMark): void {
    this.#text += `${JSON.stringify(line)}\n`;
    if (this.#text.length >= pieceChars) this.flush();
  }

  #waitForRoom(): void {
    for (let bytes = Atomics.load(this.#control, 0); bytes > outstandingBytesMax; bytes = Atomics.load(this.#control, 0)) {
      Atomics.store(this.#control, 2, 1);
      Atomics.wait(this.#control, 0, bytes);
    }
    Atomics.store(this.#control, 2, 0);
  }
}
