import { createHmac } from "node:crypto";
import { releaseName } from "../../core/names.js";
import type { SecretBox } from "../../core/secrets.js";
import { sameSecret } from "../../core/secrets.js";
import type { Settings } from "../../core/settings/settings.js";
import { controlUrl } from "./public-url.js";

/** Addresses of releases' logs. Anyone with the address can read the log, without a token: a forge shows them beside the commit. */
export class LogLinks {
  private readonly key: string;

  constructor(
    box: SecretBox,
    private readonly settings: Settings,
  ) {
    this.key = box.derive("log-links");
  }

  urlOf(app: string, release: number): string {
    return `${controlUrl(this.settings)}/logs/${app}/${releaseName(release)}/${this.proof(app, release)}`;
  }

  holds(app: string, release: number, proof: string): boolean {
    return sameSecret(proof, this.proof(app, release));
  }

  private proof(app: string, release: number): string {
    return createHmac("sha256", this.key).update(`${app}/${release}`).digest("hex").slice(0, 40);
  }
}
