/**
 * The path of a tar entry inside its layer: no leading or doubled slashes, no `.`; `..` is taken out of the text the way
 * Docker does it, and never leads above the root.
 */
export function layerPath(path: string): { readonly path: string; readonly dotDot: boolean } {
  const parts: string[] = [];
  let dotDot = false;
  for (const part of path.split("/")) {
    if (part === "" || part === ".") continue;
    if (part === "..") {
      dotDot = true;
      parts.pop();
    } else parts.push(part);
  }
  return { path: parts.join("/"), dotDot };
}

/** Marks in a layer tar (image-spec layer.md): this name is gone; this directory hides what is below it. */
export const whiteoutPrefix = ".wh.";
export const opaqueMark = ".wh..wh..opq";
/** Names with this prefix are aufs' own and mean nothing to anybody else. */
export const whiteoutMetaPrefix = ".wh..wh.";
