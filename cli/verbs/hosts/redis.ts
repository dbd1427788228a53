import type { Command } from "commander";
import { silentLog } from "../../../core/log.js";
import type { Context } from "../../start/context.js";
import type { ReplicaState } from "../../start/replicas/promote.js";
import type { ReplicaHost } from "../../start/replicas/start-replica.js";

/** `sluice redis [promote | demote]`: on a host with the role `redis`, whether a server answers or not. */
export function redisVerb(command: Command, context: () => Promise<Context>): void {
  command.action(async () => withReplica(await context(), showState));
  command
    .command("promote")
    .description("make the replica of this host the primary: the server's machine is lost")
    .action(async () => withReplica(await context(), promoteHere));
  command
    .command("demote")
    .description("make it a replica again; what it has got as the primary is lost")
    .option("--yes", "do it")
    .action(async ({ yes = false }: { readonly yes?: boolean }) => {
      if (!yes) command.error("error: what this host's Redis has got as the primary is lost; --yes does it");
      await withReplica(await context(), demoteHere);
    });
}

async function withReplica(
  context: Context,
  work: (context: Context, host: ReplicaHost) => Promise<void>,
): Promise<void> {
  const { startReplica } = await import("../../start/replicas/start-replica.js");
  const host = await startReplica(context, silentLog);
  try {
    await work(context, host);
  } finally {
    host.disconnect();
  }
}

async function showState(context: Context, host: ReplicaHost): Promise<void> {
  const { replicaState } = await import("../../start/replicas/promote.js");
  context.print(stateText(await replicaState(host), host.places.server));
}

function stateText({ isPromoted, replication, term }: ReplicaState, server: string): string {
  if (isPromoted) return `Redis is the primary here, since ${term?.at ?? "?"}.`;
  if (replication.isInSync) return `A replica of Redis at ${server}, in sync.`;
  return term === undefined
    ? `A replica of Redis at ${server} that has nothing yet.`
    : `A replica of Redis at ${server}, without a connection for ${replication.downSeconds ?? 0} s.`;
}

async function promoteHere(context: Context, host: ReplicaHost): Promise<void> {
  const { promote, replicaState } = await import("../../start/replicas/promote.js");
  const { replication, isPromoted } = await replicaState(host);
  await promote(context, host);
  if (isPromoted) {
    context.print("Redis was the primary here already.");
    return;
  }
  const until = new Date(Date.now() - (replication.downSeconds ?? 0) * 1000);
  context.print("-----> Redis is the primary here now");
  context.print(`       with all that the server's had written until about ${until.toISOString()}`);
  context.print("       The other hosts come here by themselves. When the server is started again, it takes");
  context.print("       all back first, and this one becomes a replica again.");
}

async function demoteHere(context: Context, host: ReplicaHost): Promise<void> {
  const { demote } = await import("../../start/replicas/promote.js");
  await demote(host);
  context.print(`Redis is a replica of ${host.places.server} here.`);
}
