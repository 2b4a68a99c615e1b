import { request } from "node:http";
import { bodies } from "./image-api.images.ts";
import type { ImageCase } from "./image-api.cases.ts";

/** What an engine said, without what differs from one run to the next. */
export interface ImageSaid {
  readonly status: number;
  readonly answer: unknown;
}

/** Puts the cases to the engine at `socket`, one after the other. */
export class ImageAsker {
  readonly #socket: string;
  readonly #ids = new Map<string, string>();

  constructor(socket: string) {
    this.#socket = socket;
  }

  async ask(one: ImageCase): Promise<ImageSaid> {
    const content = one.json === undefined ? bodies[one.body ?? ""] : Buffer.from(JSON.stringify(one.json));
    const { status, text } = await this.#send(await this.#filled(one.call), one.json === undefined ? "application/x-tar" : "application/json", content);
    return { status, answer: neutral(text) };
  }

  async #filled(call: string): Promise<string> {
    let filled = call;
    for (const [whole, name = "", digits] of call.matchAll(/\{(\w+)(?::(\d+))?\}/g)) {
      const id = this.#ids.get(name) ?? (JSON.parse((await this.#send(`GET /images/${name}:1/json`, "", undefined)).text) as { Id: string }).Id;
      this.#ids.set(name, id);
      filled = filled.replaceAll(whole, digits === undefined ? id : id.slice("sha256:".length, "sha256:".length + Number(digits)));
    }
    return filled;
  }

  #send(call: string, type: string, content: Buffer | undefined): Promise<{ status: number; text: string }> {
    const [method = "", path = ""] = call.split(" ", 2);
    const headers = content === undefined ? {} : { "Content-Type": type, "Content-Length": content.length };
    return new Promise((resolve, reject) => {
      const sent = request({ socketPath: this.#socket, method, path: `/v1.51${path}`, headers, timeout: 60_000 }, (got) => {
        const chunks: Buffer[] = [];
        got.on("data", (chunk: Buffer) => chunks.push(chunk));
        got.on("error", reject);
        got.on("end", () => resolve({ status: got.statusCode ?? 0, text: Buffer.concat(chunks).toString() }));
      });
      sent.on("timeout", () => sent.destroy(new Error(`${call}: no answer`)));
      sent.on("error", reject);
      sent.end(content);
    });
  }
}

/** Steps that come as often as there is time for them. */
const passing = new Set(["Waiting", "Downloading", "Extracting", "Pushing", "Preparing", "Loading layer", "Download complete", "Verifying Checksum"]);
/** When something happened here, and how many containers there were. */
const varying = new Set(["LastTagTime", "Containers"]);

function neutral(text: string): unknown {
  const lines = text.split("\n").filter((line) => line.trim() !== "");
  const values = lines.map((line) => {
    try {
      return plain(JSON.parse(line));
    } catch {
      return line;
    }
  });
  if (values.length === 1) return values[0];
  // Layers come in any order.
  return values.filter((value) => !passing.has((value as { status?: string }).status ?? "")).toSorted((a, b) => (layerOf(a) < layerOf(b) ? -1 : 1));
}

const layerOf = (value: unknown): string => {
  const { id, status = "" } = value as { id?: string; status?: string };
  return id !== undefined && /^[0-9a-f]{12}$/.test(id) ? `1 ${id} ${status}` : /^(Digest|Status)|digest: /.test(status) ? `2 ${status}` : "0";
};

/** Images of one age come in any order. */
function inOrder(values: readonly unknown[]): readonly unknown[] {
  const sortable = values.every((value) => typeof value === "object" && value !== null && ("RepoTags" in value || "Untagged" in value || "Deleted" in value));
  const key = (value: unknown): string => JSON.stringify(value);
  return sortable ? values.toSorted((a, b) => (key(a) < key(b) ? -1 : 1)) : values;
}

function plain(value: unknown): unknown {
  if (Array.isArray(value)) return inOrder(value.map(plain));
  if (typeof value === "string")
    return (
      value
        .replace(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, (time) => (/^(0001|2026-01-01T00:00:00Z)/.test(time) ? time : "<time>"))
        .replace(/container [0-9a-f]{12} /, "container <id> ")
        .replace(/"extract-\d+-\S+ /, '"extract-<id> ')
        .replace(/on \S+\/tmpmounts\/containerd-mount\d+/, "on <mount>")
        // In the order of a Go map.
        .replace("dangling=[false true]", "dangling=[true false]")
    );
  if (typeof value !== "object" || value === null) return value;
  // A container's id is chosen by chance, and names come in any order.
  const shown = (key: string, inner: unknown): unknown =>
    key === "Id" && "Warnings" in value ? "<id>" : Array.isArray(inner) && /^Repo(Tags|Digests)$/.test(key) ? inner.map(String).toSorted() : plain(inner);
  const kept = Object.entries(value).filter(([key]) => !varying.has(key));
  return Object.fromEntries(kept.map(([key, inner]) => [key, shown(key, inner)]).toSorted(([a], [b]) => (String(a) < String(b) ? -1 : 1)));
}
