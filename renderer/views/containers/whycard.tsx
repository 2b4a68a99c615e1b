import { Lightbulb } from "lucide-react";
import type { ContainerInspect } from "#api/containers.ts";
import { t } from "#renderer/core/texts.ts";
import { useWhy } from "#renderer/queries.ts";
import { WhyNotice } from "#renderer/ui/whynotice.tsx";

/** Why the container ended, does not start or is not well. */
export function WhyCard({ container }: { readonly container: ContainerInspect }) {
  const explanation = useWhy(container);
  if (explanation === null) return null;
  return (
    <section aria-label={t.containers.why} data-testid="why" className="mx-4 mt-1 mb-2">
      <WhyNotice explanation={explanation} icon={Lightbulb} tone="warn" />
    </section>
  );
}
