import { delimited } from "./delimited.js";

/**
 * The cookie `sluice`: `TRACK.vN`; for a visitor whom chance has sent there `TRACK.vN.DRAW.TICKET`, followed by `.g` once they
 * have reached the goal of an A/B test.
 *
 * - `draw`: `vN-SHARE`, the canary and its share (in ten-thousandths) for which the ticket was drawn
 * - `ticket`: a random number that decides between the tracks, whatever the share is
 */
export const visitCookie = delimited(".", "track", "version", "draw", "ticket", "goal");
