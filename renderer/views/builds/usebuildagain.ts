import { useLocation } from "wouter";
import type { BuildOptions } from "#api/builds.ts";
import { isClass } from "#base/errors.ts";
import { useApp } from "#renderer/appcontext.ts";
import { buildName } from "#renderer/core/builds.ts";
import { t } from "#renderer/core/texts.ts";
import { toastFailed } from "#renderer/core/toasts.ts";

/** Begins a build as another was, and shows it; what keeps it from beginning is told. */
export function useBuildAgain(): (options: BuildOptions) => Promise<void> {
  const { builds } = useApp();
  const [, go] = useLocation();
  return async (options) => {
    try {
      go(`/builds/${await builds.start(options).begun}`);
    } catch (error) {
      if (!isClass(error, "cancelled")) toastFailed(error, t.builds.rerunFailed(buildName({ options })));
    }
  };
}
