import { readFile } from "node:fs/promises";
import type { Server } from "node:https";
import { Ticker } from "../core/loop/ticker.js";
import type { Log } from "../core/log.js";
import { certificateRevisions, type Certificates } from "../core/records/certificates/certificates.js";
import type { Database } from "../core/redis/database.js";
import { selfSignedCertificate } from "../core/self-signed-certificate.js";
import type { Settings } from "../core/settings/settings.js";
import { parseCertificate } from "./certificates/parse-certificate.js";

const LOOK_MS = 1000;

export interface ControlCertificateOptions {
  readonly control: Settings["control"];
  readonly certificates: Certificates;
  readonly redis: Database;
  readonly log: Log;
}

/**
 * The control port's certificate: the one in its files, which may change at any time, else an authority's for `control.domain`;
 * until that is there, a self-signed one.
 */
export class ControlCertificate {
  /** Of what was read last. */
  private mark = "";
  private readonly ticker: Ticker;

  private constructor(
    private readonly options: ControlCertificateOptions,
    private readonly server: Server,
  ) {
    this.ticker = new Ticker({
      everyMs: LOOK_MS,
      job: async () => this.look(),
      // What it has serves on.
      onError: (error) => options.log.warn({ err: error }, "the control port's certificate"),
    });
  }

  /** Gives a server its certificate, and each later one. Throws `certificate-invalid`, or why a file cannot be read. */
  static async keepFor(
    server: Server,
    options: ControlCertificateOptions,
  ): Promise<{ stop(): Promise<void> }> {
    const { domain = "" } = options.control;
    const { certificate, key } = await selfSignedCertificate(`no certificate for ${domain} yet`);
    const kept = new ControlCertificate(options, server);
    kept.use(certificate + key);
    await kept.look();
    kept.ticker.start();
    return { stop: async () => kept.ticker.stop() };
  }

  private async look(): Promise<void> {
    const { certificateFile, keyFile } = this.options.control;
    if (certificateFile === undefined || keyFile === undefined) await this.lookAtRedis();
    else await this.lookAtFiles(certificateFile, keyFile);
  }

  private async lookAtFiles(certificateFile: string, keyFile: string): Promise<void> {
    const [certificate, key] = await Promise.all([
      readFile(certificateFile, "utf8"),
      readFile(keyFile, "utf8"),
    ]);
    if (certificate + key === this.mark) return;
    this.use(parseCertificate(certificate, key, Date.now()).certificate.pem);
    this.mark = certificate + key;
  }

  private async lookAtRedis(): Promise<void> {
    const { redis, certificates, control } = this.options;
    const mark = String((await certificateRevisions(redis)).changed);
    if (mark === this.mark) return;
    const all = (await certificates.read()).certificates;
    const [latest] = all
      .filter(({ app, names }) => app === null && names.includes(control.domain ?? ""))
      .sort((a, b) => b.notAfter - a.notAfter);
    if (latest !== undefined) this.use(latest.pem);
    this.mark = mark;
  }

  /** For new connections. */
  private use(pem: string): void {
    this.server.setSecureContext({ cert: pem, key: pem, minVersion: "TLSv1.2" });
  }
}
