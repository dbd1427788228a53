import { execa } from "execa";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

const EC = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];

export interface CertificateWishes {
  readonly names: readonly string[];
  readonly days?: number;
  /** Arguments of `openssl req` for another key than a P-256 one. */
  readonly key?: readonly string[];
}

export interface MadeCertificate {
  /** PEM, the certificate alone. */
  readonly certificate: string;
  readonly key: string;
}

/** An authority of a test's own, with an intermediate certificate, by openssl(1). */
export class TestAuthorityFiles {
  private made = 0;

  private constructor(
    readonly folder: string,
    readonly root: string,
    readonly intermediate: string,
  ) {}

  static async make(): Promise<TestAuthorityFiles> {
    const folder = await mkdtemp(join(tmpdir(), "sluice-tls-"));
    const run = async (...args: string[]): Promise<void> => {
      await execa("openssl", args, { cwd: folder });
    };
    const isAuthority = [
      "-addext",
      "basicConstraints=critical,CA:TRUE",
      "-addext",
      "keyUsage=critical,keyCertSign",
    ];
    await run(
      ...["req", "-x509", ...EC, "-keyout", "root.key", "-out", "root.crt", "-days", "30"],
      ...["-subj", "/CN=Test root", ...isAuthority],
    );
    await run(
      ...[
        "req",
        "-new",
        ...EC,
        "-keyout",
        "middle.key",
        "-out",
        "middle.csr",
        "-subj",
        "/CN=Test intermediate",
      ],
    );
    await writeFile(
      join(folder, "middle.ext"),
      "basicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign\n",
    );
    await run(
      ...["x509", "-req", "-in", "middle.csr", "-CA", "root.crt", "-CAkey", "root.key", "-CAcreateserial"],
      ...["-days", "30", "-extfile", "middle.ext", "-out", "middle.crt"],
    );
    const read = async (name: string): Promise<string> => readFile(join(folder, name), "utf8");
    return new TestAuthorityFiles(folder, await read("root.crt"), await read("middle.crt"));
  }

  get rootFile(): string {
    return join(this.folder, "root.crt");
  }

  async issue({ names, days = 20, key = EC }: CertificateWishes): Promise<MadeCertificate> {
    const name = `leaf-${++this.made}`;
    const run = async (...args: string[]): Promise<void> => {
      await execa("openssl", args, { cwd: this.folder });
    };
    const kinds = names.map((one) => (/^[\d.]+$/.test(one) ? `IP:${one}` : `DNS:${one}`));
    await writeFile(
      join(this.folder, `${name}.ext`),
      `subjectAltName=${kinds.join(",")}\nextendedKeyUsage=serverAuth\n`,
    );
    await run("req", "-new", ...key, "-keyout", `${name}.key`, "-out", `${name}.csr`, "-subj", "/O=Test");
    await run(
      ...[
        "x509",
        "-req",
        "-in",
        `${name}.csr`,
        "-CA",
        "middle.crt",
        "-CAkey",
        "middle.key",
        "-CAcreateserial",
      ],
      ...["-days", String(days), "-extfile", `${name}.ext`, "-out", `${name}.crt`],
    );
    const read = async (ending: string): Promise<string> =>
      readFile(join(this.folder, `${name}.${ending}`), "utf8");
    return { certificate: await read("crt"), key: await read("key") };
  }

  async remove(): Promise<void> {
    await rm(this.folder, { recursive: true });
  }
}
