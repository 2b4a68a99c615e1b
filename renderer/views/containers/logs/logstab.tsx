import type { ContainerInspect } from "#api/containers.ts";
import { LogPane } from "#renderer/views/logs/logpane.tsx";
import { useLogSession } from "./uselogsession.ts";

/** A container's log. */
export const LogsTab = ({ container }: { readonly container: ContainerInspect }) => (
  <LogPane session={useLogSession(container)} name={container.Name.replace(/^\//, "")} />
);
