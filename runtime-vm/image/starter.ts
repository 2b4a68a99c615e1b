import { createHash } from "node:crypto";
import { readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { buffer } from "node:stream/consumers";
import { gzipSync } from "node:zlib";
import { pack } from "tar-stream";
import { appletsOf } from "./busybox.ts";
import type { Arch } from "./recipe.ts";

/**
 * The starter image, so that there is something to run without any network: Debian's static busybox with all its
 * applets and a welcome page, as the tar of an OCI image layout (image-spec 1.1). The same inputs make the same bytes.
 */
export const starterName = "docker.io/slipway/welcome:latest";

const date = new Date("2025-01-01T00:00:00Z");
/** A shell as the first process, since busybox's httpd as such would not hear SIGTERM. */
const command = ["sh", "-c", "trap 'exit 0' TERM INT; httpd -f -vv -p 80 -h /www & wait"];

interface Entry {
  readonly name: string;
  readonly type?: "directory" | "symlink";
  readonly target?: string;
  readonly mode?: number;
  readonly data?: Buffer;
}

/** `pages`: the directory of the web pages; `icon`: their icon. */
export async function writeStarter(path: string, { busybox, pages, icon, arch }: { busybox: string; pages: string; icon: string; arch: Arch }): Promise<void> {
  const layer = await tar([...systemEntries(busybox), ...pageEntries(pages, icon)]);
  const packed = gzipSync(layer, { level: 9 });
  const config = json({
    created: date.toISOString(),
    architecture: arch,
    os: "linux",
    config: {
      ExposedPorts: { "80/tcp": {} },
      Env: ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"],
      Cmd: command,
      WorkingDir: "/",
      Labels: {
        "org.opencontainers.image.title": "Welcome to Slipway",
        "org.opencontainers.image.description": "A web server and a shell, from Debian's busybox",
      },
    },
    rootfs: { type: "layers", diff_ids: [digest(layer)] },
    history: [{ created: date.toISOString(), created_by: "npm run image" }],
  });
  const manifest = json({
    schemaVersion: 2,
    mediaType: "application/vnd.oci.image.manifest.v1+json",
    config: descriptor("application/vnd.oci.image.config.v1+json", config),
    layers: [descriptor("application/vnd.oci.image.layer.v1.tar+gzip", packed)],
  });
  const annotations = { "io.containerd.image.name": starterName, "org.opencontainers.image.ref.name": "latest" };
  const index = json({
    schemaVersion: 2,
    mediaType: "application/vnd.oci.image.index.v1+json",
    manifests: [{ ...descriptor("application/vnd.oci.image.manifest.v1+json", manifest), platform: { architecture: arch, os: "linux" }, annotations }],
  });
  const blobs = [packed, config, manifest].map((data): Entry => ({ name: `blobs/sha256/${digest(data).slice("sha256:".length)}`, data }));
  writeFileSync(path, await tar([{ name: "oci-layout", data: json({ imageLayoutVersion: "1.0.0" }) }, { name: "index.json", data: index }, ...blobs]));
}

function systemEntries(busybox: string): Entry[] {
  const directories = ["bin", "dev", "etc", "proc", "root", "sys", "tmp", "usr/bin", "var"];
  const texts = { passwd: "root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/false\n", group: "root:x:0:\nnogroup:x:65534:\n" };
  return [
    ...directories.map((name): Entry => ({ name, type: "directory", mode: name === "tmp" ? 0o1777 : 0o755 })),
    { name: "usr/bin/env", type: "symlink", target: "../../bin/busybox" },
    ...Object.entries(texts).map(([name, text]): Entry => ({ name: `etc/${name}`, data: Buffer.from(text) })),
    { name: "bin/busybox", mode: 0o755, data: readFileSync(busybox) },
    ...appletsOf(busybox)
      .filter((applet) => applet !== "busybox")
      .map((applet): Entry => ({ name: `bin/${applet}`, type: "symlink", target: "busybox" })),
  ];
}

function pageEntries(pages: string, icon: string): Entry[] {
  const below = (path: string): Entry[] =>
    readdirSync(join(pages, path))
      .toSorted()
      .flatMap((name) => {
        const at = join(path, name);
        if (statSync(join(pages, at)).isDirectory()) return [{ name: join("www", at), type: "directory" as const }, ...below(at)];
        return [{ name: join("www", at), mode: path === "cgi-bin" ? 0o755 : 0o644, data: readFileSync(join(pages, at)) }];
      });
  return [{ name: "www", type: "directory" }, { name: "www/icon.svg", data: readFileSync(icon) }, ...below("")];
}

async function tar(entries: readonly Entry[]): Promise<Buffer> {
  const archive = pack();
  for (const { name, type, target, mode, data } of entries) {
    const head = { name, mtime: date, uid: 0, gid: 0, uname: "root", gname: "root" };
    if (type === "directory") archive.entry({ ...head, type, mode: mode ?? 0o755 });
    else if (type === "symlink") archive.entry({ ...head, type, linkname: target ?? "", mode: 0o777 });
    else archive.entry({ ...head, mode: mode ?? 0o644, size: data?.length ?? 0 }, data ?? Buffer.alloc(0));
  }
  archive.finalize();
  return await buffer(archive);
}

const json = (value: unknown): Buffer => Buffer.from(JSON.stringify(value));
const digest = (data: Buffer): string => `sha256:${createHash("sha256").update(data).digest("hex")}`;
const descriptor = (mediaType: string, data: Buffer): object => ({ mediaType, digest: digest(data), size: data.length });
