import { useStore } from "zustand";
import type { RemoteEngine } from "#bridge/bridge.ts";
import { useApp } from "#renderer/appcontext.ts";
import { t } from "#renderer/core/texts.ts";

/** The name of what this window shows. */
export const useShownName = (): string => useApp().shown?.name ?? t.engines.here;

/** Whether the engine has Docker's API alone. */
export const useForeign = (): boolean => useStore(useApp().machine, ({ status }) => status?.foreign === true);

/** Whether folders of this computer mean anything to docker compose beside the engine. */
export function useComposesHere(): boolean {
  const foreign = useForeign();
  return useApp().shown === undefined && !foreign;
}

/** How it is reached, in a word. */
export const wayTo = ({ url }: Pick<RemoteEngine, "url">): string => url.slice(0, url.indexOf(":"));
