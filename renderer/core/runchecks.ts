import type { ContainerSummary } from "#api/containers.ts";
import { canStop } from "./containers.ts";
import { plainName } from "./format.ts";
import type { FormErrors, RunForm } from "./runform.ts";
import { t } from "./texts.ts";

/** What the other containers stand in the way of, by the form's field: a name that is taken, ports that a running one publishes. */
export function conflicts(form: RunForm, containers: readonly ContainerSummary[]): Readonly<Record<string, string>> {
  const found: Record<string, string> = {};
  const name = form.name.trim();
  if (name !== "" && containers.some(({ Names }) => Names.includes(`/${name}`))) found["name"] = t.formErrors.nameTaken;
  form.ports.forEach(({ host, protocol }, index) => {
    const port = Number(host.trim());
    if (!(port > 0)) return;
    const holder = containers.find(({ State, Ports }) => canStop(State) && Ports.some((one) => one.PublicPort === port && one.Type === protocol));
    if (holder !== undefined) found[`ports.${index}.host`] = t.run.portTaken(host.trim(), plainName(holder.Names));
  });
  return found;
}

export type RunTab = "basic" | "advanced" | "network" | "security";

const tabOf: Readonly<Record<string, RunTab>> = {
  entrypoint: "advanced",
  workdir: "advanced",
  user: "advanced",
  hostname: "advanced",
  labels: "advanced",
  pidsLimit: "advanced",
  autoRemove: "advanced",
  network: "network",
  aliases: "network",
  dns: "network",
  extraHosts: "network",
};

/** Where the first mistake is. */
export function tabWithError(errors: FormErrors): RunTab | undefined {
  const first = Object.keys(errors)[0];
  return first === undefined ? undefined : (tabOf[first.split(".")[0] ?? ""] ?? "basic");
}
