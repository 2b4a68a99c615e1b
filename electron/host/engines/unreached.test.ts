import { expect, test } from "vitest";
import { EngineError } from "#base/errors.ts";
import { unreached, unreachedBySsh } from "./unreached.ts";

test("what the system and TLS answer is told by its code, however deep it lies", () => {
  const refused = Object.assign(new Error("connect ECONNREFUSED 10.0.0.1:2376"), { code: "ECONNREFUSED" });
  expect(unreached(new EngineError("unavailable", "broken", { cause: refused }))).toMatchObject({ unreached: "refused", message: refused.message });
  expect(unreached(Object.assign(new Error("x"), { code: "DEPTH_ZERO_SELF_SIGNED_CERT" }))).toMatchObject({ unreached: "untrusted", class: "unavailable" });
  expect(unreached(new DOMException("late", "TimeoutError")).unreached).toBe("noAnswer");
  expect(unreached(new Error("who knows")).unreached).toBe("other");
});

test.each([
  ["No ED25519 host key is known for box and you have requested strict checking.\r\nHost key verification failed.\r\n", "hostKey"],
  ["me@box: Permission denied (publickey,password).\r\n", "login"],
  ["ssh: Could not resolve hostname box: Name or service not known\r\n", "unknownHost"],
  ["ssh: connect to host box port 22: Connection refused\r\n", "refused"],
  ["ssh: connect to host box port 22: Connection timed out\r\n", "noAnswer"],
  ["ssh: connect to host box port 22: No route to host\r\n", "unreachable"],
  ["bash: line 1: docker: command not found\n", "noDocker"],
  ["permission denied while trying to connect to the Docker daemon socket at unix:///var/run/docker.sock\n", "forbidden"],
  ["failed to open the raw stream connection: dial unix /run/x.sock: connect: no such file or directory\n", "noDocker"],
  ["something new\n", "other"],
])("ssh that says %j", (words, cause) => {
  expect(unreachedBySsh(words).unreached).toBe(cause);
});

test("of all that ssh prints, the line that tells is kept", () => {
  const words = "@@@@@@@@@@\n@ WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED! @\n@@@@@@@@@@\nIT IS POSSIBLE THAT\nHost key verification failed.\n";
  expect(unreachedBySsh(words).message).toBe("@ WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED! @");
  expect(unreachedBySsh("Warning: Permanently added 'box'\nme@box: Permission denied (publickey).").message).toBe("me@box: Permission denied (publickey).");
});
