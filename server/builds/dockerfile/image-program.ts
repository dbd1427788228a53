import { z } from "zod";
import type { ImageProgram } from "../../../core/records/releases/artifact.js";

const words = z
  .array(z.string())
  .nullish()
  .transform((value) => value ?? []);
const keys = z
  .record(z.string(), z.unknown())
  .nullish()
  .transform((value) => Object.keys(value ?? {}));

/** What `docker image inspect` says under Config, as far as it is read. */
const configSchema = z.object({
  User: z.string().nullish(),
  Env: words,
  Entrypoint: words,
  Cmd: words,
  ExposedPorts: keys,
  Volumes: keys,
  Healthcheck: z
    .object({ Test: words, Interval: z.number().default(0), Retries: z.number().default(0) })
    .nullish(),
});

export type ImageConfig = z.infer<typeof configSchema>;

/** Throws `ZodError`. */
export function parseImageConfig(text: string): ImageConfig {
  return configSchema.parse(JSON.parse(text));
}

const OWN_PORT = 5000;
const NANOSECONDS = 1e9;
/** Docker's own, where HEALTHCHECK leaves them out (Docker's manual, "HEALTHCHECK"). */
const USUAL = { intervalSeconds: 30, retries: 3 };
/** Docker looks for the first time after one interval, and nobody gets the release before. */
const LONGEST_INTERVAL_SECONDS = 3;

/**
 * How an image's program is started, and what people should know of that. `port`: where it listens, if app.json says so; else
 * it is ENV PORT, the lowest that EXPOSE names, or 5000. Pure.
 */
export function imageProgram(
  config: ImageConfig,
  port: number | undefined,
): { readonly program: ImageProgram; readonly remarks: readonly string[] } {
  const exposed = exposedPorts(config);
  const own = Number(config.Env.find((line) => line.startsWith("PORT="))?.slice("PORT=".length) ?? NaN);
  const chosen = port ?? (isPort(own) ? own : (exposed[0] ?? OWN_PORT));
  const several = port === undefined && !isPort(own) && exposed.length > 1;
  const program = {
    entrypoint: config.Entrypoint,
    command: config.Cmd,
    user: config.User ?? "",
    port: chosen,
    ...healthCheckOf(config),
  };
  return {
    program,
    remarks: [
      ...(several
        ? [
            `EXPOSE names ${exposed.join(", ")}: visitors get to ${chosen} (sluice.dockerfile.port in app.json)`,
          ]
        : []),
      ...config.Volumes.map((folder) => `VOLUME ${folder}: what is written there goes with its instance`),
    ],
  };
}

function exposedPorts({ ExposedPorts }: ImageConfig): number[] {
  return ExposedPorts.flatMap((name) => {
    const [number = "", protocol = "tcp"] = name.split("/");
    return protocol === "tcp" && isPort(Number(number)) ? [Number(number)] : [];
  }).sort((a, b) => a - b);
}

function isPort(number: number): boolean {
  return Number.isInteger(number) && number > 0 && number < 65_536;
}

/** More often than it says, and as patient: a new instance is known sooner, and one that fails is given the same time. */
function healthCheckOf({ Healthcheck }: ImageConfig): Pick<ImageProgram, "healthCheck"> {
  const [kind = "NONE"] = Healthcheck?.Test ?? [];
  if (Healthcheck === null || Healthcheck === undefined || kind === "NONE") return {};
  const said = Healthcheck.Interval === 0 ? USUAL.intervalSeconds : Healthcheck.Interval / NANOSECONDS;
  const retries = Healthcheck.Retries === 0 ? USUAL.retries : Healthcheck.Retries;
  const intervalSeconds = Math.min(said, LONGEST_INTERVAL_SECONDS);
  return { healthCheck: { intervalSeconds, retries: Math.ceil((said * retries) / intervalSeconds) } };
}
