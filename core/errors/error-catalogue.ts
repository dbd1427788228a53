import { entry } from "./catalogue-entry.js";
import { appsErrors } from "./catalogue/apps-errors.js";
import { digitaloceanErrors } from "./catalogue/digitalocean-errors.js";
import { flagsErrors } from "./catalogue/flags-errors.js";
import { fleetErrors } from "./catalogue/fleet-errors.js";
import { hooksErrors } from "./catalogue/hooks-errors.js";
import { hostsErrors } from "./catalogue/hosts-errors.js";
import { imagesErrors } from "./catalogue/images-errors.js";
import { pushErrors } from "./catalogue/push-errors.js";
import { receiversErrors } from "./catalogue/receivers-errors.js";
import { requestsErrors } from "./catalogue/requests-errors.js";
import { servicesErrors } from "./catalogue/services-errors.js";
import { startErrors } from "./catalogue/start-errors.js";
import { stepsErrors } from "./catalogue/steps-errors.js";
import { treeErrors } from "./catalogue/tree-errors.js";
import { webhooksErrors } from "./catalogue/webhooks-errors.js";

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
  ...imagesErrors,
  ...stepsErrors,
  ...hostsErrors,
  ...fleetErrors,
  ...digitaloceanErrors,
  ...hooksErrors,
  internal: entry<{ reason: string }>(
    500,
    ({ reason }) => `Unexpected error: ${reason}`,
    () => "See server.log in the state folder for details.",
  ),
} as const;
