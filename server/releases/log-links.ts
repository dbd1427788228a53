import { createHmac } from "node:crypto";
import type { Clock } from "../../core/clock.js";
import { releaseName } from "../../core/names.js";
import type { SecretBox } from "../../core/secrets.js";
import { sameSecret } from "../../core/secrets.js";
import type { Settings } from "../../core/settings/settings.js";
import { controlUrl } from "./public-url.js";

const DAY_SECONDS = 24 * 3600;

/**
 * Addresses of releases' logs. Anyone with the address can read the log, without a token, until it expires: a forge shows them
 * beside the commit.
 */
export class LogLinks {
  private readonly key: string;

  constructor(
    box: SecretBox,
    private readonly settings: Settings,
    private readonly clock: Pick<Clock, "now">,
  ) {
    this.key = box.derive("log-links");
  }

  urlOf(app: string, release: number): string {
    const until = Math.floor(this.clock.now() / 1000 + this.settings.webhooks.logLinkDays * DAY_SECONDS);
    const proof = this.proof(app, release, until);
    return `${controlUrl(this.settings)}/logs/${app}/${releaseName(release)}/${until}-${proof}`;
  }

  /** `code`: the last part of the address. */
  check(app: string, release: number, code: string): "good" | "expired" | "wrong" {
    const [, until = "", proof = ""] = /^([1-9]\d{0,11})-([0-9a-f]{40})$/.exec(code) ?? [];
    if (!sameSecret(proof, this.proof(app, release, Number(until)))) return "wrong";
    return Number(until) * 1000 > this.clock.now() ? "good" : "expired";
  }

  /** `until`: seconds since 1970. */
  private proof(app: string, release: number, until: number): string {
    return createHmac("sha256", this.key).update(`${app}/${release}/${until}`).digest("hex").slice(0, 40);
  }
}
