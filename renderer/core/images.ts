import type { ContainerSummary } from "#api/containers.ts";
import type { ImageSummary } from "#api/images.ts";
import { plainName, shortId } from "./format.ts";

/** One name of an image: what the table shows and what is run or deleted. An image with two tags is two rows. */
export interface ImageRow {
  readonly key: string;
  readonly id: string;
  readonly shortId: string;
  /** `repo:tag`, or the short id of an image without a name. */
  readonly reference: string;
  readonly repository: string;
  readonly tag: string;
  readonly size: number;
  readonly created: number;
  /** The image has no other: it goes with this one. */
  readonly isLast: boolean;
  /** Names of containers made from it. */
  readonly users: readonly string[];
}

export function imageRows(images: readonly ImageSummary[], containers: readonly ContainerSummary[]): readonly ImageRow[] {
  return images.flatMap((image) => {
    const tags = (image.RepoTags ?? []).filter((tag) => !tag.startsWith("<none>"));
    const base = { isLast: tags.length <= 1, id: image.Id, shortId: shortId(image.Id), size: image.Size, created: image.Created };
    const usersOf = (reference: string | undefined): readonly string[] => usersOfTag(containers, image.Id, tags, reference);
    if (tags.length > 0)
      return tags.map((reference) => ({ ...base, key: `${image.Id} ${reference}`, reference, users: usersOf(reference), ...splitTag(reference) }));
    const digest = image.RepoDigests?.[0];
    return [
      {
        ...base,
        key: image.Id,
        reference: shortId(image.Id),
        users: usersOf(undefined),
        repository: digest === undefined ? "<none>" : (digest.split("@")[0] ?? ""),
        tag: digest === undefined ? "" : "<none>",
      },
    ];
  });
}

/** A container names the tag it was made from; one made from an id, or from a tag that has moved on, counts for every tag. */
function usersOfTag(containers: readonly ContainerSummary[], id: string, tags: readonly string[], reference: string | undefined): readonly string[] {
  const nameOf = (image: string): string => (image.lastIndexOf(":") > image.lastIndexOf("/") ? image : `${image}:latest`);
  return containers
    .filter(({ ImageID, Image }) => ImageID === id && (nameOf(Image) === reference || !tags.includes(nameOf(Image))))
    .map(({ Names }) => plainName(Names));
}

function splitTag(reference: string): { repository: string; tag: string } {
  const colon = reference.lastIndexOf(":");
  if (colon <= reference.lastIndexOf("/")) return { repository: reference, tag: "" };
  return { repository: reference.slice(0, colon), tag: reference.slice(colon + 1) };
}
