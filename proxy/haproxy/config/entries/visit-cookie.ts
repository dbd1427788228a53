import { delimited } from "./delimited.js";

/** The cookie `sluice`: `TRACK.vN`; in an A/B test `TRACK.vN.TEST`, and `TRACK.vN.TEST.g` once the goal is reached. */
export const visitCookie = delimited(".", "track", "version", "test", "goal");
