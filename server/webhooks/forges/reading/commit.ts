import { z } from "zod";

/** 40 hexadecimal digits, or 64 in a repository of SHA-256. All zeros stand for no commit: read as undefined. */
export const commitSchema = z
  .string()
  .regex(/^(?:[0-9a-f]{40}|[0-9a-f]{64})$/, "must be 40 or 64 lower-case hexadecimal digits")
  .transform((digits) => (/^0+$/.test(digits) ? undefined : digits));
