import { explain } from "#renderer/core/explain.ts";
import { t } from "#renderer/core/texts.ts";
import { ErrorNotice } from "#renderer/ui/errornotice.tsx";
import { Logo } from "#renderer/views/shell/logo.tsx";

/** The page was opened without the right to: an old address, or a tab that was restored. */
export const NoBridge = ({ error }: { readonly error: unknown }) => (
  <main className="flex h-full items-center justify-center bg-side p-6">
    <div className="flex w-full max-w-[460px] flex-col gap-4">
      <Logo size={44} />
      <ErrorNotice explanation={{ ...explain(error, t.boot.noKey), advice: t.boot.noKeyAdvice }} />
    </div>
  </main>
);
