import { any, ProtoReader, ProtoWriter, readTimestamp } from "./protobuf.ts";

/**
 * The messages of containerd's Task service (api/runtime/task/v2 and v3 `shim.proto`: the same numbers for every field below) and the
 * runc shim's options (api/types/runc/options/oci.proto).
 */
export interface Stdio {
  readonly terminal: boolean;
  /** FIFO paths; "" is none. */
  readonly stdin: string;
  readonly stdout: string;
  readonly stderr: string;
}

export interface ExitReply {
  readonly code: number;
  readonly at: Date | undefined;
}

export interface StateReply {
  readonly pid: number;
  /** 1 created, 2 running, 3 stopped, 4 paused, 5 pausing. */
  readonly status: number;
}

export interface RuncOptions {
  readonly binaryName: string;
  /** Where the runtime keeps its state; the namespace is added to it. */
  readonly root: string;
}

const stdioFields = (writer: ProtoWriter, first: number, io: Stdio): ProtoWriter =>
  writer
    .bool(first, io.terminal)
    .string(first + 1, io.stdin)
    .string(first + 2, io.stdout)
    .string(first + 3, io.stderr);

export const runcOptions = (options: RuncOptions): Buffer =>
  any("containerd.runc.v1.Options", new ProtoWriter().string(6, options.binaryName).string(7, options.root).finish());

/** For shims other than runc's (containerd's api/types/runtimeoptions/v1): the configuration as a file, or as text. */
export const shimOptions = (options: { typeUrl: string; configPath: string; configBody: string }): Buffer =>
  any(
    "runtimeoptions.v1.Options",
    new ProtoWriter().string(1, options.typeUrl).string(2, options.configPath).bytes(3, Buffer.from(options.configBody)).finish(),
  );

/** The root file system is mounted by us: the `rootfs` mounts stay empty. */
export const createRequest = (id: string, bundle: string, io: Stdio, options: Buffer): Buffer =>
  stdioFields(new ProtoWriter().string(1, id).string(2, bundle), 4, io).bytes(10, options).finish();

export const execRequest = (id: string, execId: string, io: Stdio, processJson: string): Buffer =>
  stdioFields(new ProtoWriter().string(1, id).string(2, execId), 3, io)
    .bytes(7, any("types.containerd.io/opencontainers/runtime-spec/1/Process", Buffer.from(processJson)))
    .finish();

/** Start, Wait, State and Delete of a container (`execId` "") or of an exec in it; Pause, Resume and Connect read field 1 only. */
export const processRequest = (id: string, execId = ""): Buffer => new ProtoWriter().string(1, id).string(2, execId).finish();

export const resizeRequest = (id: string, execId: string, width: number, height: number): Buffer =>
  new ProtoWriter().string(1, id).string(2, execId).uint(3, width).uint(4, height).finish();

export const closeStdinRequest = (id: string, execId: string): Buffer => new ProtoWriter().string(1, id).string(2, execId).bool(3, true).finish();

export const shutdownRequest = (id: string): Buffer => new ProtoWriter().string(1, id).finish();

/** Create's and Start's answer, and the shim's own pid in Connect's. */
export const readPid = (reply: Buffer): number => new ProtoReader(reply).uint(1);

/** Shared by Wait (fields 1, 2) and Delete (fields 2, 3, after the pid). */
export function readExit(reply: Buffer, first: number): ExitReply {
  const reader = new ProtoReader(reply);
  return { code: reader.uint(first), at: readTimestamp(reader.bytes(first + 1)) };
}

export function readState(reply: Buffer): StateReply {
  const reader = new ProtoReader(reply);
  return { pid: reader.uint(3), status: reader.uint(4) };
}
