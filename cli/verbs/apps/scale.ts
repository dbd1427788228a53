import { InvalidArgumentError, type Command } from "commander";
import { scaledSchema, scaleSummarySchema, type ScaleSummary } from "../../../core/api/apps/scale.js";
import { workLineSchema, type WorkLine } from "../../../core/api/work.js";
import { apiPath } from "../../client/api-path.js";
import { Client } from "../../client/client.js";
import type { Context } from "../../start/context.js";
import { show, type Format } from "../../show/show.js";
import { table } from "../../show/table.js";
import { utcTime } from "../../show/utc-time.js";

/** `sluice scale APP [PROCESS=N …]`: shows or changes the number of instances of production. */
export function scaleVerb(command: Command, context: () => Promise<Context>): void {
  command
    .argument("<app>")
    .argument("[sizes...]", "for example web=3 worker=1", parseSize)
    .option("--json", "as JSON")
    // Without any, commander answers an empty list.
    .action(async (app: string, sizes: Sizes | [], options: Format) =>
      scale(await context(), app, Array.isArray(sizes) ? {} : sizes, options),
    );
}

/** Process → how many instances. */
type Sizes = Readonly<Record<string, number>>;

async function scale(context: Context, app: string, sizes: Sizes, { json }: Format): Promise<void> {
  const client = new Client(context);
  const path = apiPath("apps", app, "scale");
  if (Object.keys(sizes).length > 0) {
    const shape = { line: workLineSchema, done: scaledSchema };
    const print = ({ line }: WorkLine): void => {
      if (!json) context.print(line);
    };
    await client.stream("PUT", path, shape, print, sizes);
    if (!json) return;
  }
  show(context, { json }, await client.call("GET", path, scaleSummarySchema), scaleLines);
}

/** Adds one argument: `web=3`. */
function parseSize(text: string, sizes: Sizes = {}): Sizes {
  const [, process, quantity] = /^([a-z][a-z0-9-]*)=(\d{1,3})$/.exec(text) ?? [];
  if (process === undefined || Number(quantity) > 100)
    throw new InvalidArgumentError("It must be PROCESS=N, such as web=3, with N from 0 to 100.");
  return { ...sizes, [process]: Number(quantity) };
}

function scaleLines({ app, release, processes, autoscaler, decisions }: ScaleSummary): string[] {
  if (release === null) return [`${app} has no production release yet.`];
  const sizes = processes.map(
    ({ process, quantity, running }) =>
      `${process} ${quantity}${quantity === running ? "" : ` (${running} running)`}`,
  );
  const bounds =
    autoscaler === null
      ? "no autoscaling"
      : `web autoscaled from ${autoscaler.min} to ${autoscaler.max}, at ${autoscaler.cpuTarget} % CPU per instance`;
  const rows = decisions.map(({ at, by, process, from, to, reason, outcome }) => [
    ...[utcTime(at), by, `${process} ${from} → ${to}`, outcome, reason],
  ]);
  return [
    `${release}: ${sizes.join(", ")}; ${bounds}`,
    ...(rows.length === 0 ? [] : table(["at (UTC)", "by", "change", "outcome", "reason"], rows)),
  ];
}
