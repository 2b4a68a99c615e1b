import { activityTexts } from "./activity.ts";
import { buildTexts } from "./builds.ts";
import { composeTexts } from "./compose.ts";
import { containerTexts } from "./containers.ts";
import { containerTabTexts } from "./containertabs.ts";
import { enginesTexts } from "./engines.ts";
import { enginePageTexts } from "./engine.ts";
import { logTexts } from "./logs.ts";
import { machineTexts } from "./machine.ts";
import { objectTexts } from "./objects.ts";
import { pageTexts } from "./page.ts";
import { settingsTexts } from "./settings.ts";
import { shellTexts } from "./shell.ts";
import { trashTexts } from "./trash.ts";

/** The English catalogue, which says what there is to be said: functions fill in names and numbers. */
export const english = {
  ...activityTexts,
  ...buildTexts,
  ...composeTexts,
  ...containerTexts,
  ...containerTabTexts,
  ...enginePageTexts,
  ...enginesTexts,
  ...logTexts,
  ...machineTexts,
  ...objectTexts,
  ...pageTexts,
  ...settingsTexts,
  ...shellTexts,
  ...trashTexts,
};
