import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { writeFile } from "node:fs/promises";
import { Agent, request } from "node:https";
import { join } from "node:path";
import { eventually } from "../eventually.js";
import { freePort } from "../network/free-port.js";
import { TestAuthorityFiles } from "./test-certificates.js";

const LOOPBACK = "127.0.0.1";

export interface PebbleOptions {
  /** Where it asks whether a name is ours. */
  readonly httpPort: number;
  /** For which it issues nothing, whoever has them. */
  readonly blocked?: readonly string[];
  /** Where it and its name servers listen. Default: 127.0.0.1. */
  readonly bind?: string;
  /** Whose name servers it asks, instead of its own. */
  readonly names?: Pebble;
}

/** A real ACME authority, and name servers that say what a test wants (Let's Encrypt's pebble and challtestsrv). */
export class Pebble {
  private constructor(
    readonly files: TestAuthorityFiles,
    private readonly ports: Record<"acme" | "management" | "dns" | "names", number>,
    private readonly options: PebbleOptions,
    private authority: ChildProcess | undefined,
    private readonly names: ChildProcess,
  ) {}

  static async start(options: PebbleOptions): Promise<Pebble> {
    const { bind = LOOPBACK } = options;
    const files = await TestAuthorityFiles.make();
    const [acme, management, dns, names] = [
      await freePort(),
      await freePort(),
      await freePort(),
      await freePort(),
    ];
    const nameServer = spawn(
      "pebble-challtestsrv",
      [
        ...["-dns01", `${bind}:${dns}`, "-management", `127.0.0.1:${names}`, "-defaultIPv6", ""],
        ...["-defaultIPv4", "", "-http01", "", "-https01", "", "-tlsalpn01", ""],
      ],
      { stdio: "ignore" },
    );
    const pebble = new Pebble(files, { acme, management, dns, names }, options, undefined, nameServer);
    await pebble.up();
    return pebble;
  }

  private get bind(): string {
    return this.options.bind ?? LOOPBACK;
  }

  get directory(): string {
    return `https://${this.bind}:${this.ports.acme}/dir`;
  }

  get nameServer(): string {
    return this.options.names?.nameServer ?? `${this.bind}:${this.ports.dns}`;
  }

  /** Of who vouches for the directory. */
  get caFile(): string {
    return this.files.rootFile;
  }

  /** PEM of the root of what it issues; another one after each start. */
  async root(): Promise<string> {
    return this.ask(`https://127.0.0.1:${this.ports.management}/roots/0`);
  }

  async directoryText(): Promise<string> {
    return this.ask(this.directory);
  }

  async up(): Promise<void> {
    const { acme, management } = this.ports;
    const { certificate, key } = await this.files.issue({ names: [LOOPBACK, this.bind] });
    const [certificateFile, keyFile, file] = ["pebble.crt", "pebble.key", "pebble.json"].map((name) =>
      join(this.files.folder, name),
    ) as [string, string, string];
    await writeFile(certificateFile, `${certificate}${this.files.intermediate}`);
    await writeFile(keyFile, key);
    const config = {
      listenAddress: `${this.bind}:${acme}`,
      managementListenAddress: `127.0.0.1:${management}`,
      ...{ certificate: certificateFile, privateKey: keyFile },
      ...{ httpPort: this.options.httpPort, tlsPort: 5001 },
      ...{ ocspResponderURL: "", externalAccountBindingRequired: false },
      domainBlocklist: this.options.blocked ?? [],
    };
    await writeFile(file, JSON.stringify({ pebble: config }));
    this.authority = spawn("pebble", ["-config", file, "-dnsserver", this.nameServer], {
      stdio: "ignore",
      env: { ...process.env, PEBBLE_VA_NOSLEEP: "1", PEBBLE_WFE_NONCEREJECT: "5" },
    });
    await eventually("pebble answers", async () => (await this.ask(this.directory).catch(() => "")) !== "");
  }

  /** Its accounts and certificates are forgotten. */
  async down(): Promise<void> {
    await end(this.authority);
    this.authority = undefined;
  }

  /** Where a name leads; no addresses: it is not there. */
  async point(host: string, ...addresses: string[]): Promise<void> {
    await this.tell("clear-a", { host: `${host}.` });
    await this.tell("add-a", { host: `${host}.`, addresses });
  }

  /** A program for `tls.dnsHook`. */
  get hook(): string {
    const url = `http://127.0.0.1:${this.ports.names}`;
    return `#!/bin/sh
set -e
[ "$1" = add ] && what=set-txt || what=clear-txt
curl -sS --fail -X POST -d "{\\"host\\":\\"$2.\\",\\"value\\":\\"$3\\"}" "${url}/$what"
`;
  }

  async stop(): Promise<void> {
    await this.down();
    await end(this.names);
    await this.files.remove();
  }

  private async tell(what: string, body: object): Promise<void> {
    await eventually("the name server answers", async () => {
      const answer = await fetch(`http://127.0.0.1:${this.ports.names}/${what}`, {
        method: "POST",
        body: JSON.stringify(body),
      }).catch(() => undefined);
      return answer?.ok;
    });
  }

  private async ask(url: string): Promise<string> {
    const agent = new Agent({ ca: this.files.root });
    return new Promise((resolve, reject) => {
      const outgoing = request(url, { agent }, (response) => {
        let text = "";
        response.setEncoding("utf8");
        response.on("data", (chunk: string) => (text += chunk));
        response.once("end", () => resolve(text));
      });
      outgoing.once("error", reject);
      outgoing.end();
    });
  }
}

async function end(child: ChildProcess | undefined): Promise<void> {
  if (child === undefined || child.exitCode !== null) return;
  child.kill();
  await once(child, "exit");
}
