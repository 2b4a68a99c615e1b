import { access, readdir } from "node:fs/promises";
import { join } from "node:path";
import * as v from "valibot";
import type { EngineTls, RemoteEngine } from "#bridge/bridge.ts";
import { contextName } from "#host/context.ts";
import { readJsonObject } from "#host/files.ts";
import { portHostOf } from "./address.ts";

const metaSchema = v.object({
  Name: v.pipe(v.string(), v.minLength(1), v.maxLength(200)),
  Endpoints: v.object({ docker: v.object({ Host: v.string(), SkipTLSVerify: v.optional(v.boolean()) }) }),
});

/** The engines of docker's contexts, by name, but for our own. A context that cannot be read is docker's to complain about. */
export async function contextEngines(directory: string): Promise<readonly RemoteEngine[]> {
  const metas = join(directory, "contexts", "meta");
  const folders = await readdir(metas).catch(() => []);
  const found = await Promise.all(folders.map((folder) => read(metas, join(directory, "contexts", "tls", folder, "docker"), folder).catch(() => undefined)));
  return found.filter((engine) => engine !== undefined).toSorted((a, b) => a.name.localeCompare(b.name));
}

async function read(metas: string, certificates: string, folder: string): Promise<RemoteEngine | undefined> {
  const meta = v.safeParse(metaSchema, await readJsonObject(join(metas, folder, "meta.json")));
  if (!meta.success || meta.output.Name === contextName) return undefined;
  const { Name: name, Endpoints } = meta.output;
  const { Host: url, SkipTLSVerify: skipVerify } = Endpoints.docker;
  const [ca, cert, key] = await Promise.all(["ca.pem", "cert.pem", "key.pem"].map((file) => there(join(certificates, file))));
  const tls: EngineTls = { ...(ca && { ca }), ...(cert && { cert }), ...(key && { key }), ...(skipVerify === true && { skipVerify }) };
  const address = { url, ...(url.startsWith("tcp:") && Object.keys(tls).length > 0 && { tls }) };
  return { id: `context ${name}`, name, source: "context", portHost: portHostOf(address), ...address };
}

const there = (path: string): Promise<string | undefined> =>
  access(path).then(
    () => path,
    () => undefined,
  );
