import type { PullProgress } from "#api/images.ts";
import { familiarName, parseReference } from "#api/reference.ts";
import { EngineError, messageOf } from "#base/errors.ts";
import type { Digest } from "../content/content.ts";
import type { BuildResult } from "./builds.ts";
import { SourceMissing } from "./copy.ts";
import type { Outlet } from "./outlet.ts";
import type { BuildObserver, StepInfo, StepWatch } from "./request.ts";
import { RunFailed } from "./run.ts";
import { StepError } from "./stage.ts";

export type ClassicMessage =
  | { readonly stream: string }
  | { readonly aux: { readonly ID: string } }
  | PullProgress
  | { readonly errorDetail: { readonly code?: number; readonly message: string }; readonly error: string };

const unsaidMax = 10_000;
const shortId = (id: string): string => id.replace(/^sha256:/, "").slice(0, 12);

/** What the classic builder says of a build, line by line. */
export class ClassicVoice implements BuildObserver {
  readonly #outlet: Outlet<ClassicMessage>;
  readonly #quiet: boolean;
  readonly #removes: boolean;
  readonly #squash: boolean;
  /** What was not said for quiet's sake; told after all when the build fails. */
  #unsaid: ClassicMessage[] = [];
  readonly #first = Promise.withResolvers<void>();
  hasSpoken = false;

  constructor(outlet: Outlet<ClassicMessage>, { quiet, removes, squash }: { readonly quiet: boolean; readonly removes: boolean; readonly squash: boolean }) {
    this.#outlet = outlet;
    this.#quiet = quiet;
    this.#removes = removes;
    this.#squash = squash;
  }

  /** Resolves with the first word. */
  get first(): Promise<void> {
    return this.#first.promise;
  }

  say(text: string): void {
    void this.#stream(`${text}\n`);
  }

  /** The classic builder goes by the file and finds an image when its FROM's turn comes. */
  finding(): Pick<StepWatch, "finished" | "failed"> {
    return { finished() {}, failed() {} };
  }

  beside(): StepWatch {
    return { running() {}, output() {}, cached() {}, pulling: (message) => this.#pulling(message), finished() {}, failed() {} };
  }

  step({ number, total, text }: StepInfo): StepWatch {
    // Triggers of a base image have no number of their own.
    this.say(number > 0 ? `Step ${number}/${total} : ${text}` : text);
    let running = "";
    return {
      running: (id) => {
        running = shortId(id);
        this.say(` ---> Running in ${running}`);
      },
      output: (stream, chunk) => this.#stream(stream === "stdout" ? chunk.toString("utf8") : `\u001b[91m${chunk.toString("utf8")}\u001b[0m`),
      cached: () => this.say(" ---> Using cache"),
      pulling: (message) => this.#pulling(message),
      finished: (image) => {
        if (running !== "" && this.#removes) this.say(` ---> Removed intermediate container ${running}`);
        const id = image();
        if (id !== undefined) this.say(` ---> ${shortId(id)}`);
        else if (/^FROM\b/i.test(text)) this.say(" ---> ");
      },
      failed: () => undefined,
    };
  }

  failed(error: unknown): void {
    for (const message of this.#unsaid.splice(0)) void this.#send(message);
    void this.#send(failureOf(error));
  }

  /** Registers the image; its id. */
  async result({ register }: BuildResult, names: readonly string[]): Promise<Digest> {
    const id = await register(this.#squash ? [] : names);
    void this.#send({ aux: { ID: id } });
    if (this.#squash) throw notSquashed();
    if (this.#quiet) {
      void this.#send({ stream: `${id}\n` });
      return id;
    }
    this.say(`Successfully built ${shortId(id)}`);
    for (const name of names) this.say(`Successfully tagged ${familiarName(parseReference(name))}`);
    return id;
  }

  #pulling(message: PullProgress): void {
    if (!this.#quiet) void this.#send(message);
  }

  #stream(text: string): void | Promise<void> {
    this.#spoke();
    if (!this.#quiet) return this.#send({ stream: text });
    this.#unsaid.push({ stream: text });
    if (this.#unsaid.length > unsaidMax) this.#unsaid.shift();
    return undefined;
  }

  #send(message: ClassicMessage): void | Promise<void> {
    this.#spoke();
    return this.#outlet.push(message);
  }

  #spoke(): void {
    this.hasSpoken = true;
    this.#first.resolve();
  }
}

/** What dockerd says where images are in containerd's store, when all is built; the image is there, without a name. */
export const notSquashed = (): EngineError => new EngineError("notImplemented", "error squashing image: not implemented");

/** What a step failed of. */
export function unwrapped(error: unknown): unknown {
  return error instanceof StepError ? error.cause : error;
}

function failureOf(error: unknown): ClassicMessage {
  const cause = unwrapped(error);
  const message = wordsOf(cause, error instanceof StepError ? error.instruction.node.name : "");
  const code = cause instanceof RunFailed ? { code: cause.exitCode } : {};
  return { errorDetail: { ...code, message }, error: message };
}

/** As the classic builder puts it. */
function wordsOf(cause: unknown, instruction: string): string {
  if (cause instanceof RunFailed) return `The command '${cause.args.join(" ")}' returned a non-zero code: ${cause.exitCode}`;
  if (cause instanceof SourceMissing) {
    const path = cause.path.replace(/^\/+/, "");
    if (path.split("/").includes("..")) return `${instruction} failed: forbidden path outside the build context: ${cause.path} ()`;
    return `${instruction} failed: file not found in build context or excluded by .dockerignore: stat ${path}: file does not exist`;
  }
  if (instruction === "ADD" && /^Get "/.test(messageOf(cause))) return `ADD failed: ${messageOf(cause)}`;
  return messageOf(cause);
}
