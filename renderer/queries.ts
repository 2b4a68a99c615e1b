import { useQuery, useQueryClient, type UseQueryResult } from "@tanstack/react-query";
import { useEffect, useMemo } from "react";
import { useStore } from "zustand";
import type { BuildDetails, BuildSummary } from "#api/builds.ts";
import type { ContainerInspect, ContainerSummary } from "#api/containers.ts";
import type { ImageInspect, ImageSummary } from "#api/images.ts";
import type { NetworkInspect } from "#api/networks.ts";
import type { TrashList } from "#api/trash.ts";
import type { Volume } from "#api/volumes.ts";
import type { BuildWhy, PullWhy, Why } from "#api/why.ts";
import type { ContextStatus, FolderListing, HostInfo, RemoteEngine, Settings } from "#bridge/bridge.ts";
import type { EngineInfo } from "#renderer/core/engine/engine.ts";
import { type UseOfKind, diskUse } from "#renderer/core/diskuse.ts";
import { keys } from "#renderer/core/keys.ts";
import { engineUp, ownEngineUp } from "#renderer/core/machine.ts";
import type { Transfer } from "#renderer/core/transfers.ts";
import { useApp } from "./appcontext.ts";

/** Whether the engine answers; while it does not, lists stay as last read. */
export const useEngineUp = (): boolean => useStore(useApp().machine, engineUp);

/** Whether it answers and has what is Slipway's own, beyond Docker's API. */
const useOwnEngineUp = (): boolean => useStore(useApp().machine, ownEngineUp);

export const useContainers = (): UseQueryResult<ContainerSummary[]> => {
  const { engine } = useApp();
  return useQuery({ queryKey: keys.containers, queryFn: () => engine.containers.list(), enabled: useEngineUp() });
};

export const useContainer = (id: string): UseQueryResult<ContainerInspect> => {
  const { engine } = useApp();
  return useQuery({ queryKey: keys.container(id), queryFn: () => engine.containers.inspect(id), enabled: useEngineUp(), retry: false });
};

/** Why a container is not as somebody wanted it; asked only of one that does not run, or is not well. */
export function useWhy({ Id, State }: ContainerInspect): Why["Explanation"] {
  const { engine } = useApp();
  const asked = State.Status !== "running" || State.Health?.Status === "unhealthy";
  const { data } = useQuery({ queryKey: keys.why(Id), queryFn: () => engine.containers.why(Id), enabled: useOwnEngineUp() && asked, retry: false });
  return asked ? (data?.Explanation ?? null) : null;
}

export const useImages = (): UseQueryResult<ImageSummary[]> => {
  const { engine } = useApp();
  return useQuery({ queryKey: keys.images, queryFn: () => engine.images.list(), enabled: useEngineUp() });
};

export const useImage = (name: string): UseQueryResult<ImageInspect> => {
  const { engine } = useApp();
  return useQuery({ queryKey: keys.image(name), queryFn: () => engine.images.inspect(name), enabled: useEngineUp(), retry: false });
};

/** Builds are read again whenever one begins or ends while somebody looks: the engine's events do not tell of them. */
function useBuildChanges(): void {
  const { engine, queries } = useApp();
  const up = useOwnEngineUp();
  useEffect(() => {
    if (!up) return;
    const left = new AbortController();
    const stale = (): void => void queries.invalidateQueries({ queryKey: keys.builds });
    void (async () => {
      for await (const _ of engine.builds.changes(left.signal, stale)) stale();
    })().catch(() => undefined); // an engine that goes away tells by its state
    return () => left.abort();
  }, [up, engine, queries]);
}

export const useBuilds = (): UseQueryResult<BuildSummary[]> => {
  const { engine } = useApp();
  useBuildChanges();
  return useQuery({ queryKey: keys.builds, queryFn: () => engine.builds.list(), enabled: useOwnEngineUp() });
};

export const useBuild = (ref: string): UseQueryResult<BuildDetails> => {
  const { engine } = useApp();
  useBuildChanges();
  return useQuery({ queryKey: keys.build(ref), queryFn: () => engine.builds.read(ref), enabled: useOwnEngineUp() && ref !== "", retry: false });
};

/** Why a build failed; null of one that did not, and until it is known. */
export function useBuildWhy(ref: string, failed: boolean): BuildWhy["Explanation"] {
  const { engine } = useApp();
  const { data } = useQuery({ queryKey: keys.buildWhy(ref), queryFn: () => engine.builds.why(ref), enabled: useOwnEngineUp() && failed, retry: false });
  return failed ? (data?.Explanation ?? null) : null;
}

/** Why a pull of this window failed. */
export function usePullWhy({ id, name, kind, state }: Transfer): PullWhy["Explanation"] {
  const { engine } = useApp();
  const failed = kind === "pull" && state.kind === "failed";
  const { data } = useQuery({ queryKey: keys.pullWhy(name, id), queryFn: () => engine.images.why(name), enabled: useOwnEngineUp() && failed, retry: false });
  return failed ? (data?.Explanation ?? null) : null;
}

/** What is in a folder of this computer; undefined: nothing is asked for. */
export const useFolder = (path: string | undefined): UseQueryResult<FolderListing> => {
  const { bridge } = useApp();
  return useQuery({
    queryKey: ["host", "folder", path],
    queryFn: () => bridge.call("folders.list", { path: path ?? "" }),
    enabled: path !== undefined,
    staleTime: 0,
    gcTime: 0,
    retry: false,
  });
};

export const useVolumes = (): UseQueryResult<Volume[]> => {
  const { engine } = useApp();
  return useQuery({ queryKey: keys.volumes, queryFn: async () => (await engine.volumes.list()).Volumes ?? [], enabled: useEngineUp() });
};

/** What each volume takes of the disk. Counting it is work: it is asked for once a minute at most, while somebody looks. */
export const useVolumeSizes = (): ReadonlyMap<string, number> => {
  const { engine } = useApp();
  const { data } = useQuery({ queryKey: keys.usage, queryFn: () => engine.usage("volume"), enabled: useEngineUp(), staleTime: 60_000, retry: false });
  return useMemo(() => new Map((data?.Volumes ?? []).map(({ Name, UsageData }) => [Name, UsageData?.Size ?? -1])), [data]);
};

/** What takes room on the disk, of every kind; counted when somebody looks. */
export const useDiskUse = (): UseQueryResult<readonly UseOfKind[]> => {
  const { engine } = useApp();
  return useQuery({ queryKey: keys.diskUse, queryFn: async () => diskUse(await engine.usage()), enabled: useEngineUp(), staleTime: 5_000, retry: false });
};

export const useVolume = (name: string): UseQueryResult<Volume> => {
  const { engine } = useApp();
  return useQuery({ queryKey: keys.volume(name), queryFn: () => engine.volumes.inspect(name), enabled: useEngineUp(), retry: false });
};

/** What can be brought back; an engine of before has no such thing. */
export const useTrash = (): UseQueryResult<TrashList> => {
  const { engine } = useApp();
  return useQuery({ queryKey: keys.trash, queryFn: () => engine.trash.list(), enabled: useOwnEngineUp(), retry: false });
};

export const useNetworks = (): UseQueryResult<NetworkInspect[]> => {
  const { engine } = useApp();
  return useQuery({ queryKey: keys.networks, queryFn: () => engine.networks.list(), enabled: useEngineUp() });
};

export const useNetwork = (id: string): UseQueryResult<NetworkInspect> => {
  const { engine } = useApp();
  return useQuery({ queryKey: keys.network(id), queryFn: () => engine.networks.inspect(id), enabled: useEngineUp(), retry: false });
};

export const useEngineInfo = (): UseQueryResult<EngineInfo> => {
  const { engine } = useApp();
  return useQuery({ queryKey: keys.info, queryFn: () => engine.info(), enabled: useEngineUp() });
};

export const useHostInfo = (): UseQueryResult<HostInfo> => {
  const { bridge } = useApp();
  return useQuery({ queryKey: keys.hostInfo, queryFn: () => bridge.call("host.info") });
};

/** Engines beside this computer's. */
export const useEngines = (): UseQueryResult<readonly RemoteEngine[]> => {
  const { bridge } = useApp();
  return useQuery({ queryKey: keys.engines, queryFn: () => bridge.call("engines.list") });
};

export const useSettings = (): UseQueryResult<Settings> => {
  const { bridge } = useApp();
  return useQuery({ queryKey: keys.settings, queryFn: () => bridge.call("settings.get") });
};

/** They never change while the window is open. */
export const useSettingsDefaults = (): UseQueryResult<Settings> => {
  const { bridge } = useApp();
  return useQuery({ queryKey: keys.settingsDefaults, queryFn: () => bridge.call("settings.defaults"), staleTime: Infinity });
};

export const useDaemonConfig = (): UseQueryResult<{ readonly path: string; readonly text: string }> => {
  const { bridge } = useApp();
  return useQuery({ queryKey: keys.daemonConfig, queryFn: () => bridge.call("config.get"), refetchOnMount: "always" });
};

export const useContextStatus = (): UseQueryResult<ContextStatus> => {
  const { bridge } = useApp();
  return useQuery({ queryKey: keys.context, queryFn: () => bridge.call("context.status"), enabled: useEngineUp() });
};

/** Writes host settings and keeps the answer. */
export function useSaveSettings(): (change: Partial<Settings>) => Promise<Settings> {
  const { bridge } = useApp();
  const queries = useQueryClient();
  return async (change) => {
    const settings = await bridge.call("settings.set", change);
    queries.setQueryData(keys.settings, settings);
    return settings;
  };
}
