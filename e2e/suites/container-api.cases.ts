import { acts } from "./container-api.acts.ts";
import type { ApiCase } from "./container-api.case.ts";
import { files } from "./container-api.files.ts";
import { joins } from "./container-api.joins.ts";
import { kills } from "./container-api.kills.ts";
import { lists } from "./container-api.lists.ts";
import { lives } from "./container-api.lives.ts";
import { oddities } from "./container-api.odd.ts";
import { outputs } from "./container-api.outputs.ts";
import { queries } from "./container-api.queries.ts";
import { rest } from "./container-api.rest.ts";
import { everythingShown } from "./container-api.shown.ts";
import { wrongTypes } from "./container-api.types.ts";
import { wrongValues } from "./container-api.values.ts";

/** The field that is wrong is the first one said. */
const fieldOf = ({ steps }: ApiCase): string => {
  const body = steps[0]?.body as { readonly HostConfig?: object };
  const { HostConfig: hostConfig, ...config } = body;
  const names = Object.keys(config).filter((name) => name !== "Image" && name !== "Cmd");
  return names[0] ?? Object.keys(hostConfig ?? {})[0] ?? (hostConfig === undefined ? "" : "HostConfig");
};

export const apiCases: readonly ApiCase[] = [
  ...wrongTypes.map((one) => ({ ...one, field: fieldOf(one) })),
  ...wrongValues,
  ...queries,
  ...lives,
  ...acts,
  ...kills,
  ...joins,
  ...outputs,
  ...files,
  ...rest,
  ...oddities,
  ...lists,
  ...everythingShown,
];
