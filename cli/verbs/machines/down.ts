import type { Command } from "commander";
import type { Context } from "../../start/context.js";

/** `sluice down` */
export function downVerb(command: Command, context: () => Promise<Context>): void {
  command
    .option("--keep-traffic", "stop only the server, for an upgrade; instances and proxy keep running")
    .action(async (options: DownOptions) => stop(await context(), options));
}

interface DownOptions {
  readonly keepTraffic?: boolean;
}

async function stop(context: Context, { keepTraffic = false }: DownOptions): Promise<void> {
  // Redis and more: loaded here, so that no other command waits for it.
  const { down } = await import("../../start/down.js");
  const stopped = await down(context, { keepTraffic });
  if (!stopped.server && stopped.services === 0) context.print("Nothing was running.");
  else if (keepTraffic)
    context.print("The server has stopped; traffic continues. `sluice up` takes over again.");
  else context.print("Sluice has stopped.");
}
