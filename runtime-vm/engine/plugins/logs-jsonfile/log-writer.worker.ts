/** The thread that writes all json-file logs; see writer-thread.ts for who speaks with it. */
import { messageOf } from "#base/errors.ts";
import { openSync, readSync } from "node:fs";
import { parentPort } from "node:worker_threads";
import { LineEncoder } from "./encode.ts";
import { LogFile, type LogFileOptions, type LogMark } from "./log-file.ts";
import type { OpenedFile } from "./log-files.ts";

export type WriterRequest =
  | { readonly op: "open"; readonly log: number; readonly id: number; readonly options: LogFileOptions }
  /** A process's output follows; `progress` is a descriptor. */
  | { readonly op: "begin"; readonly log: number; readonly id: number; readonly progress: number }
  /** Output that is to be read from the file `spool`. */
  | { readonly op: "take"; readonly log: number; readonly stream: 0 | 1; readonly spool: number; readonly from: number; readonly to: number }
  /** `over`: no other engine will go on with this output. */
  | { readonly op: "end"; readonly log: number; readonly id: number; readonly over: boolean }
  | { readonly op: "mark"; readonly log: number; readonly id: number }
  | { readonly op: "files"; readonly log: number; readonly id: number; readonly follower: number | undefined }
  | { readonly op: "unfollow"; readonly log: number; readonly follower: number }
  | { readonly op: "close"; readonly log: number; readonly id: number };

export type WriterReply =
  | { readonly kind: "reply"; readonly id: number; readonly value?: LogMark | readonly OpenedFile[] }
  | { readonly kind: "refused"; readonly id: number; readonly message: string }
  /** `bytes` of output are in the file: the sender may send more. Of all output up to `taken` no more is needed. */
  | { readonly kind: "written"; readonly log: number; readonly stream: 0 | 1; readonly bytes: number; readonly taken: number }
  | { readonly kind: "failed"; readonly log: number; readonly message: string }
  | { readonly kind: "rotated"; readonly followers: readonly number[]; readonly fd: number };

interface Open {
  readonly file: LogFile;
  readonly followers: Set<number>;
}

const port = parentPort;
if (!port) throw new Error("log-writer.worker.ts runs as a worker thread only");
const send = (reply: WriterReply): void => port.postMessage(reply);
const encoder = new LineEncoder();
const logs = new Map<number, Open>();

port.on("message", (request: WriterRequest) => {
  try {
    serve(request);
  } catch (error) {
    if ("id" in request) send({ kind: "refused", id: request.id, message: messageOf(error) });
    else send({ kind: "failed", log: request.log, message: messageOf(error) });
    if (request.op === "take") send({ kind: "written", log: request.log, stream: request.stream, bytes: request.to - request.from, taken: request.to });
  }
});

function serve(request: WriterRequest): void {
  switch (request.op) {
    case "open":
      openLog(request.log, request.options);
      return send({ kind: "reply", id: request.id });
    case "begin":
      logOf(request.log).file.begin(request.progress);
      return send({ kind: "reply", id: request.id });
    case "take":
      return take(request);
    case "end": {
      const { file } = logOf(request.log);
      if (request.over) file.end();
      file.letGo();
      return send({ kind: "reply", id: request.id });
    }
    case "mark":
      return send({ kind: "reply", id: request.id, value: logOf(request.log).file.mark() });
    case "files": {
      const { file, followers } = logOf(request.log);
      const value = file.open();
      if (request.follower !== undefined) followers.add(request.follower);
      return send({ kind: "reply", id: request.id, value });
    }
    case "unfollow":
      logs.get(request.log)?.followers.delete(request.follower);
      return;
    case "close":
      logs.get(request.log)?.file[Symbol.dispose]();
      logs.delete(request.log);
      return send({ kind: "reply", id: request.id });
  }
}

function take({ log, stream, spool, from, to }: WriterRequest & { op: "take" }): void {
  const { file } = logOf(log);
  file.write(stream, readPiece(spool, from, to), to);
  send({ kind: "written", log, stream, bytes: to - from, taken: file.taken[stream] });
}

function readPiece(spool: number, from: number, to: number): Buffer {
  const length = readSync(spool, encoder.source, 0, to - from, from);
  if (length < to - from) throw new Error(`the output at ${from} is not there to ${to}`);
  return encoder.source.subarray(0, length);
}

function openLog(log: number, options: LogFileOptions): void {
  const followers = new Set<number>();
  // Followers share a descriptor of each file to come, however soon it is deleted.
  const rotated = (): void => {
    if (followers.size > 0) send({ kind: "rotated", followers: [...followers], fd: openSync(options.path, "r") });
  };
  logs.set(log, { file: new LogFile(options, encoder, rotated), followers });
}

function logOf(log: number): Open {
  const found = logs.get(log);
  if (!found) throw new Error(`log ${log} is not open`);
  return found;
}
