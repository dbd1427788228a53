import type { SwarmNode, SwarmTask } from "../../../../../server/engines/swarm/swarm-api.js";

/** A host that is ready, at the address `ID.test`. */
export function aNode(id: string, more: Partial<SwarmNode> = {}): SwarmNode {
  return {
    ID: id,
    Spec: { Availability: "active", Labels: {} },
    Description: { Hostname: `host-${id}` },
    Status: { State: "ready", Addr: `${id}.test` },
    ...more,
  };
}

/** A task that runs on the host `a` at its port 32768. */
export function aTask(
  id: string,
  more: Partial<SwarmTask> = {},
  status: Partial<SwarmTask["Status"]> = {},
): SwarmTask {
  return {
    ID: id,
    ServiceID: "service",
    NodeID: "a",
    CreatedAt: `2026-01-01T00:00:0${id}.000000000Z`,
    DesiredState: "running",
    Status: {
      State: "running",
      Timestamp: `2026-01-01T00:00:0${id}.500000000Z`,
      Err: "",
      ContainerStatus: { ContainerID: "container", PID: 77, ExitCode: 0 },
      PortStatus: { Ports: [{ TargetPort: 5000, PublishedPort: 32_768 }] },
      ...status,
    },
    ...more,
  };
}

/** A task that a host could not prepare. */
export function aRefusal(id: string, nodeId: string, reason: string): SwarmTask {
  const status = { State: "rejected", Err: reason, ContainerStatus: undefined, PortStatus: null };
  return aTask(id, { NodeID: nodeId, DesiredState: "shutdown" }, status);
}
