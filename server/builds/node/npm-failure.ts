import { z } from "zod";

export interface NpmFailure {
  /** What was wrong: the registry's certificate, the version asked for, or anything else. */
  readonly kind: "certificate" | "version" | "other";
  /** In npm's words, one line. */
  readonly reason: string;
}

/** `--json` makes npm write this to stdout when it fails, whatever it says on stderr. */
const failureSchema = z.object({ error: z.object({ code: z.string().nullish(), summary: z.string() }) });

/** OpenSSL's names, as Node.js hands them on (tls: "X509 certificate error codes"). */
const CERTIFICATE = /CERT|SELF_SIGNED|UNABLE_TO_VERIFY/;
const LONGEST_REASON = 300;

/** Reads why `npm --json` failed. */
export function parseNpmFailure(stdout: string, stderr: string): NpmFailure {
  const { code, summary } = failureOf(stdout) ?? { code: undefined, summary: firstLine(stderr) };
  const reason = summary.replace(/^(?:\w*Error: )+/, "").slice(0, LONGEST_REASON);
  if (code != null && CERTIFICATE.test(code)) return { kind: "certificate", reason: `${reason} (${code})` };
  // A registry without the package at all answers E404 as well, and that is no matter of the version.
  if (/^No match(?:ing version)? found/.test(reason)) return { kind: "version", reason };
  return { kind: "other", reason: code == null ? reason : `${reason} (${code})` };
}

function failureOf(stdout: string): z.infer<typeof failureSchema>["error"] | undefined {
  try {
    return failureSchema.parse(JSON.parse(stdout)).error;
  } catch {
    return undefined;
  }
}

function firstLine(stderr: string): string {
  const lines = stderr.split("\n").map((line) => line.replace(/^npm (?:error|ERR!)\s*/, "").trim());
  return lines.find((line) => line !== "" && !line.startsWith("code ")) ?? "npm printed no reason";
}
