import { useQuery, type UseQueryResult } from "@tanstack/react-query";
import { useMemo } from "react";
import type { ComposeCheck, ComposeProjectSource } from "#api/compose.ts";
import { useApp } from "#renderer/appcontext.ts";
import type { ComposeProject } from "#renderer/core/compose.ts";
import type { ProjectModel } from "#renderer/core/composeplan.ts";
import { keys } from "#renderer/core/keys.ts";
import { useEngineUp, useHostInfo } from "#renderer/queries.ts";
import { useComposesHere } from "#renderer/views/engines/useengines.ts";

/** Where a project's files lie; undefined while that is not known, or when its containers do not say. */
export function useSource(folder: string, files: readonly string[], project: string): ComposeProjectSource | undefined {
  const composesHere = useComposesHere();
  const home = useHostInfo().data?.home;
  const joined = files.join("\n");
  return useMemo(
    () =>
      home === undefined || !composesHere || folder === "" || joined === ""
        ? undefined
        : { folder, files: joined.split("\n"), project, home: home.startsWith("/") ? home : "" },
    [home, composesHere, folder, joined, project],
  );
}

export const useProjectSource = (project: ComposeProject | undefined): ComposeProjectSource | undefined =>
  useSource(project?.folder ?? "", project?.files ?? [], project?.name ?? "");

/** How docker compose understands the files on the disk. Read anew whenever somebody looks. */
export function useCheck(source: ComposeProjectSource | undefined): UseQueryResult<ComposeCheck> {
  const { engine } = useApp();
  return useQuery({
    queryKey: keys.composeCheck(source?.files ?? []),
    queryFn: () => engine.compose.check(source as ComposeProjectSource),
    enabled: useEngineUp() && source !== undefined,
    staleTime: 0,
    retry: false,
  });
}

export const modelOf = (check: ComposeCheck | undefined): ProjectModel | undefined => check?.model as ProjectModel | undefined;

/** Address of a project that is opened by its files. */
export const pathOfFiles = (files: readonly string[]): string => `/compose/files/${encodeURIComponent(files.join("\n"))}`;
