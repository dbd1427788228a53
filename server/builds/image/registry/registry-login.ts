import { z } from "zod";
import { SharedWork } from "../../../../core/async/shared-work.js";
import { systemClock } from "../../../../core/clock.js";
import { AppError } from "../../../../core/errors/app-error.js";
import { parseChallenge, type AuthChallenge } from "./auth-challenge.js";
import type { RegistryAccess } from "./registry-access.js";
import {
  askRegistry,
  askServer,
  connectionTo,
  type RegistryAnswer,
  type RegistryConnection,
} from "./registry-request.js";

interface Token {
  readonly header: string;
  /** Milliseconds since 1970. */
  readonly staleAt: number;
}

/** The specification lets a server leave the first one out for the second, and the third for 60 s. */
const tokenSchema = z
  .object({
    token: z.string().optional(),
    access_token: z.string().optional(),
    expires_in: z.number().positive().default(60),
  })
  .transform(({ token, access_token, expires_in }) => ({
    token: token ?? access_token ?? "",
    seconds: expires_in,
  }));
/** After this share of its life a token is replaced: the request that has it takes time, too. */
const FRESH_SHARE = 0.8;

/**
 * How we show a registry who we are: by user and password (Basic), or by a token that another server gives for them (Bearer;
 * distribution, "Token Authentication Specification"). The registry says which.
 */
export class RegistryLogin {
  private challenge: AuthChallenge | undefined;
  /** Scopes → what was given for them. */
  private readonly tokens = new Map<string, Token>();
  private readonly fetching = new SharedWork<Token>();

  constructor(
    private readonly connection: RegistryConnection,
    private readonly access: RegistryAccess,
  ) {}

  /** The header for a request that needs these scopes. Throws `registry-login-refused` and as `askRegistry`. */
  async headerFor(scope: string, signal: AbortSignal): Promise<string> {
    const { challenge = await this.learn(signal) } = this;
    if (challenge.kind === "basic") return this.basic();
    const kept = this.tokens.get(scope);
    if (kept !== undefined && systemClock.now() < kept.staleAt) return kept.header;
    return this.fetchToken(challenge, scope, scope, signal);
  }

  /**
   * Another header for a request that was answered with 401, as its token has ended or the registry wants another one; undefined
   * when there is none. Throws as `headerFor`.
   */
  async renewedHeaderFor(
    scope: string,
    refused: RegistryAnswer,
    signal: AbortSignal,
  ): Promise<string | undefined> {
    const challenge = parseChallenge(refused.headers["www-authenticate"]);
    if (challenge === undefined) return undefined;
    const wasBasic = this.challenge?.kind === "basic";
    this.challenge = challenge;
    if (challenge.kind === "basic") return wasBasic ? undefined : this.basic();
    this.tokens.delete(scope);
    return this.fetchToken(challenge, scope, challenge.scope ?? scope, signal);
  }

  /** Whether the registry takes tokens: then 401 says that they do not allow a request, not that the login is wrong. */
  get hasTokens(): boolean {
    return this.challenge?.kind === "bearer";
  }

  private async learn(signal: AbortSignal): Promise<AuthChallenge> {
    const { headers } = await askRegistry(this.connection, { method: "GET", url: "/v2/" }, undefined, signal);
    // One that lets everybody read may still want to know who writes.
    return (this.challenge ??= parseChallenge(headers["www-authenticate"]) ?? { kind: "basic" });
  }

  private async fetchToken(
    challenge: Extract<AuthChallenge, { kind: "bearer" }>,
    key: string,
    scope: string,
    signal: AbortSignal,
  ): Promise<string> {
    const fetch = async (stop: AbortSignal): Promise<Token> => this.askForToken(challenge, scope, stop);
    const token = await this.fetching.run(`${key} ${scope}`, fetch, signal);
    this.tokens.set(key, token);
    return token.header;
  }

  private async askForToken(
    { realm, service }: Extract<AuthChallenge, { kind: "bearer" }>,
    scope: string,
    signal: AbortSignal,
  ): Promise<Token> {
    const { address, user } = this.access;
    const target = URL.canParse(realm) ? new URL(realm) : undefined;
    if (target?.protocol !== "https:")
      throw new AppError("registry-unreachable", {
        address,
        reason: `the server that gives tokens for it, ${realm}, speaks no https`,
      });
    if (service !== undefined) target.searchParams.set("service", service);
    for (const each of scope.split(" ").filter(Boolean)) target.searchParams.append("scope", each);
    target.searchParams.set("account", user);
    target.searchParams.set("client_id", "sluice");
    const connection = connectionTo(this.connection, target);
    const headers = { authorization: this.basic() };
    const answer = await askServer(connection, target, { method: "GET", url: realm, headers }, signal);
    if (answer.status === 401 || answer.status === 400)
      throw new AppError("registry-login-refused", { address });
    if (answer.status === 403) throw new AppError("registry-forbidden", { address, scope });
    const request = `GET ${target.origin}${target.pathname}`;
    const values = { address: target.host, request, status: answer.status, reason: answer.text };
    if (answer.status !== 200) throw new AppError("registry-failed", values);
    try {
      const { token, seconds } = tokenSchema.parse(JSON.parse(answer.text));
      return { header: `Bearer ${token}`, staleAt: systemClock.now() + seconds * 1000 * FRESH_SHARE };
    } catch (error) {
      // The answer may have a token in it.
      throw new AppError("registry-failed", { ...values, reason: "no token in it" }, { cause: error });
    }
  }

  private basic(): string {
    const { user, password } = this.access;
    return `Basic ${Buffer.from(`${user}:${password}`).toString("base64")}`;
  }
}
