import type { Step } from "./step.js";
import { checkout } from "./steps/checkout.js";
import { copy } from "./steps/copy.js";
import { dependencies } from "./steps/dependencies.js";
import { gatesAndBuild } from "./steps/gates-and-build.js";
import { live } from "./steps/live.js";
import { settle } from "./steps/settle.js";
import { tidy } from "./steps/tidy.js";
import { start } from "./steps/start.js";

/** What happens to a commit that was pushed. Up to `healthy` it can be declined; `live` is the point of no return. */
export const DEPLOY: readonly Step[] = [checkout, dependencies, gatesAndBuild, start, live, settle];

/** What happens to an earlier release that is to serve again: no rebuild, and from standby only a switch. */
export const ROLLBACK: readonly Step[] = [start, live, settle];

/** What follows when a canary has become production: it is built, runs and serves already. */
export const PROMOTION: readonly Step[] = [tidy];

/** What makes fresh instances of a release that is built already: none of its scripts runs again. */
export const COPY: readonly Step[] = [copy, start, live, tidy];
