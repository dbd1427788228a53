import { once } from "node:events";
import { createReadStream, createWriteStream } from "node:fs";
import type { IncomingHttpHeaders, IncomingMessage } from "node:http";
import { request, type Agent } from "node:https";
import { pipeline } from "node:stream/promises";
import { rootCertificates } from "node:tls";
import { AppError } from "../../../../core/errors/app-error.js";
import { abortReason } from "../../../../core/clock.js";
import type { RegistryAccess } from "./registry-access.js";

export interface RegistryRequest {
  readonly method: "GET" | "HEAD" | "POST" | "PUT" | "DELETE";
  /** A path, or the URL that the registry has given. */
  readonly url: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Buffer | { readonly file: string; readonly bytes: number };
  /** The file that an answer of 200 is written to, however long it is. */
  readonly into?: string;
}

export interface RegistryAnswer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  /** At most 4 MiB of it. */
  readonly text: string;
}

export interface RegistryConnection {
  readonly access: Pick<RegistryAccess, "address" | "ca">;
  readonly agent: Agent;
}

/** Nothing sent and nothing received for so long. */
const SILENCE_MS = 30_000;
/** For all that neither sends nor fetches a file. */
const ANSWER_MS = 60_000;
const LONGEST_ANSWER_BYTES = 4 * 1024 * 1024;

/** OpenSSL's and Node's names for certificates that are not accepted, and for a program that speaks no TLS. */
const UNTRUSTED = /CERT|SELF_SIGNED|UNABLE_TO_|^EPROTO$|^ERR_SSL_/;

/**
 * One request to a registry, or to where it points: some keep layers elsewhere. The login goes to the registry alone. Throws
 * `registry-unreachable`, `registry-untrusted`.
 */
export async function askRegistry(
  connection: RegistryConnection,
  asked: RegistryRequest,
  authorization: string | undefined,
  signal: AbortSignal,
): Promise<RegistryAnswer> {
  const { address } = connection.access;
  const base = new URL(`https://${address}`);
  const target = new URL(asked.url, base);
  if (target.protocol !== "https:")
    throw new AppError("registry-unreachable", { address, reason: `it points to ${target.origin}` });
  const own = target.origin === base.origin ? withLogin(asked, authorization) : asked;
  return askServer(connectionTo(connection, target), target, own, signal);
}

/** To a server that the registry names: its certificate may be a public one, although the registry's own is not. */
export function connectionTo({ access, agent }: RegistryConnection, target: URL): RegistryConnection {
  const { address, ca } = access;
  if (target.origin === new URL(`https://${address}`).origin) return { access, agent };
  const authorities = ca === undefined ? undefined : `${rootCertificates.join("\n")}\n${ca}`;
  return { access: { address: target.host, ca: authorities }, agent };
}

/** One request to exactly this server. Throws as `askRegistry`. */
export async function askServer(
  { access: { address, ca }, agent }: RegistryConnection,
  target: URL,
  asked: RegistryRequest,
  signal: AbortSignal,
): Promise<RegistryAnswer> {
  const isLong = asked.into !== undefined || (asked.body !== undefined && !Buffer.isBuffer(asked.body));
  const deadline = isLong ? signal : AbortSignal.any([signal, AbortSignal.timeout(ANSWER_MS)]);
  try {
    return await exchange(target, { ca, agent }, asked, deadline);
  } catch (error) {
    if (signal.aborted) throw abortReason(signal);
    const reason = deadline.aborted ? `no answer within ${ANSWER_MS / 1000} s` : causeOf(error);
    const code = UNTRUSTED.test(reason) ? "registry-untrusted" : "registry-unreachable";
    throw new AppError(code, { address, reason }, { cause: error });
  }
}

function withLogin(asked: RegistryRequest, authorization: string | undefined): RegistryRequest {
  return authorization === undefined ? asked : { ...asked, headers: { ...asked.headers, authorization } };
}

async function exchange(
  target: URL,
  { ca, agent }: { readonly ca: string | undefined; readonly agent: Agent },
  { method, headers, body, into }: RegistryRequest,
  signal: AbortSignal,
): Promise<RegistryAnswer> {
  const outgoing = request(target, {
    method,
    agent,
    ca,
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
    const { statusCode: status = 0, headers: answerHeaders } = response;
    if (into === undefined || status !== 200)
      return { status, headers: answerHeaders, text: await textOf(response) };
    await pipeline(response, createWriteStream(into, { mode: 0o600 }), { signal });
    return { status, headers: answerHeaders, text: "" };
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
