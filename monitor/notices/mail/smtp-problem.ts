import type { NodemailerError } from "nodemailer/lib/errors";
import { DeliveryError } from "../../../core/outbox/delivery-error.js";

/** The pause after a server asks for fewer mails. */
const RATE_PAUSE_MS = 60_000;
/** Servers also report limits of a mailbox or a day with 5xx, each in its own words. */
const RATE_LIMIT = /\brate\b|\btoo (?:many|fast)\b|throttl|sending (?:limit|quota)/i;
/** 530: it requires a login or TLS first, which says nothing about the mail. */
const NOT_OF_THE_MAIL: ReadonlySet<number> = new Set([503, 530]);

/**
 * What nodemailer's error means for the next try. Only a 5xx answer to the sender, the recipient or the mail itself is final: a
 * server that refuses us before that (a wrong password, say) can be fixed while the mail waits. `server`: HOST:PORT. Pure.
 */
export function smtpProblem(error: NodemailerError, server: string, to: string): DeliveryError {
  const { code = "", responseCode, response = "" } = error;
  const answer = response.replace(/[\p{Cc}\s]+/gu, " ").trim();
  if (responseCode === undefined || answer === "")
    return new DeliveryError(`${server} ${unanswered(error)}`, { cause: error });
  const isOfTheMail = code === "EENVELOPE" || code === "EMESSAGE";
  const isRateLimit = responseCode === 421 || RATE_LIMIT.test(answer);
  const isFinal = isOfTheMail && responseCode >= 500 && !NOT_OF_THE_MAIL.has(responseCode) && !isRateLimit;
  const what = isOfTheMail ? `the mail to ${to}` : code === "EAUTH" ? "the user or the password" : "us";
  return new DeliveryError(`${server} refuses ${what}: ${answer}`, {
    isFinal,
    ...(isRateLimit ? { retryAfterMs: RATE_PAUSE_MS } : {}),
    cause: error,
  });
}

function unanswered({ code = "", message, errno }: NodemailerError): string {
  if (code === "ETIMEDOUT") return "does not answer";
  if (code === "EDNS") return `is not found (${message})`;
  return errno === undefined ? `cannot be used: ${message}` : `cannot be reached (${message})`;
}
