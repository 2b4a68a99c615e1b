import { readdir, readFile } from "node:fs/promises";
import type { IncomingMessage, ServerResponse } from "node:http";
import { extname, join, relative, sep } from "node:path";
import { contentTypes } from "#bridge/policy.ts";

/**
 * The built window's files by their address, held in memory: a build that replaces the folder meanwhile never leaves an
 * open page without the parts it has yet to load. Only what was there at the start can be asked for: no path is ever joined.
 */
export type Files = ReadonlyMap<string, Buffer>;

export async function readFiles(directory: string): Promise<Files> {
  const files = new Map<string, Buffer>();
  for (const entry of await readdir(directory, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const path = join(entry.parentPath, entry.name);
    files.set(`/${relative(directory, path).split(sep).join("/")}`, await readFile(path));
  }
  return files;
}

/** Sends the file at `address`; false when there is none. */
export function sendFile(files: Files, address: string, request: IncomingMessage, response: ServerResponse): boolean {
  const name = address === "/" ? "/index.html" : address;
  const bytes = files.get(name);
  if (bytes === undefined) return false;
  response.setHeader("content-type", contentTypes[extname(name)] ?? "application/octet-stream");
  response.setHeader("content-length", bytes.length);
  // Names in assets/ carry a hash of their content.
  response.setHeader("cache-control", name.startsWith("/assets/") ? "private, max-age=31536000, immutable" : "no-store");
  response.end(request.method === "HEAD" ? undefined : bytes);
  return true;
}
