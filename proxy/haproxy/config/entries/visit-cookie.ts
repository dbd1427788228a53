import { delimited } from "./delimited.js";

/**
 * The cookie `sluice`: `TRACK.vN`; for a visitor whom chance has sent there `TRACK.vN.DRAW.TICKET`, followed by `.g` once they
 * have reached the goal of an A/B test.
 *
 * - `draw`: a `drawEntry`, `vN-SHARE`: the canary that the visitor was counted for last, and the share at which they were sent
 * - `ticket`: a random number by which the visitor is recognised, so that they count once
 */
export const visitCookie = delimited(".", "track", "version", "draw", "ticket", "goal");
