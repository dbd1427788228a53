import { AppError } from "../../../core/errors/app-error.js";
import { writeFileAtomically } from "../../../core/files/atomic-file.js";
import type { Log } from "../../../core/log.js";
import type { ServedCertificate } from "../../proxy.js";
import { paths } from "../config/paths.js";
import { parseMap } from "../runtime/answers.js";
import { argument, type Runtime } from "../runtime/runtime.js";
import {
  entryOf,
  listLine,
  parseList,
  readList,
  removeCertificateFile,
  writeList,
  type Entry,
} from "./certificate-files.js";

/**
 * HAProxy's certificates, changed at run time (management guide 2.6, section 9.3, `new ssl cert` and what follows it). A
 * certificate's file is there, and HAProxy has taken it, before the list names it, so that HAProxy would start at every moment.
 */
export class HaproxyCertificates {
  /** What HAProxy serves. Unknown after an error, and then read again. */
  private entries: readonly Entry[] | undefined;
  private challenges: ReadonlyMap<string, string> | undefined;

  constructor(
    private readonly folder: string,
    private readonly runtime: Runtime,
    private readonly log: Log,
  ) {}

  async add(certificates: readonly ServedCertificate[]): Promise<readonly string[]> {
    const present = await this.present();
    const known = new Set(present.map(({ name }) => name));
    const refused: string[] = [];
    const added: Entry[] = [];
    this.entries = undefined;
    for (const certificate of certificates) {
      const entry = entryOf(certificate);
      if (known.has(entry.name)) continue;
      try {
        await this.load(entry.name, certificate.pem);
        added.push(entry);
      } catch (error) {
        if (!(error instanceof AppError)) throw error;
        refused.push(certificate.id);
        this.log.error({ err: error, certificate: certificate.id }, "HAProxy refuses a certificate");
      }
    }
    const next = [...present, ...added];
    if (added.length > 0) await writeList(this.folder, next);
    for (const entry of added)
      await this.runtime.feed(`add ssl crt-list ${this.list}`, listLine(this.folder, entry), /Success!$/);
    this.entries = next;
    return refused;
  }

  async keep(certificates: readonly ServedCertificate[]): Promise<void> {
    const present = await this.present();
    const wanted = new Set(certificates.map((certificate) => entryOf(certificate).name));
    const kept = present.filter(({ name }) => wanted.has(name));
    if (kept.length === present.length) return;
    this.entries = undefined;
    await writeList(this.folder, kept);
    for (const { name } of present) {
      if (wanted.has(name)) continue;
      const file = argument(paths.certificate(this.folder, name));
      await this.expect(`del ssl crt-list ${this.list} ${file}`, /deleted in crtlist/);
      await this.expect(`del ssl cert ${file}`, /deleted!$/);
      await removeCertificateFile(this.folder, name);
    }
    this.entries = kept;
  }

  async answerChallenges(answers: ReadonlyMap<string, string>): Promise<void> {
    const map = argument(paths.challenges(this.folder));
    const present =
      this.challenges ?? parseMap(await this.runtime.run(`show map ${map}`)) ?? new Map<string, string>();
    const commands = [
      ...[...answers]
        .filter(([token, answer]) => present.get(token) !== answer)
        .map(
          ([token, answer]) =>
            `${present.has(token) ? "set" : "add"} map ${map} ${argument(token)} ${argument(answer)}`,
        ),
      ...[...present.keys()]
        .filter((token) => !answers.has(token))
        .map((token) => `del map ${map} ${argument(token)}`),
    ];
    if (commands.length === 0) return;
    this.challenges = undefined;
    await writeFileAtomically(map, [...answers].map(([token, answer]) => `${token} ${answer}\n`).join(""));
    await this.runtime.expect("", commands);
    this.challenges = answers;
  }

  private async load(name: string, pem: string): Promise<void> {
    const file = argument(paths.certificate(this.folder, name));
    await writeFileAtomically(file, pem, 0o600);
    try {
      await this.expect(`new ssl cert ${file}`, /New empty certificate store|already exists/);
      await this.runtime.feed(
        `set ssl cert ${file}`,
        withoutEmptyLines(pem),
        /Transaction (created|updated)/,
      );
      await this.expect(`commit ssl cert ${file}`, /Success!$/);
    } catch (error) {
      await this.runtime.run(`abort ssl cert ${file}`, `del ssl cert ${file}`);
      await removeCertificateFile(this.folder, name);
      throw error;
    }
  }

  /** Whatever an interrupted change has left, in HAProxy or in the list, is here. */
  private async present(): Promise<readonly Entry[]> {
    if (this.entries !== undefined) return this.entries;
    const entries = parseList(await this.runtime.run(`show ssl crt-list ${this.list}`));
    const listed = await readList(this.folder);
    if (JSON.stringify(entries) !== JSON.stringify(listed)) await writeList(this.folder, entries);
    this.entries = entries;
    return entries;
  }

  private async expect(command: string, wanted: RegExp): Promise<void> {
    const answer = (await this.runtime.run(command)).trim();
    if (!wanted.test(answer)) throw new AppError("haproxy-refused", { command, answer });
  }

  private get list(): string {
    return argument(paths.certificateList(this.folder));
  }
}

function withoutEmptyLines(text: string): string {
  return text
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "")
    .join("\n");
}
