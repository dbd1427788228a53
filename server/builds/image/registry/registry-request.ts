import { once } from "node:events";
import { createReadStream } from "node:fs";
import type { IncomingHttpHeaders, IncomingMessage } from "node:http";
import { request, type Agent } from "node:https";
import { pipeline } from "node:stream/promises";
import { AppError } from "../../../../core/errors/app-error.js";
import { abortReason } from "../../../../core/clock.js";

/** Where a registry is, and how it knows us. */
export interface RegistryAccess {
  /** `HOST:PORT`, always https. */
  readonly address: string;
  readonly user: string;
  readonly password: string;
  /** The certificates of the authorities that may vouch for it, and no others; PEM. */
  readonly ca: string;
}

export interface RegistryRequest {
  readonly method: "GET" | "HEAD" | "POST" | "PUT" | "DELETE";
  /** A path, or the URL that the registry has given. */
  readonly url: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Buffer | { readonly file: string; readonly bytes: number };
}

export interface RegistryAnswer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  /** At most 4 MiB of it. */
  readonly text: string;
}

/** Nothing sent and nothing received for so long. */
const SILENCE_MS = 30_000;
/** For all that is no upload. */
const ANSWER_MS = 60_000;
const LONGEST_ANSWER_BYTES = 4 * 1024 * 1024;

/** OpenSSL's and Node's names for certificates that are not accepted, and for a program that speaks no TLS. */
const UNTRUSTED = /CERT|SELF_SIGNED|UNABLE_TO_|^EPROTO$|^ERR_SSL_/;

/**
 * One request to a registry. A certificate is accepted of the registry's own authority alone, and the password goes to the
 * registry's address alone, whatever it answers. Throws `registry-unreachable`, `registry-untrusted`.
 */
export async function askRegistry(
  access: RegistryAccess,
  agent: Agent,
  asked: RegistryRequest,
  signal: AbortSignal,
): Promise<RegistryAnswer> {
  const { address } = access;
  const isUpload = asked.body !== undefined && !Buffer.isBuffer(asked.body);
  const deadline = isUpload ? signal : AbortSignal.any([signal, AbortSignal.timeout(ANSWER_MS)]);
  try {
    return await exchange(access, agent, asked, deadline);
  } catch (error) {
    if (signal.aborted) throw abortReason(signal);
    if (error instanceof AppError) throw error;
    const reason = deadline.aborted ? `no answer within ${ANSWER_MS / 1000} s` : causeOf(error);
    const code = UNTRUSTED.test(reason) ? "registry-untrusted" : "registry-unreachable";
    throw new AppError(code, { address, reason }, { cause: error });
  }
}

async function exchange(
  { address, user, password, ca }: RegistryAccess,
  agent: Agent,
  { method, url, headers, body }: RegistryRequest,
  signal: AbortSignal,
): Promise<RegistryAnswer> {
  const base = new URL(`https://${address}`);
  const target = new URL(url, base);
  if (target.origin !== base.origin)
    throw new AppError("registry-unreachable", { address, reason: `it points to ${target.origin}` });
  const outgoing = request(target, {
    method,
    agent,
    ca,
    auth: `${user}:${password}`,
    headers: {
      ...headers,
      "content-length": body === undefined ? 0 : Buffer.isBuffer(body) ? body.length : body.bytes,
    },
    signal,
  });
  outgoing.setTimeout(SILENCE_MS, () => {
    outgoing.destroy(new Error(`nothing was heard for ${SILENCE_MS / 1000} s`));
  });
  const answered = once(outgoing, "response") as Promise<[IncomingMessage]>;
  const sent = send(outgoing, body);
  try {
    // A registry may refuse an upload before it has all of it.
    const [response] = await Promise.race([answered, sent.then(async () => answered)]);
    return { status: response.statusCode ?? 0, headers: response.headers, text: await textOf(response) };
  } finally {
    answered.catch(() => undefined);
    if (!outgoing.writableFinished) outgoing.destroy();
    await sent.catch(() => undefined);
  }
}

async function send(outgoing: ReturnType<typeof request>, body: RegistryRequest["body"]): Promise<void> {
  if (body === undefined || Buffer.isBuffer(body)) outgoing.end(body);
  else await pipeline(createReadStream(body.file), outgoing);
}

async function textOf(response: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of response) {
    // A response without an encoding is of buffers.
    const bytes = chunk as Buffer;
    chunks.push(bytes);
    length += bytes.length;
    if (length > LONGEST_ANSWER_BYTES) break;
  }
  return Buffer.concat(chunks).toString("utf8");
}

function causeOf(error: unknown): string {
  if (error instanceof Error && "code" in error && typeof error.code === "string") return error.code;
  return error instanceof Error ? error.message : String(error);
}
