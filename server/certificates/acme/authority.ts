import { readFile } from "node:fs/promises";
import { Agent } from "node:https";
import { isIP } from "node:net";
import { rootCertificates } from "node:tls";
import { axios, Client, crypto } from "acme-client";
import { getAdapter, isAxiosError } from "axios";
import { z } from "zod";
import type { AuthoritySettings } from "../../../core/settings/tls-settings.js";
import { parseRetryAfter } from "../../../core/network/send-request.js";
import { AuthorityProblem, NamesRefused } from "./authority-problem.js";
import type { AuthorityAccounts } from "./authority-accounts.js";

const REQUEST_TIMEOUT_MS = 30_000;
/** How often, and how long in all, an authority is asked what became of an order: some two minutes. */
const POLLS = { backoffAttempts: 60, backoffMin: 300, backoffMax: 2000 };

export interface OrderedNames {
  readonly names: readonly string[];
  /** ARI's name of the certificate that this one takes the place of (RFC 9773, 5). */
  readonly replaces?: string | undefined;
}

/** PEM. */
export interface IssuedCertificate {
  /** With its chain. */
  readonly certificate: string;
  readonly key: string;
}

/** A name's challenge: where what the authority asks for is to be found. */
export type Challenge =
  | { readonly kind: "http"; readonly name: string; readonly token: string; readonly answer: string }
  /** `record`: of a TXT record. */
  | { readonly kind: "dns"; readonly name: string; readonly record: string; readonly answer: string };

export interface ChallengeAnswers {
  /** How a name is shown to be ours. */
  kindFor(name: string): Challenge["kind"];
  /** Resolves when the answers are found everywhere. */
  give(challenges: readonly Challenge[]): Promise<void>;
  takeBack(challenges: readonly Challenge[]): Promise<void>;
}

/** An authority that issues certificates by ACME (RFC 8555), with an account of this Sluice's there. */
export class Authority {
  private client: Client | undefined;

  constructor(
    private readonly settings: AuthoritySettings & { readonly email: string },
    private readonly accounts: AuthorityAccounts,
  ) {}

  get directory(): string {
    return this.settings.directory;
  }

  /** The directory's URL of renewal information (RFC 9773); undefined: it has none. */
  async renewalInfo(): Promise<string | undefined> {
    await trust(this.settings);
    const { data } = await axios.get<unknown>(this.directory);
    return z.looseObject({ renewalInfo: z.url().optional() }).parse(data).renewalInfo;
  }

  /** Throws `NamesRefused`, `AuthorityProblem`. */
  async order({ names, replaces }: OrderedNames, answers: ChallengeAnswers): Promise<IssuedCertificate> {
    await trust(this.settings);
    const client = (this.client ??= await this.account());
    try {
      return await this.orderBy(client, { names, replaces }, answers);
    } catch (error) {
      // One that has forgotten the account makes it again.
      if (!(error instanceof NamesRefused)) this.client = undefined;
      throw error;
    }
  }

  private async orderBy(
    client: Client,
    { names, replaces }: OrderedNames,
    answers: ChallengeAnswers,
  ): Promise<IssuedCertificate> {
    const { profile } = this.settings;
    const more = {
      ...(profile === undefined ? {} : { profile }),
      ...(replaces === undefined ? {} : { replaces }),
    };
    const identifiers = names.map((value) => ({ type: isIP(value) === 0 ? "dns" : "ip", value }));
    const order = await client.createOrder({ identifiers, ...more });
    await this.authorize(client, order, answers);
    const key = (await crypto.createPrivateEcdsaKey("P-256")).toString();
    const [, request] = await crypto.createCsr({ altNames: [...names] }, key);
    const ready = await client.waitForValidStatus(order);
    const final = await client.finalizeOrder({ ...ready, url: order.url }, request);
    return { certificate: await client.getCertificate({ ...final, url: order.url }), key };
  }

  private async account(): Promise<Client> {
    const { directory, email, externalAccount } = this.settings;
    const client = new Client({
      directoryUrl: directory,
      accountKey: await this.accounts.keyFor(directory),
      ...POLLS,
      ...(externalAccount === undefined
        ? {}
        : { externalAccountBinding: { kid: externalAccount.keyId, hmacKey: externalAccount.key } }),
    });
    // The authority finds an account that it has by its key.
    await client.createAccount({ termsOfServiceAgreed: true, contact: [`mailto:${email}`] });
    return client;
  }

  private async authorize(
    client: Client,
    order: Awaited<ReturnType<Client["createOrder"]>>,
    answers: ChallengeAnswers,
  ): Promise<void> {
    const pending = (await client.getAuthorizations(order)).filter(({ status }) => status === "pending");
    const asked = await Promise.all(
      pending.map(async (authorization) => {
        const name = `${authorization.wildcard === true ? "*." : ""}${authorization.identifier.value}`;
        const kind = answers.kindFor(name);
        const challenge = authorization.challenges.find(({ type }) => type === `${kind}-01`);
        if (challenge === undefined)
          throw new NamesRefused(new Map([[name, `the authority does not ask for ${kind}-01 alone`]]));
        const answer = await client.getChallengeKeyAuthorization(challenge);
        const given: Challenge =
          kind === "http"
            ? { kind, name, token: challenge.token, answer }
            : { kind, name, record: `_acme-challenge.${authorization.identifier.value}`, answer };
        return { name, authorization, challenge, given };
      }),
    );
    const given = asked.map((one) => one.given);
    try {
      await answers.give(given);
      const refused = new Map<string, string>();
      await Promise.all(
        asked.map(async ({ name, authorization, challenge }) => {
          await client.completeChallenge(challenge);
          await client.waitForValidStatus(authorization).catch(async (error: unknown) => {
            if (error instanceof AuthorityProblem && error.isOfTheAuthority) throw error;
            refused.set(name, await reasonOf(client, order, authorization.url, error));
          });
        }),
      );
      if (refused.size > 0) throw new NamesRefused(refused);
    } finally {
      await answers.takeBack(given);
    }
  }
}

/** What the authority found, in its own words. */
async function reasonOf(
  client: Client,
  order: Awaited<ReturnType<Client["createOrder"]>>,
  url: string,
  error: unknown,
): Promise<string> {
  const fallback = error instanceof Error && error.message !== "" ? error.message : String(error);
  const all = await client.getAuthorizations(order).catch(() => []);
  const found = all.find((authorization) => authorization.url === url);
  const schema = z.object({ error: z.object({ detail: z.string() }) });
  for (const challenge of found?.challenges ?? []) {
    const parsed = schema.safeParse(challenge);
    if (parsed.success) return parsed.data.error.detail;
  }
  return fallback;
}

const trusted = new Set<string>();

/** The library has one HTTP client for all authorities. */
async function trust({ caFile }: AuthoritySettings): Promise<void> {
  prepareOnce();
  if (caFile === undefined || trusted.has(caFile)) return;
  trusted.add(caFile);
  const own = await Promise.all([...trusted].map(async (file) => readFile(file, "utf8")));
  axios.defaults.httpsAgent = new Agent({ ca: [...rootCertificates, ...own] });
}

let isPrepared = false;

function prepareOnce(): void {
  if (isPrepared) return;
  isPrepared = true;
  axios.defaults.timeout = REQUEST_TIMEOUT_MS;
  // Who is asked again, and when, is decided by `CertificateOrders`. Of an error without an answer the library makes a TypeError.
  Object.assign(axios.defaults, { acmeSettings: { retryMaxAttempts: 0, retryDefaultDelay: 1 } });
  const ask = getAdapter("http");
  axios.defaults.adapter = async (config) =>
    ask(config).catch((error: unknown) => {
      if (isAxiosError(error) && error.response !== undefined) throw error;
      const { host } = new URL(config.url ?? "");
      const code = isAxiosError(error) ? (error.code ?? error.message) : String(error);
      throw new AuthorityProblem({ kind: "unreachable", detail: `${host} cannot be reached (${code})` });
    });
  axios.interceptors.response.use((response) => {
    const problem = response.status >= 400 ? problemOf(response.data) : undefined;
    // The library gets another nonce and tries again.
    if (problem === undefined || problem.type.endsWith(":badNonce")) return response;
    const retryAfter: unknown = response.headers["retry-after"];
    throw new AuthorityProblem({
      kind: problem.type.replace("urn:ietf:params:acme:error:", ""),
      detail: problem.detail,
      retryAfterMs: parseRetryAfter(typeof retryAfter === "string" ? retryAfter : undefined, Date.now()),
      names: new Map(
        problem.subproblems.flatMap(({ identifier, detail }) =>
          identifier === undefined ? [] : [[identifier.value, detail] as const],
        ),
      ),
    });
  });
}

const problemSchema = z.object({
  type: z.string().default(""),
  detail: z.string().default(""),
  subproblems: z
    .array(
      z.object({ identifier: z.object({ value: z.string() }).optional(), detail: z.string().default("") }),
    )
    .default([]),
});

function problemOf(data: unknown): z.infer<typeof problemSchema> | undefined {
  const parsed = problemSchema.safeParse(data);
  return parsed.success
    ? parsed.data
    : problemSchema.parse({ detail: "it answered with an error that is no problem document" });
}
