import { t } from "#renderer/core/texts.ts";
import { Spinner } from "./spinner.tsx";

/** A list on its way. It comes into sight only when that takes a while: most lists are there before anybody looks. */
export const Reading = () => (
  <div role="status" data-testid="reading" className="appear-late flex flex-1 items-center justify-center gap-2 pb-10 text-fg2">
    <Spinner size={15} /> {t.common.reading}
  </div>
);
