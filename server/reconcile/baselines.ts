import type { ReleaseRecord } from "../../core/records/releases/release-record.js";
import { BASELINE, CANARY, PRODUCTION, type RouteTable } from "../../core/records/routes/route-table.js";
import { Output } from "../pipeline/output.js";
import type { Pipeline } from "../pipeline/pipeline.js";
import { RouteWatch } from "../routes/route-watch.js";
import { withoutTrack } from "../routes/route-changes.js";
import type { ReconcileNeeds } from "./needs.js";

/** Each try takes its time in the app's queue, and leaves a record. */
const PAUSE_MS = { first: 60_000, longest: 3_600_000 };

type Copier = Pick<Pipeline, "exclusively" | "begin" | "toSettled">;

/** Keeps a baseline beside each canary that is to have one: fresh instances of the release that is production now. */
export class Baselines {
  private readonly stopping = new AbortController();

  constructor(
    private readonly tools: ReconcileNeeds,
    private readonly pipeline: Copier,
  ) {}

  start(): { stop(): Promise<void> } {
    const watch = new RouteWatch({
      tools: this.tools,
      name: "baseline",
      concerns: ({ tracks }) => tracks[CANARY] !== undefined || tracks[BASELINE] !== undefined,
      attend: async (table) => this.attend(table),
      pauseMs: PAUSE_MS,
    }).start();
    return {
      stop: async () => {
        this.stopping.abort(new Error("the server stops"));
        await watch.stop();
      },
    };
  }

  private async attend(table: RouteTable): Promise<void> {
    const { app } = table;
    const { routes, clock } = this.tools;
    const move = nextMove(await this.tracksOf(table));
    if (move === "remove") {
      // It stays for a canary that has come since.
      const isDue = ({ tracks }: RouteTable): boolean =>
        [BASELINE, CANARY].every((track) => tracks[track] === table.tracks[track]);
      await routes.update(app, (now) => (isDue(now) ? withoutTrack(now, BASELINE, clock.now()) : now));
    } else if (move === "make") {
      const place = { app, what: "a baseline", signal: this.stopping.signal };
      await this.pipeline.exclusively(place, async (signal) => this.make(app, signal));
    }
  }

  /** What was true when its turn was asked for may not be so any more. */
  private async make(app: string, signal: AbortSignal): Promise<void> {
    const tracks = await this.tracksOf(await this.tools.routes.read(app));
    const { production, canary } = tracks;
    if (nextMove(tracks) !== "make" || production === undefined || canary === undefined) return;
    const web = canary.processes.find(({ name }) => name === "web");
    const order = {
      ...production,
      track: BASELINE,
      by: canary.by,
      skipGates: false,
      quarantine: {},
      copy: {
        copyOf: production.number,
        processes: production.processes.map((process) => ({
          ...process,
          quantity: process.name === "web" ? (web?.quantity ?? 1) : 0,
        })),
      },
    };
    const out = new Output();
    try {
      await this.pipeline.toSettled(await this.pipeline.begin(order, out), signal);
    } finally {
      await out.close();
    }
  }

  private async tracksOf({ app, tracks }: RouteTable): Promise<Tracks> {
    const recordOf = async (track: string): Promise<ReleaseRecord | undefined> => {
      const number = tracks[track];
      return number === undefined ? undefined : this.tools.releases.find(app, number);
    };
    return {
      production: await recordOf(PRODUCTION),
      canary: await recordOf(CANARY),
      baseline: await recordOf(BASELINE),
    };
  }
}

interface Tracks {
  readonly production: ReleaseRecord | undefined;
  readonly canary: ReleaseRecord | undefined;
  readonly baseline: ReleaseRecord | undefined;
}

function nextMove({ production, canary, baseline }: Tracks): "make" | "remove" | "none" {
  if (production === undefined || canary?.canary.baseline !== true)
    return baseline === undefined ? "none" : "remove";
  return baseline?.copyOf === production.number ? "none" : "make";
}
