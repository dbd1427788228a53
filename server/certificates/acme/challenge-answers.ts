import type { Database } from "../../../core/redis/database.js";
import { captureCommand } from "../../../core/exec/exec.js";
import { keys } from "../../../core/redis/keys.js";
import type { Certificates } from "../../../core/records/certificates/certificates.js";
import type { RoutesNeeds } from "../../routes/needs.js";
import { waitForCertificates } from "../../routes/wait-for-proxies.js";
import { isAppError } from "../../../core/errors/app-error.js";
import { HookFailed } from "./authority-problem.js";
import type { Challenge, ChallengeAnswers } from "./authority.js";

const HOOK_TIMEOUT_MS = 180_000;

export interface ProxiesAndHookOptions {
  readonly redis: Database;
  readonly certificates: Certificates;
  readonly tools: Pick<RoutesNeeds, "proxyReports" | "clock" | "log">;
  /** `tls.dnsHook` */
  readonly dnsHook: string | undefined;
  readonly path: string;
}

/**
 * Answers an authority by every proxy (HTTP-01), or by TXT records that a program of the admin's sets (DNS-01): `add RECORD VALUE`,
 * and later `remove RECORD VALUE`. It returns when name servers have the record.
 */
export class ProxiesAndHook implements ChallengeAnswers {
  constructor(private readonly options: ProxiesAndHookOptions) {}

  kindFor(name: string): Challenge["kind"] {
    return name.startsWith("*.") ? "dns" : "http";
  }

  async give(challenges: readonly Challenge[]): Promise<void> {
    const { certificates, tools } = this.options;
    let revision: number | undefined;
    for (const challenge of challenges) {
      if (challenge.kind === "http")
        revision = await certificates.answerChallenge(challenge.token, challenge.answer);
      else await this.setRecord(challenge.record, challenge.answer);
    }
    if (revision === undefined) return;
    await waitForCertificates(tools, revision).catch((error: unknown) => {
      // The authority may ask another one.
      if (!isAppError(error, "proxy-silent")) throw error;
      tools.log.error({ err: error }, "a proxy does not answer for certificates");
    });
  }

  async takeBack(challenges: readonly Challenge[]): Promise<void> {
    const tokens = challenges.flatMap((challenge) => (challenge.kind === "http" ? [challenge.token] : []));
    if (tokens.length > 0) await this.options.certificates.withdrawChallenges(tokens);
    for (const challenge of challenges)
      if (challenge.kind === "dns") await this.removeRecord(`${challenge.record} ${challenge.answer}`);
  }

  /** What a server that was killed has left. `kept`: tokens that stay. */
  async clear(kept: readonly string[]): Promise<void> {
    const { redis, certificates } = this.options;
    const tokens = (await redis.hkeys(keys.challenges)).filter((token) => !kept.includes(token));
    if (tokens.length > 0) await certificates.withdrawChallenges(tokens);
    for (const entry of await redis.hkeys(keys.challengeRecords)) await this.removeRecord(entry);
  }

  private async setRecord(record: string, value: string): Promise<void> {
    await this.options.redis.hset(keys.challengeRecords, `${record} ${value}`, String(Date.now()));
    await this.hook("add", record, value);
  }

  private async removeRecord(entry: string): Promise<void> {
    const [record = "", value = ""] = entry.split(" ");
    try {
      await this.hook("remove", record, value);
    } catch (error) {
      this.options.tools.log.error({ err: error, record }, "a TXT record was not removed");
    }
    await this.options.redis.hdel(keys.challengeRecords, entry);
  }

  private async hook(action: "add" | "remove", record: string, value: string): Promise<void> {
    const { dnsHook, path } = this.options;
    if (dnsHook === undefined) return;
    const command = { argv: [dnsHook, action, record, value] as const, cwd: "/", env: { PATH: path } };
    const signal = AbortSignal.timeout(HOOK_TIMEOUT_MS);
    const { exit, stderr } = await captureCommand(command, { signal }).catch((error: unknown) => {
      const reason = signal.aborted ? "did not end in three minutes" : String(error);
      throw new HookFailed(`${dnsHook} ${action} ${reason}`);
    });
    if (exit.status === 0) return;
    const said = stderr.trim().split("\n").at(-1) ?? "";
    const how = `ended with ${exit.status ?? exit.signal ?? "nothing"}`;
    throw new HookFailed(`${dnsHook} ${action} ${how}${said === "" ? "" : `: ${said}`}`);
  }
}
