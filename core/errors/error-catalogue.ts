import { entry } from "./catalogue-entry.js";
import { appsErrors } from "./apps-errors.js";
import { flagsErrors } from "./flags-errors.js";
import { hooksErrors } from "./hooks-errors.js";
import { hostsErrors } from "./hosts-errors.js";
import { pushErrors } from "./push-errors.js";
import { receiversErrors } from "./receivers-errors.js";
import { requestsErrors } from "./requests-errors.js";
import { servicesErrors } from "./services-errors.js";
import { startErrors } from "./start-errors.js";
import { stepsErrors } from "./steps-errors.js";
import { treeErrors } from "./tree-errors.js";
import { webhooksErrors } from "./webhooks-errors.js";

/** Every `AppError` there is; `docs/errors.md` lists them. */
export const catalogue = {
  ...appsErrors,
  ...requestsErrors,
  ...flagsErrors,
  ...receiversErrors,
  ...webhooksErrors,
  ...startErrors,
  ...servicesErrors,
  ...pushErrors,
  ...treeErrors,
  ...stepsErrors,
  ...hostsErrors,
  ...hooksErrors,
  internal: entry<{ reason: string }>(
    500,
    ({ reason }) => `Unexpected error: ${reason}`,
    () => "See server.log in the state folder for details.",
  ),
} as const;
