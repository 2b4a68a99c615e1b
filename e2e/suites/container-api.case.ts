/** One request; what its answer says is compared with what dockerd 28.5 was recorded to say. */
export interface Step {
  /** `POST /containers/{n}/start`: a path of API 1.51, `{n}` the case's own container. */
  readonly call: string;
  /** `{n}` as in `call`. */
  readonly body?: unknown;
  /** Sent as it is. */
  readonly raw?: string;
  /** Fields of a successful answer to be compared; without any, only its status is. */
  readonly show?: readonly string[];
  /** What a successful answer streams is compared: its content type, and what came on each stream. */
  readonly output?: true;
  /** A header of the answer, JSON in base64, is compared without its times. */
  readonly header?: string;
  /** Its `Id` is `{e}` in the steps that follow. */
  readonly keep?: true;
  /** Ask again until the first of `show` is this. */
  readonly until?: unknown;
}

export interface ApiCase {
  readonly name: string;
  /** Creates `{n}` first, of busybox, from this. */
  readonly make?: Readonly<Record<string, unknown>>;
  readonly steps: readonly Step[];
  /** Refused for its type: the words are Go's own, but they name this field. */
  readonly field?: string;
  /** Other statuses, one a step, are right for us where dockerd is wrong. */
  readonly ours?: { readonly reason: string; readonly statuses: readonly number[] };
}

export const sleeper = { Cmd: ["sleep", "600"] };
export const sh = (script: string): { Cmd: readonly string[] } => ({ Cmd: ["sh", "-c", script] });
export const start: Step = { call: "POST /containers/{n}/start" };
/** A shell that has come to its loop has set its traps. */
export const looping: Step = { call: "GET /containers/{n}/top", show: ["Processes.length"], until: 2 };
export const stop: Step = { call: "POST /containers/{n}/stop?t=0" };
export const state = (...fields: readonly string[]): Step => ({ call: "GET /containers/{n}/json", show: fields.map((field) => `State.${field}`) });
export const created = (body: unknown, ours?: ApiCase["ours"]): ApiCase => ({
  name: `create ${JSON.stringify(body)}`,
  steps: [{ call: "POST /containers/create?name={n}", body: { Image: "busybox", Cmd: ["true"], ...(body as object) }, show: ["Warnings"] }],
  ...(ours === undefined ? {} : { ours }),
});
export const host = (HostConfig: unknown, ours?: ApiCase["ours"]): ApiCase => created({ HostConfig }, ours);
export const clientsFault = (reason: string): ApiCase["ours"] => ({ reason, statuses: [400] });
export const mount = (spec: unknown, ours?: ApiCase["ours"]): ApiCase => host({ Mounts: [spec] }, ours);
