import { pino, type Logger } from "pino";

export type Log = Logger;

/** JSON lines with a constant message plus fields. ERROR means that a person must act. */
export function createLog(destination: NodeJS.WritableStream, level: string): Log {
  return pino(
    {
      level,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      redact: {
        paths: ["token", "password", "secret", "*.token", "*.password", "*.secret"],
        censor: "[redacted]",
      },
      serializers: { err: pino.stdSerializers.err },
    },
    destination,
  );
}

export const silentLog: Log = pino({ level: "silent" });
