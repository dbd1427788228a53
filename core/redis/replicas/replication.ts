import type { Database } from "../database.js";

/** How a Redis stands to others (redis.io, `INFO replication`). */
export interface Replication {
  readonly role: "primary" | "replica";
  /** Bytes of its primary's changes that it has, its own where it is the primary. */
  readonly offset: number;
  /** Whether a replica is connected to its primary and has all that was there when it connected. */
  readonly isInSync: boolean;
  /** Of a replica. */
  readonly primaryAddress: string | undefined;
  /** Since when a replica has no connection; undefined for one that has. */
  readonly downSeconds: number | undefined;
  readonly replicas: readonly ConnectedReplica[];
}

export interface ConnectedReplica {
  readonly address: string;
  /** Whether it has all that was there when it connected. */
  readonly isInSync: boolean;
  readonly offset: number;
  /** Since it said last how far it is. */
  readonly lagSeconds: number;
}

export async function readReplication(redis: Database): Promise<Replication> {
  return parseReplication(await redis.info("replication"));
}

export function parseReplication(info: string): Replication {
  const values = new Map(
    info.split("\r\n").map((line) => {
      const at = line.indexOf(":");
      return [line.slice(0, at), line.slice(at + 1)] as const;
    }),
  );
  const number = (name: string): number => Number(values.get(name) ?? 0);
  const isReplica = values.get("role") === "slave";
  const isUp = values.get("master_link_status") === "up";
  return {
    role: isReplica ? "replica" : "primary",
    offset: number(isReplica ? "slave_repl_offset" : "master_repl_offset"),
    isInSync: isReplica && isUp && number("master_sync_in_progress") === 0,
    primaryAddress: values.get("master_host"),
    downSeconds: isReplica && !isUp ? number("master_link_down_since_seconds") : undefined,
    replicas: [...values].flatMap(([name, text]) => (/^slave\d+$/.test(name) ? [parseConnected(text)] : [])),
  };
}

/** `ip=10.0.0.3,port=6379,state=online,offset=42,lag=0` */
function parseConnected(text: string): ConnectedReplica {
  const fields = new Map(text.split(",").map((field) => field.split("=") as [string, string]));
  return {
    address: fields.get("ip") ?? "",
    isInSync: fields.get("state") === "online",
    offset: Number(fields.get("offset")),
    lagSeconds: Number(fields.get("lag")),
  };
}
