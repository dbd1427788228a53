import { InvalidArgumentError } from "commander";
import type { ScaleSummary } from "../server/api/scale-api.js";
import { Client } from "./client.js";
import type { Context } from "./context.js";
import { table } from "./table.js";

/** Process → how many instances. */
export type Sizes = Readonly<Record<string, number>>;

/** `sluice scale APP [PROCESS=N …]`: what production has, or a change of it. */
export async function scale(
  context: Context,
  app: string,
  sizes: Sizes,
  { json = false }: { readonly json?: boolean },
): Promise<void> {
  const client = new Client(context);
  const path = `/api/apps/${encodeURIComponent(app)}/scale`;
  if (Object.keys(sizes).length > 0) {
    await client.stream("PUT", path, sizes, ({ line }) => {
      if (!json) context.print(String(line));
    });
    if (!json) return;
  }
  // The shape is the server's own: both come from one build.
  const summary = (await client.call("GET", path)) as ScaleSummary;
  if (json) context.print(JSON.stringify(summary, undefined, 2));
  else for (const line of scaleLines(summary)) context.print(line);
}

/** One argument more: `web=3`. */
export function parseSize(text: string, sizes: Sizes = {}): Sizes {
  const [, process, quantity] = /^([a-z][a-z0-9-]*)=(\d{1,3})$/.exec(text) ?? [];
  if (process === undefined || Number(quantity) > 100)
    throw new InvalidArgumentError("It must be like web=3: a process, and 0 to 100 instances of it.");
  return { ...sizes, [process]: Number(quantity) };
}

function scaleLines({ app, release, processes, autoscaler, decisions }: ScaleSummary): string[] {
  if (release === null) return [`${app} has no production yet.`];
  const sizes = processes.map(
    ({ process, quantity, running }) =>
      `${process} ${quantity}${quantity === running ? "" : ` (${running} running)`}`,
  );
  const bounds =
    autoscaler === null
      ? "not scaled by itself"
      : `web by itself from ${autoscaler.min} to ${autoscaler.max}, at ${autoscaler.cpuTarget} % CPU of each`;
  const rows = decisions.map(({ at, by, process, from, to, reason, outcome }) => [
    ...[at.slice(0, 19).replace("T", " "), by, `${process} ${from} → ${to}`, outcome, reason],
  ]);
  return [
    `${release}: ${sizes.join(", ")}; ${bounds}`,
    ...(rows.length === 0 ? [] : table(["at (UTC)", "by", "change", "outcome", "reason"], rows)),
  ];
}
