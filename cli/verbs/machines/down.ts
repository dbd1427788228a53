import type { Command } from "commander";
import type { Context } from "../../start/context.js";

/** `sluice down` */
export function downVerb(command: Command, context: () => Promise<Context>): void {
  command
    .option("--keep-traffic", "stop the server only, for an upgrade: the instances and the proxy go on")
    .action(async (options: DownOptions) => stop(await context(), options));
}

interface DownOptions {
  readonly keepTraffic?: boolean;
}

async function stop(context: Context, { keepTraffic = false }: DownOptions): Promise<void> {
  // Redis and more: no other command should have to wait until that is read.
  const { down } = await import("../../start/down.js");
  const stopped = await down(context, { keepTraffic });
  if (!stopped.server && stopped.services === 0) context.print("Nothing was running.");
  else if (keepTraffic)
    context.print("The server is stopped; the traffic goes on. `sluice up` takes it over again.");
  else context.print("Sluice is stopped.");
}
