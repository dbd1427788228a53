import { BASELINE, CANARY, PRODUCTION } from "../../../core/records/routes/route-table.js";
import type { AppRoutes, ReleaseRoutes, Split } from "../../../proxy/proxy.js";
import type { HttpAnswer } from "../../support/running/test-sluice.js";
import type { ProxyTrial } from "./proxy-trial.js";

interface Listens {
  readonly address: string;
}

export interface WantedSplit extends Partial<Pick<Split, "header" | "goal" | "slow">> {
  /** v1 */
  readonly production?: Listens | undefined;
  /** v2 */
  readonly canary?: Listens | undefined;
  /** v3 */
  readonly baseline?: Listens | undefined;
  /** 30 */
  readonly share?: number;
  readonly sticky?: boolean;
}

/** Routes of the app `a` beside whose production there is a canary, perhaps with a baseline. */
export function splitRoutes(wanted: WantedSplit): AppRoutes {
  const { share = 30, header, goal, slow, sticky = false } = wanted;
  const present = ([PRODUCTION, CANARY, BASELINE] as const).flatMap((track, index) => {
    const server = wanted[track];
    return server === undefined ? [] : [{ track, number: index + 1, address: server.address }];
  });
  const keyOf = (wantedTrack: string): string | undefined => {
    const found = present.find(({ track }) => track === wantedTrack);
    return found && `a/v${found.number}`;
  };
  const split = { canary: keyOf(CANARY), share, baseline: keyOf(BASELINE), header, goal, slow };
  return {
    hosts: new Map([
      ["a.localhost", `a/${PRODUCTION}`],
      ...present.map(({ number }) => [`v${number}.a.localhost`, `a/v${number}`] as const),
      ...present.map(({ track }) => [`${track}.a.localhost`, `a/${track}`] as const).slice(1),
    ]),
    https: new Map(),
    guards: new Map(),
    errorPage: undefined,
    accessLog: false,
    tracks: new Map(present.map(({ track, number }) => [`a/${track}`, `a/v${number}`])),
    splits:
      split.canary === undefined && header === undefined ? new Map() : new Map([[`a/${PRODUCTION}`, split]]),
    releases: new Map(
      present.map(({ track, number, address }): [string, ReleaseRoutes] => [
        `a/v${number}`,
        { track, servers: new Map([[`a.v${number}.web.1:1`, address]]), sticky, asleep: false },
      ]),
    ),
  };
}

/** `canary v2` */
export function whereOf({ headers }: HttpAnswer): string {
  return `${String(headers["sluice-track"])} ${String(headers["sluice-release"])}`;
}

/** `sluice=canary.v2`; undefined when none was given. */
export function cookieOf({ headers }: HttpAnswer): string | undefined {
  return headers["set-cookie"]?.find((cookie) => cookie.startsWith("sluice="))?.split(";")[0];
}

/** The same with `TICKET` where its random number is: `sluice=canary.v2.v2-3000.TICKET`. */
export function shapeOf(answer: HttpAnswer): string | undefined {
  return withoutTicket(cookieOf(answer));
}

export function withoutTicket(cookie: string | undefined): string | undefined {
  return cookie?.replace(/^((?:[^.]*\.){3})\d{2,10}\b/, "$1TICKET");
}

/** Where so many visits went: `canary v2` → how many. */
export async function visits(
  trial: ProxyTrial,
  count: number,
  headers: Record<string, string> = {},
): Promise<Record<string, number>> {
  const seen: Record<string, number> = {};
  for (let visit = 0; visit < count; visit++) {
    const where = whereOf(await trial.get("a", "/", headers));
    seen[where] = (seen[where] ?? 0) + 1;
  }
  return seen;
}
