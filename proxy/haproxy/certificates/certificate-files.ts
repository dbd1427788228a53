import { createHash } from "node:crypto";
import { mkdir, readdir, readFile, rm } from "node:fs/promises";
import { writeFileAtomically } from "../../../core/files/atomic-file.js";
import { selfSignedCertificate } from "../../../core/self-signed-certificate.js";
import type { ServedCertificate } from "../../proxy.js";
import { paths } from "../config/paths.js";

/** Self-signed, for names that have no certificate. */
export const DEFAULT_CERTIFICATE = "default";

/** A certificate as HAProxy has it: a file, and the names for which it is served. Neither ever changes. */
export interface Entry {
  readonly name: string;
  readonly names: readonly string[];
}

export function entryOf({ id, names }: Pick<ServedCertificate, "id" | "names">): Entry {
  const digest = createHash("sha256").update(names.join(" ")).digest("hex");
  return { name: `${id}-${digest.slice(0, 16)}`, names };
}

/** What HAProxy needs to start: the certificate for names without one, and a list without files that are missing. */
export async function prepareCertificates(folder: string): Promise<void> {
  await mkdir(paths.certificates(folder), { recursive: true, mode: 0o700 });
  const files = new Set(await readdir(paths.certificates(folder)));
  if (!files.has(`${DEFAULT_CERTIFICATE}.pem`))
    await writeFileAtomically(paths.certificate(folder, DEFAULT_CERTIFICATE), await selfSigned(), 0o600);
  const entries = await readList(folder);
  const present = entries.filter(({ name }) => files.has(`${name}.pem`));
  if (present.length < entries.length || !files.has("list.txt")) await writeList(folder, present);
  if (!(await readdir(folder)).includes("challenges.map"))
    await writeFileAtomically(paths.challenges(folder), "");
}

/** Without the default. */
export async function readList(folder: string): Promise<Entry[]> {
  const text = await readFile(paths.certificateList(folder), "utf8").catch(() => "");
  return parseList(text);
}

/** As the file is, and as `show ssl crt-list` shows it. */
export function parseList(text: string): Entry[] {
  return text.split("\n").flatMap((line) => {
    const [file = "", ...names] = line.trim().split(" ");
    const name = /^\/.*\/([0-9a-f-]+)\.pem$/.exec(file)?.[1];
    return name === undefined || names.length === 0 ? [] : [{ name, names }];
  });
}

export async function writeList(folder: string, entries: readonly Entry[]): Promise<void> {
  const lines = [
    paths.certificate(folder, DEFAULT_CERTIFICATE),
    ...entries.map((entry) => listLine(folder, entry)),
  ];
  await writeFileAtomically(paths.certificateList(folder), lines.map((line) => `${line}\n`).join(""), 0o600);
}

export function listLine(folder: string, { name, names }: Entry): string {
  return `${paths.certificate(folder, name)} ${names.join(" ")}`;
}

export async function removeCertificateFile(folder: string, name: string): Promise<void> {
  await rm(paths.certificate(folder, name), { force: true });
}

async function selfSigned(): Promise<string> {
  const { certificate, key } = await selfSignedCertificate("no certificate for this name yet");
  return certificate + key;
}
