import { z } from "zod";
import { quote } from "../../../core/exec/quote.js";
import { AppError } from "../../../core/errors/app-error.js";
import type { RemoteHost } from "../../ssh/remote-host.js";
import type { HostPlan, SwarmPlan } from "../host-plan.js";
import { DEADLINE_MS, type Task } from "../task.js";

const JOIN_TIMEOUT_MS = 50_000;

const swarmSchema = z.object({
  NodeID: z.string().default(""),
  LocalNodeState: z.string(),
  ControlAvailable: z.boolean().default(false),
  RemoteManagers: z
    .array(z.object({ Addr: z.string() }))
    .nullish()
    .transform((managers) => managers ?? []),
});

/** What the machine's Docker says of its Swarm. */
export async function readSwarm(host: RemoteHost): Promise<z.infer<typeof swarmSchema>> {
  const text = await host.output("docker info --format '{{json .Swarm}}'");
  return swarmSchema.parse(JSON.parse(text));
}

/** A worker of the server's Swarm. */
export const swarmMembership: Task = {
  name: "Swarm",
  deadlineMs: DEADLINE_MS.quick,
  check: async (host, plan) => {
    const swarm = planned(plan);
    const { LocalNodeState, ControlAvailable, RemoteManagers } = await readSwarm(host);
    if (LocalNodeState === "inactive") return ["it is in none"];
    const isOurs = RemoteManagers.some(({ Addr }) => Addr === swarm.manager);
    if (ControlAvailable || (LocalNodeState !== "error" && !isOurs))
      throw new AppError("host-unfit", {
        host: plan.name,
        problem: ControlAvailable
          ? "its Docker manages a Swarm of its own"
          : `its Docker is in another Swarm, of ${RemoteManagers.map(({ Addr }) => Addr).join(", ")}`,
        fix: "If nothing there is needed any more, run on it: docker swarm leave --force.",
      });
    return LocalNodeState === "active" ? [] : [`it is ${LocalNodeState}`];
  },
  apply: async (host, plan) => {
    const { token, manager } = planned(plan);
    // One that was removed while it was away.
    if ((await readSwarm(host)).LocalNodeState !== "inactive")
      await host.output("docker swarm leave --force");
    const address = quote(plan.privateAddress);
    const options = `--advertise-addr ${address} --listen-addr ${address}:2377`;
    await host.output(`docker swarm join --token ${quote(token)} ${options} ${quote(manager)}`, {
      timeoutMs: JOIN_TIMEOUT_MS,
    });
  },
};

function planned({ swarm, name }: HostPlan): SwarmPlan {
  if (swarm === undefined) throw new Error(`${name} is to join no Swarm`);
  return swarm;
}
