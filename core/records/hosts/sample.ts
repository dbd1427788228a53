import { z } from "zod";

const figure = z.number().nonnegative();
/** Of the host's size, 0 to 100. */
const percent = figure.max(100);
const space = z.object({ usedMegabytes: figure, totalMegabytes: figure, percent });

const instanceSampleSchema = z.object({ cpu: percent, memoryMegabytes: figure, restarts: figure });

/** What one instance took. */
export type InstanceSample = z.infer<typeof instanceSampleSchema>;

/**
 * A host during one second, or a little more. Its size is the machine's, or what a control group leaves of it. What the kernel
 * does not tell is missing.
 */
export const sampleSchema = z.object({
  /** How many processors its CPU percentages are of; not whole under a quota. */
  cpus: z.number().positive(),
  /** `busy` is all but idle and iowait: also what the hypervisor took while there was work. */
  cpu: z.object({ user: percent, system: percent, iowait: percent, steal: percent, busy: percent }),
  /** Used: what could not be had without swapping. */
  memory: space,
  load1: figure.optional(),
  /** Percent of the time in which somebody waited for it (PSI, `some`). */
  pressure: z.object({ cpu: percent, memory: percent, io: percent }).optional(),
  /** Where the state folder lies. */
  disk: space.optional(),
  /** Bytes per second, without loopback. */
  network: z.object({ receivedBytes: figure, sentBytes: figure }).optional(),
  /** `APP.vN.PROCESS.INDEX` → what it took. */
  instances: z.record(z.string(), instanceSampleSchema),
});

export type Sample = z.infer<typeof sampleSchema>;

/** The figures of a host that rules can name and that are kept by the minute. New ones go to the end: the order is kept in Redis. */
export const METRICS = {
  cpu: ({ cpu }) => cpu.busy,
  cpuUser: ({ cpu }) => cpu.user,
  cpuSystem: ({ cpu }) => cpu.system,
  cpuIowait: ({ cpu }) => cpu.iowait,
  cpuSteal: ({ cpu }) => cpu.steal,
  memory: ({ memory }) => memory.percent,
  memoryUsedMegabytes: ({ memory }) => memory.usedMegabytes,
  load1: ({ load1 }) => load1,
  pressureCpu: ({ pressure }) => pressure?.cpu,
  pressureMemory: ({ pressure }) => pressure?.memory,
  pressureIo: ({ pressure }) => pressure?.io,
  disk: ({ disk }) => disk?.percent,
  diskUsedMegabytes: ({ disk }) => disk?.usedMegabytes,
  networkReceivedBytes: ({ network }) => network?.receivedBytes,
  networkSentBytes: ({ network }) => network?.sentBytes,
} as const satisfies Readonly<Record<string, (sample: Sample) => number | undefined>>;

export type Metric = keyof typeof METRICS;

// Object.keys loses the keys' types; these are the table's own.
export const METRIC_NAMES = Object.keys(METRICS) as [Metric, ...Metric[]];
