import type { Digest } from "../content/content.ts";
import type { ClassicOptions } from "./classic.ts";
import type { BuildObserver, StepWatch } from "./request.ts";

/** A build that is written down while it goes on. */
export interface ClassicRecord {
  readonly observer: BuildObserver;
  /** The image has been made; its names are those that were asked for. */
  succeeded(image: Digest): void;
  failed(error: unknown): void;
}

/** Where builds of the classic builder are written down, for whoever looks at the history. */
export interface ClassicRecords {
  /** `text`: of the Dockerfile. */
  begin(options: ClassicOptions, text: string): ClassicRecord;
}

/** Tells both; who is told first holds steps up that are told faster than it can say them. */
export const both = (first: BuildObserver, second: BuildObserver): BuildObserver => ({
  step: (info) => bothWatch(first.step(info), second.step(info)),
  finding: (name) => bothEnds(first.finding(name), second.finding(name)),
  beside: (text) => bothWatch(first.beside(text), second.beside(text)),
  say(text) {
    first.say(text);
    second.say(text);
  },
});

type Ends = Pick<StepWatch, "finished" | "failed">;

const bothEnds = (first: Ends, second: Ends): Ends => ({
  finished(image) {
    first.finished(image);
    second.finished(image);
  },
  failed(error) {
    first.failed(error);
    second.failed(error);
  },
});

const bothWatch = (first: StepWatch, second: StepWatch): StepWatch => ({
  ...bothEnds(first, second),
  running(id) {
    first.running(id);
    second.running(id);
  },
  output(stream, chunk) {
    void second.output(stream, chunk);
    return first.output(stream, chunk);
  },
  cached() {
    first.cached();
    second.cached();
  },
  pulling(message) {
    first.pulling(message);
    second.pulling(message);
  },
});
