import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { TestAuthorityFiles } from "../../test/support/tls/test-certificates.js";
import type { Workshop } from "../workshop.js";

/** A P-256 certificate with its intermediate, in the forms that proxies want. */
export interface CertificateFiles {
  readonly certificate: string;
  readonly key: string;
  /** Certificate and key in one file. */
  readonly both: string;
}

export async function makeCertificateFiles(
  workshop: Workshop,
  names: readonly string[],
): Promise<CertificateFiles> {
  const authority = await TestAuthorityFiles.make();
  workshop.onClose(async () => authority.remove());
  const { certificate, key } = await authority.issue({ names });
  const chain = `${certificate}${authority.intermediate}`;
  const folder = await workshop.folder();
  const write = async (name: string, text: string): Promise<string> => {
    const file = join(folder, name);
    await writeFile(file, text);
    return file;
  };
  return {
    certificate: await write("certificate.crt", chain),
    key: await write("certificate.key", key),
    both: await write("both.pem", `${chain}${key}`),
  };
}
