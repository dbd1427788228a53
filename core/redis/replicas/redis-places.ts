import { readFile } from "node:fs/promises";
import { z } from "zod";
import { parseRecord } from "../parse-record.js";

const redisPlacesSchema = z.object({
  v: z.literal(1),
  /** The server's private address. */
  server: z.string(),
  /** Of Sluice's Redis, over TLS. */
  redisPort: z.number(),
  /** Of the apps' Redis. */
  appsPort: z.number(),
  replicas: z.array(z.object({ host: z.string(), address: z.string() })).readonly(),
});

/** Where Sluice's Redis and the apps' Redis are, and their replicas: at the same ports everywhere. */
export type RedisPlaces = z.infer<typeof redisPlacesSchema>;

/** Those in a file; undefined where nobody has written one. */
export async function readRedisPlaces(file: string): Promise<RedisPlaces | undefined> {
  const text = await readFile(file, "utf8").catch((error: unknown) => {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return undefined;
    throw error;
  });
  return text === undefined ? undefined : parseRecord(redisPlacesSchema, text, file);
}

export function redisPlacesText(places: Omit<RedisPlaces, "v">): string {
  return `${JSON.stringify({ v: 1, ...places }, undefined, 2)}\n`;
}
