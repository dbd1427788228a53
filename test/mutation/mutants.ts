import type { Mutant } from "./mutant.js";
import { access } from "./mutants/access.js";
import { brokenOff } from "./mutants/broken-off.js";
import { canary } from "./mutants/canary.js";
import { loop } from "./mutants/loop.js";
import { monitor } from "./mutants/monitor.js";
import { outbox } from "./mutants/outbox.js";
import { release } from "./mutants/release.js";
import { routes } from "./mutants/routes.js";
import { tree } from "./mutants/tree.js";
import { webhooks } from "./mutants/webhooks.js";

export const MUTANTS: readonly Mutant[] = [
  ...release,
  ...brokenOff,
  ...loop,
  ...routes,
  ...canary,
  ...monitor,
  ...webhooks,
  ...outbox,
  ...access,
  ...tree,
];
