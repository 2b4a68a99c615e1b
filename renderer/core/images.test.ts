// @vitest-environment node
import { expect, test } from "vitest";
import type { ContainerSummary } from "#api/containers.ts";
import type { ImageSummary } from "#api/images.ts";
import { splitReference } from "./engine/engine.ts";
import { imageRows } from "./images.ts";

const image = (part: Partial<ImageSummary>): ImageSummary =>
  ({ Id: "sha256:aaaaaaaaaaaabbbb", RepoTags: [], RepoDigests: [], Created: 1, Size: 5, ...part }) as ImageSummary;
const container = (name: string, Image: string): ContainerSummary => ({ Names: [`/${name}`], Image, ImageID: "sha256:aaaaaaaaaaaabbbb" }) as ContainerSummary;

test("an image with two tags is two rows, each with the containers made from that tag", () => {
  const rows = imageRows([image({ RepoTags: ["localhost:5000/web:1", "web:latest"] })], [container("a", "web"), container("b", "localhost:5000/web:1")]);
  expect(rows.map(({ repository, tag, users }) => ({ repository, tag, users }))).toEqual([
    { repository: "localhost:5000/web", tag: "1", users: ["b"] },
    { repository: "web", tag: "latest", users: ["a"] },
  ]);
});

test("a container made from a tag that has moved on counts for every tag of the image it still uses", () => {
  const [row] = imageRows([image({ RepoTags: ["web:2"] })], [container("old", "web:1")]);
  expect(row?.users).toEqual(["old"]);
});

test("an image without a name is one row, called by its id", () => {
  expect(imageRows([image({})], [])).toMatchObject([{ reference: "aaaaaaaaaaaa", repository: "<none>", tag: "" }]);
});

test.each([
  ["busybox", { fromImage: "busybox", tag: "latest" }],
  ["localhost:5000/a", { fromImage: "localhost:5000/a", tag: "latest" }],
  ["localhost:5000/a:1", { fromImage: "localhost:5000/a", tag: "1" }],
  ["a@sha256:12", { fromImage: "a", tag: "sha256:12" }],
])("pulling %s asks for one tag, never all", (reference, query) => expect(splitReference(reference)).toEqual(query));
