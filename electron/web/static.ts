import { createReadStream } from "node:fs";
import { readdir } from "node:fs/promises";
import type { IncomingMessage, ServerResponse } from "node:http";
import { extname, join, relative, sep } from "node:path";
import { pipeline } from "node:stream/promises";
import { contentTypes } from "#bridge/policy.ts";

/** The built window's files by their address. Only what was listed at the start can be asked for: no path is ever joined. */
export type Files = ReadonlyMap<string, string>;

export async function listFiles(directory: string): Promise<Files> {
  const files = new Map<string, string>();
  for (const entry of await readdir(directory, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const path = join(entry.parentPath, entry.name);
    files.set(`/${relative(directory, path).split(sep).join("/")}`, path);
  }
  const index = files.get("/index.html");
  if (index !== undefined) files.set("/", index);
  return files;
}

/** Sends the file at `address`; false when there is none. */
export async function sendFile(files: Files, address: string, request: IncomingMessage, response: ServerResponse): Promise<boolean> {
  const path = files.get(address);
  if (path === undefined) return false;
  response.setHeader("content-type", contentTypes[extname(path)] ?? "application/octet-stream");
  // Names in assets/ carry a hash of their content.
  response.setHeader("cache-control", address.startsWith("/assets/") ? "private, max-age=31536000, immutable" : "no-store");
  if (request.method === "HEAD") response.end();
  else await pipeline(createReadStream(path), response);
  return true;
}
