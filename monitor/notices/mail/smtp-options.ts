import { isIP } from "node:net";
import type { SmtpSettings } from "../../../core/settings/sender-settings.js";

export interface SmtpTimeouts {
  readonly connectMs: number;
  readonly greetingMs: number;
  /** Without a word. Longer than the others: a server may look into a mail before it accepts it, and who leaves meanwhile sends it twice. */
  readonly answerMs: number;
}

export const SMTP_TIMEOUTS: SmtpTimeouts = { connectMs: 10_000, greetingMs: 10_000, answerMs: 60_000 };

export interface SmtpServer {
  readonly host: string;
  readonly port: number;
  /** TLS from the first byte on. */
  readonly secure: boolean;
  readonly user: string | undefined;
  readonly password: string | undefined;
}

export function smtpServerOf(settings: SmtpSettings): SmtpServer {
  const { url, host = "", port, secure = port === 465, user, password } = settings;
  if (url === undefined) return { host, port: port ?? portOf(secure), secure, user, password };
  const parsed = new URL(url);
  const isSecure = parsed.protocol === "smtps:";
  return {
    host: parsed.hostname.replace(/^\[|\]$/g, ""),
    port: parsed.port === "" ? portOf(isSecure) : Number(parsed.port),
    secure: isSecure,
    user: textOf(parsed.username),
    password: password ?? textOf(parsed.password),
  };
}

/**
 * For nodemailer. A password goes over an encrypted connection only, whose certificate is checked; a server on this machine may do
 * without, or have one that nobody signed.
 */
export function smtpOptions(
  { host, port, secure, user, password }: SmtpServer,
  { connectMs, greetingMs, answerMs }: SmtpTimeouts,
) {
  const isHere = isLoopback(host);
  return {
    host,
    port,
    secure,
    requireTLS: password !== undefined && !isHere,
    tls: { rejectUnauthorized: !isHere },
    ...(user === undefined ? {} : { auth: { user, pass: password ?? "" } }),
    connectionTimeout: connectMs,
    greetingTimeout: greetingMs,
    socketTimeout: answerMs,
    disableFileAccess: true,
    disableUrlAccess: true,
  };
}

function portOf(secure: boolean): number {
  return secure ? 465 : 587;
}

function textOf(part: string): string | undefined {
  return part === "" ? undefined : decodeURIComponent(part);
}

function isLoopback(host: string): boolean {
  return host === "localhost" || host === "::1" || (isIP(host) === 4 && host.startsWith("127."));
}
