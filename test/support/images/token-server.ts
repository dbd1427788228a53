import { execa } from "execa";
import { createSign, randomUUID } from "node:crypto";
import { readFile } from "node:fs/promises";
import { createServer, type Server } from "node:https";
import { join } from "node:path";

export interface TokenServerOptions {
  /** Gets `token.key` and `token.crt`; has `server.key` and `server.crt` for TLS. */
  readonly folder: string;
  readonly address: string;
  readonly port: number;
  readonly user: string;
  readonly password: string;
}

interface Access {
  readonly type: string;
  readonly name: string;
  readonly actions: readonly string[];
}

const SECONDS = 300;
export const TOKEN_SERVICE = "registry of the test";
export const TOKEN_ISSUER = "token server of the test";

/** Gives tokens for a docker-registry (distribution, "Token Authentication Implementation"): RS256, with the certificate in each. */
export class TokenServer {
  /** How many were given. */
  given = 0;
  /** Whether a user may do this; all may do everything. */
  allows: (access: { readonly name: string; readonly action: string }) => boolean = () => true;
  /** So many of the next ones have ended by the time they come. */
  late = 0;

  private constructor(
    private readonly options: TokenServerOptions,
    private readonly server: Server,
    private readonly key: string,
    private readonly certificate: string,
  ) {}

  static async start(options: TokenServerOptions): Promise<TokenServer> {
    const { folder, address, port } = options;
    const [key, certificate] = [join(folder, "token.key"), join(folder, "token.crt")];
    const request = ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=tokens"];
    await execa("openssl", [...request, "-keyout", key, "-out", certificate]);
    const tls = {
      key: await readFile(join(folder, "server.key")),
      cert: await readFile(join(folder, "server.crt")),
    };
    const server = createServer(tls, (asked, answer) => {
      const { status, body } = tokens.answerTo(asked.url ?? "/", asked.headers.authorization ?? "");
      answer.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
    });
    const tokens = new TokenServer(
      options,
      server,
      await readFile(key, "utf8"),
      await readFile(certificate, "utf8"),
    );
    await new Promise<void>((resolve) => server.listen(port, address, resolve));
    return tokens;
  }

  get realm(): string {
    const { address, port } = this.options;
    return `https://${address}:${port}/token`;
  }

  close(): void {
    this.server.closeAllConnections();
    this.server.close();
  }

  private answerTo(url: string, authorization: string): { status: number; body: object } {
    const { user, password } = this.options;
    const expected = `Basic ${Buffer.from(`${user}:${password}`).toString("base64")}`;
    if (authorization !== expected) return { status: 401, body: { details: "incorrect user or password" } };
    const scopes = new URL(url, this.realm).searchParams.getAll("scope").flatMap((each) => each.split(" "));
    const access = scopes.filter(Boolean).map((scope): Access => {
      const [type = "", ...rest] = scope.split(":");
      const actions = (rest.pop() ?? "").split(",");
      const name = rest.join(":");
      return { type, name, actions: actions.filter((action) => this.allows({ name, action })) };
    });
    this.given++;
    return { status: 200, body: { token: this.sign(user, access), expires_in: SECONDS } };
  }

  private sign(user: string, access: readonly Access[]): string {
    const isLate = this.late > 0;
    if (isLate) this.late--;
    // A registry allows for a minute between its clock and another's.
    const now = Math.floor(Date.now() / 1000) - (isLate ? SECONDS + 120 : 0);
    const lines = this.certificate.split("\n").filter((line) => line !== "" && !line.startsWith("-----"));
    const header = { typ: "JWT", alg: "RS256", x5c: [lines.join("")] };
    const claims = {
      ...{ iss: TOKEN_ISSUER, sub: user, aud: TOKEN_SERVICE, jti: randomUUID(), access },
      ...{ iat: now, nbf: now - 10, exp: now + SECONDS },
    };
    const text = [header, claims]
      .map((part) => Buffer.from(JSON.stringify(part)).toString("base64url"))
      .join(".");
    return `${text}.${createSign("RSA-SHA256").update(text).sign(this.key, "base64url")}`;
  }
}
