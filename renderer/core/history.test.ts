import { expect, test } from "vitest";
import { instruction, layerRows } from "./history.ts";

test.each([
  ['/bin/sh -c #(nop)  CMD ["sh"]', 'CMD ["sh"]'],
  ["/bin/sh -c apt-get update", "RUN apt-get update"],
  ["RUN /bin/sh -c make # buildkit", "RUN make"],
  ["RUN |1 VERSION=2 /bin/sh -c make # buildkit", "RUN make"],
  ["COPY . /app # buildkit", "COPY . /app"],
])("%j was written as %j", (createdBy, written) => expect(instruction(createdBy)).toBe(written));

test("steps are told from the bottom up, those with files are counted, and each says its share", () => {
  const step = (CreatedBy: string, Size: number) => ({ Id: "", Created: 1, CreatedBy, Size, Tags: null, Comment: "" });
  const rows = layerRows([step("CMD x", 0), step("COPY a /", 75), step("ADD rootfs /", 25)]);
  expect(rows.map(({ number, command, share }) => [number, command, share])).toEqual([
    [1, "ADD rootfs /", 0.25],
    [2, "COPY a /", 0.75],
    [undefined, "CMD x", 0],
  ]);
  expect(layerRows([step("CMD x", 0)])[0]?.share).toBe(0);
});
