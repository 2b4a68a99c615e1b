import { familiarRepository, parseReference, withDefaultTag } from "#api/reference.ts";
import type { Digest } from "../content/content.ts";
import { formatPlatform, type Platform } from "../images/platform.ts";

/** An image of a layout as a package URL (purl-spec, type oci), `name`: what the build calls it. */
export function layoutPurl(name: string, { digest, platform }: { digest: Digest; platform: Platform }): string {
  const named = parseReference(name);
  const tag = named.tag === undefined ? "" : `@${named.tag}`;
  return `pkg:oci/${familiarRepository(named)}${tag}?digest=${digest}&platform=${encodeURIComponent(formatPlatform(platform))}`;
}

/** An image as a package URL (purl-spec, type docker): how provenance names what a build used, and what it made. */
export function imagePurl(reference: string, platform: Platform): string {
  const suffix = `?platform=${encodeURIComponent(formatPlatform(platform))}`;
  if (/^(sha256:)?[0-9a-f]{12,64}$/.test(reference)) return `pkg:docker/${reference}${suffix}`;
  const named = withDefaultTag(parseReference(reference));
  return `pkg:docker/${familiarRepository(named)}${named.tag === undefined ? "" : `@${named.tag}`}${suffix}`;
}
