import { execa } from "execa";
import { createHash } from "node:crypto";
import { chmod, mkdir, readFile, writeFile } from "node:fs/promises";
import { createServer, type Server } from "node:https";
import { basename, join } from "node:path";

/** Speaks the part of the npm registry's API that `npm view` and `npm install` use, with a certificate by an authority of its own. */
export class NpmRegistry {
  private constructor(
    private readonly server: Server,
    readonly url: string,
    /** The authority's certificate. */
    readonly caFile: string,
  ) {}

  /** @param packages package → version → `bin/node` in it */
  static async start(
    folder: string,
    packages: Readonly<Record<string, Readonly<Record<string, string>>>>,
  ): Promise<NpmRegistry> {
    const { key, cert, caFile } = await makeCertificate(folder);
    const tarballs = new Map<string, Buffer>();
    const documents = new Map<string, (url: string) => object>();
    for (const [name, versions] of Object.entries(packages)) {
      const packed: [version: string, file: string, integrity: string][] = [];
      for (const [version, program] of Object.entries(versions)) {
        const file = await pack(folder, name, version, program);
        const bytes = await readFile(file);
        tarballs.set(`/${name}/-/${basename(file)}`, bytes);
        const integrity = `sha512-${createHash("sha512").update(bytes).digest("base64")}`;
        packed.push([version, basename(file), integrity]);
      }
      documents.set(`/${name}`, (url) => ({
        name,
        "dist-tags": { latest: packed.at(-1)?.[0] },
        versions: Object.fromEntries(
          packed.map(([version, file, integrity]) => [
            version,
            { name, version, dist: { tarball: `${url}/${name}/-/${file}`, integrity } },
          ]),
        ),
      }));
    }
    let url = "";
    const server = createServer({ key, cert }, (request, response) => {
      const path = new URL(request.url ?? "/", url).pathname;
      const document = documents.get(path)?.(url);
      const body = document === undefined ? tarballs.get(path) : JSON.stringify(document);
      response.statusCode = body === undefined ? 404 : 200;
      response.end(body ?? "{}");
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const address = server.address();
    if (typeof address !== "object" || address === null) throw new Error("no port");
    url = `https://127.0.0.1:${address.port}`;
    return new NpmRegistry(server, url, caFile);
  }

  close(): void {
    this.server.close();
    this.server.closeAllConnections();
  }
}

async function pack(folder: string, name: string, version: string, program: string): Promise<string> {
  const source = join(folder, `${name}-${version}`);
  await mkdir(join(source, "bin"), { recursive: true });
  await writeFile(join(source, "package.json"), JSON.stringify({ name, version }));
  await writeFile(join(source, "bin/node"), program);
  await chmod(join(source, "bin/node"), 0o755);
  await execa("npm", ["pack", "--pack-destination", folder], { cwd: source });
  return join(folder, `${name}-${version}.tgz`);
}

async function makeCertificate(folder: string): Promise<{ key: string; cert: string; caFile: string }> {
  const [caKey, caFile] = [join(folder, "ca.key"), join(folder, "ca.crt")];
  const [keyFile, certFile] = [join(folder, "registry.key"), join(folder, "registry.crt")];
  const request = ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];
  const days = ["-days", "2"];
  await openssl([...request, ...days, "-subj", "/CN=Test authority", "-keyout", caKey, "-out", caFile]);
  await openssl([
    ...[...request, ...days, "-subj", "/CN=registry", "-keyout", keyFile, "-out", certFile],
    ...["-CA", caFile, "-CAkey", caKey],
    ...["-addext", "subjectAltName=IP:127.0.0.1", "-addext", "basicConstraints=critical,CA:FALSE"],
  ]);
  return {
    key: await readFile(keyFile, "utf8"),
    cert: await readFile(certFile, "utf8"),
    caFile,
  };
}

async function openssl(args: readonly string[]): Promise<void> {
  await execa("openssl", args);
}
