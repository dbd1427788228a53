import { z } from "zod";
import { appSummarySchema } from "../apps/apps.js";
import { proxySummarySchema } from "./proxies.js";

const stateSchema = z.enum(["up", "down"]);

const redisReplicaSchema = z.object({
  host: z.string(),
  address: z.string(),
  /** `syncing`: it gets all that there is. `silent`: it is not connected. */
  state: z.enum(["in-sync", "syncing", "silent"]),
});

/** `GET /status` */
export const serverStatusSchema = z.object({
  version: z.string(),
  /** Of the Node server. */
  pid: z.number(),
  home: z.string(),
  memoryMegabytes: z.number(),
  proxy: z.object({
    state: stateSchema,
    pid: z.number().optional(),
    port: z.number(),
    revision: z.number().optional(),
  }),
  /** All that there are, here and elsewhere. */
  proxies: z.array(proxySummarySchema).readonly(),
  redis: z.object({
    state: stateSchema,
    pid: z.number().optional(),
    /** Of it and of the apps' Redis, on other hosts. */
    replicas: z.array(redisReplicaSchema).readonly(),
  }),
  /** The Redis that apps use; missing where that is the one above. */
  appsRedis: z.object({ state: stateSchema, pid: z.number().optional() }).optional(),
  disk: z.object({
    freeMegabytes: z.number(),
    /** With less there are no releases: Redis must be able to write its log. */
    neededMegabytes: z.number(),
    isFull: z.boolean(),
  }),
  /** `sluice:alert` is yes: no canary gets visitors. */
  alert: z.boolean(),
  /** Apps whose releases an earlier server left, and that are still being looked after: what is asked for them waits. */
  recovering: z.array(z.string()).readonly(),
  apps: z.array(appSummarySchema).readonly(),
});

export type RedisReplica = z.infer<typeof redisReplicaSchema>;
export type ServerStatus = z.infer<typeof serverStatusSchema>;
