import { delimited } from "./delimited.js";

/** The slowest bucket that is not slow yet, by each level of a canary's judging; in the map `limits`. */
export const limitsEntry = delimited("|", "p90", "p99");
