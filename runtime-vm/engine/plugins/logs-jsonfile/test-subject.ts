import type { LogSubject } from "#core/logs/subject.ts";

/** A container that tests log for. */
export const subject = (id: string): LogSubject => ({
  id,
  name: `name-of-${id}`,
  imageId: "sha256:0123456789abcdef",
  imageName: "busybox",
  createdAt: "2026-01-02T03:04:05.000000006Z",
  command: ["sh"],
  env: ["B=2"],
  labels: { a: "1" },
});
