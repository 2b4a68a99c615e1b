import { expect, test } from "vitest";
import { EngineError } from "#base/errors.ts";
import { runtimeError } from "./crun-errors.ts";
import { parseStart } from "./shim.ts";

const create =
  "failed to create task for container: failed to create shim task: OCI runtime create failed: crun create failed: unable to start container process: error during container init";

// What crun 1.21 says, through the shim, and what clients find the exit codes 126 and 127 by.
test.for([
  ["executable file `foo` not found in $PATH: No such file or directory", "invalidArgument", 'exec: "foo": executable file not found in $PATH'],
  ["cannot find `` in $PATH: No such file or directory", "invalidArgument", 'exec: "": executable file not found in $PATH'],
  ["executable file `/x/y` not found: No such file or directory", "invalidArgument", 'exec: "/x/y": stat /x/y: no such file or directory'],
  ["the path `/etc/passwd` exists but it is not executable: Operation not permitted", "invalidArgument", 'exec: "/etc/passwd": permission denied'],
  ["the path `/tmp` is not a regular file: Operation not permitted", "invalidArgument", 'exec: "/tmp": is a directory: permission denied'],
  ["open executable: Permission denied", "invalidArgument", "open executable: permission denied"],
  ["exec: Exec format error", "invalidArgument", "exec: exec format error"],
  ["chdir to `/nowhere`: Permission denied", "invalidArgument", 'chdir to cwd ("/nowhere") set in config.json failed: permission denied'],
  [
    "chdir to `/etc/passwd`: Not a directory",
    "invalidArgument",
    'chdir to cwd ("/etc/passwd") set in config.json failed: not a directory: ' +
      "Are you trying to mount a directory onto a file (or vice-versa)? Check if the specified host path exists and is the expected type",
  ],
  ["mount `x` to `y`: No such device", "internal", "mount `x` to `y`: No such device"],
] as const)("%s", ([said, cls, told]) => {
  expect(runtimeError("create", new Error(`OCI runtime create failed: ${said}: unknown`))).toMatchObject({
    class: cls,
    message: `${create}: ${told}`,
  });
  expect(runtimeError("exec", new Error(`OCI runtime exec failed: ${said}: unknown`)).message).toBe(
    `OCI runtime exec failed: exec failed: unable to start container process: ${told}`,
  );
});

test("a shim that is gone is no failure of the command", () => {
  const gone = new EngineError("unavailable", "shim is gone");
  expect(runtimeError("create", gone)).toBe(gone);
});

test("the shim's answer is understood in both its forms, and nothing else is", () => {
  expect(parseStart("unix:///run/containerd/s/abc\n")).toEqual({ address: "/run/containerd/s/abc", service: "containerd.task.v2.Task" });
  expect(parseStart('{"version":3,"address":"unix:///run/containerd/s/abc","protocol":"ttrpc"}')).toEqual({
    address: "/run/containerd/s/abc",
    service: "containerd.task.v3.Task",
  });
  expect(() => parseStart("")).toThrow("where its address belongs");
});
