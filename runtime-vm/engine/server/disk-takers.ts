import { humanSize } from "#core/images/progress.ts";
import { type DiskBackends, containersOf, imagesOf } from "./disk-usage.ts";

const namedMax = 3;

interface Taker {
  readonly name: string;
  readonly bytes: number;
  readonly unused: boolean;
}

/** A sentence: the things that take most of the disk, and what of all of them nobody uses. */
export async function diskTakers(backends: DiskBackends): Promise<string> {
  const takers = (await takersOf(backends)).filter(({ bytes }) => bytes > 0).toSorted((a, b) => b.bytes - a.bytes);
  const { Bytes: kept } = await backends.bin.list();
  const trash = kept === 0 ? "" : `; ${humanSize(kept)} are in the trash, and go when room is needed`;
  if (takers.length === 0) return `nothing of it is the engine's${trash}`;
  const named = takers.slice(0, namedMax).map(({ name, bytes }) => `${name} (${humanSize(bytes)})`);
  const unused = takers.filter((taker) => taker.unused).reduce((sum, { bytes }) => sum + bytes, 0);
  return `largest are ${named.join(", ")}; ${humanSize(unused)} are not in use: docker system prune -a --volumes${trash}`;
}

async function takersOf(backends: DiskBackends): Promise<Taker[]> {
  const [images, containers, volumes, cache] = await Promise.all([
    imagesOf(backends),
    containersOf(backends),
    backends.volumes.usage(),
    backends.builds.usage(),
  ]);
  return [
    ...images.map((image) => ({
      name: `image ${image.RepoTags?.[0] ?? image.Id.slice(7, 19)}`,
      bytes: image.Size - Math.max(0, image.SharedSize),
      unused: image.Containers === 0,
    })),
    ...containers.map(({ Id, Names, SizeRw, State }) => ({
      name: `container ${Names[0]?.slice(1) ?? Id.slice(0, 12)}`,
      bytes: SizeRw ?? 0,
      unused: !["running", "paused", "restarting"].includes(State),
    })),
    ...volumes.map(({ Name, UsageData }) => ({ name: `volume ${Name}`, bytes: UsageData?.Size ?? 0, unused: UsageData?.RefCount === 0 })),
    ...cache.filter(({ shared }) => !shared).map(({ id, bytes }) => ({ name: `build cache ${id.slice(0, 12)}`, bytes, unused: true })),
  ];
}
