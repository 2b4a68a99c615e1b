import { EngineError, messageOf } from "#base/errors.ts";
import type { ExecCreateRequest } from "#api/exec.ts";
import { createExecShape, startExecShape } from "#api/container-shapes.ts";
import { has } from "#api/versions.ts";
import type { ContainerManager } from "#core/containers/containers.ts";
import { type Exec, inspectExec } from "#core/containers/exec.ts";
import { DetachKeys, feedInput } from "#core/containers/input.ts";
import type { TaskProcess } from "#core/tasks/tasks.ts";
import { consoleSize, sizeOf } from "./numbers.ts";
import { type Route, hijacked, route } from "./router.ts";
import { type ProcessStreams, merged, serveStreams, streamContentType } from "./streams.ts";

/** Commands run inside running containers. */
export const execRoutes = (containers: Pick<ContainerManager, "createExec" | "execs">): readonly Route[] => [
  route("POST", "/containers/{id...}/exec", async ({ params, json }) => {
    const body = ((await json(createExecShape)) ?? {}) as ExecCreateRequest;
    return { status: 201, json: { Id: containers.createExec(params.id, body).id } };
  }),
  route("GET", "/exec/{id}/json", ({ params }) => ({ status: 200, json: inspectExec(containers.execs.get(params.id)) })),
  route("POST", "/exec/{id}/resize", async ({ params, query }) => {
    const size = sizeOf(query);
    const { state } = containers.execs.get(params.id);
    // A client that resizes right after start must not be told that nothing runs yet.
    if (state.kind === "created" || state.kind === "ended") throw new EngineError("conflict", `exec command ${params.id} is not running`);
    if (state.kind === "running") await state.process.resize(size);
    return { status: 200 };
  }),
  route(
    "POST",
    "/exec/{id}/start",
    async ({ params, json, version, signal, hijack }) => {
      const body = ((await json(startExecShape)) ?? {}) as { Detach?: boolean; Tty?: boolean; ConsoleSize?: number[] };
      const exec = containers.execs.get(params.id);
      containers.execs.checkStartable(exec);
      const size = consoleSize(has(version, "consoleSize") ? (body.ConsoleSize ?? exec.request.ConsoleSize) : undefined);
      if (body.Detach === true) {
        const process = await containers.execs.start(exec, size);
        drop(process);
        return { status: 200 };
      }
      // dockerd takes the connection over first and writes a failure into the stream, where the CLI prints it.
      const tty = body.Tty ?? false;
      const client = hijack({ contentType: streamContentType(version, tty) });
      await serveStreams(client, { ...(await execStreams(containers, exec, size, signal)), tty });
      return hijacked;
    },
    { upgrades: true },
  ),
];

async function execStreams(
  { execs }: Pick<ContainerManager, "execs">,
  exec: Exec,
  size: { width: number; height: number } | undefined,
  signal: AbortSignal,
): Promise<Omit<ProcessStreams, "tty">> {
  const { AttachStdin, AttachStdout, AttachStderr, Tty: tty = false } = exec.request;
  let process: TaskProcess;
  try {
    process = await execs.start(exec, size);
  } catch (error) {
    return { output: said(`${messageOf(error)}\r\n`), input: undefined };
  }
  const { stdout, stderr } = process.stdio;
  if (AttachStdout !== true) stdout.resume();
  if (AttachStderr !== true) stderr?.resume();
  const keys = tty ? { detachKeys: new DetachKeys(exec.detachKeys) } : {};
  return {
    output: untilEnded(merged(AttachStdout === true ? stdout : undefined, AttachStderr === true ? stderr : undefined), process),
    input: AttachStdin === true ? (source) => feedInput(source, process, { ...keys, closeAtEnd: true, signal }) : undefined,
  };
}

/** Clients ask for the exit code as soon as the output is over: it is not over before the process has ended. */
async function* untilEnded<T>(output: AsyncIterable<T>, process: TaskProcess): AsyncGenerator<T> {
  yield* output;
  await process.wait();
}

async function* said(text: string): AsyncGenerator<{ stream: "stdout"; bytes: Buffer }> {
  yield { stream: "stdout", bytes: Buffer.from(text) };
}

/** Nobody listens to a detached exec, and it must not wait for anybody. */
function drop(process: TaskProcess): void {
  process.stdio.stdout.resume();
  process.stdio.stderr?.resume();
}
