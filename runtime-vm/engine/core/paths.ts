import { join } from "node:path";

/** Every name the engine keeps under its root directory, in one place. */
export const enginePaths = (root: string) =>
  ({
    root,
    /** SQLite database. */
    state: join(root, "state.db"),
    /** OCI image layout: oci-layout, index.json, blobs/sha256. */
    content: join(root, "content"),
    /** Half-written blobs. */
    ingest: join(root, "ingest"),
    /** <hex>.tar with <hex>.erofs beside it, or <hex>/ directories. */
    layers: join(root, "layers"),
    /** <container>/{upper,work,merged}. */
    snapshots: join(root, "snapshots"),
    /** <container>/ hostname, hosts, resolv.conf, log files. */
    containers: join(root, "containers"),
    /** <container>/ container.json and log files, of removed ones. */
    logMemory: join(root, "log-memory"),
    /** <name>/_data. */
    volumes: join(root, "volumes"),
    /** <id>/_data, of removed volumes that can be brought back. */
    removedVolumes: join(root, "removed-volumes"),
    /** Of builds: mounts/<hash>/ are their cache mounts, work/ what they need while they run. */
    builds: join(root, "builds"),
    buildMounts: join(root, "builds", "mounts"),
    /** <id>/<hash>/, of removed cache mounts that can be brought back. */
    removedBuildMounts: join(root, "builds", "removed-mounts"),
    buildWork: join(root, "builds", "work"),
    /** Removed things awaiting reclaim. */
    trash: join(root, "trash"),
    /** Engine log, rotated. */
    log: join(root, "engine.log"),
    /** Things that a reboot may forget: bundles, FIFOs, shim sockets, netns files. */
    run: join(root, "run"),
    bundles: join(root, "run", "bundles"),
    shims: join(root, "run", "shims"),
    netns: join(root, "run", "netns"),
    /** <map>/{containers,mounts}: user namespaces. */
    userns: join(root, "run", "userns"),
    /** <container>.json: network sandboxes that are open. */
    sandboxes: join(root, "run", "sandboxes"),
    /** <container>-<n>: roots put together with their volumes while somebody copies. */
    views: join(root, "run", "views"),
    layerMounts: join(root, "run", "layers"),
    /** <stack of layers>/: what every root has over its image. */
    outfits: join(root, "run", "outfits"),
  }) as const;

export type EnginePaths = ReturnType<typeof enginePaths>;
