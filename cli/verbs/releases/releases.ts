import type { Command } from "commander";
import { releasesSchema, type ReleaseSummary } from "../../../core/api/apps/releases.js";
import { apiPath } from "../../client/api-path.js";
import { Client } from "../../client/client.js";
import type { Context } from "../../start/context.js";
import { show, type Format } from "../../show/show.js";
import { table } from "../../show/table.js";
import { utcTime } from "../../show/utc-time.js";

/** `sluice releases APP` */
export function releasesVerb(command: Command, context: () => Promise<Context>): void {
  command
    .argument("<app>")
    .option("--json", "as JSON")
    .action(async (app: string, options: Format) => releases(await context(), app, options));
}

async function releases(context: Context, app: string, options: Format): Promise<void> {
  const path = apiPath("apps", app, "releases");
  const answer = await new Client(context).call("GET", path, releasesSchema);
  show(context, options, answer, releaseLines);
}

function releaseLines(summaries: readonly ReleaseSummary[]): string[] {
  const rows = summaries.map(({ release, commit, track, traffic, phase, at, by, error }) => [
    release,
    commit.slice(0, 10),
    track,
    traffic === "no" ? phase : traffic,
    utcTime(at),
    by,
    error ?? "",
  ]);
  return table(["release", "commit", "track", "state", "queued (UTC)", "by", ""], rows);
}
