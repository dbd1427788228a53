import { readFile } from "node:fs/promises";
import { z } from "zod";
import { parseRecord } from "../parse-record.js";

const replicaOrderSchema = z.object({
  v: z.literal(1),
  /** The replica's. */
  host: z.string(),
  address: z.string(),
  /** Its user of the server's Redis. */
  user: z.string(),
  password: z.string(),
  /** Of the server's user of this one: SHA-256, hexadecimal. */
  serverPasswordHash: z.string(),
});

/** That the Redis of a host is to be a replica of the server's. `RedisPlaces` says where that is. */
export type ReplicaOrder = z.infer<typeof replicaOrderSchema>;

export async function readReplicaOrder(file: string): Promise<ReplicaOrder> {
  return parseRecord(replicaOrderSchema, await readFile(file, "utf8"), file);
}

export function replicaOrderText(order: Omit<ReplicaOrder, "v">): string {
  return `${JSON.stringify({ v: 1, ...order }, undefined, 2)}\n`;
}
